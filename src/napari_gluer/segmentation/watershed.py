"""Nuclei by local threshold and watershed, tile by tile: the method that needs no model.

Nothing here depends on how the image is cut. Statistics are taken first and hold for every tile;
heights have a finite reach, which tiles read beyond their border; basins are joined over all tiles
(`merging`), however large a clump of touching nuclei is.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.segmentation.basins import Basins, basins_of, window_of
from napari_gluer.segmentation.fields import Recipe, height
from napari_gluer.segmentation.keeping import OUTSIDE, Keep, unfinished
from napari_gluer.segmentation.merging import merged
from napari_gluer.segmentation.params import Watershed
from napari_gluer.segmentation.scene import Scene, read_sum
from napari_gluer.segmentation.statistics import Statistics
from napari_gluer.tiles import Cut, Tile, TileParams, checkpoint, run_tiles
from napari_gluer.track import Track

__all__ = ["NUCLEI", "Watershed", "find_nuclei", "recipe_for"]

NUCLEI = "nuclei"
_BASINS = "basins"
_RECIPE = "recipe"


def recipe_for(
    scene: Scene, params: Watershed, keep: Keep, tiles: TileParams | None, track: Track
) -> Recipe:
    """What decides the fields of an image: taken from it once, then kept.

    Raises
    ------
    InputError
        If every pixel is the same.
    """
    known = keep.value(_RECIPE)
    if known is None:
        found = Statistics(scene, params, tiles, track).recipe()
        known = {
            name: getattr(found, name) for name in ("diameter", "threshold", "floor", "smoothing")
        }
        keep.note(_RECIPE, known)
    return Recipe(params, scene.grid, **known)


def find_nuclei(
    scene: Scene, recipe: Recipe, keep: Keep, tiles: TileParams | None, track: Track
) -> Any:
    """Find the nuclei of a scene.

    Parameters
    ----------
    scene
        The image, its nuclear channels and the part to look at.
    recipe
        From `recipe_for`.
    keep
        Where labels and finished tiles are kept.
    tiles, track
        How tiles are cut and where they are worked; who is told.

    Returns
    -------
    The array ``nuclei`` of `keep`: 1…n in the order of their first pixels, 0 is background.

    Raises
    ------
    InputError
        If nothing is found.
    """
    cut = scene.tiles(tiles)
    numbers, labels = keep.array(_BASINS), keep.array(NUCLEI)
    missing = unfinished(keep, _BASINS, cut)
    work = partial(_tile_basins, recipe=recipe)

    def feed(tile: Tile) -> tuple[Cut, ...]:
        return scene.cuts(recipe.needed(window_of(tile.core, scene.shape), scene.shape))

    for tile, (block, told) in run_tiles(work, missing, feed, tiles, track, "Finding nuclei"):
        numbers[keep.at(tile.core)] = block
        keep.finish(_BASINS, tile, (told.pixels, told.passes, told.ring))
    _write_labels(cut, scene, recipe, keep, track)
    return labels


def _write_labels(cut: list[Tile], scene: Scene, recipe: Recipe, keep: Keep, track: Track) -> None:
    missing = unfinished(keep, NUCLEI, cut)
    if not missing:
        return
    tables = [Basins(*keep.told(_BASINS, tile.number)) for tile in cut]
    nuclei = merged(tables, recipe.params.split_depth)
    least = max(1.0, recipe.params.smallest * recipe.grid.area(recipe.diameter))
    nuclei = nuclei.keeping(nuclei.sizes >= least)
    inside = scene.counted(nuclei.centres)
    keep.note(OUTSIDE, int((~inside).sum()))
    nuclei = nuclei.keeping(inside)
    if not len(nuclei.sizes):
        raise InputError(_nothing(recipe))
    numbers, labels = keep.array(_BASINS), keep.array(NUCLEI)
    for tile in track(missing, "Joining nuclei"):
        place = keep.at(tile.core)
        labels[place] = np.take(nuclei.numbers[tile.number], numbers[place])
        keep.finish(NUCLEI, tile)


def _tile_basins(tile: Tile, *cuts: Cut, recipe: Recipe) -> tuple[NDArray[np.int32], Basins]:
    window = window_of(tile.core, tile.shape)
    pixels = read_sum(cuts)
    checkpoint()
    heights = height(pixels, recipe.needed(window, tile.shape), window, recipe, tile.shape)
    checkpoint()
    return basins_of(heights, window, tile.core, tile.shape)


def _nothing(recipe: Recipe) -> str:
    return (
        f"No nuclei found: threshold {recipe.threshold:.3g} (square root of the brightness above "
        f"the ground), nuclei taken to be {recipe.diameter:.3g} pixels wide. Try a lower "
        "threshold, give the nucleus diameter, or choose another nuclear channel or region."
    )
