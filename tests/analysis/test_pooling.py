"""Groups of like cells: every cell once, of one size, like ones together; pooled values by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from napari_gluer.analysis.pooling import (
    like_cells,
    memberships,
    peak_space,
    pooled_means,
    pooled_reads,
)


@given(st.integers(1, 120), st.integers(1, 40), st.integers(0, 99))
def test_every_cell_is_in_one_group_of_nearly_one_size(n: int, size: int, seed: int) -> None:
    space = np.random.default_rng(seed).normal(size=(n, 3))
    groups = like_cells(space, size)
    sizes = np.bincount(groups)
    assert len(sizes) == max(1, n // size)
    assert sizes.sum() == n
    assert sizes.min() >= min(size, n)
    assert sizes.max() - sizes.min() <= max(2, np.log2(n + 1))


def test_like_cells_are_together() -> None:
    rng = np.random.default_rng(0)
    kind = rng.permutation(np.repeat(np.arange(4), 50))
    space = np.eye(4)[kind] * 10 + rng.normal(size=(200, 4))
    groups = like_cells(space, 25)
    assert len(np.unique(groups)) == 8
    for group in range(8):
        assert len(np.unique(kind[groups == group])) == 1


def test_groups_are_the_same_every_time_and_when_mirrored() -> None:
    space = np.random.default_rng(1).normal(size=(80, 5))
    once = like_cells(space, 10)
    np.testing.assert_array_equal(once, like_cells(space.copy(), 10))
    mirrored = like_cells(-space, 10)
    pairs = set(zip(once.tolist(), mirrored.tolist(), strict=True))
    assert len(pairs) == 8  # the same groups, by other numbers
    moved = like_cells(space * 3 + 100, 10)
    np.testing.assert_array_equal(once, moved)


def test_identical_cells_are_parted_too() -> None:
    assert np.bincount(like_cells(np.zeros((40, 2)), 10)).tolist() == [10] * 4


def test_single_cells_are_their_own_groups() -> None:
    assert like_cells(np.zeros((5, 1)), 1).tolist() == [0, 1, 2, 3, 4]


def test_pooled_values_by_hand() -> None:
    members = memberships(np.array([0, 1, 0]))
    counts = sparse.csr_matrix(np.array([[1.0, 0, 3], [0, 0, 0], [1, 4, 1]]))
    expected = np.log1p(1e4 * np.array([[2, 4, 4], [0, 0, 0]]) / [[10], [1]])
    np.testing.assert_allclose(pooled_reads(members, counts).toarray(), expected)
    values = np.array([[1.0, 5], [2, 6], [3, 10]])
    np.testing.assert_allclose(pooled_means(members, values), [[2, 7.5], [2, 6]])
    np.testing.assert_allclose(pooled_means(members, sparse.csr_matrix(values)), [[2, 7.5], [2, 6]])


def test_peaks_tell_types_and_not_depth() -> None:
    rng = np.random.default_rng(2)
    kind = rng.permutation(np.arange(300) % 3)
    depth = rng.lognormal(0, 0.8, 300)
    mean = np.where(np.arange(240) % 3 == kind[:, None], 0.4, 0.1) * depth[:, None]
    counts = sparse.csr_matrix(rng.poisson(mean).astype(np.float32))
    space = peak_space(counts)
    groups = like_cells(space, 25)
    purity = [np.bincount(kind[groups == group]).max() / 25 for group in range(12)]
    assert np.mean(purity) > 0.85  # 0.4 or so by chance
    # groups by depth would differ in it by 0.8
    means = np.array([np.log(depth[groups == group]).mean() for group in range(12)])
    assert means.std() < 0.6


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (3, 2), (12, 40)])
def test_small_and_empty_tables_have_a_space(shape: tuple[int, int]) -> None:
    space = peak_space(sparse.csr_matrix(np.zeros(shape, np.float32)))
    assert space.shape[0] == shape[0]
    assert not space.any()
