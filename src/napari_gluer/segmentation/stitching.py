"""Methods that give no account of their reach: run on overlapping tiles, put together by rule.

A cell belongs to the tile whose core holds its centre. Cells that no core claimed, because two
tiles put the centre to either side of a border, are added where most of their pixels are free.
Where cells overlap, the tile that comes first has the pixels, and a cell of which most is taken is
a duplicate. A cell cut off by the ends of two overlapping tiles is one cell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_gluer.errors import InputError
from napari_gluer.labels import compact
from napari_gluer.segmentation.fields import Window
from napari_gluer.segmentation.growth import widened_in
from napari_gluer.segmentation.keeping import OUTSIDE, Keep, unfinished
from napari_gluer.segmentation.sampling import sample_windows
from napari_gluer.segmentation.scene import Scene, read_sum
from napari_gluer.segmentation.watershed import NUCLEI
from napari_gluer.tiles import Cut, Tile, TileParams, checkpoint, run_tiles
from napari_gluer.track import Track

Outline = Callable[[NDArray[np.float32]], NDArray[Any]]
_FOUND = "found"
_RANGE = "range"
_DIM, _BRIGHT = 1.0, 99.8  # percentiles that become 0 and 1
_KEPT = 2**18  # pixels of a window from which they are taken
_CORE, _NEAR = 1, 0  # whether the centre lies in the core, or near it


@dataclass(frozen=True)
class Model:
    """A method that labels the cells of one window.

    Attributes
    ----------
    outline
        From brightness, 0 the ground and 1 bright, to labels of the same shape. Sent to other
        processes where tiles are worked there.
    overlap
        Pixels that tiles see beyond their core; wider than a cell.
    name
        For messages.
    """

    outline: Outline
    overlap: int
    name: str


def find_with(
    model: Model, scene: Scene, keep: Keep, tiles: TileParams | None, track: Track
) -> Any:
    """Find the nuclei or cells of a scene with a model.

    Returns
    -------
    The array ``nuclei`` of `keep`: 1…n in the order of their first pixels, 0 is background.

    Raises
    ------
    InputError
        If nothing is found, or the model gives something else than labels.
    """
    cut = scene.tiles(tiles)
    margin = (model.overlap,) * len(scene.shape)
    windows = {tile.number: widened_in(tile.core, margin, scene.part) for tile in cut}
    limits = keep.value(_RANGE) or _range(scene, tiles, track)
    keep.note(_RANGE, limits)
    missing = unfinished(keep, _FOUND, cut)
    work = partial(_tile_cells, model=model, limits=tuple(limits), part=scene.part)

    def feed(tile: Tile) -> tuple[Cut, ...]:
        return scene.cuts(windows[tile.number])

    for tile, told in run_tiles(work, missing, feed, tiles, track, f"Finding cells: {model.name}"):
        keep.finish(_FOUND, tile, told)
    if unfinished(keep, NUCLEI, cut):
        _paint(cut, windows, scene, keep, track)
    return keep.array(NUCLEI)


def _range(scene: Scene, tiles: TileParams | None, track: Track) -> list[float]:
    """Brightness that becomes 0 and 1, of the whole image rather than of each tile."""
    windows = sample_windows(scene.shape, scene.regions)
    found = run_tiles(
        _thinned, windows, lambda t: scene.cuts(t.core), tiles, track, "Brightness of nuclei"
    )
    values = np.concatenate([part for _, part in found])
    low, high = np.percentile(values, [_DIM, _BRIGHT]).tolist() if values.size else (0, 0)
    if low == high:
        raise InputError(
            f"No nuclei in the nuclear channel: nearly every pixel is {low:g}. Choose another "
            "nuclear channel."
        )
    return [low, high]


def _thinned(_tile: Tile, *cuts: Cut) -> NDArray[np.float32]:
    values = read_sum(cuts).ravel()
    return values[:: max(1, values.size // _KEPT)].copy()


def _tile_cells(
    tile: Tile, *cuts: Cut, model: Model, limits: tuple[float, float], part: Window
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Cells whose centre lies in the core or near it, and per cell: where, and whether cut off."""
    low, high = limits
    pixels = (read_sum(cuts) - np.float32(low)) / np.float32(high - low)
    checkpoint()
    found = np.asarray(model.outline(pixels))
    if found.size != pixels.size or found.dtype.kind not in "iub":
        raise InputError(
            f"{model.name} gave {found.dtype} of shape {found.shape} for pixels of shape "
            f"{pixels.shape}; whole numbers of that shape are labels."
        )
    # models leave out axes of one pixel, or add some
    labels, ids = compact(found.reshape(pixels.shape).astype(np.int64))
    window = widened_in(tile.core, (model.overlap,) * labels.ndim, part)
    place, cut_off = _places(labels, len(ids), tile.core, window, (part, model.overlap // 4))
    number = np.zeros(len(ids) + 1, np.int32)
    number[1:][place >= 0] = np.arange(1, (place >= 0).sum() + 1)
    table = np.column_stack([place, cut_off])[place >= 0].astype(np.int64)
    return number[labels], table


def _places(
    labels: NDArray[np.int32], n: int, core: Window, window: Window, around: tuple[Window, int]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each cell whether its centre is in the core (1), near (0) or away (-1); if it is cut."""
    part, slack = around
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=n + 1)[1:], 1)
    inside, near = np.ones(n, bool), np.ones(n, bool)
    cut_off = np.zeros(n + 1, bool)
    for axis, (key, seen, all_of) in enumerate(zip(core, window, part, strict=True)):
        lengths = [-1 if axis == other else 1 for other in range(labels.ndim)]
        at = np.broadcast_to(np.arange(seen.start, seen.stop).reshape(lengths), labels.shape)
        centres = np.bincount(labels.ravel(), at.ravel(), n + 1)[1:] / sizes
        inside &= (centres >= key.start - 0.5) & (centres < key.stop - 0.5)
        near &= (centres >= key.start - slack) & (centres < key.stop + slack)
        for end, is_end in ((0, seen.start > all_of.start), (-1, seen.stop < all_of.stop)):
            if is_end:
                cut_off[np.take(labels, end, axis=axis)] = True
    return np.where(inside, _CORE, np.where(near, _NEAR, -1)), cut_off[1:]


def _paint(
    cut: list[Tile], windows: dict[int, Window], scene: Scene, keep: Keep, track: Track
) -> None:
    """Put the cells of all tiles into one array, numbered by their first pixels."""
    painted = keep.array("painted")
    for tile in cut:
        painted[keep.at(tile.core)] = 0  # what an interrupted run left
    cut_off: list[bool] = [False]
    for wanted in (_CORE, _NEAR):
        for tile in track(cut, "Joining cells"):
            labels, table = keep.told(_FOUND, tile.number)
            place = keep.at(windows[tile.number])
            block = np.asarray(painted[place])
            if _painted(block, labels, table, wanted, cut_off):
                painted[place] = block
    _number(cut, scene, keep, len(cut_off))


def _painted(
    block: NDArray[np.int32],
    labels: NDArray[np.int32],
    table: NDArray[np.int64],
    wanted: int,
    cut_off: list[bool],
) -> bool:
    """Paint one tile's cells of the `wanted` place into `block`; whether there were any."""
    changed = False
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None or table[number - 1, 0] != wanted:
            continue
        own = labels[box] == number
        under = block[box][own]
        taken = under[under > 0]
        ends = bool(table[number - 1, 1])
        same = taken[np.array(cut_off)[taken]] if ends else taken[:0]
        if same.size:
            name = int(np.bincount(same).argmax())
        elif 2 * taken.size >= under.size:
            continue
        else:
            cut_off.append(ends)
            name = len(cut_off) - 1
        block[box][own & (block[box] == 0)] = name
        changed = True
    return changed


def _number(cut: list[Tile], scene: Scene, keep: Keep, names: int) -> None:
    painted, labels = keep.array("painted"), keep.array(NUCLEI)
    first = np.full(names, np.iinfo(np.int64).max)
    sizes = np.zeros(names)
    sums = np.zeros((names, len(scene.shape)))
    for tile in cut:
        block = np.asarray(painted[keep.at(tile.core)])
        at = np.nonzero(block)
        ids = block[at]
        where = [axis + key.start for axis, key in zip(at, tile.core, strict=True)]
        np.minimum.at(first, ids, np.ravel_multi_index(where, scene.shape))
        sizes += np.bincount(ids, minlength=names)
        sums += np.column_stack([np.bincount(ids, axis, names) for axis in where])
    kept = sizes > 0
    inside = scene.counted(sums[kept] / sizes[kept, np.newaxis])
    keep.note(OUTSIDE, int((~inside).sum()))
    kept[kept] = inside
    if not kept.any():
        raise InputError(
            "The model found no cells here. Check the nuclear channels, the pixel size and the "
            "diameter, or choose another model or region."
        )
    order = np.flatnonzero(kept)[np.argsort(first[kept])]
    number = np.zeros(names, np.int32)
    number[order] = np.arange(1, len(order) + 1)
    for tile in cut:
        place = keep.at(tile.core)
        labels[place] = number[np.asarray(painted[place])]
        keep.finish(NUCLEI, tile)
