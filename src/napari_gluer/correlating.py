"""Correlations of many columns at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import rankdata

Array = NDArray[np.float32]


def dense(matrix: Any) -> Array:
    """Float32, not sparse."""
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix, np.float32)


def unit_columns(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Columns centred and of length 1, so that products are Pearson's correlation.

    Columns that vary by no more than rounding become 0: they correlate with nothing.
    """
    centred = values - values.mean(axis=0, dtype=np.float64)
    lengths = np.linalg.norm(centred, axis=0)
    least = 1e-6 * np.abs(values).max(axis=0, initial=0) * np.sqrt(len(values))
    return np.asarray(
        np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > least)
    )


def unit_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """`unit_columns` of the ranks within each column, ties sharing theirs: Spearman's."""
    return unit_columns(rankdata(values, axis=0) if values.size else values)


def correlated(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Pearson's correlation of each column of `a` with the same of `b`; 0 where one is constant."""
    return np.asarray((unit_columns(a) * unit_columns(b)).sum(axis=0))


def rank_correlated(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Spearman's correlation, likewise."""
    return np.asarray((unit_ranks(a) * unit_ranks(b)).sum(axis=0))
