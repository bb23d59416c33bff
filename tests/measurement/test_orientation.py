"""Where spots fall on labels."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.measurement.orientation import Orientation, Placement, orientations

EVERY = [Orientation(*way) for way in product((False, True), repeat=3)]


def one(placement: Placement, x: float, y: float, extent: tuple[int, int]) -> tuple[int, int]:
    rows, columns = placement.pixels(np.array([x]), np.array([y]), extent)
    return int(rows[0]), int(columns[0])


@pytest.mark.parametrize(
    ("position", "pixel"),
    [
        (-0.51, -1),
        (-0.5, 0),
        (0.0, 0),
        (0.49, 0),
        (0.5, 1),
        (3.4, 3),
        (3.5, 4),
        (np.nextafter(3.5, 0), 3),
        (1e300, 2**52),
        (-1e300, -(2**52)),
    ],
)
def test_a_pixel_holds_half_a_pixel_either_side_of_its_centre(position: float, pixel: int) -> None:
    assert one(Placement(), position, 0, (9, 9)) == (0, pixel)
    assert one(Placement(), 0, position, (9, 9)) == (pixel, 0)


def test_flips_count_from_the_last_pixel() -> None:
    extent = (10, 20)
    assert one(Placement(Orientation(flip_y=True)), 3, 2, extent) == (7, 3)
    assert one(Placement(Orientation(flip_x=True)), 3, 2, extent) == (2, 16)
    assert one(Placement(Orientation(transposed=True)), 3, 2, extent) == (3, 2)
    assert one(Placement(Orientation(transposed=True, flip_y=True)), 3, 2, extent) == (6, 2)
    assert one(Placement(x0=100, y0=50), 103, 52, extent) == (2, 3)
    assert one(Placement(Orientation(flip_y=True), 0, 3000), 3, 3002, extent) == (7, 3)


@pytest.mark.parametrize("way", EVERY, ids=str)
def test_orientations_are_those_of_the_array(way: Orientation) -> None:
    frame = np.arange(12 * 17).reshape(12, 17)
    turned = frame.T if way.transposed else frame
    turned = turned[::-1] if way.flip_y else turned
    turned = turned[:, ::-1] if way.flip_x else turned
    y, x = (index.ravel() for index in np.indices(frame.shape))
    found = Placement(way).pixels(x.astype(float), y.astype(float), turned.shape)
    np.testing.assert_array_equal(turned[found], frame.ravel())


@given(
    st.sampled_from(EVERY),
    st.tuples(*[st.integers(-10_000, 10_000)] * 4),
    st.tuples(st.integers(1, 500), st.integers(1, 500)),
)
def test_unplaced_undoes_laid(
    way: Orientation, numbers: tuple[int, ...], extent: tuple[int, int]
) -> None:
    x0, y0, x, y = numbers
    placement = Placement(way, x0, y0)
    there = placement.laid(np.array([float(x)]), np.array([float(y)]), extent)
    back = placement.unplaced(*there, extent)
    assert (back[0][0], back[1][0]) == (x, y)


def test_moving_the_origin_moves_positions_the_other_way() -> None:
    moved = Placement(Orientation(flip_y=True), 5, 7).moved(1, -2)
    assert (moved.x0, moved.y0) == (6, 5)
    assert moved.orientation == Orientation(flip_y=True)


def test_what_is_left_open_is_tried_as_given_first() -> None:
    ways = orientations("auto", "auto", "auto")
    assert len(ways) == 8
    assert ways[0] == Orientation()
    assert orientations("no", "yes", "auto") == [
        Orientation(flip_y=True),
        Orientation(flip_y=True, flip_x=True),
    ]
    assert orientations("yes", "no", "no") == [Orientation(transposed=True)]


def test_names_are_words() -> None:
    assert str(Placement()) == "as given"
    assert str(Placement(Orientation(flip_y=True), 4800, 3000)) == (
        "y flipped, first pixel at x 4800, y 3000"
    )
    assert str(Orientation(transposed=True, flip_y=True, flip_x=True)) == (
        "x and y swapped, x and y flipped"
    )
