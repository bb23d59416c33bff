"""Distances up to a reach, the same in a tile as in the whole image.

SciPy's transform may round equally long ways differently from one crop to another; here the
smallest sum is taken, whose value does not depend on where the search starts.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def edge_distance(
    mask: NDArray[np.bool_], ratio: tuple[float, ...], reach: float
) -> NDArray[np.float32]:
    """Distance from every pixel of `mask` to the nearest pixel outside it, at most `reach`.

    Parameters
    ----------
    mask
        ``(y, x)`` or ``(z, y, x)``; beyond its border nothing counts as outside.
    ratio
        Step of every axis; distances are in the same unit.
    reach
        The largest distance told.

    Returns
    -------
    float32, shape of `mask`; 0 outside it.
    """
    squared, _ = _nearest((~mask).view(np.uint8), ratio, reach)
    distance = np.minimum(np.sqrt(squared), np.float32(reach))
    return np.asarray(distance.reshape(mask.shape), np.float32)


def nearest_label(
    labels: NDArray[np.int32], ratio: tuple[float, ...], reach: float
) -> NDArray[np.int32]:
    """Give every pixel the label that is nearest, where one is within `reach`.

    Of labels equally near, the lowest wins.

    Parameters
    ----------
    labels
        ``(y, x)`` or ``(z, y, x)``, 0 where there is none.
    ratio
        Step of every axis; `reach` is in the same unit.

    Returns
    -------
    int32, shape of `labels`; labelled pixels keep theirs.
    """
    squared, nearest = _nearest(labels, ratio, reach)
    return np.where(squared <= reach**2, nearest, 0).astype(np.int32).reshape(labels.shape)


def _nearest(labels: NDArray[Any], ratio: tuple[float, ...], reach: float) -> tuple[Any, Any]:
    """Squared distance to the nearest label (inf beyond `reach`) and that label, axis by axis."""
    shape = (1,) * (3 - labels.ndim) + labels.shape
    steps = (1.0,) * (3 - labels.ndim) + tuple(ratio)
    squared, nearest = _along_x(labels.reshape(shape), steps[2], reach)
    squared, nearest = _along_y(squared, nearest, steps[1], reach)
    if shape[0] > 1:
        turned = squared.transpose(1, 0, 2), nearest.transpose(1, 0, 2)
        found = _along_y(*(np.ascontiguousarray(part) for part in turned), steps[0], reach)
        squared, nearest = (np.ascontiguousarray(part.transpose(1, 0, 2)) for part in found)
    return squared, nearest


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _along_x(labels: Any, step: float, reach: float) -> tuple[Any, Any]:
    planes, rows, columns = labels.shape
    squared = np.full(labels.shape, np.inf, np.float32)
    nearest = np.zeros(labels.shape, labels.dtype)
    for plane in range(planes):
        for row in range(rows):
            for direction in (1, -1):
                last = -1
                for step_on in range(columns):
                    column = step_on if direction == 1 else columns - 1 - step_on
                    if labels[plane, row, column] > 0:
                        last = column
                    away = abs(column - last) * step
                    if last < 0 or away > reach:
                        continue
                    distance = np.float32(away * away)
                    known = squared[plane, row, column]
                    label = labels[plane, row, last]
                    if distance < known or (
                        distance == known and label < nearest[plane, row, column]
                    ):
                        squared[plane, row, column] = distance
                        nearest[plane, row, column] = label
    return squared, nearest


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _along_y(squared: Any, nearest: Any, step: float, reach: float) -> tuple[Any, Any]:
    planes, rows, _ = squared.shape
    best = squared.copy()
    label = nearest.copy()
    for plane in range(planes):
        for row in range(rows):
            for away in range(1, int(reach / step) + 1):
                apart = np.float32((away * step) ** 2)
                open_ones = 0
                for other in (row - away, row + away):
                    if 0 <= other < rows:
                        open_ones += _nearer(
                            squared[plane, other],
                            nearest[plane, other],
                            apart,
                            best[plane, row],
                            label[plane, row],
                        )
                if not open_ones:
                    break
    return best, label


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _nearer(squared: Any, nearest: Any, apart: Any, best: Any, label: Any) -> int:
    """Take over what a row `apart` offers; how many pixels a row further off could still serve."""
    open_ones = 0
    for column in range(len(squared)):
        if best[column] < apart:
            continue
        open_ones += 1
        distance = squared[column] + apart
        if distance < best[column] or (
            distance == best[column] and nearest[column] < label[column]
        ):
            best[column] = distance
            label[column] = nearest[column]
    return open_ones
