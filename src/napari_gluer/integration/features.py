"""What the factorisation sees: linked features of each data set, comparable and non-negative."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from sklearn.utils.sparsefuncs import mean_variance_axis

from napari_gluer.integration.factorize import Factors
from napari_gluer.integration.params import FeatureParams
from napari_gluer.neighbours import nearest_by_cosine, unit_rows

Array = NDArray[np.float32]

_SMOOTHING_GENES, _SMOOTHING_COMPONENTS = 2000, 30


def most_variable(matrices: list[Any], limit: int) -> NDArray[np.intp]:
    """Features that vary in every data set, at most `limit` of them, in their own order.

    Ranked by their worst rank in any data set, so that a feature that is flat on one side comes
    last; 0 sets no limit.
    """
    variances = [_moments(matrix)[1] for matrix in matrices]
    varying = np.flatnonzero(np.all([variance > 0 for variance in variances], axis=0))
    if not limit or len(varying) <= limit:
        return varying
    ranks = [np.argsort(np.argsort(-variance[varying])) for variance in variances]
    best = np.argsort(np.max(ranks, axis=0), kind="stable")[:limit]
    return np.sort(varying[best])


def _moments(matrix: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance of each feature, float64."""
    if not sparse.issparse(matrix):
        return matrix.mean(axis=0, dtype=np.float64), matrix.var(axis=0, dtype=np.float64)
    # exact for constant columns too, and without a float64 copy
    mean, variance = mean_variance_axis(sparse.csr_matrix(matrix), axis=0)
    return np.asarray(mean, np.float64), np.asarray(variance, np.float64)


def prepared(matrices: list[Any], params: FeatureParams, seed: int) -> list[Any]:
    """Non-negative matrices to factorise, one per data set.

    As they are, or standardised within each data set, optionally reduced to the leading joint
    singular vectors, and split into their positive and their negative part, side by side: a
    factorisation that knows no signs then loses none of the standardised values.
    """
    if not params.standardize:
        return matrices
    standard = [standardized(matrix) for matrix in matrices]
    if params.denoise_rank:
        standard = _denoised(standard, params.denoise_rank, seed)
    return [np.concatenate([np.maximum(Z, 0), np.maximum(-Z, 0)], axis=1) for Z in standard]


def standardized(matrix: Any) -> Array:
    """Features of mean 0 and variance 1 within the data set, dense float32."""
    mean, variance = _moments(matrix)
    spread = np.sqrt(np.where(variance > 0, variance, 1)).astype(np.float32)
    dense = matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix, np.float32)
    return np.asarray((dense - mean.astype(np.float32)) / spread, np.float32)


def _denoised(standard: list[Array], rank: int, seed: int) -> list[Array]:
    stacked = np.concatenate(standard)
    rank = min(rank, *stacked.shape)
    U, S, Vt = randomized_svd(stacked, rank, n_iter=4, random_state=seed)
    low = ((U * S) @ Vt).astype(np.float32)
    return np.split(low, np.cumsum([len(Z) for Z in standard])[:-1])


def smoothed(features: Any, transcriptome: sparse.csr_matrix, n_neighbors: int) -> Any:
    """Mean of each cell's features over its `n_neighbors` nearest by the whole transcriptome.

    Nearest by cosine over 30 principal components of the 2,000 most variable genes; each cell is
    among its own neighbours.
    """
    kept = most_variable([transcriptome], _SMOOTHING_GENES)
    standard = standardized(transcriptome[:, kept])
    rank = min(_SMOOTHING_COMPONENTS, *standard.shape)
    U, S, _ = randomized_svd(standard, rank, n_iter=4, random_state=0)
    components = U * S
    near, _ = nearest_by_cosine(components, components, n_neighbors)
    n, k = near.shape
    share = np.full(n * k, 1 / k, np.float32)
    averaging = sparse.csr_matrix((share, near.ravel(), np.arange(n + 1) * k), (n, n))
    return averaging @ features


def has_signal(matrix: Any) -> NDArray[np.bool_]:
    """Which cells have any linked feature above 0: the others cannot be placed."""
    return np.asarray(matrix.sum(axis=1)).ravel() > 0


def comparable(factors: Factors, *, standardize: bool) -> list[Array]:
    """The factors of each data set in one space where cosines mean likeness.

    With `standardize`, each factor is weighed by its share of the features (the norm of G's
    column), each data set is centred and every cell scaled to length 1. Otherwise as they are.
    """
    if not standardize:
        return [np.asarray(H, np.float32) for H in factors.H]
    weighed = [H * np.linalg.norm(factors.G, axis=0) for H in factors.H]
    return [unit_rows(H - H.mean(axis=0)) for H in weighed]
