"""Points become pixels where they should; pixels become places again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer._napari.embedding.raster import Window, point_size, ranked

SQUARE = Window(0, 0, 1, 1, 100, 50)
COORDINATE = st.floats(-50, 50, width=32)


def _brute_force(points: np.ndarray, window: Window) -> np.ndarray:
    """The last point whose disc covers each pixel, pixel by pixel."""
    at = np.floor(window.pixels(points))
    seen = (at >= -4).all(axis=1) & (at < (window.width + 4, window.height + 4)).all(axis=1)
    radius = point_size(int(seen.sum()), window) / 2
    found = np.zeros((window.height, window.width), np.int32)
    for y in range(window.height):
        for x in range(window.width):
            near = seen & (((at - (x, y)) ** 2).sum(axis=1) <= max(radius**2, 0.1))
            found[y, x] = near.nonzero()[0].max() + 1 if near.any() else 0
    return found


def test_a_point_is_drawn_where_it_lies_with_y_upwards() -> None:
    found = ranked(np.array([[20.5, 10.5]], np.float32), SQUARE)
    rows, columns = np.nonzero(found)
    assert (rows.mean(), columns.mean()) == (50 - 10.5 - 0.5, 20)
    assert found.max() == 1
    assert np.count_nonzero(found) == 69  # a disc of nine pixels across


@pytest.mark.parametrize("n", [3, 30, 300])
def test_of_several_points_the_last_is_seen(n: int) -> None:
    rng = np.random.default_rng(n)
    points = rng.uniform(-3, 43, (n, 2)).astype(np.float32)
    window = Window(0, 0, 1, 1, 40, 40)
    np.testing.assert_array_equal(ranked(points, window), _brute_force(points, window))


def test_points_without_a_place_are_not_drawn() -> None:
    points = np.array([[np.nan, 5], [5, np.inf], [1e30, 1e30], [-1e30, 2]], np.float32)
    assert not ranked(points, SQUARE).any()
    assert not ranked(np.empty((0, 2), np.float32), SQUARE).any()


def test_many_points_are_small_and_few_are_large() -> None:
    sizes = [point_size(n, Window(0, 0, 1, 1, 600, 400)) for n in (0, 100, 3000, 20_000, 10**6)]
    assert sizes == [9, 9, 7, 3, 1]


@pytest.mark.parametrize("same_scale", [True, False])
def test_all_points_are_seen_with_a_border(same_scale: bool) -> None:
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(500, 2)) * (100, 1)).astype(np.float32)
    window = Window.around(points, 300, 200, same_scale=same_scale)
    pixels = window.pixels(points)
    assert (pixels >= (14, 9)).all()
    assert (pixels <= (286, 191)).all()
    assert (window.per_pixel_x == window.per_pixel_y) == same_scale
    assert np.ptp(pixels[:, 0]) == pytest.approx(270, rel=1e-3)
    assert (np.ptp(pixels[:, 1]) == pytest.approx(180, rel=1e-3)) != same_scale


def test_one_point_and_none_have_a_window() -> None:
    for points in (np.zeros((0, 2)), np.ones((1, 2)), np.full((2, 2), np.nan)):
        window = Window.around(points.astype(np.float32), 10, 10, same_scale=True)
        assert np.isfinite([window.left, window.bottom, window.per_pixel_x]).all()
        assert window.per_pixel_x > 0


@given(x=COORDINATE, y=COORDINATE, factor=st.floats(0.1, 10))
def test_zooming_leaves_the_place_under_the_mouse(x: float, y: float, factor: float) -> None:
    before = Window(-3, 7, 0.5, 0.25, 100, 80)
    after = before.zoomed(factor, x, y)
    np.testing.assert_allclose(after.place(x, y), before.place(x, y), atol=1e-4)
    assert after.per_pixel_x == pytest.approx(before.per_pixel_x / factor)


@given(right=COORDINATE, down=COORDINATE, x=COORDINATE, y=COORDINATE)
def test_dragging_carries_the_points_along(right: float, down: float, x: float, y: float) -> None:
    before = Window(-3, 7, 0.5, 0.25, 100, 80)
    after = before.moved(right, down)
    point = np.array([before.place(x, y)], np.float32)
    np.testing.assert_allclose(after.pixels(point)[0], (x + right, y + down), atol=1e-2)


@given(width=st.integers(1, 500), height=st.integers(1, 500))
def test_another_size_keeps_the_middle(width: int, height: int) -> None:
    before = Window(-3, 7, 0.5, 0.25, 100, 80)
    after = before.resized(width, height)
    np.testing.assert_allclose(after.place(width / 2, height / 2), before.place(50, 40))
