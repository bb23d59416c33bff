"""Basins, passes and ways of one tile, number by number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_gluer.segmentation.basins import Basins, basins_of, window_of

from .slow import around, passes_of, tops_of

SHAPES = [(6, 7), (1, 15), (15, 1), (3, 4, 5), (2, 1, 9)]
# few levels: plateaus, saddles and ties everywhere
stepped = st.sampled_from(SHAPES).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.sampled_from([0, 0.25, 0.5, 0.75, 1]))
)
smooth = st.sampled_from(SHAPES).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.floats(0, 1, width=16))
)


def whole(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, length) for length in shape)


def all_in_one(height: np.ndarray) -> tuple[np.ndarray, Basins]:
    return basins_of(height, whole(height.shape), whole(height.shape), height.shape)


@given(stepped | smooth)
def test_basins_are_those_of_a_literal_climb(height: np.ndarray) -> None:
    numbers, table = all_in_one(height)
    tops = tops_of(height)
    order = list(dict.fromkeys(tops[at] for at in sorted(tops)))
    expected = np.zeros(height.shape, np.int32)
    for at, top in tops.items():
        expected[at] = order.index(top) + 1
    np.testing.assert_array_equal(numbers, expected)
    rows = []
    for number, top in enumerate(order, 1):
        pixels = np.argwhere(expected == number)
        raster = [np.ravel_multi_index(tuple(at), height.shape) for at in (top, pixels[0])]
        rows.append([raster[0], height[top], len(pixels), raster[1], *pixels.sum(0)])
    shape = (len(order), 4 + height.ndim)
    np.testing.assert_array_equal(table.pixels, np.array(rows, float).reshape(shape))
    assert len(table.ring) == 0  # no other tile


@given(stepped | smooth)
def test_passes_are_the_highest_ways_between_basins(height: np.ndarray) -> None:
    _, table = all_in_one(height)
    expected = {
        tuple(int(np.ravel_multi_index(top, height.shape)) for top in pair): level
        for pair, level in passes_of(height, tops_of(height)).items()
    }
    found = {(int(low), int(high)): level for low, high, level in table.passes}
    assert found == expected
    assert len(table.passes) == len(expected)


@given(stepped, st.integers(0, 10_000))
def test_a_part_tells_of_its_own_pixels_only(height: np.ndarray, seed: int) -> None:
    """Ways end on a top in the core or on the first pixel outside; the ring tells both kinds."""
    rng = np.random.default_rng(seed)
    core = []
    for length in height.shape:
        start = int(rng.integers(0, length))
        core.append(slice(start, int(rng.integers(start, length)) + 1))
    at = window_of(tuple(core), height.shape)
    numbers, table = basins_of(np.ascontiguousarray(height[at]), at, tuple(core), height.shape)
    assert numbers.shape == tuple(key.stop - key.start for key in core)
    np.testing.assert_array_equal(numbers > 0, height[tuple(core)] > 0)
    ends = {}
    for pixel in np.argwhere(height > 0).tolist():
        here = tuple(pixel)
        while _inside(here, core):
            further = max(around(here, height.shape), key=lambda other: height[other])
            if further == here:
                break
            here = further
        ends[tuple(pixel)] = np.ravel_multi_index(here, height.shape)
    for local in np.argwhere(numbers > 0).tolist():
        pixel = tuple(n + key.start for n, key in zip(local, core, strict=True))
        assert table.pixels[numbers[tuple(local)] - 1, 0] == ends[pixel]
    on_border = {
        (np.ravel_multi_index(pixel, height.shape), end)
        for pixel, end in ends.items()
        if _inside(pixel, core)
        and any(not _inside(other, core) for other in around(pixel, height.shape))
    }
    assert {tuple(row) for row in table.ring.astype(int).tolist()} == on_border


def _inside(pixel: tuple[int, ...], core: list[slice]) -> bool:
    return all(key.start <= n < key.stop for n, key in zip(pixel, core, strict=True))


def test_a_plateau_climbs_to_its_first_pixel() -> None:
    height = np.full((4, 5), 0.5, np.float32)
    numbers, table = all_in_one(height)
    assert (numbers == 1).all()
    np.testing.assert_array_equal(table.pixels, [[0, 0.5, 20, 0, 30, 40]])
    assert table.passes.shape == (0, 3)


def test_two_hills_and_the_pass_between_them() -> None:
    height = np.array([[0, 3, 1, 0], [0, 1, 2, 4]], np.float32)
    numbers, table = all_in_one(height)
    # what touches the 3 climbs to it, unless it touches the 4
    assert numbers.tolist() == [[0, 1, 2, 0], [0, 1, 2, 2]]
    np.testing.assert_array_equal(table.pixels, [[1, 3, 2, 1, 1, 2], [7, 4, 3, 2, 2, 7]])
    np.testing.assert_array_equal(table.passes, [[1, 7, 2]])


@pytest.mark.parametrize(
    ("core", "expected"),
    [
        ((slice(0, 4), slice(3, 6)), (slice(0, 5), slice(2, 7))),
        ((slice(4, 9), slice(0, 9)), (slice(3, 9), slice(0, 9))),
    ],
)
def test_one_pixel_more_is_needed_within_the_image(core, expected) -> None:
    assert window_of(core, (9, 9)) == expected
