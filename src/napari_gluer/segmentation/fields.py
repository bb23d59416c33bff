"""From brightness to foreground and height, with finite reach: a tile sees what the whole sees."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_gluer.segmentation.distances import edge_distance
from napari_gluer.segmentation.ground import Ground
from napari_gluer.segmentation.params import Watershed
from napari_gluer.segmentation.scale import Grid
from napari_gluer.tiles import checkpoint

Window = tuple[slice, ...]
_DEEPEST = 1.5  # radii: beyond it distance to the edge says nothing about where nuclei part
_LARGEST_HOLE = 0.75  # diameters: a larger one is a lumen or a vessel, not a pale nucleus
_LOCAL_TRUNCATE = 2.0
_OPENED_FROM = 12  # pixels of diameter: smaller nuclei would not survive an opening


@dataclass(frozen=True)
class Recipe:
    """What decides the fields, the same in every tile of an image.

    Attributes
    ----------
    params, grid
        The method's settings and the lengths on the image.
    diameter
        Of a usual nucleus, in steps along x.
    threshold
        On the square root of the brightness above the ground.
    floor
        The ground where none is taken away: the darkest pixel.
    smoothing
        Gaussian blur against noise, in nucleus diameters.
    """

    params: Watershed
    grid: Grid
    diameter: float
    threshold: float = 0.0
    floor: float = 0.0
    smoothing: float = 0.06

    @cached_property
    def ground(self) -> Ground | None:
        """How the ground is found, None where none is taken away."""
        if not self.params.background:
            return None
        return Ground(2 * self.params.background * self.diameter, self.grid)

    @cached_property
    def blur(self) -> list[float]:
        """Sigma of the blur against noise, in steps of every axis."""
        return self.grid.sigma(max(0.5, self.smoothing * self.diameter))

    @cached_property
    def hole(self) -> list[int]:
        """Longest sides of a hole that is filled, in pixels."""
        return [int(side) for side in self.grid.sigma(_LARGEST_HOLE * self.diameter)]

    @cached_property
    def mask_margin(self) -> tuple[int, ...]:
        """Pixels of brightness that the foreground needs around it."""
        window = self.grid.window(self.diameter)
        return tuple(
            side // 2 + _reach(self.diameter / 4 / step, _LOCAL_TRUNCATE) + 2 + hole + 1
            for side, step, hole in zip(window, self.grid.ratio, self.hole, strict=True)
        )

    @cached_property
    def height_margin(self) -> tuple[int, ...]:
        """Pixels of foreground that the height needs around it."""
        reach = max(_DEEPEST / 2, 0.1 * 3) * self.diameter
        return tuple(
            int(reach / step) + 2 + _reach(0.05 * self.diameter / step, 3)
            for step in self.grid.ratio
        )

    def needed(self, part: Window, shape: tuple[int, ...]) -> Window:
        """The window of an image of `shape` that must be read to know the height in `part`."""
        return self._read(widened(part, self._margin, shape), shape)

    def needed_for_brightness(self, part: Window, shape: tuple[int, ...]) -> Window:
        """The window that must be read to know the brightness in `part`."""
        return self._read(part, shape)

    @cached_property
    def _margin(self) -> tuple[int, ...]:
        return tuple(a + b for a, b in zip(self.mask_margin, self.height_margin, strict=True))

    def _read(self, part: Window, shape: tuple[int, ...]) -> Window:
        noise = widened(part, tuple(_reach(sigma, 4) for sigma in self.blur), shape)
        return self.ground.aligned(noise, shape) if self.ground else noise


def widened(part: Window, margin: tuple[int, ...], shape: tuple[int, ...]) -> Window:
    """`part` with `margin` more pixels on both sides of every axis, clipped to `shape`."""
    return tuple(
        slice(max(0, key.start - more), min(length, key.stop + more))
        for key, more, length in zip(part, margin, shape, strict=True)
    )


def within(part: Window, window: Window) -> Window:
    """Where `part` lies inside an array that holds `window`."""
    return tuple(
        slice(key.start - outer.start, key.stop - outer.start)
        for key, outer in zip(part, window, strict=True)
    )


def brightness(
    pixels: NDArray[np.float32], at: Window, part: Window, recipe: Recipe, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Square root of the brightness above the ground: dim and bright nuclei in one range.

    Parameters
    ----------
    pixels
        The image in the window `at`, which ``recipe.needed_for_brightness(part, shape)`` gave.
    part
        The window to know.
    """
    noise = widened(part, tuple(_reach(sigma, 4) for sigma in recipe.blur), shape)
    above = pixels[within(noise, at)]
    above = above - (recipe.ground.under(pixels, at, noise) if recipe.ground else recipe.floor)
    blurred = ndimage.gaussian_filter(np.maximum(above, 0, dtype=np.float32), recipe.blur)
    return np.asarray(np.sqrt(blurred[within(part, noise)]))


