"""Tiles cover an image once, and know their place in wider windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.tiles import TileParams, tiles_of

SHAPES = st.lists(st.integers(1, 40), min_size=2, max_size=3)


@given(SHAPES, st.integers(1, 50))
def test_cores_cover_every_pixel_once(shape: list[int], side: int) -> None:
    covered = np.zeros(shape, int)
    tiles = tiles_of(shape, TileParams(side=side))
    for tile in tiles:
        covered[tile.core] += 1
        assert max(part.stop - part.start for part in tile.core) <= side
    assert (covered == 1).all()
    assert [tile.number for tile in tiles] == list(range(len(tiles)))


@given(SHAPES, st.integers(1, 50), st.integers(0, 20))
def test_the_core_lies_in_its_window(shape: list[int], side: int, margin: int) -> None:
    image = np.arange(np.prod(shape)).reshape(shape)
    for tile in tiles_of(shape, TileParams(side=side)):
        inside = image[tile.window(margin)][tile.inner(margin)]
        np.testing.assert_array_equal(inside, image[tile.core])


def test_a_window_is_wider_by_the_margin_and_ends_at_the_image() -> None:
    middle = tiles_of((30, 30), TileParams(side=10))[4]
    assert middle.core == (slice(10, 20), slice(10, 20))
    assert middle.window(3) == (slice(7, 23), slice(7, 23))
    assert middle.window((0, 12)) == (slice(10, 20), slice(0, 30))
    assert middle.inner((0, 12)) == (slice(0, 10), slice(10, 20))


@pytest.mark.parametrize("shape", [(9_000, 12_000), (40, 6_000, 6_000), (700, 700, 700)])
def test_automatic_tiles_hold_about_four_million_pixels(shape: tuple[int, ...]) -> None:
    first = tiles_of(shape)[0]
    pixels = np.prod([part.stop - part.start for part in first.core])
    assert 2_000_000 <= pixels <= 4_200_000


def test_an_automatic_tile_holds_all_planes_where_they_are_few() -> None:
    assert all(tile.core[0] == slice(0, 31) for tile in tiles_of((31, 5_000, 5_000)))


def test_a_small_image_is_one_tile() -> None:
    (tile,) = tiles_of((512, 700))
    assert tile.core == (slice(0, 512), slice(0, 700))
