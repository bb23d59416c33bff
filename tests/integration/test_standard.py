"""Standardised values, of which only products are made, against the dense values themselves."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from napari_gluer import products
from napari_gluer.integration.standard import moments, standardized, varies

STORED = pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
ONE_BATCH = None


def z_scores(X: np.ndarray, batch: np.ndarray | None) -> np.ndarray:
    """As a textbook says, in float64 and batch by batch."""
    X = X.astype(float)
    found = np.zeros_like(X)
    for code in np.unique(np.zeros(len(X)) if batch is None else batch):
        rows = np.ones(len(X), bool) if batch is None else batch == code
        part = X[rows]
        spread = part.std(axis=0)
        found[rows] = (part - part.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return found


def problem(seed: int, n: int, g: int, n_batches: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Sparse counts, one feature constant; batches of 20 cells at least."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(rng.gamma(1, 2, g), (n, g)).astype(np.float32)
    X[:, 0] = 2
    batch = rng.permutation(np.arange(n) % n_batches) * 3 + 1 if n_batches > 1 else ONE_BATCH
    return X, batch


@given(
    seed=st.integers(0, 2**16),
    n=st.integers(60, 90),
    g=st.integers(1, 12),
    n_batches=st.integers(1, 3),
    stored=st.sampled_from([np.asarray, sparse.csr_matrix]),
)
def test_every_product_is_that_of_the_dense_values(
    seed: int, n: int, g: int, n_batches: int, stored: Any
) -> None:
    X, batch = problem(seed, n, g, n_batches)
    Z, found = z_scores(X, batch), standardized(stored(X), batch)
    rng = np.random.default_rng(seed)
    wide, tall = rng.normal(size=(g, 4)), rng.normal(size=(n, 3))
    assert found.shape == (n, g)
    np.testing.assert_allclose(found.dense(), Z, atol=2e-4)
    np.testing.assert_allclose(found.times(wide), Z @ wide, atol=2e-3)
    np.testing.assert_allclose(found.transposed_times(tall), Z.T @ tall, atol=5e-3)
    np.testing.assert_allclose(found.gram(), Z.T @ Z, atol=1e-2)
    np.testing.assert_allclose(found.squared_norm(), (Z**2).sum(), rtol=1e-4, atol=1e-3)


@given(st.integers(0, 2**16), st.sampled_from([np.asarray, sparse.csr_matrix]))
def test_chosen_cells_and_features_are_standardised_as_all_are(seed: int, stored: Any) -> None:
    X, batch = problem(seed, 70, 9, 2)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(70)[:11], np.sort(rng.permutation(9)[:4])
    found = standardized(stored(X), batch).rows(rows).columns(columns)
    truth = z_scores(X, batch)[np.ix_(rows, columns)]
    np.testing.assert_allclose(found.dense(), truth, atol=2e-4)
    np.testing.assert_allclose(found.gram(), truth.T @ truth, atol=1e-2)
    np.testing.assert_allclose(found.squared_norm(), (truth**2).sum(), rtol=1e-3, atol=1e-3)


@STORED
def test_products_in_blocks_are_the_same(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X, batch = problem(3, 83, 6, 2)
    Z, tall = z_scores(X, batch), np.random.default_rng(0).normal(size=(83, 2))
    monkeypatch.setattr(products, "_BLOCK_ROWS", 10)
    found = standardized(stored(X), batch)
    np.testing.assert_allclose(found.gram(), Z.T @ Z, atol=1e-2)
    np.testing.assert_allclose(found.transposed_times(tall), Z.T @ tall, atol=5e-3)


@STORED
def test_batches_of_fewer_than_twenty_cells_count_as_one(stored: Any) -> None:
    X, _ = problem(1, 90, 5, 1)
    batch = np.repeat([7, 2, 9, 4], [50, 19, 1, 20])
    together = np.repeat([0, 1, 1, 2], [50, 19, 1, 20])
    found = standardized(stored(X), batch)
    assert len(found.means) == 3
    np.testing.assert_allclose(found.dense(), z_scores(X, together), atol=2e-4)


@STORED
def test_features_constant_within_a_batch_become_zero(stored: Any) -> None:
    X, batch = problem(2, 80, 4, 2)
    assert batch is not None
    X[:, 1] = np.where(batch == batch[0], 5.0, 11.1)
    found = standardized(stored(X), batch).dense()
    np.testing.assert_allclose(found[:, :2], 0, atol=1e-5)
    assert np.abs(found[:, 2:]).max() > 1


@STORED
def test_rounding_is_no_variation(stored: Any) -> None:
    X = np.random.default_rng(0).random((60, 3)).astype(np.float32)
    X[:, 1] = np.nextafter(np.float32(9.2), np.where(X[:, 0] > 0.5, np.float32(10), 0))
    assert len(np.unique(X[:, 1])) == 2
    found = standardized(stored(X), np.arange(60) % 2).dense()
    assert np.abs(found[:, 1]).max() < 1e-4
    assert list(varies(*moments(stored(X)))) == [True, False, True]


@STORED
def test_moments_are_those_of_float64(stored: Any) -> None:
    X = (5 + 0.1 * np.random.default_rng(0).random((200_000, 2))).astype(np.float32)
    mean, variance = moments(stored(X))
    np.testing.assert_allclose(mean, X.astype(float).mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(variance, X.astype(float).var(axis=0), rtol=1e-6)
    np.testing.assert_allclose(standardized(stored(X)).dense(), z_scores(X, None), atol=1e-3)


@STORED
def test_the_matrix_stays_as_it_was(stored: Any) -> None:
    X, batch = problem(4, 60, 5, 2)
    matrix = stored(X.copy())
    standardized(matrix, batch)
    dense = matrix.toarray() if sparse.issparse(matrix) else matrix
    np.testing.assert_array_equal(dense, X)


def test_sparse_values_stay_sparse() -> None:
    X = sparse.random(500, 200, 0.02, format="csr", random_state=0, dtype=np.float32)
    found = standardized(X, np.arange(500) % 3)
    assert sparse.issparse(found.scaled)
    assert found.scaled.nnz == X.nnz


def test_whole_numbers_and_float64_come_out_as_float32() -> None:
    for kind in (np.int64, np.uint8, np.float64):
        found = standardized(np.arange(40).reshape(20, 2).astype(kind))
        assert found.dense().dtype == found.times(np.eye(2)).dtype == np.float32
