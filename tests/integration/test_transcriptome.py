"""The reference's transcriptome and what linked features tell of it, against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from napari_gluer.integration.params import TranscriptomeParams
from napari_gluer.integration.standard import standardized
from napari_gluer.integration.transcriptome import components, learnt


def expression(seed: int, n: int = 120, genes: int = 40) -> np.ndarray:
    rng = np.random.default_rng(seed)
    programmes = rng.gamma(0.5, 2, (n, 3)) @ rng.gamma(0.5, 2, (3, genes))
    return np.log1p(rng.poisson(programmes)).astype(np.float32)


def z_scores(X: np.ndarray) -> np.ndarray:
    X = X.astype(float)
    spread = X.std(axis=0)
    return np.asarray((X - X.mean(axis=0)) / np.where(spread > 0, spread, 1))


def units(X: np.ndarray) -> np.ndarray:
    return np.asarray(X / np.linalg.norm(X, axis=1, keepdims=True))


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
def test_components_are_those_of_scikit_learn(stored: Any) -> None:
    X = expression(0)
    found = components(stored(X), params=TranscriptomeParams(components=3))
    truth = units(PCA(3).fit_transform(z_scores(X)))
    assert found.dtype == np.float32
    # the sign of a component is free; products of cells are not
    np.testing.assert_allclose(found @ found.T, truth @ truth.T, atol=2e-3)


def test_only_the_most_variable_genes_count() -> None:
    X = expression(1)
    kept = np.sort(np.argsort(-X.var(axis=0, dtype=float))[:12])
    params = TranscriptomeParams(components=3, genes=12)
    found, truth = components(X, params=params), components(X[:, kept], params=params)
    np.testing.assert_array_equal(found, truth)


def test_batches_are_standardised_apart() -> None:
    """A shift of half the cells changes nothing once they are a batch of their own."""
    X, batch = expression(2), np.arange(120) % 2
    shifted = X + 5 * batch[:, np.newaxis].astype(np.float32)
    params = TranscriptomeParams(components=3)
    with_batch = components(shifted, batch, params)
    truth = components(X, batch, params)
    np.testing.assert_allclose(with_batch @ with_batch.T, truth @ truth.T, atol=1e-2)
    without = components(shifted, None, params)
    assert np.abs(without @ without.T - truth @ truth.T).max() > 0.5


def test_no_more_components_than_genes_vary() -> None:
    X = np.repeat(expression(3)[:, :2], 10, axis=1)
    X[:, 4:] = 1
    assert components(X).shape == (120, 4)


def brute_force(Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Coefficients at the penalty of the least generalised cross-validation error, one by one."""
    Y = Y - Y.mean(axis=0)
    unit = np.linalg.eigvalsh(Z.T @ Z).mean()
    errors, found = [], []
    for penalty in np.geomspace(1e-3, 10, 9) * unit:
        hat = Z @ np.linalg.solve(Z.T @ Z + penalty * np.eye(Z.shape[1]), Z.T)
        errors.append(((Y - hat @ Y) ** 2).sum() / (len(Z) - np.trace(hat)) ** 2)
        found.append(Ridge(alpha=penalty, fit_intercept=False).fit(Z, Y).coef_.T)
    return np.asarray(found[int(np.argmin(errors))])


@pytest.mark.parametrize("noise", [0.01, 1.0, 30.0])
def test_prediction_is_ridge_regression_at_the_penalty_of_least_error(noise: float) -> None:
    rng = np.random.default_rng(0)
    X = expression(4, n=90, genes=12)
    Z = z_scores(X)
    targets = (Z @ rng.normal(size=(12, 4)) + noise * rng.normal(size=(90, 4))).astype(np.float32)
    found = learnt(standardized(X), targets)
    truth = brute_force(Z, targets)
    np.testing.assert_allclose(found.coefficients, truth, atol=2e-3 * np.abs(truth).max())


def test_noisier_targets_are_held_back_more() -> None:
    rng = np.random.default_rng(1)
    X = expression(5, n=90, genes=12)
    signal = z_scores(X) @ rng.normal(size=(12, 3))
    sizes = [
        np.linalg.norm(
            learnt(standardized(X), signal + s * rng.normal(size=signal.shape)).coefficients
        )
        / np.linalg.norm(signal + s)
        for s in (0.0, 20.0)
    ]
    assert sizes[1] < sizes[0]


def test_cells_are_placed_by_their_own_standardised_features() -> None:
    X, other = expression(6, genes=10), expression(7, n=50, genes=10) * 3
    targets = components(expression(6, genes=60))
    prediction = learnt(standardized(X), targets)
    truth = units(z_scores(other) @ prediction.coefficients)
    np.testing.assert_allclose(prediction.of(standardized(other)), truth, atol=1e-3)


def test_linked_features_that_tell_all_place_cells_where_they_are() -> None:
    X = expression(8, n=300, genes=40)
    targets = components(X, params=TranscriptomeParams(components=3))
    told = learnt(standardized(X), targets).of(standardized(X))
    assert (told * targets).sum(axis=1).mean() > 0.9


def test_features_that_repeat_or_do_not_vary_do_no_harm() -> None:
    X = np.repeat(expression(9)[:, :3], 4, axis=1)
    X[:, -1] = 2
    found = learnt(standardized(X), components(expression(9)))
    assert np.isfinite(found.coefficients).all()
    np.testing.assert_allclose(found.coefficients[-1], 0, atol=1e-6)
