"""Which cells of a labels image lie inside a drawn outline."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_gluer.polygons import Polygon, Regions

Rule = Literal["most", "any"]
_MARGIN = 32  # pixels around the outline, in which cells that reach out are looked at first


def labels_inside(plane: Any, outline: NDArray[np.float64], rule: Rule) -> NDArray[np.int64]:
    """Labels of the cells inside an outline, ascending.

    Parameters
    ----------
    plane
        Labels ``(y, x)``, sliced like an array; only the part around the outline is read.
    outline
        ``(k, 2)``: y and x of the corners in pixels, whole numbers at the centres of pixels.
        Where the outline crosses itself every second layer is outside.
    rule
        ``most``: at least half of the cell's pixels are inside; ``any``: at least one is.

    Returns
    -------
    numpy.ndarray
        int64.
    """
    low, high = outline.min(axis=0), outline.max(axis=0)
    box = _box(low, high, 0, plane.shape)
    if any(part.start >= part.stop for part in box):
        return np.empty(0, np.int64)
    labels = np.asarray(plane[box])
    covered = Regions((Polygon((outline,)),)).mask(box)
    touched, n_inside = np.unique(labels[covered], return_counts=True)
    found = touched != 0
    touched, n_inside = touched[found], n_inside[found]
    if rule == "most" and touched.size:
        touched = touched[2 * n_inside >= _sizes(plane, touched, low, high)]
    return np.asarray(touched, np.int64)


def _sizes(
    plane: Any, wanted: NDArray[Any], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Pixels of whole cells, also of the part that reaches beyond the box of the outline."""
    margin = _MARGIN
    while True:
        box = _box(low, high, margin, plane.shape)
        labels = np.asarray(plane[box])
        if not np.isin(_open_border(labels, box, plane.shape), wanted).any():
            break
        margin *= 2
    known, counts = np.unique(labels, return_counts=True)
    sizes: NDArray[np.int64] = counts[np.searchsorted(known, wanted)]
    return sizes


def _open_border(labels: NDArray[Any], box: tuple[slice, slice], shape: Any) -> NDArray[Any]:
    """Labels on those sides of the box where the image goes on."""
    rows, columns = box
    sides = (
        (labels[0], rows.start > 0),
        (labels[-1], rows.stop < shape[0]),
        (labels[:, 0], columns.start > 0),
        (labels[:, -1], columns.stop < shape[1]),
    )
    goes_on = [side for side, is_open in sides if is_open]
    return np.unique(np.concatenate(goes_on)) if goes_on else labels[:0].ravel()


def _box(
    low: NDArray[np.float64], high: NDArray[np.float64], margin: int, shape: Any
) -> tuple[slice, slice]:
    start = np.clip(np.floor(low).astype(np.int64) - margin, 0, shape)
    stop = np.clip(np.ceil(high).astype(np.int64) + 1 + margin, 0, shape)
    return slice(int(start[0]), int(stop[0])), slice(int(start[1]), int(stop[1]))
