"""Groups of cells against the rest, many genes at once: rank sums, effect sizes, fold changes."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import norm

Array = NDArray[np.float64]
_SMALL = 1e-9  # added to both means of a fold change, as scanpy does


@dataclass(frozen=True, eq=False)
class Contrasts:
    """Every group against all cells that are not in it; each ``(n_groups, n_genes)``.

    Attributes
    ----------
    score
        Standardised rank sum (z), positive where the group has the higher values.
    p
        Two-sided, of the normal approximation with correction for ties, without continuity.
    auroc
        Chance that a cell of the group has a higher value than another one, ties half.
    mean_in, mean_out
        Mean values.
    share_in, share_out
        Shares of cells above zero.
    """

    score: Array
    p: Array
    auroc: Array
    mean_in: Array
    mean_out: Array
    share_in: Array
    share_out: Array

    def log2_fold_change(self, *, logged: bool) -> Array:
        """Of the means; of log1p values log2 of the ratio of expm1 of the means (scanpy's)."""
        inside, outside = self.mean_in, self.mean_out
        if logged:
            inside, outside = np.expm1(inside), np.expm1(outside)
        defined = (inside >= 0) & (outside >= 0)
        ratio = np.divide(
            inside + _SMALL, outside + _SMALL, out=np.full_like(inside, np.nan), where=defined
        )
        return np.asarray(np.log2(ratio))


def contrasts(values: sparse.csc_matrix, members: NDArray[np.bool_]) -> Contrasts:
    """Wilcoxon's rank-sum test (Mann and Whitney's) of every group and gene.

    Only values that are not zero are sorted.

    Parameters
    ----------
    values
        CSC ``(n_cells, n_genes)``, finite.
    members
        ``(n_cells, n_groups)``, no group empty or holding every cell; groups may overlap.
    """
    n = values.shape[0]
    inside = members.sum(axis=0).astype(np.float64)[:, None]
    outside = n - inside
    ranks, of_zero, ties = ranked(values)
    one_hot = members.T.astype(np.float64)
    sums = np.asarray(one_hot @ ranks) + inside * of_zero
    surplus = sums - inside * (n + 1) / 2
    spread = np.sqrt(inside * outside / 12 * ((n + 1) - ties / (n * max(n - 1, 1))))
    score = np.divide(surplus, spread, out=np.zeros_like(surplus), where=spread > 0)
    double = values.astype(np.float64)
    above = double.copy()
    above.data = (above.data > 0).astype(np.float64)
    totals, positive = np.asarray(one_hot @ double), np.asarray(one_hot @ above)
    every, every_positive = (
        np.asarray(part.sum(axis=0)).reshape(1, -1) for part in (double, above)
    )
    return Contrasts(
        score=score,
        p=np.asarray(2 * norm.sf(np.abs(score))),
        auroc=0.5 + surplus / (inside * outside),
        mean_in=totals / inside,
        mean_out=(every - totals) / outside,
        share_in=positive / inside,
        share_out=(every_positive - positive) / outside,
    )


def ranked(values: sparse.csc_matrix) -> tuple[sparse.csc_matrix, Array, Array]:
    """Average ranks, from 1, within every column.

    Returns
    -------
    ranks
        CSC: rank less the rank of a zero of that column, at values that are not zero.
    of_zero
        ``(n_columns,)``: the rank that a zero has.
    ties
        ``(n_columns,)``: sum of t³ - t over the groups of t equal values.
    """
    kept = values.copy()
    kept.eliminate_zeros()
    n, n_columns = kept.shape
    column = np.repeat(np.arange(n_columns), np.diff(kept.indptr))
    stored = np.diff(kept.indptr).astype(np.float64)
    negative = np.bincount(column, kept.data < 0, n_columns)
    zeros = n - stored
    of_zero = negative + (zeros + 1) / 2
    ties = zeros**3 - zeros
    if not kept.nnz:
        return kept.astype(np.float64), of_zero, ties
    order = np.empty(kept.nnz, np.int64)
    for start, stop in pairwise(kept.indptr):
        order[start:stop] = start + np.argsort(kept.data[start:stop])
    ordered = kept.data[order]
    first = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]) | (column[1:] != column[:-1])])
    lengths = np.diff(np.r_[first, kept.nnz])
    within = first - kept.indptr[column[first]]  # how many stored values of the column are smaller
    smaller = within + np.where(ordered[first] > 0, zeros[column[first]], 0)
    average = smaller + (lengths + 1) / 2
    sizes = lengths.astype(np.float64)
    ranks = np.empty(kept.nnz)
    ranks[order] = np.repeat(average, lengths)
    ties += np.bincount(column[first], sizes * (sizes * sizes - 1), n_columns)
    found = sparse.csc_matrix((ranks - of_zero[column], kept.indices, kept.indptr), kept.shape)
    return found, of_zero, ties


def adjusted(p: Array) -> Array:
    """Benjamini and Hochberg's adjusted p-values along the last axis; NaN stays and counts not."""
    values = np.asarray(p, np.float64)
    if values.ndim > 1:
        return np.array([adjusted(row) for row in values]).reshape(values.shape)
    found = np.full(values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    scaled = values[order] * len(order) / np.arange(1, len(order) + 1)
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return found
