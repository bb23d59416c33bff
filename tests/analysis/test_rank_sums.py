import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import false_discovery_control, mannwhitneyu, rankdata

from napari_gluer.analysis.rank_sums import adjusted, contrasts, ranked

small = st.integers(0, 2**16)


def values(seed: int, n: int = 30, n_genes: int = 4) -> np.ndarray:
    """Rounded, so with ties; some negative, many zero."""
    rng = np.random.default_rng(seed)
    found = np.round(rng.normal(size=(n, n_genes)), 1)
    return np.where(rng.random(found.shape) < 0.4, 0, found)


@given(small, st.integers(1, 25))
def test_ranks_are_those_of_scipy(seed: int, n: int) -> None:
    dense = values(seed, n)
    ranks, of_zero, ties = ranked(sparse.csc_matrix(dense))
    expected = rankdata(dense, axis=0)
    np.testing.assert_allclose(
        np.where(dense != 0, ranks.toarray() + of_zero, of_zero), expected, atol=1e-9
    )
    for column, found in zip(dense.T, ties, strict=True):
        _, counts = np.unique(column, return_counts=True)
        assert found == (counts**3 - counts).sum()


def test_stored_zeros_are_zeros() -> None:
    matrix = sparse.csc_matrix(([0.0, 2.0], ([0, 2], [0, 0])), shape=(4, 1))
    ranks, of_zero, ties = ranked(matrix)
    assert of_zero[0] == 2
    assert ties[0] == 24
    assert ranks.toarray()[2, 0] + 2 == 4


@given(small)
def test_scores_and_p_values_are_those_of_mann_and_whitney(seed: int) -> None:
    dense = values(seed)
    rng = np.random.default_rng(seed + 1)
    members = rng.random((30, 3)) < 0.4
    members[0], members[1] = True, False
    found = contrasts(sparse.csc_matrix(dense), members)
    for g in range(3):
        for j in range(4):
            inside, outside = dense[members[:, g], j], dense[~members[:, g], j]
            test = mannwhitneyu(inside, outside, use_continuity=False, method="asymptotic")
            pairs = np.sign(inside[:, None] - outside)
            assert found.p[g, j] == pytest.approx(test.pvalue, rel=1e-9)
            assert found.auroc[g, j] == pytest.approx((pairs.mean() + 1) / 2, abs=1e-12)
            assert np.sign(found.score[g, j]) == np.sign(round(pairs.sum(), 6))
            assert found.mean_in[g, j] == pytest.approx(inside.mean())
            assert found.mean_out[g, j] == pytest.approx(outside.mean())
            assert found.share_in[g, j] == pytest.approx((inside > 0).mean())
            assert found.share_out[g, j] == pytest.approx((outside > 0).mean())


@given(small)
def test_the_other_side_has_the_opposite_score(seed: int) -> None:
    matrix = sparse.csc_matrix(values(seed))
    chosen = np.arange(30) < 11
    found = contrasts(matrix, np.column_stack([chosen, ~chosen]))
    np.testing.assert_allclose(found.score[0], -found.score[1], atol=1e-9)
    np.testing.assert_allclose(found.auroc[0], 1 - found.auroc[1], atol=1e-12)


@pytest.mark.parametrize("constant", [0, 3])
def test_a_constant_gene_tells_nothing(constant: float) -> None:
    matrix = sparse.csc_matrix(np.full((12, 1), float(constant)))
    found = contrasts(matrix, (np.arange(12) < 5)[:, None])
    assert found.score[0, 0] == 0
    assert found.p[0, 0] == 1
    assert found.auroc[0, 0] == 0.5
    assert found.log2_fold_change(logged=True)[0, 0] == 0


def test_fold_changes_by_hand() -> None:
    matrix = sparse.csc_matrix(np.log1p([[3.0], [3.0], [1.0], [1.0]]))
    found = contrasts(matrix, np.array([[True], [True], [False], [False]]))
    assert found.log2_fold_change(logged=True)[0, 0] == pytest.approx(np.log2(3), abs=1e-6)
    plain = contrasts(matrix.expm1(), np.array([[True], [True], [False], [False]]))
    assert plain.log2_fold_change(logged=False)[0, 0] == pytest.approx(np.log2(3), abs=1e-6)


def test_no_fold_change_of_negative_means() -> None:
    matrix = sparse.csc_matrix([[-1.0], [-1.0], [2.0], [2.0]])
    found = contrasts(matrix, np.array([[True], [True], [False], [False]]))
    assert np.isnan(found.log2_fold_change(logged=False)[0, 0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_those_of_scipy(p: list[float]) -> None:
    np.testing.assert_allclose(adjusted(np.array(p)), false_discovery_control(p), atol=1e-12)


def test_unknown_p_values_do_not_count() -> None:
    found = adjusted(np.array([[0.01, np.nan, 0.03], [np.nan, np.nan, 0.5]]))
    np.testing.assert_allclose(found, [[0.02, np.nan, 0.03], [np.nan, np.nan, 0.5]])
