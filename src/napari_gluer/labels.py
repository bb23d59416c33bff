"""Labels images: what is accepted, and their cells numbered without gaps."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_gluer.errors import InputError

_BLOCK = 1_000_000  # pixels
_DENSE_IDS = 50_000_000  # up to here a look-up table of all ids costs less than sorting


def checked_labels(labels: ArrayLike) -> NDArray[np.integer]:
    """`labels` as an integer array ``(y, x)`` or ``(z, y, x)``; 0 is background.

    In native byte order. Float arrays of whole numbers are accepted (CosMx masks are float32).

    Raises
    ------
    InputError
        If the array has another number of axes, negative values or fractions.
    """
    array = np.asarray(labels)
    if array.ndim not in (2, 3):
        raise InputError(f"Labels must be (y, x) or (z, y, x); this array has shape {array.shape}.")
    if array.dtype == bool:
        raise InputError(
            "Labels must give every cell a number of its own; this is a yes/no mask. "
            "Number its pieces first, with skimage.measure.label for instance."
        )
    if array.dtype.kind == "f":
        array = _whole_numbers(array)
    if array.dtype.kind not in "iu":
        raise InputError(f"Labels must be whole numbers; this array holds {array.dtype}.")
    if array.size and array.min() < 0:
        raise InputError(f"Labels must not be negative; the smallest here is {array.min()}.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)  # kernels know no other order


def _whole_numbers(array: NDArray[np.floating]) -> NDArray[np.int64]:
    if not np.isfinite(array).all() or (array != np.floor(array)).any():
        raise InputError("Labels must be whole numbers; this array holds fractions, NaN or inf.")
    return array.astype(np.int64)


def compact(labels: NDArray[np.integer]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number the cells without gaps.

    Returns
    -------
    index
        int32, shape of `labels`: 0 is background, ``i + 1`` the cell ``ids[i]``.
    ids
        int64 ``(n_cells,)``, ascending: the values of `labels` other than 0.
    """
    largest = int(labels.max()) if labels.size else 0
    if largest > _DENSE_IDS:
        values, index = np.unique(labels, return_inverse=True)
        offset = 0 if values[0] == 0 else 1
        index = (index.reshape(labels.shape) + offset).astype(np.int32)
        return index, values[values != 0].astype(np.int64)
    present = np.zeros(largest + 1, bool)
    for block in _blocks(labels):
        present[labels[block]] = True
    present[0] = False
    numbers = np.cumsum(present, dtype=np.int32)
    numbers[~present] = 0
    index = np.empty(labels.shape, np.int32)
    for block in _blocks(labels):
        index[block] = numbers[labels[block]]
    return index, np.flatnonzero(present)


def _blocks(labels: NDArray[np.integer]) -> list[slice]:
    """Parts along the first axis: NumPy makes 64-bit copies of what it looks up."""
    step = max(1, _BLOCK * len(labels) // max(labels.size, 1))
    return [slice(start, start + step) for start in range(0, len(labels), step)]


def counterparts(
    labels: NDArray[np.integer], others: NDArray[np.integer], least: float = 0.5
) -> dict[int, int]:
    """For each cell of `labels` the cell of `others` that covers most of it.

    Parameters
    ----------
    labels, others
        Labels images of one shape.
    least
        Smallest share of the cell's pixels that the other must cover; cells below are left out.

    Returns
    -------
    dict
        From the values of `labels` to values of `others`.
    """
    if labels.shape != others.shape:
        raise InputError(f"Labels of shapes {labels.shape} and {others.shape} do not overlap.")
    index, ids = compact(labels)
    other_index, other_ids = compact(others)
    both = (index > 0) & (other_index > 0)
    width = len(other_ids)
    codes = (index[both] - 1).astype(np.int64) * width + (other_index[both] - 1)
    pairs, shared = np.unique(codes, return_counts=True)
    sizes = np.bincount(index.ravel(), minlength=len(ids) + 1)[1:]
    rows, columns = np.divmod(pairs, max(width, 1))
    order = np.lexsort((-shared, rows))
    first = order[np.unique(rows[order], return_index=True)[1]]
    covered = shared[first] >= least * sizes[rows[first]]
    kept = first[covered]
    return dict(zip(ids[rows[kept]].tolist(), other_ids[columns[kept]].tolist(), strict=True))
