"""Nuclei grow into cells, tile by tile: evenly, or held up by membranes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from napari_gluer.errors import InputError, listed
from napari_gluer.segmentation.distances import nearest_label
from napari_gluer.segmentation.fields import Window, widened, within
from napari_gluer.segmentation.keeping import Keep, unfinished
from napari_gluer.segmentation.params import Expansion, Membrane
from napari_gluer.segmentation.sampling import sample_windows
from napari_gluer.segmentation.scene import Scene, read_sum
from napari_gluer.tiles import Cut, Tile, TileParams, checkpoint, run_tiles
from napari_gluer.track import Track

CELLS = "cells"
_RANGES = "membranes"
_BLUR = 1.0  # pixels, against noise in the membranes
_BLUR_REACH = 3
_DIM, _BRIGHT = 10.0, 99.0  # percentiles of a membrane channel that count as none and as full
_KEPT = 2**18  # pixels of a window from which percentiles are taken
_MEMBRANES = re.compile(
    r"(ecad(herin)?|cdh1|cadherin1?|nakatpase|atp1a1|sodiumpotassiumatpase|pan(membrane|mem)"
    r"|membranes?|wga|concanavalina?|cona|bcatenin|betacatenin|ctnnb1|epcam|cd326"
    r"|cd45|ptprc|cd44|cd298|b2m|beta2microglobulin|hlaabc|mhci)"
)


@dataclass(frozen=True)
class _Ways:
    """How cells grow, the same in every tile; `reach` in steps along x."""

    reach: float
    ratio: tuple[float, ...]
    weight: float = 0.0
    ranges: tuple[tuple[float, float], ...] = ()

    @property
    def margin(self) -> tuple[int, ...]:
        return tuple(int(self.reach / step) + 1 for step in self.ratio)

    @property
    def read_margin(self) -> tuple[int, ...]:
        return tuple(side + (_BLUR_REACH if self.ranges else 0) for side in self.margin)


def guessed_membranes(channels: Sequence[str]) -> tuple[str, ...]:
    """The channels that show membranes, by name.

    Raises
    ------
    InputError
        If none is known; the message names the channels.
    """
    known = tuple(name for name in channels if _MEMBRANES.fullmatch(_plain(name)))
    if not known:
        raise InputError(
            f"No channel is known to show membranes; the image has {listed(channels)}. Name one "
            "in the channels of the growth, or let nuclei grow evenly (expansion)."
        )
    return known


def grow(
    scene: Scene,
    params: Expansion | Membrane,
    keep: Keep,
    nuclei: Any,
    engine: tuple[TileParams | None, Track],
) -> Any:
    """Let nuclei grow into cells of the same numbers.

    Parameters
    ----------
    scene
        The image, and the part to look at.
    params
        How they grow.
    keep
        Where labels and finished tiles are kept.
    nuclei
        Labels over the part, sliced like an array.
    engine
        How tiles are cut and where they are worked; who is told.

    Returns
    -------
    The array ``cells`` of `keep`; `nuclei` itself where they grow by nothing.
    """
    tiles, track = engine
    channels: tuple[str, ...] = ()
    if isinstance(params, Membrane):
        channels = params.channels or guessed_membranes(scene.image.channels)
    ways = _ways(scene, params, channels, keep, engine)
    if ways.reach <= 0:
        return nuclei
    cells, missing = keep.array(CELLS), unfinished(keep, CELLS, scene.tiles(tiles))

    def feed(tile: Tile) -> tuple[Cut, ...]:
        window = _clipped(tile, ways.margin, scene)
        seen = tile.window(ways.read_margin)
        return (Cut(nuclei, keep.at(window)), *scene.cuts(seen, channels))

    work = partial(_grown, ways=ways, part=scene.part)
    for tile, block in run_tiles(work, missing, feed, tiles, track, "Growing cells"):
        cells[keep.at(tile.core)] = block
        keep.finish(CELLS, tile)
    return cells


def reach_of(params: Expansion | Membrane) -> float:
    """How far nuclei grow at most, in the unit of the parameters."""
    return params.distance if isinstance(params, Expansion) else params.reach


def _ways(
    scene: Scene,
    params: Expansion | Membrane,
    channels: tuple[str, ...],
    keep: Keep,
    engine: tuple[TileParams | None, Track],
) -> _Ways:
    grid = scene.grid
    ways = _Ways(reach_of(params) / grid.step_um, grid.ratio)
    if isinstance(params, Expansion) or not params.weight:
        return ways
    ranges = keep.value(_RANGES) or _ranges(scene, channels, engine)
    keep.note(_RANGES, ranges)
    return _Ways(ways.reach, ways.ratio, params.weight, tuple((low, high) for low, high in ranges))


def _ranges(
    scene: Scene, channels: tuple[str, ...], engine: tuple[TileParams | None, Track]
) -> list[list[float]]:
    """Brightness of each membrane channel that counts as none, and as full."""
    tiles, track = engine
    windows = sample_windows(scene.shape, scene.regions)
    found: list[list[NDArray[np.float32]]] = [[] for _ in channels]

    def feed(tile: Tile) -> tuple[Cut, ...]:
        return scene.cuts(tile.core, channels)

    for _, parts in run_tiles(_thinned, windows, feed, tiles, track, "Brightness of membranes"):
        for values, part in zip(found, parts, strict=True):
            values.append(part)
    ranges = []
    for name, parts in zip(channels, found, strict=True):
        low, high = np.percentile(np.concatenate(parts), [_DIM, _BRIGHT]).tolist()
        if low == high:
            raise InputError(
                f"Channel {name!r} shows no membranes: nearly every pixel is {low:g}. Choose "
                "another channel for the growth."
            )
        ranges.append([low, high])
    return ranges


def _thinned(_tile: Tile, *cuts: Cut) -> list[NDArray[np.float32]]:
    parts = []
    for cut in cuts:
        smooth = _smooth(cut)
        parts.append(smooth.ravel()[:: max(1, smooth.size // _KEPT)].copy())
    return parts


def _smooth(cut: Cut) -> NDArray[np.float32]:
    smooth = ndimage.gaussian_filter(read_sum([cut]), _BLUR, truncate=_BLUR_REACH)
    return np.asarray(smooth, np.float32)


def _grown(
    tile: Tile, nuclei: Cut, *membranes: Cut, ways: _Ways, part: Window
) -> NDArray[np.int32]:
    window = widened_in(tile.core, ways.margin, part)
    labels = nuclei.read().astype(np.int32, copy=False)
    inner = within(tile.core, window)
    if not labels.any():
        return labels[inner]
    if not ways.ranges:
        return nearest_label(labels, ways.ratio, ways.reach)[inner]
    seen = tile.window(ways.read_margin)
    total = np.zeros(labels.shape, np.float32)
    for cut, (low, high) in zip(membranes, ways.ranges, strict=True):
        smooth = _smooth(cut)[within(window, seen)]
        total += np.clip((smooth - np.float32(low)) / np.float32(high - low), 0, 1)
        checkpoint()
    return grown_along(labels, total / np.float32(len(membranes)), ways)[inner]


def grown_along(
    labels: NDArray[np.int32], membrane: NDArray[np.float32], ways: _Ways
) -> NDArray[np.int32]:
    """Give every pixel the label with the shortest way to it, where that is within reach.

    A step counts its length times ``1 + weight · membrane``; of ways equally long the lowest label
    wins. Pixels are passed to and fro until nothing gets shorter, so the order does not matter.
    """
    lead = (1,) * (3 - labels.ndim)
    block = labels.reshape(lead + labels.shape).copy()
    cost = np.where(block > 0, 0.0, np.inf)
    slow = 1 + ways.weight * membrane.reshape(block.shape).astype(np.float64)
    steps = np.array((1.0,) * len(lead) + ways.ratio)
    while _passed(block, cost, slow, steps, ways.reach):
        checkpoint()
    return block.reshape(labels.shape)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _passed(labels: Any, cost: Any, slow: Any, steps: Any, reach: float) -> bool:
    """Pass on along the raster and back; whether anything changed."""
    planes, rows, columns = labels.shape
    changed = False
    for direction in (1, -1):
        for here in range(labels.size):
            at = here if direction == 1 else labels.size - 1 - here
            z, y, x = at // (rows * columns), at // columns % rows, at % columns
            for step in range(13):  # the neighbours that were passed before
                dz, dy, dx = step // 9 - 1, step // 3 % 3 - 1, step % 3 - 1
                p, q, r = z + direction * dz, y + direction * dy, x + direction * dx
                if not (0 <= p < planes and 0 <= q < rows and 0 <= r < columns):
                    continue
                if labels[p, q, r] == 0:
                    continue
                length = np.sqrt((dz * steps[0]) ** 2 + (dy * steps[1]) ** 2 + (dx * steps[2]) ** 2)
                way = cost[p, q, r] + length * 0.5 * (slow[p, q, r] + slow[z, y, x])
                known = cost[z, y, x]
                if way > reach or way > known:
                    continue
                if way < known or labels[p, q, r] < labels[z, y, x]:
                    cost[z, y, x] = way
                    labels[z, y, x] = labels[p, q, r]
                    changed = True
    return changed


def widened_in(core: Window, margin: tuple[int, ...], part: Window) -> Window:
    """`core` widened by `margin`, clipped to `part`."""
    wide = widened(core, margin, tuple(key.stop for key in part))
    return tuple(
        slice(max(key.start, outer.start), key.stop) for key, outer in zip(wide, part, strict=True)
    )


def _clipped(tile: Tile, margin: tuple[int, ...], scene: Scene) -> Window:
    return widened_in(tile.core, margin, scene.part)


def _plain(name: str) -> str:
    greek = name.replace("α", "a").replace("β", "b")
    return re.sub(r"[^0-9a-z]", "", greek.casefold())
