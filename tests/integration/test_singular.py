"""The closed-form joint factorisation against NumPy's singular vectors of the stacked values."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from napari_gluer.integration import singular
from napari_gluer.integration.singular import chosen_rank, folded, joint_singular_factors
from napari_gluer.integration.standard import standardized


def z_scores(X: np.ndarray) -> np.ndarray:
    X = X.astype(float)
    spread = X.std(axis=0)
    return np.asarray((X - X.mean(axis=0)) / np.where(spread > 0, spread, 1))


def data_sets(seed: int, sizes: tuple[int, ...], g: int, programs: int = 4) -> list[np.ndarray]:
    """Non-negative values made of shared programmes and noise."""
    rng = np.random.default_rng(seed)
    shared = rng.gamma(0.5, 2, (programs, g))
    return [
        (rng.gamma(0.5, 2, (n, programs)) @ shared + rng.random((n, g))).astype(np.float32)
        for n in sizes
    ]


def weighted_svd(matrices: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Squared singular values and right vectors of standardised values, stacked and weighed."""
    shares = [0.5, *[0.5 / (len(matrices) - 1)] * (len(matrices) - 1)]
    stacked = [np.sqrt(w / len(X)) * z_scores(X) for w, X in zip(shares, matrices, strict=True)]
    _, S, Vt = np.linalg.svd(np.concatenate(stacked), full_matrices=False)
    return S**2, Vt.T


def same_up_to_signs(found: np.ndarray, truth: np.ndarray, atol: float) -> None:
    signs = np.sign((found * truth).sum(axis=0))
    np.testing.assert_allclose(found * signs, truth, atol=atol)


@given(st.integers(0, 2**16), st.sampled_from([(60, 40), (50, 30, 25)]), st.integers(1, 6))
def test_equals_the_svd_of_the_weighted_stack(seed: int, sizes: tuple[int, ...], rank: int) -> None:
    matrices = data_sets(seed, sizes, 9)
    found = joint_singular_factors([standardized(X) for X in matrices], rank)
    squares, V = weighted_svd(matrices)
    k = found.G.shape[1] // 2
    assert k == rank
    np.testing.assert_array_equal(found.G[:, k:], -found.G[:, :k])
    # equal singular values have no vectors of their own: spans are compared
    gap = np.r_[np.diff(-squares), 1][k - 1]
    if gap > 0.02:
        V = V[:, :k]
        np.testing.assert_allclose(found.G[:, :k] @ found.G[:, :k].T, V @ V.T, atol=5e-3)
        left = squares.sum() - squares[:k].sum()
        np.testing.assert_allclose(found.loss[-1], left, rtol=1e-3, atol=1e-3)
    for X, H in zip(matrices, found.H, strict=True):
        assert (H >= 0).all()
        assert H.dtype == np.float32
        assert not ((H[:, :k] > 0) & (H[:, k:] > 0)).any()
        np.testing.assert_allclose(
            H @ found.G.T, z_scores(X) @ found.G[:, :k] @ found.G[:, :k].T, atol=5e-3
        )


