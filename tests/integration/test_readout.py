"""Votes, classifier and both pooled: by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from napari_gluer.integration import readout
from napari_gluer.integration.readout import classified, pooled, votes


def membership(codes: list[int] | np.ndarray, n_types: int) -> sparse.csr_matrix:
    dense = np.zeros((len(codes), n_types), np.float32)
    for row, code in enumerate(codes):
        if code >= 0:
            dense[row, code] = 1
    return sparse.csr_matrix(dense)


def test_votes_by_hand() -> None:
    """Each of the nearest that have a type has one vote, whatever its weight."""
    weights = np.array(
        [[0.4, 0.3, 0.2, 0.1, 0], [0, 0.1, 0.2, 0.3, 0.4], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]],
        np.float32,
    )
    has_type = membership([0, 1, 0, 1, -1], 2)
    found = votes(sparse.csr_matrix(weights), has_type, 3)
    np.testing.assert_allclose(found, [[2 / 3, 1 / 3], [1 / 3, 2 / 3], [0, 0], [0, 0]])


@given(st.integers(0, 2**16), st.integers(1, 8))
def test_votes_are_those_counted_one_by_one(seed: int, n_voters: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.random((6, 12)).astype(np.float32) * (rng.random((6, 12)) < 0.7)
    codes = rng.integers(-1, 3, 12)
    truth = np.zeros((6, 3))
    for i, row in enumerate(weights):
        voters = [j for j in np.argsort(-row, kind="stable") if row[j] > 0 and codes[j] >= 0]
        for j in voters[:n_voters]:
            truth[i, codes[j]] += 1 / len(voters[:n_voters])
    found = votes(sparse.csr_matrix(weights), membership(codes, 3), n_voters)
    np.testing.assert_allclose(found, truth, atol=1e-12)


def test_votes_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    weights = sparse.csr_matrix(rng.random((23, 9)).astype(np.float32))
    has_type = membership(rng.integers(-1, 4, 9), 4)
    whole = votes(weights, has_type, 5)
    monkeypatch.setattr(readout, "_BLOCK", 7)
    np.testing.assert_array_equal(votes(weights, has_type, 5), whole)


def typed_factors(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(n) % 4) - 1
    return (rng.normal(size=(n, 3)) + 2 * np.eye(4, 3)[codes]).astype(np.float32), codes


def test_classifier_is_that_of_scikit_learn() -> None:
    reference, codes = typed_factors(400)
    cells, _ = typed_factors(30, seed=1)
    rows = codes >= 0
    scale = reference[rows].std()
    model = LogisticRegression(C=40 / rows.sum(), max_iter=500)
    model.fit(reference[rows] / scale, codes[rows])
    found = classified(reference, cells, codes)
    assert found is not None
    np.testing.assert_allclose(found, model.predict_proba(cells / scale), atol=1e-6)


def test_units_of_the_factors_do_not_matter() -> None:
    reference, codes = typed_factors(200)
    plain, scaled = (classified(reference * s, reference * s, codes) for s in (1, 1000))
    np.testing.assert_allclose(scaled, plain, atol=1e-4)  # type: ignore[arg-type] # two types


def test_types_that_no_cell_has_get_nothing() -> None:
    reference, codes = typed_factors(100)
    codes = np.where(codes == 1, -1, codes)
    found = classified(reference, reference[:5], codes)
    assert found is not None
    assert found.shape == (5, 3)
    assert not found[:, 1].any()
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("codes", [[0, 0, 0], [-1, 1, -1], [-1, -1, -1]])
def test_one_type_or_none_needs_no_classifier(codes: list[int]) -> None:
    assert classified(np.eye(3), np.eye(3), np.array(codes)) is None


def test_a_large_reference_is_thinned_by_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of each type, but no fewer than there must be: the rare type keeps its cells."""
    codes = np.repeat([0, 1, 2, -1], [9000, 1000, 60, 500])
    seen = []

    class Model(LogisticRegression):
        def fit(self, X: np.ndarray, y: np.ndarray) -> "Model":
            seen.append(np.bincount(y))
            return super().fit(X, y)  # type: ignore[no-any-return]

    monkeypatch.setattr(readout, "LogisticRegression", Model)
    factors = np.eye(4)[codes] + np.random.default_rng(0).normal(size=(len(codes), 4)) / 9
    once, again = (classified(factors, factors[::1000], codes) for _ in range(2))
    share = 5000 / 10_060
    assert list(seen[0]) == [round(9000 * share), round(1000 * share), 50]
    np.testing.assert_array_equal(once, again)  # type: ignore[arg-type] # two types


def test_pooled_by_hand() -> None:
    voted = np.array([[0.6, 0.4, 0], [1, 0, 0], [0, 0, 0]])
    classes = np.array([[0.2, 0.3, 0.5], [0, 1, 0], [0, 1, 0]])
    found = pooled(voted, classes)
    first = np.sqrt([0.62 * 0.22, 0.42 * 0.32, 0.02 * 0.52])
    np.testing.assert_allclose(found[0], first / first.sum())
    # opposite certainties leave both types as likely
    each = np.sqrt(1.02 * 0.02)
    np.testing.assert_allclose(found[1], np.array([each, each, 0.02]) / (2 * each + 0.02))
    np.testing.assert_array_equal(found[2], 0)


@given(st.integers(0, 2**16))
def test_pooling_what_agrees_keeps_the_order(seed: int) -> None:
    opinion = np.random.default_rng(seed).dirichlet(np.ones(4), 5)
    found = pooled(opinion, opinion)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(np.argsort(found), np.argsort(opinion))


def test_votes_alone_where_nothing_is_classified() -> None:
    voted = np.array([[1.0], [0.0]])
    assert pooled(voted, None) is voted
