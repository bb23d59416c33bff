"""Features of mean 0 and variance 1 within each batch, without making sparse values dense."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis

Array = NDArray[np.float32]

_LEAST_BATCH = 20
_ROUNDING = 1e-5  # of the mean
_BLOCK_ROWS = 65_536


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
    """

    scaled: Any
    means: Array
    batch: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, int]:
        """Cells and features."""
        n_cells, n_features = self.scaled.shape
        return int(n_cells), int(n_features)

    def times(self, directions: NDArray[np.floating]) -> Array:
        """Z @ directions, float32 ``(n_cells, k)``."""
        narrow = np.asarray(directions, np.float32)
        return np.asarray(self.scaled @ narrow - (self.means @ narrow)[self.batch], np.float32)

    def transposed_times(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Zᵀ @ values, float64 ``(n_features, k)``."""
        total = np.zeros((self.shape[1], values.shape[1]))
        for rows in self._blocks():
            part = np.asarray(values[rows], np.float32)
            total += self.scaled[rows].T @ part - self.means.T @ self._per_batch(part, rows)
        return total

    def gram(self) -> NDArray[np.float64]:
        """Zᵀ Z, float64 ``(n_features, n_features)``."""
        total = np.zeros((self.shape[1], self.shape[1]))
        for rows in self._blocks():
            block = self.scaled[rows]
            product = block.T @ block
            total += product.toarray() if sparse.issparse(product) else product
            ones = np.ones((block.shape[0], 1), np.float32)
            sums = self._sums(block, rows)
            sizes = self._per_batch(ones, rows)
            shared = self.means.T @ sums
            total -= shared + shared.T - (self.means * sizes).T @ self.means
        return total

    def squared_norm(self) -> float:
        """Sum of all squared values."""
        every = slice(0, self.shape[0])
        stored = np.ravel(self.scaled.data if sparse.issparse(self.scaled) else self.scaled)
        sizes = np.bincount(self.batch, minlength=len(self.means))[:, None]
        shared = 2 * self._sums(self.scaled, every) - sizes * self.means
        # summed in double precision, without a copy in it
        squares = np.einsum("i,i->", stored, stored, dtype=np.float64)
        return float(squares - (self.means * shared).sum())

    def rows(self, chosen: NDArray[np.intp]) -> "Standardized":
        """Some of the cells, standardised as all are."""
        return Standardized(self.scaled[chosen], self.means, self.batch[chosen])

    def columns(self, chosen: NDArray[np.intp]) -> "Standardized":
        """Some of the features."""
        return Standardized(self.scaled[:, chosen], self.means[:, chosen], self.batch)

    def dense(self) -> Array:
        """Z itself."""
        values = self.scaled.toarray() if sparse.issparse(self.scaled) else self.scaled
        return np.asarray(values - self.means[self.batch], np.float32)

    def _blocks(self) -> list[slice]:
        return [slice(i, i + _BLOCK_ROWS) for i in range(0, self.shape[0], _BLOCK_ROWS)]

    def _per_batch(self, values: Array, rows: slice) -> NDArray[np.float64]:
        """Sums of rows of a narrow array within each batch."""
        return np.asarray(self._members(rows) @ values, np.float64)

    def _sums(self, block: Any, rows: slice) -> NDArray[np.float64]:
        sums = self._members(rows) @ block
        return np.asarray(sums.toarray() if sparse.issparse(sums) else sums, np.float64)

    def _members(self, rows: slice) -> sparse.csr_matrix:
        """float32 ``(n_batches, n_rows)`` of 0 and 1."""
        batch = self.batch[rows]
        ones = np.ones(len(batch), np.float32)
        return sparse.csr_matrix(
            (ones, (batch, np.arange(len(batch)))), (len(self.means), len(batch))
        )


def standardized(matrix: Any, batch: NDArray[np.integer] | None = None) -> Standardized:
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
    return Standardized(values, means, codes)


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