def test_directions_are_the_singular_vectors_in_their_order() -> None:
    matrices = data_sets(1, (300, 200), 12)
    found = joint_singular_factors([standardized(X) for X in matrices], 3)
    squares, V = weighted_svd(matrices)
    assert (np.diff(squares[:4]) < -0.1).all()
    same_up_to_signs(found.G[:, :3], V[:, :3], 1e-3)
    largest = np.abs(found.G[:, :3]).argmax(axis=0)
    assert (found.G[largest, np.arange(3)] > 0).all()


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
def test_iterations_come_to_the_exact_factors(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = data_sets(2, (260, 180), 120)
    sides = [standardized(stored(X)) for X in matrices]
    exact = joint_singular_factors(sides, 4)
    monkeypatch.setattr(singular, "_EXACT_UP_TO", 100)
    iterated = joint_singular_factors(sides, 4, seed=5)
    same_up_to_signs(iterated.G[:, :4], exact.G[:, :4], 1e-3)
    np.testing.assert_allclose(iterated.loss, exact.loss, rtol=1e-4)
    for one, two in zip(iterated.H, exact.H, strict=True):
        np.testing.assert_allclose(one, two, atol=0.05)


def test_more_than_a_thousand_features_are_iterated() -> None:
    seen = []

    def track(items: Any, desc: str) -> Any:
        for item in items:
            seen.append(desc)
            yield item

    matrices = data_sets(3, (90, 60), 1001)
    sides = [standardized(X) for X in matrices]
    found = joint_singular_factors(sides, 3, track=track)
    assert len(seen) == 8  # iterations, not data sets
    squares, _ = weighted_svd(matrices)
    np.testing.assert_allclose(found.loss[-1], squares.sum() - squares[:3].sum(), rtol=1e-3)


def test_a_data_set_a_hundred_times_larger_does_not_outvote() -> None:
    """Copies of the same cells change nothing, however many there are."""
    reference, cells = data_sets(4, (40, 50), 10)
    once = joint_singular_factors([standardized(reference), standardized(cells)], 4)
    many = joint_singular_factors(
        [standardized(reference), standardized(np.tile(cells, (100, 1)))], 4
    )
    np.testing.assert_allclose(many.G, once.G, atol=1e-3)
    np.testing.assert_allclose(many.H[0], once.H[0], atol=1e-2)
    np.testing.assert_allclose(many.loss, once.loss, rtol=1e-3)


def test_tables_share_the_half_of_the_cells() -> None:
    reference, cells = data_sets(5, (40, 60), 10)
    one, three = (
        joint_singular_factors([standardized(X) for X in (reference, *[cells] * n)], 3)
        for n in (1, 3)
    )
    np.testing.assert_allclose(one.G, three.G, atol=1e-4)


def test_folded_cells_differ_as_what_their_factors_stand_for() -> None:
    matrices = data_sets(6, (40, 30), 8)
    factors = joint_singular_factors([standardized(X) for X in matrices], 3)
    for found, H in zip(folded(factors), factors.H, strict=True):
        values = H @ factors.G.T
        truth = values / np.linalg.norm(values, axis=1, keepdims=True)
        np.testing.assert_allclose(found @ found.T, truth @ truth.T, atol=1e-4)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_up_to_thirty_features_all_factors_are_taken() -> None:
    for n_features in (1, 5, 30):
        assert chosen_rank(np.ones(n_features), n_features, [100, 100]) == n_features
    sides = [standardized(X) for X in data_sets(7, (80, 70), 11)]
    assert joint_singular_factors(sides).G.shape == (11, 22)


@pytest.mark.parametrize(("planted", "expected"), [(0, 20), (5, 20), (27, 27), (41, 41), (60, 50)])
def test_planted_factors_are_counted(planted: int, expected: int) -> None:
    rng = np.random.default_rng(planted)
    shared = np.linalg.qr(rng.normal(size=(150, 150)))[0][:planted]
    sides = []
    for n in (900, 700):
        values = rng.normal(size=(n, 150)) + 4 * rng.normal(size=(n, planted)) @ shared
        sides.append(standardized(values.astype(np.float32)))
    assert joint_singular_factors(sides).G.shape[1] == 2 * expected


def test_rank_never_exceeds_the_features() -> None:
    sides = [standardized(X) for X in data_sets(8, (30, 20), 6)]
    assert joint_singular_factors(sides, 40).G.shape == (6, 12)


def test_few_cells_and_constant_features_give_numbers() -> None:
    matrices = data_sets(9, (4, 3), 7)
    matrices[0][:, 2] = 1
    found = joint_singular_factors([standardized(X) for X in matrices])
    for part in (found.G, *found.H, *folded(found)):
        assert np.isfinite(part).all()


def test_same_seed_same_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(singular, "_EXACT_UP_TO", 0)
    sides = [standardized(X) for X in data_sets(1, (30, 20), 8)]
    once, again = (joint_singular_factors(sides, 3, seed=2) for _ in range(2))
    np.testing.assert_array_equal(once.G, again.G)
