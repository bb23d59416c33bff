"""Fields of a part are bit for bit those of the whole; holes and grounds as they should be."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.segmentation.fields import (
    Recipe,
    brightness,
    height,
    without_small_holes,
)
from napari_gluer.segmentation.ground import Ground
from napari_gluer.segmentation.params import Watershed
from napari_gluer.segmentation.scale import Grid

from .pictures import hard_picture


def whole(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, length) for length in shape)


@st.composite
def parts(draw) -> tuple[tuple[int, ...], tuple[slice, ...]]:
    shape = draw(st.sampled_from([(150, 140), (1, 170), (170, 1), (6, 60, 70)]))
    keys = []
    for length in shape:
        start = draw(st.integers(0, length - 1))
        keys.append(slice(start, draw(st.integers(start + 1, length))))
    return shape, tuple(keys)


@given(parts(), st.sampled_from([3.0, 7.3, 16.0]), st.sampled_from([0.0, 1.0, 3.0]))
def test_a_part_is_the_same_as_in_the_whole(drawn, diameter: float, background: float) -> None:
    shape, part = drawn
    pixels = hard_picture(2, shape, 4.0)
    grid = Grid.of(len(shape), (2.3, 1.0, 1.0)[-len(shape) :])
    recipe = Recipe(Watershed(background=background), grid, diameter, threshold=3.0)
    for field, needed in (
        (brightness, recipe.needed_for_brightness),
        (height, recipe.needed),
    ):
        full = field(pixels, whole(shape), whole(shape), recipe, shape)
        at = needed(part, shape)
        found = field(np.ascontiguousarray(pixels[at]), at, part, recipe, shape)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, full[part])


@pytest.mark.parametrize("window", [20.0, 90.0])
def test_the_ground_is_what_lies_under_the_nuclei(window: float) -> None:
    at = np.indices((200, 220))
    slope = (50 + 0.1 * at[0] + 0.2 * at[1]).astype(np.float32)
    pixels = slope.copy()
    for centre in range(10, 200, 25):
        pixels[centre : centre + 8, centre : centre + 8] += 100
    ground = Ground(window, Grid.of(2, None))
    under = ground.under(pixels, whole(pixels.shape), whole(pixels.shape))
    inner = (slice(60, -60),) * 2
    np.testing.assert_allclose(under[inner], slope[inner], atol=0.1 * window)
    assert max(ground.block) == max(1, int(window // 24))


def test_a_constant_image_is_all_ground() -> None:
    pixels = np.full((101, 97), 7.0, np.float32)
    recipe = Recipe(Watershed(), Grid.of(2, None), 12.0)
    np.testing.assert_allclose(
        brightness(pixels, whole((101, 97)), whole((101, 97)), recipe, (101, 97)), 0, atol=1e-3
    )


def test_without_background_the_floor_is_taken_away() -> None:
    pixels = np.full((30, 30), 25.0, np.float32)
    recipe = replace(Recipe(Watershed(background=0), Grid.of(2, None), 6.0), floor=9.0)
    found = brightness(pixels, whole((30, 30)), whole((30, 30)), recipe, (30, 30))
    np.testing.assert_allclose(found, 4.0, rtol=1e-6)


def test_pale_middles_are_filled_and_lumens_stay_open() -> None:
    mask = np.zeros((60, 60), bool)
    mask[5:20, 5:20] = True
    mask[10:14, 10:14] = False  # a pale nucleolus, 4 pixels wide
    mask[25:55, 25:55] = True
    mask[30:50, 30:50] = False  # a lumen inside a ring
    mask[0:4, 40:50] = True
    mask[0:2, 44:46] = False  # open to the border of the image
    filled = without_small_holes(mask, [8, 8])
    assert filled[10:14, 10:14].all()
    assert not filled[30:50, 30:50].any()
    assert not filled[0:2, 44:46].any()
    np.testing.assert_array_equal(filled[mask], True)


def test_a_ring_of_nuclei_keeps_its_lumen() -> None:
    pixels = np.full((160, 160), 10.0, np.float32)
    at = np.indices(pixels.shape)
    for angle in np.arange(0, 2 * np.pi, 0.3):
        y, x = 80 + 40 * np.sin(angle), 80 + 40 * np.cos(angle)
        pixels[(at[0] - y) ** 2 + (at[1] - x) ** 2 < 64] = 200
    recipe = Recipe(Watershed(), Grid.of(2, None), 16.0, threshold=4.0)
    heights = height(pixels, whole((160, 160)), whole((160, 160)), recipe, (160, 160))
    assert heights[80, 80] == 0
    assert heights[80, 120] > 0
