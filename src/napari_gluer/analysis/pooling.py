"""Groups of like cells, each cell in one of them, and what they show together.

A single nucleus shows a peak once or not at all, so values are pooled before they are correlated.
Groups that shared cells would not be independent: permuting them makes chance look rare.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

Array = NDArray[np.float64]

_COMPONENTS = 30
_DEPTH = 0.75  # components that go with the logarithm of depth this much are depth
_SCALE = 1e4


def like_cells(space: NDArray[np.floating], size: int) -> NDArray[np.int64]:
    """Part cells into groups of like ones, of `size` cells or one more or less where it goes.

    Cells are halved along the direction in which they differ most, and the halves again, as in a
    k-d tree; so groups are of one size and the same every time.

    Parameters
    ----------
    space
        ``(n_cells, k)``.
    size
        Cells in a group, at least 1; there are ``max(1, n_cells // size)`` groups.

    Returns
    -------
    numpy.ndarray
        int64 ``(n_cells,)``: each cell's group, from 0.
    """
    points = np.asarray(space, np.float64)
    groups = np.zeros(len(points), np.int64)
    if size == 1:
        return np.arange(len(points))
    parts = [(np.arange(len(points)), max(1, len(points) // size))]
    number = 0
    while parts:
        rows, wanted = parts.pop()
        if wanted == 1:
            groups[rows] = number
            number += 1
            continue
        order = rows[np.argsort(_along(points[rows]), kind="stable")]
        left = wanted // 2
        cut = round(len(rows) * left / wanted)
        parts += [(np.sort(order[cut:]), wanted - left), (np.sort(order[:cut]), left)]
    return groups


def _along(points: Array) -> Array:
    """Places of points along their first principal direction."""
    centred = points - points.mean(axis=0)
    direction = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    # either sign is a principal direction; this one is the same everywhere
    sign = np.sign(direction[np.argmax(np.abs(direction))])
    return np.asarray(centred @ (direction * sign))


def peak_space(counts: sparse.csr_matrix) -> Array:
    """Cells by their peaks: latent semantic indexing, without what is only depth.

    Singular vectors of log1p(10,000 · share of the cell's reads · cells per cell that shows the
    peak), as Stuart et al., Nat Methods 2021 (Signac).

    Parameters
    ----------
    counts
        ``(n_cells, n_peaks)``.

    Returns
    -------
    numpy.ndarray
        float64 ``(n_cells, k)``, k ≤ 30; rows of length 1, or 0 for cells without a read.
    """
    n_cells, n_peaks = counts.shape
    depth = np.asarray(counts.sum(axis=1), np.float64).ravel()
    shown_in = np.asarray((counts > 0).sum(axis=0)).ravel()
    rarity = n_cells / np.maximum(shown_in, 1)
    scaled = sparse.diags(_SCALE / np.maximum(depth, 1)) @ counts @ sparse.diags(rarity)
    weighed = sparse.csr_matrix(scaled).log1p()
    k = min(_COMPONENTS, n_cells - 1, n_peaks - 1)
    if k < 2 or not weighed.nnz:
        return _of_length_one(np.asarray(weighed.toarray(), np.float64))
    left, lengths, _ = randomized_svd(weighed, k, random_state=0)
    known = depth > 0
    own = [_correlation(column[known], np.log(depth[known])) for column in left.T]
    kept = np.abs(own) < _DEPTH
    kept = kept if kept.any() else np.ones(k, np.bool_)
    return _of_length_one((left * lengths)[:, kept])


def _correlation(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    length = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / length) if length > 0 else 0.0


def _of_length_one(rows: Array) -> Array:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0))


def memberships(groups: NDArray[np.int64]) -> sparse.csr_matrix:
    """Which cells are in which group: CSR float64 of 0 and 1, ``(n_groups, n_cells)``."""
    n = len(groups)
    return sparse.csr_matrix(
        (np.ones(n), (groups, np.arange(n))), (int(groups.max(initial=-1)) + 1, n)
    )


def pooled_reads(members: sparse.csr_matrix, counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Peaks of groups: log1p of the group's reads per 10,000 of its reads in all peaks.

    Without dividing, whatever has many reads would go with whatever else has.
    """
    pooled = sparse.csr_matrix(members @ counts, dtype=np.float64)
    depth = np.asarray(pooled.sum(axis=1)).ravel()
    scale = np.divide(_SCALE, depth, out=np.zeros_like(depth), where=depth > 0)
    return sparse.csr_matrix(sparse.diags(scale) @ pooled).log1p()


def pooled_means(
    members: sparse.csr_matrix, values: NDArray[np.floating] | sparse.sparray
) -> Array:
    """Mean value of every group, dense float64 ``(n_groups, n_columns)``."""
    sizes = np.asarray(members.sum(axis=1)).ravel()
    total = members @ values
    dense = total.toarray() if sparse.issparse(total) else np.asarray(total)
    return np.asarray(dense / sizes[:, None])
