"""Basins: the pixels from which the steepest way up ends on the same top. Compiled."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_gluer.segmentation.fields import Window, widened, within


@dataclass(frozen=True)
class Basins:
    """What a tile tells about its basins. Pixels are numbered along the whole image's raster.

    A way up that leaves the tile ends at the first pixel outside, and the tile that holds that
    pixel tells how it goes on (`ring`).

    Attributes
    ----------
    pixels
        float64 ``(n, 4 + ndim)``: where the way ends, height there, pixels, first pixel, sum of
        the coordinates of every axis. Row i is the basin i + 1 of the tile.
    passes
        float64 ``(m, 3)``: two basins by where they end, or one and a pixel outside the tile, and
        the highest way between them.
    ring
        float64 ``(k, 2)``: a pixel on the tile's border, and where its way ends.
    """

    pixels: NDArray[np.float64]
    passes: NDArray[np.float64]
    ring: NDArray[np.float64]


def basins_of(
    height: NDArray[np.float32], at: Window, core: Window, shape: tuple[int, ...]
) -> tuple[NDArray[np.int32], Basins]:
    """Basins of one tile.

    Parameters
    ----------
    height
        Of the window `at`: the core and one pixel around it, clipped to the image; 0 outside the
        foreground. Of equal heights the pixel that comes first in the raster counts as higher.
    core
        The tile's own part of the image.
    shape
        Of the whole image.

    Returns
    -------
    numbers
        int32, shape of the core: number of the pixel's basin in this tile, 0 outside.
    basins
        Their table.
    """
    lead = (1,) * (3 - height.ndim)
    block = height.reshape(lead + height.shape)
    inside = np.zeros(block.shape, np.bool_)
    inside.reshape(height.shape)[within(core, at)] = True
    ends = _ends(block, inside)
    starts = np.array((0,) * len(lead) + tuple(key.start for key in at), np.int64)
    whole = np.array(lead + shape, np.int64)
    numbers, pixels = _table(ends, block, inside, starts, whole)
    pairs = _pairs(ends, block, inside)
    passes = _highest(pairs, block.shape, starts, whole)
    ring = _ring(core, at, shape) & (block.reshape(height.shape) > 0)
    on_ring = np.flatnonzero(ring.ravel())
    rings = [_global(part, block.shape, starts, whole) for part in (on_ring, ends.ravel()[on_ring])]
    columns = [*range(4), *range(4 + len(lead), 7)]
    table = Basins(pixels[:, columns], passes, np.column_stack(rings).astype(np.float64))
    return numbers.reshape(height.shape)[within(core, at)], table


def window_of(core: Window, shape: tuple[int, ...]) -> Window:
    """The window whose height `basins_of` needs."""
    return widened(core, (1,) * len(core), shape)


def _ring(core: Window, at: Window, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels of the core that another tile may lead to."""
    ring = np.zeros(tuple(key.stop - key.start for key in at), np.bool_)
    inner = tuple(
        slice(key.start + (key.start > 0), key.stop - (key.stop < length))
        for key, length in zip(core, shape, strict=True)
    )
    ring[within(core, at)] = True
    ring[within(inner, at)] = False
    return ring


def _global(local: Any, inner: tuple[int, ...], starts: Any, whole: Any) -> NDArray[np.int64]:
    z, y, x = np.unravel_index(local, inner)
    flat = (z + starts[0]) * whole[1] + y + starts[1]
    return np.asarray(flat * whole[2] + x + starts[2], np.int64)


