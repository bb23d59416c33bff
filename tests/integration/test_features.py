"""Choice of features, and non-negative parts for factorisations that know no signs."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from napari_gluer.integration.factorize import Factors
from napari_gluer.integration.features import (
    compared,
    most_variable,
    parted,
    signed,
)
from napari_gluer.integration.standard import above_zero, standardized


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
def test_features_that_vary_on_both_sides(stored: Any) -> None:
    first = np.array([[1, 0, 3, 0, 9], [1, 2, 3, 0, 1], [1, 4, 3, 5, 2]], np.float32)
    second = np.array([[1, 7, 3, 0, 0], [2, 7, 8, 6, 4]], np.float32)
    assert list(most_variable([stored(first), stored(second)], 0)) == [3, 4]
    assert list(most_variable([stored(first)], 0)) == [1, 3, 4]
    assert list(most_variable([stored(first)], 2)) == [3, 4]
    assert list(most_variable([stored(first)], 100)) == [1, 3, 4]
    assert list(most_variable([stored(first * 0)], 0)) == []


def test_the_worst_rank_decides_and_the_order_is_kept() -> None:
    deviations = np.array([[9, 1, 5, 7, 3], [1, 9, 8, 6, 2]])
    signs = np.array([[1], [-1]])
    matrices = [signs * deviation + 10.0 for deviation in deviations]
    ranks = np.array([sorted(row, reverse=True).index(v) for row in deviations for v in row])
    worst = ranks.reshape(2, 5).max(axis=0)
    assert list(worst) == [4, 4, 2, 2, 3]
    assert list(most_variable(matrices, 2)) == [2, 3]
    assert list(most_variable(matrices, 3)) == [2, 3, 4]


@given(st.integers(0, 2**16), st.integers(1, 30))
def test_sparse_and_dense_agree(seed: int, limit: int) -> None:
    rng = np.random.default_rng(seed)
    dense = [rng.gamma(1, rng.gamma(1, 2, 15), (n, 15)).astype(np.float32) for n in (20, 12)]
    stored = [sparse.csr_matrix(X) for X in dense]
    np.testing.assert_array_equal(most_variable(dense, limit), most_variable(stored, limit))


@given(st.integers(0, 2**16))
def test_positive_and_negative_parts_lie_side_by_side(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrices = [rng.poisson(rng.gamma(1, 2, 7), (n, 7)).astype(np.float32) for n in (30, 22)]
    matrices[0][:, 2] = 3
    for X, Z in zip(matrices, parted([standardized(X) for X in matrices]), strict=True):
        assert Z.shape == (len(X), 14)
        assert (Z >= 0).all()
        assert not ((Z[:, :7] > 0) & (Z[:, 7:] > 0)).any()
        spread = X.std(axis=0, dtype=float)
        truth = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)
        np.testing.assert_allclose(Z[:, :7] - Z[:, 7:], truth, atol=1e-4)


def test_signed_factors_say_the_values_that_the_parts_say() -> None:
    rng = np.random.default_rng(0)
    factors = Factors(rng.random((12, 3)), [rng.random((5, 3))], np.zeros(1))
    parts = factors.H[0] @ factors.G.T
    H, G = signed(factors).H[0], signed(factors).G
    np.testing.assert_allclose(H @ G.T, parts[:, :6] - parts[:, 6:])


def test_cells_are_counted_by_the_features_above_zero() -> None:
    X = np.array([[0, 0], [0, 1e-6], [3, 2], [0, 0]], np.float32)
    for stored in (np.asarray, sparse.csr_matrix):
        np.testing.assert_array_equal(above_zero(stored(X)), [0, 1, 2, 0])


def test_compared_cells_differ_as_what_their_factors_stand_for() -> None:
    """Cosines between centred cells are those of the values that the factors add up to."""
    rng = np.random.default_rng(0)
    G, H = rng.normal(size=(9, 3)), [rng.random((6, 3)), rng.random((5, 3)) * 4]
    found = compared(Factors(G, H, np.zeros(1)))
    values = [h @ G.T for h in H]
    truth = [side - side.mean(axis=0) for side in values]
    truth = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in truth]
    for i in (0, 1):
        assert found[i].dtype == np.float32
        for j in (0, 1):
            np.testing.assert_allclose(found[i] @ found[j].T, truth[i] @ truth[j].T, atol=1e-5)


def test_compared_leaves_out_directions_that_say_nothing() -> None:
    rng = np.random.default_rng(1)
    G = rng.random((9, 2))[:, [0, 1, 1]]  # two factors say the same
    assert compared(Factors(G, [rng.random((7, 3))], np.zeros(1)))[0].shape == (7, 2)
