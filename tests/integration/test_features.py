from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from napari_gluer.integration.factorize import Factors
from napari_gluer.integration.features import (
    comparable,
    has_signal,
    most_variable,
    prepared,
    smoothed,
)
from napari_gluer.integration.params import FeatureParams

STANDARD = FeatureParams(standardize=True)


def counts(seed: int, n: int, genes: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(1, 2, genes), (n, genes)).astype(np.float32)


def standardized(X: np.ndarray) -> np.ndarray:
    X = X.astype(float)
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)


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
    for a, b in zip(prepared(dense, STANDARD, 0), prepared(stored, STANDARD, 0), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_sparse_values_of_many_rows_keep_their_digits() -> None:
    X = (5 + 0.1 * np.random.default_rng(0).random((200_000, 2))).astype(np.float32)
    (found,) = prepared([sparse.csr_matrix(X)], STANDARD, 0)
    np.testing.assert_allclose(found[:, :2] - found[:, 2:], standardized(X), atol=1e-3)


def test_plain_values_pass_as_they_are() -> None:
    matrices = [sparse.csr_matrix(counts(0, 5, 4)), counts(1, 6, 4)]
    assert prepared(matrices, FeatureParams(), 0) is matrices


@given(st.integers(0, 2**16))
def test_positive_and_negative_parts_lie_side_by_side(seed: int) -> None:
    matrices = [counts(seed, 30, 7), counts(seed + 1, 22, 7)]
    matrices[0][:, 2] = 3
    for X, Z in zip(matrices, prepared(matrices, STANDARD, 0), strict=True):
        assert Z.shape == (len(X), 14)
        assert (Z >= 0).all()
        assert not ((Z[:, :7] > 0) & (Z[:, 7:] > 0)).any()
        np.testing.assert_allclose(Z[:, :7] - Z[:, 7:], standardized(X), atol=1e-4)


def test_denoised_values_are_the_leading_joint_singular_vectors() -> None:
    matrices = [counts(0, 40, 12), counts(1, 30, 12)]
    params = FeatureParams(standardize=True, denoise_rank=3)
    U, S, Vt = np.linalg.svd(np.concatenate([standardized(X) for X in matrices]))
    low = (U[:, :3] * S[:3]) @ Vt[:3]
    found = np.concatenate([Z[:, :12] - Z[:, 12:] for Z in prepared(matrices, params, 0)])
    np.testing.assert_allclose(found, low, atol=0.05)
    assert np.linalg.matrix_rank(found, tol=1e-3) == 3


def test_denoising_to_more_than_there_is_keeps_all() -> None:
    matrices = [counts(0, 20, 5), counts(1, 20, 5)]
    params = FeatureParams(standardize=True, denoise_rank=50)
    for a, b in zip(prepared(matrices, params, 0), prepared(matrices, STANDARD, 0), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("n_neighbors", [1, 5, 100])
def test_smoothing_is_the_mean_over_like_transcriptomes(n_neighbors: int) -> None:
    transcriptome, features = counts(2, 40, 25), counts(3, 40, 6)
    standard = standardized(transcriptome)
    units = standard / np.linalg.norm(standard, axis=1, keepdims=True)
    near = np.argsort(-(units @ units.T), axis=1)[:, :n_neighbors]
    truth = np.array([features[rows].mean(axis=0) for rows in near])
    found = smoothed(sparse.csr_matrix(features), sparse.csr_matrix(transcriptome), n_neighbors)
    np.testing.assert_allclose(found.toarray(), truth, atol=1e-4)


def test_signal_is_any_value_above_zero() -> None:
    X = np.array([[0, 0], [0, 1e-6], [3, 0], [0, 0]], np.float32)
    for stored in (np.asarray, sparse.csr_matrix):
        np.testing.assert_array_equal(has_signal(stored(X)), [False, True, True, False])


def test_comparable_weighs_centres_and_scales() -> None:
    rng = np.random.default_rng(0)
    G, H = rng.random((9, 3)), [rng.random((6, 3)), rng.random((5, 3)) * 4]
    factors = Factors(G, H, np.zeros(1))
    for found, h in zip(comparable(factors, standardize=True), H, strict=True):
        weighed = h * np.sqrt((G**2).sum(axis=0))
        centred = weighed - weighed.mean(axis=0)
        truth = centred / np.sqrt((centred**2).sum(axis=1, keepdims=True))
        np.testing.assert_allclose(found, truth, atol=1e-5)
        assert found.dtype == np.float32
    for found, h in zip(comparable(factors, standardize=False), H, strict=True):
        np.testing.assert_array_equal(found, h.astype(np.float32))
