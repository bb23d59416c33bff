"""Size of nuclei, noise and threshold, as they are learnt from an image."""

import numpy as np
import pytest
from scipy import ndimage

from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.fields import Recipe
from napari_gluer.segmentation.keeping import Memory
from napari_gluer.segmentation.params import Watershed
from napari_gluer.segmentation.scene import Scene
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
    half = recipe(dapi(scattered(14, 60, 256)), Watershed(threshold=0.4))
    assert half.threshold == pytest.approx(found.threshold / 2)


def test_tiles_do_not_change_what_is_learnt() -> None:
    image = dapi(scattered(14, 60, 256))
    assert recipe(image, side=64) == recipe(image)
