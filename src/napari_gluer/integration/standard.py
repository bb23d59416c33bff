"""Features of mean 0 and variance 1 within each batch, without making sparse values dense."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis

from napari_gluer.products import Products

Array = NDArray[np.float32]

_LEAST_BATCH = 20
_ROUNDING = 1e-5  # of the mean


@dataclass(frozen=True, eq=False)
class Standardized:
    """Standardised values Z = scaled − means[batch], of which only products are made.

    Attributes
    ----------
    scaled
        float32 ``(n_cells, n_features)``, dense or CSR: values over their batch's spread.
    means
        float32 ``(n_batches, n_features)``: means over the same spread.
    batch
        ``(n_cells,)``: row of `means` for each cell.
    device
        Where products are computed, as `pick_device` names it.
    """

    scaled: Any
    means: Array
    batch: NDArray[np.intp]
    device: str = "cpu"

    @property
    def shape(self) -> tuple[int, int]:
        """Cells and features."""
        n_cells, n_features = self.scaled.shape
        return int(n_cells), int(n_features)

    def times(self, directions: NDArray[np.floating]) -> Array:
        """Z @ directions, float32 ``(n_cells, k)``."""
        narrow = np.asarray(directions, np.float32)
        product = self._products.times(narrow)
        return np.asarray(product - (self.means @ narrow)[self.batch], np.float32)

    def transposed_times(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Zᵀ @ values, float64 ``(n_features, k)``."""
        narrow = np.asarray(values, np.float32)
        return self._products.transposed_times(narrow) - self.means.T @ self._per_batch(narrow)

    def gram(self) -> NDArray[np.float64]:
        """Zᵀ Z, float64 ``(n_features, n_features)``."""
        shared = self.means.T @ self._sums()
        return self._products.gram() - shared - shared.T + (self.means * self._sizes).T @ self.means

    def squared_norm(self) -> float:
        """Sum of all squared values."""
        stored = np.ravel(self.scaled.data if sparse.issparse(self.scaled) else self.scaled)
        shared = 2 * self._sums() - self._sizes * self.means
        # summed in double precision, without a copy in it
        squares = np.einsum("i,i->", stored, stored, dtype=np.float64)
        return float(squares - (self.means * shared).sum())

    def rows(self, chosen: NDArray[np.intp]) -> "Standardized":
        """Some of the cells, standardised as all are."""
        return Standardized(self.scaled[chosen], self.means, self.batch[chosen], self.device)

    def columns(self, chosen: NDArray[np.intp]) -> "Standardized":
        """Some of the features."""
        return Standardized(self.scaled[:, chosen], self.means[:, chosen], self.batch, self.device)

    def dense(self) -> Array:
        """Z itself."""
        values = self.scaled.toarray() if sparse.issparse(self.scaled) else self.scaled
        return np.asarray(values - self.means[self.batch], np.float32)

    @cached_property
    def _products(self) -> Products:
        return Products(self.scaled, self.device)

    @property
    def _sizes(self) -> NDArray[np.int64]:
        """Cells of each batch, ``(n_batches, 1)``."""
        return np.bincount(self.batch, minlength=len(self.means))[:, None]

    def _sums(self) -> NDArray[np.float64]:
        """Sums of features within each batch."""
        return self._per_batch(self.scaled)

    def _per_batch(self, values: Any) -> NDArray[np.float64]:
        """Sums of rows within each batch; in double precision from block to block."""
        total = np.zeros((len(self.means), values.shape[1]))
        for rows in self._products.rows:
            batch = self.batch[rows]
            within = (len(self.means), len(batch))
            ones = np.ones(len(batch), np.float32)
            members = sparse.csr_matrix((ones, (batch, np.arange(len(batch)))), within)
            sums = members @ values[rows]
            total += sums.toarray() if sparse.issparse(sums) else sums
        return total


def standardized(
    matrix: Any, batch: NDArray[np.integer] | None = None, *, device: str = "cpu"
) -> Standardized:
    """Standardise each feature within each batch; a feature that is constant there becomes 0.

    Parameters
    ----------
    matrix
        ``(n_cells, n_features)``, dense or sparse.
    batch
        ``(n_cells,)`` whole numbers from 0; batches of fewer than 20 cells count as one. None: all
        cells are one batch.
    """
    n_cells, n_features = matrix.shape
    codes = np.zeros(n_cells, np.intp) if batch is None else _without_small(batch)
    values = (
        sparse.csr_matrix(matrix, dtype=np.float32, copy=True)
        if sparse.issparse(matrix)
        else np.array(matrix, np.float32)
    )
    n_batches = int(codes.max(initial=0)) + 1
    means = np.zeros((n_batches, n_features), np.float32)
    for code in range(n_batches):
        rows = np.flatnonzero(codes == code)
        one_batch = len(rows) == n_cells
        mean, variance = moments(matrix if one_batch else matrix[rows])
        spread = np.sqrt(np.where(varies(mean, variance), variance, 1)).astype(np.float32)
        means[code] = mean.astype(np.float32) / spread
        _divide(values, spread, None if one_batch else rows)
    return Standardized(values, means, codes, device)


def _without_small(batch: NDArray[np.integer]) -> NDArray[np.intp]:
    """Codes from 0 in which batches too small to be standardised are one."""
    _, codes, sizes = np.unique(batch, return_inverse=True, return_counts=True)
    joined = np.where(sizes[codes] < _LEAST_BATCH, -1, codes)
    return np.unique(joined, return_inverse=True)[1].astype(np.intp)


def _divide(values: Any, spread: Array, rows: NDArray[np.intp] | None) -> None:
    """Divide the features of some rows (None: all) in place."""
    if not sparse.issparse(values):
        if rows is None:
            values /= spread
        else:
            values[rows] /= spread
        return
    if rows is None:
        values.data /= spread[values.indices]
        return
    chosen = np.zeros(values.shape[0], bool)
    chosen[rows] = True
    stored = np.repeat(chosen, np.diff(values.indptr))
    values.data[stored] /= spread[values.indices[stored]]


def varies(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which features vary by more than the rounding of float32, which says nothing of cells."""
    return np.asarray(variance > np.square(_ROUNDING * mean))


def moments(matrix: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance of each feature, float64."""
    if not sparse.issparse(matrix):
        return matrix.mean(axis=0, dtype=np.float64), matrix.var(axis=0, dtype=np.float64)
    # exact for constant columns too, and without a float64 copy
    mean, variance = mean_variance_axis(sparse.csr_matrix(matrix), axis=0)
    return np.asarray(mean, np.float64), np.asarray(variance, np.float64)


def above_zero(matrix: Any) -> NDArray[np.int64]:
    """In how many features each cell is above 0, ``(n_cells,)``.

    The order of stored entries is left as it is; SciPy's own comparison would sort it in place.
    """
    if not sparse.issparse(matrix):
        return np.asarray((matrix > 0).sum(axis=1), np.int64).ravel()
    stored = sparse.csr_matrix(matrix)
    above = np.concatenate([[0], np.cumsum(stored.data > 0)])
    return np.asarray(np.diff(above[stored.indptr]), np.int64)
