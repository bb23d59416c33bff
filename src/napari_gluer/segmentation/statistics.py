"""What is learnt from an image before its tiles are worked: size of nuclei, noise, threshold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_gluer.errors import InputError
from napari_gluer.segmentation.fields import Recipe, brightness, foreground
from napari_gluer.segmentation.params import Watershed
from napari_gluer.segmentation.sampling import sample_windows
from napari_gluer.segmentation.scene import Scene, read_sum
from napari_gluer.tiles import Cut, Tile, TileParams, checkpoint, run_tiles
from napari_gluer.track import Track

_SMALLEST = 3.0  # pixels of diameter: nothing smaller can be told from noise
_BLUR, _MOST_BLUR = 0.06, 0.2  # nucleus diameters
_NOISE_LEFT = 0.05  # of the signal, after the blur
_TIGHT = 0.75  # local threshold under which touching nuclei fall apart, for their size alone
_ROUNDS = 2
_CLEAR = 5.0  # deviations of the blurred noise that a pixel must stand out by, to be of a nucleus
_LOWEST = 4.0  # deviations by which the ground at first sight, the lowest of many, lies too low
_DARK = 0.25  # part of the pixels, the darkest places, that is taken for ground
_PLACE = 8.0  # pixels over which a place is dark
_DESC = "Size and brightness of nuclei"


@dataclass(frozen=True)
class _First:
    """A window at first sight: square root above a rough ground, and its range before that."""

    lifted: NDArray[np.float32]
    lowest: float
    highest: float
    counted: int
    noise: float


class Statistics:
    """Learns from sample windows what decides the fields of every tile.

    Parameters
    ----------
    scene
        The image and its channels.
    params
        The method's settings; sizes that are given are not estimated.
    tiles, track
        Where the windows are worked, and who is told.
    """

    def __init__(
        self, scene: Scene, params: Watershed, tiles: TileParams | None, track: Track
    ) -> None:
        self._scene = scene
        self._params = params
        self._tiles = tiles
        self._track = track
        self._windows = sample_windows(scene.shape, scene.regions)
        self._masks = [
            scene.regions.mask(tile.core) if scene.regions else np.True_ for tile in self._windows
        ]

    def recipe(self) -> Recipe:
        """The recipe for this image.

        Raises
        ------
        InputError
            If every pixel is the same.
        """
        first = self._first()
        lifted = [part.lifted for part in first]
        noise = _middle([part.noise for part in first], [part.counted for part in first])
        clear = _standing_out(noise, 1.0, lifted[0].ndim, _CLEAR + _LOWEST)
        rough = max(threshold_otsu(self._pooled(lifted)), clear)
        diameter, blur = self._sizes(lifted, float(rough))
        grid, params = self._scene.grid, self._params
        given = params.nucleus_diameter / grid.step_um
        floor = min(part.lowest for part in first)
        recipe = Recipe(params, grid, given or diameter, floor=floor)
        recipe = self._blurred(recipe, blur)
        for _ in range(0 if given else _ROUNDS):
            bright = self._brightness(recipe)
            tight = replace(
                recipe,
                params=params.model_copy(update={"local_threshold": _TIGHT}),
                threshold=self._threshold(bright, noise, recipe),
            )
            radii = self._radii(_tight_radii, bright, tight)
            # what is left of the ground can only make nuclei look larger
            smaller = min(_diameter(radii, diameter), diameter)
            recipe = self._blurred(replace(recipe, diameter=smaller), blur)
        bright = self._brightness(recipe)
        return replace(recipe, threshold=self._threshold(bright, noise, recipe))

    def _first(self) -> list[_First]:
        work = partial(_first_sight, grid_sigma=self._scene.grid.sigma(1.0))
        first = self._run(
            work, lambda n: (*self._scene.cuts(self._windows[n].core), self._masks[n])
        )
        counted = [part for part in first if part.counted]
        low = min((part.lowest for part in counted), default=0.0)
        high = max((part.highest for part in counted), default=0.0)
        if low == high:
            what = f"every pixel is {low:g}" if counted else "it has no pixels"
            raise InputError(
                f"No nuclei in the nuclear channel: {what} (NaN and infinite ones count as 0). "
                "Choose another nuclear channel."
            )
        return first

    def _sizes(self, lifted: list[NDArray[Any]], rough: float) -> tuple[float, float]:
        """Rough diameter and the blur in steps along x that the noise asks for."""
        work = partial(_rough_sizes, threshold=rough, ratio=self._scene.grid.ratio)
        told = self._run(
            work,
            lambda n: (lifted[n], self._masks[n], *self._scene.cuts(self._windows[n].core)),
        )
        radii = np.concatenate([part[0] for part in told])
        ratios, weights = np.array([part[1] for part in told]), np.array([part[2] for part in told])
        noise = _middle(ratios, weights)
        # a Gaussian of sigma s leaves 1 / (2 √π s) of white noise along two axes
        blur = (noise / _NOISE_LEFT) ** (2 / lifted[0].ndim) / (2 * np.sqrt(np.pi))
        return _diameter(radii, _SMALLEST), float(blur)

    def _blurred(self, recipe: Recipe, blur: float) -> Recipe:
        automatic = min(max(_BLUR, blur / recipe.diameter), _MOST_BLUR)
        return replace(recipe, smoothing=self._params.smoothing or automatic)

    def _brightness(self, recipe: Recipe) -> list[NDArray[np.float32]]:
        shape = self._scene.shape

        def feed(n: int) -> tuple[Any, ...]:
            return (*self._scene.cuts(recipe.needed_for_brightness(self._windows[n].core, shape)),)

        return self._run(partial(_window_brightness, recipe=recipe), feed)

    def _threshold(self, bright: list[NDArray[np.float32]], noise: float, recipe: Recipe) -> float:
        """Otsu's, but never within the noise, which it would part where nuclei are few."""
        found = float(threshold_otsu(self._pooled(bright))) * self._params.threshold
        return max(found, _standing_out(noise, recipe.blur[-1], len(self._scene.shape)))

    def _radii(
        self, work: Callable[..., Any], bright: list[NDArray[np.float32]], recipe: Recipe
    ) -> NDArray[np.float64]:
        found = self._run(partial(work, recipe=recipe), lambda n: (bright[n], self._masks[n]))
        return np.concatenate(found)

    def _pooled(self, values: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        pairs = zip(values, self._masks, strict=True)
        return np.concatenate([part[np.broadcast_to(mask, part.shape)] for part, mask in pairs])

    def _run(self, work: Callable[..., Any], feed: Callable[[int], tuple[Any, ...]]) -> list[Any]:
        def cuts(tile: Tile) -> tuple[Any, ...]:
            return tuple(_travelling(part) for part in feed(tile.number))

        found: Iterator[tuple[Tile, Any]] = run_tiles(
            work, self._windows, cuts, self._tiles, self._track, _DESC
        )
        return [result for _, result in found]


def _travelling(part: Any) -> Any:
    return Cut(part) if isinstance(part, np.ndarray) else part


def _first_sight(_tile: Tile, *inputs: Any, grid_sigma: list[float]) -> _First:
    *cuts, mask = inputs
    pixels = read_sum(cuts)
    smooth = ndimage.gaussian_filter(pixels, grid_sigma)
    checkpoint()
    counted = smooth[np.broadcast_to(_array(mask), smooth.shape)]
    window = [max(1, side // 4) for side in smooth.shape]
    ground = ndimage.maximum_filter(ndimage.minimum_filter(smooth, window), window)
    lifted = np.sqrt(np.maximum(smooth - ground, 0))
    if not counted.size:
        return _First(lifted, 0.0, 0.0, 0, 0.0)
    low, high = float(counted.min()), float(counted.max())
    return _First(lifted, low, high, counted.size, _noise(pixels))


def _noise(pixels: NDArray[np.float32]) -> float:
    """Deviation of the noise from pixel to pixel in the darkest places."""
    places = ndimage.gaussian_filter(pixels, _PLACE)
    dark = places <= np.quantile(places, _DARK)
    rest = (pixels - ndimage.gaussian_filter(pixels, 1.0))[dark]
    kept = (1 / (2 * np.sqrt(np.pi))) ** pixels.ndim - 2 * (2 * np.pi) ** (-pixels.ndim / 2)
    return float(rest.astype(np.float64).std() / np.sqrt(1 + kept))


def _standing_out(noise: float, blur: float, ndim: int, clear: float = _CLEAR) -> float:
    """Square root of `clear` deviations of the noise after a blur."""
    left = noise / (2 * np.sqrt(np.pi) * max(blur, 0.5)) ** (ndim / 2)
    return float(np.sqrt(clear * left))


def _middle(values: Any, weights: Any) -> float:
    """The weighted median; 0 where nothing has weight."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(np.asarray(weights)[order])
    if not total[-1]:
        return 0.0
    return float(np.asarray(values)[order][np.searchsorted(total, total[-1] / 2)])


def _rough_sizes(
    _tile: Tile, lifted: Any, mask: Any, *cuts: Cut, threshold: float, ratio: tuple[float, ...]
) -> tuple[NDArray[np.float64], float, int]:
    """Radii of what is bright, its noise relative to its signal, and its pixels."""
    height = _array(lifted)
    above = (height > threshold) & np.broadcast_to(_array(mask), height.shape)
    radii = _inner_radii(above, ratio, 2.0)
    checkpoint()
    if not above.any():
        return radii, 0.0, 0
    pixels = read_sum(cuts)
    rest = np.abs(pixels - ndimage.gaussian_filter(pixels, 1.0))[above]
    # 1.7: from the median of what a blur of one pixel takes away to the deviation of white noise
    noise = 1.7 * float(np.median(rest)) / float(np.median(height[above] ** 2))
    return radii, noise, int(above.sum())


def _window_brightness(tile: Tile, *cuts: Cut, recipe: Recipe) -> NDArray[np.float32]:
    at = recipe.needed_for_brightness(tile.core, tile.shape)
    return brightness(read_sum(cuts), at, tile.core, recipe, tile.shape)


def _tight_radii(_tile: Tile, bright: Any, mask: Any, *, recipe: Recipe) -> NDArray[np.float64]:
    field = _array(bright)
    inside = foreground(field, recipe)[0] & np.broadcast_to(_array(mask), field.shape)
    return _inner_radii(inside, recipe.grid.ratio, 1.5)


def _array(part: Any) -> NDArray[Any]:
    return part.read() if isinstance(part, Cut) else np.asarray(part)


def _inner_radii(
    mask: NDArray[np.bool_], ratio: tuple[float, ...], least: float
) -> NDArray[np.float64]:
    """Largest distances to the edge, one for each place that is further from it than around."""
    inner = ndimage.distance_transform_edt(mask, sampling=ratio)
    ridge = ndimage.gaussian_filter(inner, 1)
    return np.asarray(inner[(ridge == ndimage.maximum_filter(ridge, 5)) & (inner >= least)])


def _diameter(radii: NDArray[np.float64], otherwise: float) -> float:
    """Twice the median radius; each counts by its square, so that debris counts little."""
    if not radii.size:
        return otherwise
    radii = np.sort(radii)
    weight = np.cumsum(radii**2)
    return max(_SMALLEST, 2 * float(radii[np.searchsorted(weight, weight[-1] / 2)]))
