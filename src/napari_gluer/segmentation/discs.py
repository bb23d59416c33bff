"""Labels for a table without an image: every cell a disc at its position."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from anndata import AnnData
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.params import Params
from napari_gluer.segmentation.rasters import draw_discs, reserve_pixels


class DiscParams(Params):
    """How a table without an image is drawn."""

    neighbor_distance: Annotated[float, Ge(1), Le(100)] = 10.0
    """Median distance between nearest neighbours in the picture, in pixels; less where the
    longest side would not fit."""

    radius: Annotated[float, Gt(0), Le(5)] = 0.7
    """Radius of a disc, in median distances between nearest neighbours."""

    largest_side: Annotated[int, Ge(64), Le(32768)] = 8192
    """Longest side of the picture in pixels."""


@dataclass(frozen=True)
class _Canvas:
    """Where positions fall: pixel = (position - origin) / pixel_size."""

    shape: tuple[int, int]
    origin: NDArray[np.float64]
    pixel_size: float
    radius: float


def draw_cells(
    cells: AnnData, params: DiscParams | None = None
) -> tuple[NDArray[np.int32], AnnData]:
    """Draw every cell as a disc, clipped where discs meet: a pixel goes to the nearest centre.

    No cell vanishes: its own centre is kept for it, and cells on one pixel move to free ones.

    Parameters
    ----------
    cells
        Reads ``obsm["spatial"]`` (x, y; a third column is not drawn) and ``obs["label"]``.
        Where every y is negative, rows count downwards from -y.
    params
        Scale and radius; the defaults when None.

    Returns
    -------
    labels
        int32 ``(y, x)``, values of ``obs["label"]``, 0 elsewhere.
    cells
        A copy with ``uns["gluer"]["drawn"]``: ``origin`` (x, y), ``pixel_size`` (both in the
        units of the positions), ``y_flipped``, ``moved`` (cells that shared a pixel), so that
        ``column = (x - origin[0]) / pixel_size`` and ``row = (±y - origin[1]) / pixel_size``.

    Raises
    ------
    InputError
        If there are no cells, or positions or labels are missing or not finite.
    """
    params = params or DiscParams()
    positions, flipped = _positions(cells)
    ids = slots.cell_labels(cells)
    if ids.max() > np.iinfo(np.int32).max:
        raise InputError(f"Labels up to 2³¹ - 1 can be drawn; the largest here is {ids.max()}.")
    canvas = _canvas(positions, params)
    at = (positions - canvas.origin) / canvas.pixel_size
    centres = np.rint(at).astype(np.int64)
    pixels = np.empty(len(at), np.int64)
    taken = np.zeros(canvas.shape, np.bool_)
    reserve_pixels(centres[:, 1], centres[:, 0], taken, pixels)
    rows, columns = np.divmod(pixels, canvas.shape[1])
    moved = (rows != centres[:, 1]) | (columns != centres[:, 0])
    at[moved] = np.column_stack([columns, rows])[moved]
    labels = np.zeros(canvas.shape, np.int32)
    draw_discs(at, canvas.radius, labels, np.full(canvas.shape, np.inf, np.float32))
    labels.ravel()[pixels] = np.arange(1, len(at) + 1, dtype=np.int32)
    drawn = cells.copy()
    mapping = {
        "origin": canvas.origin.tolist(),
        "pixel_size": canvas.pixel_size,
        "y_flipped": flipped,
        "moved": int(moved.sum()),
    }
    slots.note(drawn, **{slots.DRAWN: mapping})
    return np.concatenate([[0], ids]).astype(np.int32)[labels], drawn


def _positions(cells: AnnData) -> tuple[NDArray[np.float64], bool]:
    remedy = "Give x and y of every cell there, or an image and its labels."
    found = slots.require(cells, "obsm", slots.SPATIAL, remedy)
    positions = np.array(found, np.float64)[:, :2]
    if positions.shape[1:] != (2,):
        raise InputError(f"obsm['spatial'] must hold x and y; it has shape {found.shape}. {remedy}")
    if not len(positions):
        raise InputError("The table has no cells to draw.")
    lost = int((~np.isfinite(positions).all(axis=1)).sum())
    if lost:
        raise InputError(f"{lost} of {len(positions)} cells have no finite position. Drop them.")
    flipped = bool((positions[:, 1] < 0).all())
    if flipped:
        positions[:, 1] *= -1
    return positions, flipped


def _canvas(positions: NDArray[np.float64], params: DiscParams) -> _Canvas:
    extent = np.ptp(positions, axis=0)
    distance = _usual_distance(positions) or float(extent.max()) or 1.0
    margin = int(np.ceil(params.radius * params.neighbor_distance)) + 1
    room = params.largest_side - 2 * margin - 1
    pixel_size = max(distance / params.neighbor_distance, float(extent.max()) / max(room, 1))
    sides = (extent / pixel_size).astype(np.int64) + 2 * margin + 2
    # Cells may lie on few pixels, and all must find one.
    spare = np.maximum(0, int(np.ceil(np.sqrt(2 * len(positions)))) - sides)
    origin = positions.min(axis=0) - (margin + spare // 2) * pixel_size
    width, height = (int(side) for side in sides + spare)
    return _Canvas((height, width), origin, pixel_size, params.radius * distance / pixel_size)


def _usual_distance(positions: NDArray[np.float64]) -> float:
    """Median distance to the nearest other position; 0 where there is none."""
    apart = np.unique(positions, axis=0)
    if len(apart) < 2:
        return 0.0
    return float(np.median(cKDTree(apart).query(apart, k=2)[0][:, 1]))