def height(
    pixels: NDArray[np.float32], at: Window, part: Window, recipe: Recipe, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Height of the landscape whose tops are nuclei, float32; 0 outside the foreground.

    Distance to the edge in radii, plus brightness beside the brightest around.

    Parameters
    ----------
    pixels
        The image in the window `at`, which ``recipe.needed(part, shape)`` gave.
    part
        The window to know.
    """
    grid, diameter = recipe.grid, recipe.diameter
    middle = widened(part, recipe.height_margin, shape)
    outer = widened(middle, recipe.mask_margin, shape)
    bright = brightness(pixels, at, outer, recipe, shape)
    checkpoint()
    mask, local = foreground(bright, recipe)
    kept = within(middle, outer)
    mask, local, bright = mask[kept], local[kept], bright[kept]
    checkpoint()
    depth = edge_distance(mask, grid.ratio, _DEEPEST * diameter / 2) / np.float32(diameter / 2)
    glow = ndimage.gaussian_filter(bright, grid.sigma(0.1 * diameter), truncate=3.0)
    glow /= np.maximum(local, np.float32(1e-9))
    rough = depth + np.float32(recipe.params.intensity_weight) * glow
    smooth = ndimage.gaussian_filter(rough, grid.sigma(0.05 * diameter), truncate=3.0)
    inner = within(part, middle)
    return np.where(mask[inner], np.maximum(smooth[inner], np.float32(1e-6)), np.float32(0))


def foreground(
    bright: NDArray[np.float32], recipe: Recipe
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Pixels above the threshold and not far below the brightest around them.

    Returns
    -------
    mask
        The foreground.
    local
        The brightest around every pixel, blurred.
    """
    highest = ndimage.maximum_filter(bright, recipe.grid.window(recipe.diameter))
    sigma = recipe.grid.sigma(recipe.diameter / 4)
    local = ndimage.gaussian_filter(highest, sigma, truncate=_LOCAL_TRUNCATE)
    part = np.float32(recipe.params.local_threshold)
    mask = (bright > np.float32(recipe.threshold)) & (bright > part * local)
    if recipe.diameter > _OPENED_FROM and min(mask.shape[-2:]) > 2:
        cross = ndimage.generate_binary_structure(2, 1)
        mask = ndimage.binary_opening(mask, cross if mask.ndim == 2 else cross[np.newaxis])
    return without_small_holes(mask, recipe.hole), local


def without_small_holes(mask: NDArray[np.bool_], longest: list[int]) -> NDArray[np.bool_]:
    """Fill holes that are nowhere longer than `longest`, in pixels of every axis.

    What touches the border of `mask` is open, not a hole.
    """
    holes, _ = ndimage.label(~mask)
    filled = [False]
    for box in ndimage.find_objects(holes):
        pairs = zip(box, longest, mask.shape, strict=True)
        filled.append(
            all(
                (key.start > 0 and key.stop < length) and key.stop - key.start <= most
                for key, most, length in pairs
            )
        )
    return np.asarray(mask | np.array(filled)[holes])


def _reach(sigma: float, truncate: float) -> int:
    return int(truncate * sigma + 0.5)
