"""Where the cells of a labels image lie and how large they are, tile by tile."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.labels import compact
from napari_gluer.measurement.pieces import checked_ids
from napari_gluer.tiles import Cut, Tile, TileParams, run_tiles, tiles_of
from napari_gluer.track import Track, silently


@dataclass(frozen=True, eq=False)
class CellPlaces:
    """Cells of a labels image.

    Attributes
    ----------
    shape
        Of the labels, ``(y, x)`` or ``(z, y, x)``.
    ids
        int64 ``(n_cells,)``, ascending.
    sizes
        Pixels of every cell.
    centroids
        ``(n_cells, len(shape))`` in axis order; the first pixel's centre is 0.
    """

    shape: tuple[int, ...]
    ids: NDArray[np.int64]
    sizes: NDArray[np.int64]
    centroids: NDArray[np.float64]

    @property
    def covered(self) -> float:
        """Share of the pixels that belong to a cell."""
        return float(self.sizes.sum() / np.prod(self.shape))

    @property
    def diameter(self) -> float:
        """Median diameter of the cells in pixels, as discs (balls in 3-D)."""
        volume = float(np.median(self.sizes))
        if len(self.shape) == 2:
            return 2 * float(np.sqrt(volume / np.pi))
        return 2 * float(np.cbrt(0.75 * volume / np.pi))


def cell_places(
    labels: Any, tiles: TileParams | None = None, track: Track = silently
) -> CellPlaces:
    """Find the cells of `labels`, a NumPy array or anything that is sliced like one.

    Raises
    ------
    InputError
        If they are not ``(y, x)`` or ``(z, y, x)``, not whole numbers, negative or without a cell.
    """
    shape = tuple(int(size) for size in np.shape(labels))
    if len(shape) not in (2, 3):
        raise InputError(f"Labels must be (y, x) or (z, y, x); these have shape {shape}.")
    parts = [
        found
        for _, found in run_tiles(
            _in_tile,
            tiles_of(shape, tiles),
            lambda tile: (Cut(labels, tile.core),),
            tiles,
            track,
            "Finding the cells",
        )
    ]
    every = np.concatenate([ids for ids, _, _ in parts]) if parts else np.empty(0, np.int64)
    if not every.size:
        raise InputError("The labels hold no cell: every pixel is 0. Segment the image first.")
    ids, rows = np.unique(every, return_inverse=True)
    sizes = np.zeros(ids.size, np.int64)
    np.add.at(sizes, rows, np.concatenate([part for _, part, _ in parts]))
    sums = np.zeros((ids.size, len(shape)))
    np.add.at(sums, rows, np.concatenate([part for _, _, part in parts]))
    return CellPlaces(shape, ids, sizes, sums / sizes[:, np.newaxis])


def _in_tile(
    tile: Tile, cut: Cut
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Labels of a tile, their pixels, and the sums of their positions in axis order."""
    index, ids = compact(checked_ids(cut.read()))
    stack = index if index.ndim == 3 else index[np.newaxis]
    sizes, sums = np.zeros(ids.size, np.int64), np.zeros((ids.size, 3))
    _add_positions(stack, sizes, sums)
    start = np.array([part.start for part in tile.core])
    return ids, sizes, sums[:, 3 - index.ndim :] + sizes[:, np.newaxis] * start


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_positions(stack: Any, sizes: Any, sums: Any) -> None:
    depth, height, width = stack.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                cell = stack[z, y, x] - 1
                if cell >= 0:
                    sizes[cell] += 1
                    sums[cell, 0] += z
                    sums[cell, 1] += y
                    sums[cell, 2] += x
