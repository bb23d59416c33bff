"""Polygons against brute force and matplotlib, and what must hold whatever they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Outline
from numpy.testing import assert_array_equal

from napari_gluer.errors import InputError
from napari_gluer.polygons import Polygon, Regions, covers, draw, rasterised

SHAPE = (23, 31)
SQUARE = np.array([[2, 3], [2, 8], [6, 8], [6, 3]], float)
coordinates = st.floats(-10, 40, allow_nan=False, width=32) | st.integers(-3, 34).map(float)
rings = st.lists(st.tuples(coordinates, coordinates), min_size=0, max_size=9).map(
    lambda points: np.array(points, float).reshape(-1, 2)
)
shapes = st.lists(rings, min_size=1, max_size=3).map(lambda found: Polygon(tuple(found)))


def inside_by_crossings(polygon: Polygon, y: float, x: float) -> bool:
    """The textbook rule, edge by edge: crossings of the ray to the left, half open in y."""
    odd = False
    for ring in polygon.rings:
        for ends in zip(ring, np.roll(ring, -1, 0), strict=True):
            (ya, xa), (yb, xb) = sorted(ends, key=lambda point: point[0])
            if ya <= y < yb and xa + (y - ya) * ((xb - xa) / (yb - ya)) <= x:
                odd = not odd
    return odd


@given(polygon=shapes)
def test_every_pixel_is_as_the_textbook_says(polygon: Polygon) -> None:
    expected = [[inside_by_crossings(polygon, y, x) for x in range(31)] for y in range(23)]
    assert_array_equal(rasterised([polygon], SHAPE) > 0, expected)


@given(polygon=shapes)
def test_points_and_pixels_agree(polygon: Polygon) -> None:
    pixels = np.argwhere(np.ones(SHAPE))
    assert_array_equal(covers([polygon], pixels), (rasterised([polygon], SHAPE) > 0).ravel())


@given(ring=rings, seed=st.integers(0, 1000))
def test_points_of_simple_outlines_agree_with_matplotlib(ring: np.ndarray, seed: int) -> None:
    angles = np.sort(np.random.default_rng(seed).uniform(0, 2 * np.pi, 40))
    star = np.c_[np.sin(angles), np.cos(angles)] * np.linspace(5, 9, 40)[:, None] + 12
    points = np.random.default_rng(seed + 1).uniform(0, 25, (500, 2))
    closed = np.vstack([star, star[:1]])
    expected = Outline(closed).contains_points(points)
    assert_array_equal(covers([Polygon((star,))], points), expected)


@given(polygons=st.lists(shapes, max_size=5), y=st.integers(0, 22), x=st.integers(0, 30))
def test_windows_put_together_are_the_whole(polygons: list[Polygon], y: int, x: int) -> None:
    whole = rasterised(polygons, SHAPE)
    corners = [
        [rasterised(polygons, SHAPE, (rows, columns)) for columns in (slice(0, x), slice(x, 31))]
        for rows in (slice(0, y), slice(y, 23))
    ]
    assert_array_equal(np.block(corners), whole)


@given(seed=st.integers(0, 10_000))
def test_polygons_that_share_edges_neither_overlap_nor_leave_gaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(3, 20, (2, 2))
    a, b, c, d = [-5, -5], [-5, 40], [40, 40], [40, -5]
    middle, other = corner
    parts = [
        [a, b, middle], [b, c, other, middle], [c, d, other], [d, a, middle, other],
    ]  # fmt: skip
    drawn = [rasterised([Polygon((np.array(part, float),))], SHAPE) for part in parts]
    assert_array_equal(np.sum(drawn, axis=0) % 2, np.ones(SHAPE))


def test_a_square_holds_its_first_row_and_column_and_not_its_last() -> None:
    labels = rasterised([Polygon((SQUARE,))], (9, 10))
    expected = np.zeros((9, 10), int)
    expected[2:6, 3:8] = 1
    assert_array_equal(labels, expected)
    assert labels.dtype == np.int32


def test_holes_and_parts_are_even_and_odd() -> None:
    hole, island = SQUARE * 0.5 + np.array((2, 2.5)), SQUARE + np.array((0, 10))
    polygon = Polygon((SQUARE, hole, island))
    whole, cut = (rasterised([Polygon((ring,))], (9, 20)) for ring in (SQUARE, hole))
    assert rasterised([polygon], (9, 20)).sum() == 2 * whole.sum() - cut.sum()
    assert covers([polygon], [[2.2, 3.2], [4, 5.5], [4, 15]]).tolist() == [True, False, True]


def test_the_first_keeps_the_pixel_and_both_are_counted() -> None:
    raster = draw([Polygon((SQUARE,)), Polygon((SQUARE + 2.0,)), Polygon((SQUARE,))], (12, 12))
    assert_array_equal(np.unique(raster.labels), [0, 1, 2])
    assert raster.drawn.tolist() == [20, 20 - 6, 0]
    assert raster.covered.tolist() == [0, 6, 20]


def test_labels_are_drawn_as_they_are_and_doubtful_ones_refused() -> None:
    polygons = [Polygon((SQUARE,), label=7), Polygon((SQUARE + 5,), label=2_000_000_000)]
    assert np.unique(rasterised(polygons, (12, 14))).tolist() == [0, 7, 2_000_000_000]
    for wrong in (0, -1, 2**31):
        with pytest.raises(InputError, match="1 to 2"):
            rasterised([Polygon((SQUARE,), label=wrong), *polygons], (12, 14))


@pytest.mark.parametrize("ring", [np.zeros((0, 2)), SQUARE[:1], SQUARE[:2], SQUARE[[0, 1, 0]]])
def test_outlines_without_area_draw_nothing(ring: np.ndarray) -> None:
    assert not rasterised([Polygon((ring,))], (9, 9)).any()
    assert not covers([Polygon((ring,))], SQUARE).any()


@pytest.mark.parametrize(
    "ring", [np.zeros((3, 3)), np.zeros(4), np.array([[0, np.nan]] * 3), SQUARE * 1e300]
)
def test_what_is_no_outline_is_refused(ring: np.ndarray) -> None:
    with pytest.raises(InputError, match="outline"):
        Polygon((ring,), name="fold")


def test_crossing_outlines_are_told_from_simple_ones() -> None:
    bow = np.array([[0, 0], [4, 4], [0, 4], [4, 0]], float)
    assert Polygon((bow,)).crosses_itself
    assert not Polygon((SQUARE,)).crosses_itself
    assert not Polygon((SQUARE, SQUARE * 0.5 + np.array((2, 2.5)))).crosses_itself
    assert Polygon((SQUARE, SQUARE + 2)).crosses_itself
    labels = rasterised([Polygon((bow,))], (5, 5))
    assert_array_equal(labels[1:4], [[1, 0, 0, 1, 0], [1, 1, 1, 1, 0], [1, 0, 0, 1, 0]])


@given(ring=rings)
def test_crossing_is_what_all_pairs_of_edges_say(ring: np.ndarray) -> None:
    def side(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> float:
        return (b[1] - a[1]) * (p[0] - a[0]) - (b[0] - a[0]) * (p[1] - a[1])

    edges = [
        (a, b) if a[0] <= b[0] else (b, a) for a, b in zip(ring, np.roll(ring, -1, 0), strict=True)
    ]
    expected = any(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for i, (a, b) in enumerate(edges)
        for c, d in edges[:i]
    )
    assert Polygon((ring,)).crosses_itself == expected


def test_bounds_and_names() -> None:
    assert Polygon((SQUARE, SQUARE + 3)).bounds == (2, 3, 9, 11)
    assert np.isnan(Polygon(()).bounds).all()
    assert str(Polygon((SQUARE,), id="a1")) == "polygon a1"
    assert str(Polygon((SQUARE,))) == "polygon without a name"


def test_regions_limit_and_exclude() -> None:
    fold = Polygon((SQUARE + 2.0,), name="fold")
    regions = Regions((Polygon((SQUARE,), label=4), Polygon((SQUARE + 10,))), (fold,))
    window = (slice(1, 18), slice(2, 20))
    grid = np.argwhere(np.ones((17, 18))) + np.array((1, 2))
    mask = regions.mask(window)
    assert mask.shape == (17, 18)
    assert mask.sum() == 20 - 6 + 20
    assert_array_equal(regions.contains(grid), mask.ravel())
    deep = (slice(4, 5), *window)
    assert_array_equal(regions.mask(deep), mask)
    assert_array_equal(regions.contains(np.c_[np.full(len(grid), 4), grid]), mask.ravel())


def test_regions_without_areas_hold_everything() -> None:
    assert not Regions()
    assert Regions().mask((slice(3, 5), slice(0, 4))).all()
    assert Regions().mask((slice(3, 5), slice(0, 4))).shape == (2, 4)
    assert Regions().contains([[1e9, -5]]).tolist() == [True]
    only_out = Regions(exclude=(Polygon((SQUARE,)),))
    assert only_out
    assert only_out.contains([[3, 4], [0, 0]]).tolist() == [False, True]
    assert only_out.contains(np.empty((0, 2))).shape == (0,)


def test_points_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(n, 2\) or \(n, 3\)"):
        covers([Polygon((SQUARE,))], [1, 2])


def test_a_large_outline_is_asked_for_many_points_quickly() -> None:
    angles = np.linspace(0, 2 * np.pi, 20_001)[:-1]
    radius = 4000 * (1 + 0.1 * np.sin(300 * angles))
    ring = 5000 + np.c_[radius * np.sin(angles), radius * np.cos(angles)]
    points = np.random.default_rng(0).uniform(0, 10_000, (100_000, 2))
    inside = covers([Polygon((ring,))], points)
    away = np.hypot(*(points - 5000).T)
    turned = np.arctan2(*(points - 5000).T)
    expected = away < 4000 * (1 + 0.1 * np.sin(300 * turned))
    assert (inside != expected).mean() < 1e-3  # the outline has straight pieces, the formula none
