"""Basins and their merging against a search for ways between tops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import label

from napari_gluer.segmentation.basins import basins_of, window_of
from napari_gluer.segmentation.fields import within
from napari_gluer.segmentation.merging import Nuclei, followed, merged
from napari_gluer.tiles import TileParams, tiles_of

from .slow import nuclei_of


def landscape(seed: int, shape: tuple[int, ...], levels: int = 0) -> np.ndarray:
    """Hills and sea; with `levels` in steps, so that plateaus and ties abound."""
    rng = np.random.default_rng(seed)
    hills = ndimage.gaussian_filter(rng.normal(size=shape), 2.0)
    hills = hills / np.abs(hills).max()
    if levels:
        hills = np.round(hills * levels) / levels
    return np.where(hills > 0.05, hills, 0).astype(np.float32)


def split(height: np.ndarray, depth: float, side: int = 10_000) -> tuple[np.ndarray, Nuclei]:
    tiles = tiles_of(height.shape, TileParams(side=side))
    found = []
    for tile in tiles:
        at = window_of(tile.core, height.shape)
        found.append(basins_of(np.ascontiguousarray(height[at]), at, tile.core, height.shape))
    nuclei = merged([table for _, table in found], depth)
    labels = np.zeros(height.shape, np.int32)
    for tile, (numbers, _), names in zip(tiles, found, nuclei.numbers, strict=True):
        labels[tile.core] = names[numbers]
    return labels, nuclei


def tops_that_stand_out(height: np.ndarray, depth: float) -> int:
    """Maxima from which every way to a higher pixel goes down by `depth` at least."""
    around = ndimage.generate_binary_structure(height.ndim, height.ndim)
    highest = ndimage.maximum_filter(height, footprint=around)
    count = 0
    for at in zip(*np.nonzero((height > 0) & (height == highest)), strict=True):
        low = np.float32(np.float64(height[at]) - depth)
        pieces = label((height > 0) & (height > low), connectivity=height.ndim)
        count += not (height[pieces == pieces[at]] > height[at]).any()
    return count


@given(st.integers(0, 10_000), st.sampled_from([0.03, 0.1, 0.3]))
def test_as_many_nuclei_as_tops_that_stand_out(seed: int, depth: float) -> None:
    height = landscape(seed, (40, 45))
    labels, nuclei = split(height, depth)
    assert len(nuclei.sizes) == tops_that_stand_out(height, depth)
    np.testing.assert_array_equal(labels > 0, height > 0)


@given(st.integers(0, 10_000), st.sampled_from([0, 4, 12]), st.integers(1, 30))
def test_tiles_do_not_matter(seed: int, levels: int, side: int) -> None:
    height = landscape(seed, (33, 41), levels)
    whole, nuclei = split(height, 0.1)
    tiled, in_tiles = split(height, 0.1, side)
    np.testing.assert_array_equal(tiled, whole)
    np.testing.assert_array_equal(in_tiles.sizes, nuclei.sizes)
    np.testing.assert_array_equal(in_tiles.centres, nuclei.centres)


@given(st.integers(0, 10_000), st.sampled_from([0, 4]), st.integers(2, 12))
def test_nor_do_they_in_stacks(seed: int, levels: int, side: int) -> None:
    height = landscape(seed, (9, 14, 13), levels)
    np.testing.assert_array_equal(split(height, 0.1, side)[0], split(height, 0.1)[0])


def test_sizes_and_centres_are_those_of_the_labels() -> None:
    labels, nuclei = split(landscape(4, (60, 70)), 0.1, 17)
    ids = np.arange(1, labels.max() + 1)
    np.testing.assert_array_equal(nuclei.sizes, np.bincount(labels.ravel())[1:])
    centres = ndimage.center_of_mass(labels > 0, labels, ids)
    np.testing.assert_allclose(nuclei.centres, centres)


def test_every_nucleus_is_one_piece() -> None:
    labels, nuclei = split(landscape(5, (60, 70), 6), 0.1)
    for number in range(1, len(nuclei.sizes) + 1):
        assert label(labels == number, connectivity=2).max() == 1


def test_depth_decides_what_is_parted() -> None:
    height = np.array([[1.0, 0.8, 0.9, 0.4, 0.7]], np.float32)
    assert split(height, 0.05)[0].tolist() == [[1, 1, 2, 2, 3]]
    assert split(height, 0.15)[0].tolist() == [[1, 1, 1, 1, 2]]
    assert split(height, 0.5)[0].max() == 1


def test_touching_at_a_corner_is_touching() -> None:
    height = np.array([[1.0, 0], [0, 0.99]], np.float32)
    assert split(height, 0.1)[0].tolist() == [[1, 0], [0, 1]]
    assert split(height, 0.005)[0].tolist() == [[1, 0], [0, 1]]  # no notch at all


def test_nothing_gives_nothing() -> None:
    labels, nuclei = split(np.zeros((8, 9), np.float32), 0.1, 4)
    assert labels.max() == 0
    assert nuclei.sizes.size == 0
    assert nuclei.centres.shape == (0, 2)


def test_dropped_nuclei_leave_no_gap() -> None:
    labels, nuclei = split(landscape(6, (40, 40)), 0.1)
    kept = nuclei.sizes > np.median(nuclei.sizes)
    fewer = nuclei.keeping(kept)
    np.testing.assert_array_equal(fewer.sizes, nuclei.sizes[kept])
    number = np.concatenate([[0], np.where(kept, np.cumsum(kept), 0)])
    for old, new in zip(nuclei.numbers, fewer.numbers, strict=True):
        np.testing.assert_array_equal(new, number[old])
    assert labels.max() == len(kept)


def test_ways_are_followed_over_many_tiles() -> None:
    ways = np.array([[1, 5], [5, 9], [9, 9], [20, 21]])
    np.testing.assert_array_equal(followed(np.array([1, 5, 9, 20, 33]), ways), [9, 9, 9, 21, 33])
    np.testing.assert_array_equal(followed(np.array([3]), ways[:0]), [3])


def test_ways_in_a_circle_are_an_error_and_no_hang() -> None:
    with pytest.raises(RuntimeError, match="disagree on the heights"):
        followed(np.array([1]), np.array([[1, 2], [2, 3], [3, 1]]))


@pytest.mark.parametrize("side", [7, 100])
def test_a_window_of_the_core_alone(side: int) -> None:
    core = (slice(side, side + 3), slice(0, 2))
    at = window_of(core, (side + 3, 2))
    assert within(core, at)[0] == slice(1, 4)


SMALL = [(8, 9), (1, 20), (4, 5, 6)]


@given(
    st.sampled_from(SMALL),
    st.integers(0, 10_000),
    st.sampled_from([0, 3, 10]),
    st.sampled_from([0.05, 0.15, 0.4]),
    st.integers(1, 9),
)
def test_nuclei_are_those_of_the_slow_reference(
    shape: tuple[int, ...], seed: int, levels: int, depth: float, side: int
) -> None:
    """Labels, sizes and centres, on rough ground with and without plateaus, in tiles."""
    height = np.random.default_rng(seed).random(shape)
    if levels:
        height = np.round(height * levels) / levels
    height = np.where(height > 0.2, height, 0).astype(np.float32)
    expected = nuclei_of(height, depth)
    labels, nuclei = split(height, depth, side)
    np.testing.assert_array_equal(labels, expected)
    ids = range(1, expected.max() + 1)
    np.testing.assert_array_equal(nuclei.sizes, [(expected == n).sum() for n in ids])
    centres = [np.argwhere(expected == n).mean(0) for n in ids]
    np.testing.assert_allclose(nuclei.centres, np.reshape(centres, (-1, height.ndim)), rtol=1e-12)


def test_the_order_of_passes_decides_who_joins_whom() -> None:
    """The middle hill joins over its higher pass, and what it joined counts from then on."""
    height = np.array([[1.0, 0.7, 0.75, 0.6, 0.9]], np.float32)
    for depth, expected in [(0.04, [1, 1, 2, 3, 3]), (0.1, [1, 1, 1, 2, 2]), (0.31, [1] * 5)]:
        assert split(height, depth)[0].tolist() == [expected]
        assert nuclei_of(height, depth).tolist() == [expected]
