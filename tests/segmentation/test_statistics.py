"""Size of nuclei, noise and threshold, as they are learnt from an image."""

import numpy as np
import pytest
from scipy import ndimage

from napari_gluer.image import MultiplexImage
from napari_gluer.polygons import Polygon, Regions
from napari_gluer.segmentation.fields import Recipe
from napari_gluer.segmentation.keeping import Memory
from napari_gluer.segmentation.params import Watershed
from napari_gluer.segmentation.scene import Scene
from napari_gluer.segmentation.statistics import (
    _CLEAR,
    Statistics,
    _diameter,
    _middle,
    _standing_out,
)
from napari_gluer.segmentation.watershed import recipe_for
from napari_gluer.tiles import TileParams
from napari_gluer.track import silently

from .pictures import blobs, dapi


def recipe(image: MultiplexImage, params: Watershed | None = None, side: int = 0) -> Recipe:
    whole = tuple(slice(0, length) for length in image.spatial_shape)
    scene = Scene(image, ("DAPI",), None, whole)
    tiles = TileParams(side=side)
    return recipe_for(scene, params or Watershed(), Memory(whole), tiles, silently)


def scattered(diameter: float, number: int, side: int, seed: int = 0) -> np.ndarray:
    """Nuclei that do not overlap."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, side, (1, 2))
    for at in rng.uniform(0, side, (20 * number, 2)):
        if len(centres) < number and ((centres - at) ** 2).sum(1).min() >= diameter**2:
            centres = np.concatenate([centres, [at]])
    return blobs((side, side), centres, diameter / 2, seed)


@pytest.mark.parametrize(
    ("diameter", "number", "side"),
    [(7, 200, 256), (14, 3, 400), (14, 60, 256), (14, 150, 256), (30, 25, 300), (60, 12, 400)],
)
def test_the_diameter_is_near_the_true_one(diameter: float, number: int, side: int) -> None:
    found = recipe(dapi(scattered(diameter, number, side))).diameter
    assert 0.75 * diameter < found < 1.2 * diameter


def test_blur_changes_the_diameter_little() -> None:
    sharp = scattered(20, 80, 300)
    blurred = ndimage.gaussian_filter(sharp, 3)
    assert recipe(dapi(blurred)).diameter == pytest.approx(recipe(dapi(sharp)).diameter, rel=0.2)


def test_the_diameter_scales_with_the_image() -> None:
    pixels = scattered(12, 100, 256)
    twice = ndimage.zoom(pixels, 2, order=1)
    assert recipe(dapi(twice)).diameter == pytest.approx(2 * recipe(dapi(pixels)).diameter, rel=0.2)


def test_stacks_of_thick_planes() -> None:
    centres = np.array([(z, y, x) for z in (4, 12) for y in (15, 45) for x in (15, 45)], float)
    pixels = blobs((16, 60, 60), centres * [3, 1, 1], 9.0)
    full = blobs((48, 60, 60), centres * [3, 1, 1], 9.0)
    pixels = full[::3]
    assert recipe(dapi(pixels, (1.5, 0.5, 0.5))).diameter == pytest.approx(18, rel=0.3)


def test_a_given_diameter_is_taken_in_micrometres() -> None:
    image = dapi(scattered(14, 60, 256), 0.5)
    assert recipe(image, Watershed(nucleus_diameter=9.0)).diameter == 18.0


def test_noise_asks_for_blur_and_a_given_blur_is_taken() -> None:
    rng = np.random.default_rng(0)
    shape = ndimage.gaussian_filter(scattered(20, 80, 300), 1) - 20
    quiet, loud = (rng.poisson(np.maximum(shape, 0) * scale) for scale in (10, 0.02))
    low, high = recipe(dapi(quiet)), recipe(dapi(loud))
    assert low.smoothing == pytest.approx(0.06)
    assert high.smoothing > 0.12
    assert recipe(dapi(loud), Watershed(smoothing=0.03)).smoothing == 0.03


def test_the_threshold_lies_between_ground_and_nuclei() -> None:
    found = recipe(dapi(scattered(14, 60, 256)))
    assert 2.5 < found.threshold < np.sqrt(80)
    twice = recipe(dapi(scattered(14, 60, 256)), Watershed(threshold=1.6))
    assert twice.threshold == pytest.approx(found.threshold * 2)
    lowest = recipe(dapi(scattered(14, 60, 256)), Watershed(threshold=0.05))
    left = 3.0 / (2 * np.sqrt(np.pi) * lowest.blur[0])  # of the drawn noise, after the blur
    assert lowest.threshold == pytest.approx(np.sqrt(_CLEAR * left), rel=0.05)


def test_tiles_do_not_change_what_is_learnt() -> None:
    image = dapi(scattered(14, 60, 256))
    assert recipe(image, side=64) == recipe(image)


def packed(shape: tuple[int, ...], diameter: float, gap: float) -> np.ndarray:
    """Discs or balls whose centres are `gap` diameters apart, a little off a grid."""
    axes = [np.arange(gap * diameter / 2, length, gap * diameter) for length in shape]
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(shape))
    shifts = np.random.default_rng(1).uniform(-1, 1, centres.shape) * diameter * (gap - 1) / 4
    return blobs(shape, centres + shifts, diameter / 2, 1)


@pytest.mark.parametrize("gap", [1.25, 2.0])
@pytest.mark.parametrize("diameter", [12, 16, 24, 40, 60])
def test_drawn_discs_are_measured_within_15_percent(diameter: float, gap: float) -> None:
    side = int(6 * diameter * gap)
    found = recipe(dapi(packed((side, side), diameter, gap))).diameter
    assert found == pytest.approx(diameter, rel=0.15)


@pytest.mark.parametrize("planes", [1, 2, 3])
def test_drawn_balls_are_measured_within_15_percent(planes: int) -> None:
    """Balls of 16 pixels, 8 µm, with every, every second or every third plane kept."""
    pixels = packed((72, 72, 72), 16, 1.5)[planes // 2 :: planes]
    found = recipe(dapi(pixels, (0.5 * planes, 0.5, 0.5)))
    assert found.diameter * found.grid.step_um == pytest.approx(8.0, rel=0.15)


@pytest.mark.parametrize("size", [0.1, 0.5, 3.0])
def test_micrometres_change_nothing_that_is_learnt(size: float) -> None:
    """Sizes are told in pixels along x; only those that are given are in µm."""
    pixels = packed((160, 160), 16, 1.25)
    plain, sized = recipe(dapi(pixels)), recipe(dapi(pixels, size))
    for name in ("diameter", "threshold", "floor", "smoothing"):
        assert getattr(sized, name) == getattr(plain, name)
    given = recipe(dapi(pixels, size), Watershed(nucleus_diameter=16 * size))
    assert given.diameter == pytest.approx(16)


def test_brightness_scales_the_threshold_by_its_root_and_an_offset_does_not_count() -> None:
    pixels = packed((160, 160), 16, 1.5)
    plain, bright, lifted = (recipe(dapi(part)) for part in (pixels, 4 * pixels, pixels + 1000))
    assert bright.threshold == pytest.approx(2 * plain.threshold, rel=0.01)
    assert bright.diameter == pytest.approx(plain.diameter, rel=0.01)
    assert lifted.threshold == pytest.approx(plain.threshold, rel=0.01)
    assert lifted.diameter == pytest.approx(plain.diameter, rel=0.01)
    assert lifted.floor == pytest.approx(plain.floor + 1000, abs=0.1)
    assert plain.floor == ndimage.gaussian_filter(pixels, 1.0).min()


def test_middle_is_the_median_of_all_that_weighs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        values, weights = rng.normal(size=7), rng.integers(0, 5, 7)
        expected = np.quantile(np.repeat(values, weights), 0.5, method="inverted_cdf")
        assert _middle(values, weights) == expected
    assert _middle([3.0, 1.0], [0, 0]) == 0.0


def test_large_radii_decide_the_diameter() -> None:
    """Each radius counts by its square: 40 specks of 2 count as 160, 10 nuclei of 8 as 640."""
    radii = np.array([2.0] * 40 + [8.0] * 10)
    assert _diameter(radii, 3.0) == 16.0
    assert _diameter(np.array([2.0] * 200 + [8.0] * 10), 3.0) == 4.0
    assert _diameter(np.array([1.0]), 7.0) == 3.0  # nothing smaller than 3 pixels
    assert _diameter(np.array([]), 7.0) == 7.0


@pytest.mark.parametrize(
    ("shape", "blur"), [((400, 400), 0.8), ((400, 400), 2.5), ((60,) * 3, 1.5)]
)
def test_what_stands_out_does_so_by_deviations_after_the_blur(
    shape: tuple[int, ...], blur: float
) -> None:
    noise = np.random.default_rng(0).normal(0, 20, shape)
    left = ndimage.gaussian_filter(noise, blur).std()
    assert _standing_out(20, blur, len(shape)) ** 2 == pytest.approx(_CLEAR * left, rel=0.12)


def test_pixels_outside_the_regions_are_not_learnt_from() -> None:
    pixels = packed((240, 240), 16, 1.5)
    pixels[:, 120:] = packed((240, 120), 40, 1.5) * 3
    ring = np.array([[-1.0, -1], [-1, 119], [241, 119], [241, -1]])
    whole = (slice(0, 240), slice(0, 240))
    left, right = (
        Statistics(Scene(dapi(pixels), ("DAPI",), regions, whole), Watershed(), None, silently)
        for regions in (
            Regions(include=(Polygon((ring,)),)),
            Regions(exclude=(Polygon((ring,)),)),
        )
    )
    assert left.recipe().diameter == pytest.approx(16, rel=0.2)
    assert right.recipe().diameter == pytest.approx(40, rel=0.2)