def _highest(pairs: Any, inner: tuple[int, ...], starts: Any, whole: Any) -> NDArray[np.float64]:
    """For each pair of ends the highest way between them."""
    first, second, level = pairs
    low, high = np.minimum(first, second), np.maximum(first, second)
    order = np.lexsort((-level, high, low))
    low, high, level = low[order], high[order], level[order]
    new = np.ones(len(low), np.bool_)
    new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    ends = [_global(part[new], inner, starts, whole) for part in (low, high)]
    return np.column_stack([*ends, level[new]]).astype(np.float64).reshape(-1, 3)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _ends(height: Any, inside: Any) -> Any:
    """Where the steepest way up from every pixel of the core ends: a top, or a pixel outside."""
    planes, rows, columns = height.shape
    up = np.full(height.shape, -1, np.int64)
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                if height[z, y, x] <= 0:
                    continue
                if inside[z, y, x]:
                    up[z, y, x] = _highest_around(height, z, y, x)
                else:
                    up[z, y, x] = (z * rows + y) * columns + x
    flat = up.ravel()
    for start in range(len(flat)):
        end = start
        while end >= 0 and flat[end] != end:
            end = flat[end]
        here = start
        while end >= 0 and flat[here] != end:
            further = flat[here]
            flat[here] = end
            here = further
    return up


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _highest_around(height: Any, z: int, y: int, x: int) -> int:
    """The highest of a pixel and its neighbours, the first in the raster of those equally high."""
    planes, rows, columns = height.shape
    highest = -1
    best = height[z, y, x]
    for dz in range(max(0, z - 1), min(planes, z + 2)):
        for dy in range(max(0, y - 1), min(rows, y + 2)):
            for dx in range(max(0, x - 1), min(columns, x + 2)):
                level = height[dz, dy, dx]
                if level > best or (level == best and highest < 0):
                    best = level
                    highest = (dz * rows + dy) * columns + dx
    return highest


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _table(ends: Any, height: Any, inside: Any, starts: Any, whole: Any) -> tuple[Any, Any]:
    """Number the basins as the raster meets them, and add up what lies in each."""
    planes, rows, columns = height.shape
    numbers = np.zeros(height.shape, np.int32)
    known = np.zeros(height.size, np.int32)
    heights = height.ravel()
    count = 0
    for here in range(height.size):
        if inside.ravel()[here] and ends.ravel()[here] >= 0 and known[ends.ravel()[here]] == 0:
            count += 1
            known[ends.ravel()[here]] = count
    table = np.zeros((count, 7))
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                end = ends[z, y, x]
                if end < 0 or not inside[z, y, x]:
                    continue
                number = known[end]
                numbers[z, y, x] = number
                row = table[number - 1]
                at = (starts[0] + z, starts[1] + y, starts[2] + x)
                if row[2] == 0:
                    top = (end // (rows * columns), end // columns % rows, end % columns)
                    deep = (starts[0] + top[0]) * whole[1] + starts[1] + top[1]
                    row[0] = deep * whole[2] + starts[2] + top[2]
                    row[1] = heights[end]
                    row[3] = (at[0] * whole[1] + at[1]) * whole[2] + at[2]
                row[2] += 1
                for axis in range(3):
                    row[4 + axis] += at[axis]
    return numbers, table


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _pairs(ends: Any, height: Any, inside: Any) -> tuple[Any, Any, Any]:
    """Ends of neighbouring pixels that differ, and the lower of the two heights.

    Each pair of pixels is told by the tile that holds the first of them.
    """
    planes, rows, columns = height.shape
    room = 1024
    count = 0
    first, second = np.empty(room, np.int64), np.empty(room, np.int64)
    level = np.empty(room, np.float32)
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                if not inside[z, y, x] or ends[z, y, x] < 0:
                    continue
                for step in range(14, 27):  # the 13 neighbours that come later in the raster
                    dz, dy, dx = z + step // 9 - 1, y + step // 3 % 3 - 1, x + step % 3 - 1
                    if not (0 <= dz < planes and 0 <= dy < rows and 0 <= dx < columns):
                        continue
                    if ends[dz, dy, dx] < 0 or ends[dz, dy, dx] == ends[z, y, x]:
                        continue
                    if count == room:
                        first = np.concatenate((first, first))
                        second = np.concatenate((second, second))
                        level = np.concatenate((level, level))
                        room *= 2
                    first[count], second[count] = ends[z, y, x], ends[dz, dy, dx]
                    level[count] = min(height[z, y, x], height[dz, dy, dx])
                    count += 1
    return first[:count], second[:count], level[:count]
