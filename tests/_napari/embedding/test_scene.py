"""What is above what, and in which colour."""

from dataclasses import replace

import numpy as np
import pytest

from napari_gluer._napari.embedding.raster import Window
from napari_gluer._napari.embedding.scene import EMPTY, Scene

WINDOW = Window(0, 0, 1, 1, 60, 40)
RED, BLUE, NONE = [255, 0, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0]


def _scene(**changes: object) -> Scene:
    scene = Scene(
        cells=np.array([[20, 20], [40, 20]], np.float32),
        reference=np.array([[20, 20], [50, 30]], np.float32),
        cell_colors=np.array([RED, RED], np.uint8),
        reference_colors=np.array([BLUE, BLUE], np.uint8),
    )
    return replace(scene, **changes)


def _at(scene: Scene, x: int, y: int) -> tuple[int, int, int]:
    pixel = int(scene.picture(WINDOW)[0][40 - y, x])
    assert pixel >> 24 == 255
    return (pixel >> 16) & 255, (pixel >> 8) & 255, pixel & 255


def test_points_have_their_colours_on_the_ground_of_the_theme() -> None:
    scene = _scene(ground=(10, 20, 30))
    assert _at(scene, 40, 20) == (255, 0, 0)
    assert _at(scene, 50, 30) == (0, 0, 255)
    assert _at(scene, 5, 5) == (10, 20, 30)


def test_what_has_no_colour_is_grey_and_beneath() -> None:
    scene = _scene(reference_colors=np.array([NONE, NONE], np.uint8))
    assert _at(scene, 20, 20) == (255, 0, 0)
    assert _at(scene, 50, 30) == (71, 71, 71)
    under = _scene(cell_colors=np.array([NONE, NONE], np.uint8))
    assert _at(under, 20, 20) == (0, 0, 255)


def test_faint_colours_are_mixed_with_the_ground() -> None:
    half = np.array([[255, 0, 0, 128]] * 2, np.uint8)
    assert _at(_scene(cell_colors=half, ground=(0, 0, 0)), 40, 20) == (128, 0, 0)


def test_chosen_cells_are_on_top_and_the_others_dimmed() -> None:
    scene = _scene(chosen=np.array([True, False]))
    assert _at(scene, 20, 20) == (255, 0, 0)
    assert _at(scene, 40, 20) == (64, 0, 0)
    assert _at(scene, 50, 30) == (0, 0, 64)


def test_a_pixel_knows_its_point() -> None:
    scene = _scene()
    ranks = scene.picture(WINDOW)[1]
    assert scene.row(int(ranks[40 - 30, 50])) == 1
    assert scene.row(int(ranks[40 - 20, 40])) == 3
    assert scene.row(0) is None


def test_neither_side_hides_the_other() -> None:
    n = 2000
    place = np.full((n, 2), 20, np.float32) + np.arange(n)[:, None] % 7
    scene = Scene(
        cells=place,
        reference=place,
        cell_colors=np.tile(np.array(RED, np.uint8), (n, 1)),
        reference_colors=np.tile(np.array(BLUE, np.uint8), (n, 1)),
    )
    first = (scene.order < n)[-n:].mean()
    assert first == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(np.sort(scene.order), np.arange(2 * n))


def test_nothing_is_drawn_of_nothing() -> None:
    picture, ranks = EMPTY.themed((1, 2, 3), (9, 9, 9)).picture(WINDOW)
    assert (picture == 0xFF010203).all()
    assert not ranks.any()
