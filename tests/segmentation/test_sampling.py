"""Windows for statistics: fixed by the shape alone, evenly spread, and never past a region."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.polygons import Polygon, Regions
from napari_gluer.segmentation.params import Watershed
from napari_gluer.segmentation.sampling import WHOLE, sample_windows
from napari_gluer.segmentation.scene import Scene
from napari_gluer.segmentation.statistics import Statistics
from napari_gluer.tiles import Tile
from napari_gluer.track import silently

from .pictures import blobs, dapi

sides = st.integers(1, 60_000)
shapes = st.tuples(sides, sides) | st.tuples(st.integers(1, 200), sides, sides)


def size(tile: Tile) -> int:
    return math.prod(key.stop - key.start for key in tile.core)


def square(corner: tuple[float, float], side: float) -> Regions:
    ring = np.array([[0.0, 0], [0, side], [side, side], [side, 0]]) + corner
    return Regions(include=(Polygon((ring,)),))


@given(st.tuples(sides, sides).filter(lambda s: math.prod(s) < 2**31))
def test_windows_lie_inside_apart_and_in_order(shape: tuple[int, ...]) -> None:
    windows = sample_windows(shape)
    assert [tile.core for tile in windows] == [tile.core for tile in sample_windows(shape)]
    assert [tile.number for tile in windows] == list(range(len(windows)))
    assert all(tile.shape == shape for tile in windows)
    for n, tile in enumerate(windows):
        assert all(
            0 <= key.start < key.stop <= length
            for key, length in zip(tile.core, shape, strict=True)
        )
        for other in windows[:n]:
            assert any(
                a.stop <= b.start or b.stop <= a.start
                for a, b in zip(tile.core, other.core, strict=True)
            )
    if math.prod(shape) <= WHOLE:
        assert sum(map(size, windows)) == math.prod(shape)
    else:
        assert sum(map(size, windows)) < 1.5 * WHOLE


@given(st.integers(3000, 40_000), st.integers(3000, 40_000))
def test_a_large_image_has_four_by_four_with_no_wide_gap(height: int, width: int) -> None:
    windows = sample_windows((height, width))
    middles = [
        sorted({(tile.core[axis].start + tile.core[axis].stop) / 2 for tile in windows})
        for axis in (0, 1)
    ]
    assert len(middles[0]) * len(middles[1]) == len(windows) == 16
    for found, length in zip(middles, (height, width), strict=True):
        assert len(found) == 4
        assert max(np.diff(found)) < length / 4 + 1100  # a window and a half
        assert found[0] < length / 8 + 1100
        assert found[-1] > length * 7 / 8 - 1100


def test_all_of_an_image_at_the_limit_and_not_of_one_beyond() -> None:
    assert sum(map(size, sample_windows((2048, 4096)))) == WHOLE
    assert sum(map(size, sample_windows((2172, 4350)))) < 2172 * 4350


def test_windows_of_stacks_hold_whole_runs_of_planes() -> None:
    windows = sample_windows((130, 4000, 4000))
    depths = {(tile.core[0].start, tile.core[0].stop) for tile in windows}
    assert all(stop - start == 65 for start, stop in depths)
    assert len({tile.core[1:][0].start for tile in windows}) == 4


@pytest.mark.parametrize("corner", [(1000, 1000), (2345, 2345), (4111, 30), (2345, 17)])
@pytest.mark.parametrize("side", [12, 60, 300])
def test_a_small_region_in_a_large_image_is_seen_whole(
    corner: tuple[float, float], side: float
) -> None:
    regions = square(corner, side)
    windows = sample_windows((5000, 5000), regions)
    assert sum(regions.mask(tile.core).sum() for tile in windows) == side**2
    assert len(windows) <= 4


def test_regions_without_a_pixel_leave_all_windows() -> None:
    outside = square((7000, 7000), 50)
    expected = [tile.core for tile in sample_windows((3000, 3000))]
    assert [tile.core for tile in sample_windows((3000, 3000), outside)] == expected


def test_sizes_are_learnt_from_a_small_region_wherever_it_lies() -> None:
    """The region lies between the probes of the windows; nothing else shows nuclei."""
    pixels = np.full((3000, 3000), 20, np.float32)
    centres = np.array([(y, x) for y in (12.0, 34) for x in (12.0, 34)])
    pixels[1330:1376, 1330:1376] = blobs((46, 46), centres, 7.0)
    part = (slice(0, 3000),) * 2
    scene = Scene(dapi(pixels), ("DAPI",), square((1325, 1325), 56), part)
    assert Statistics(scene, Watershed(), None, silently).recipe().diameter == pytest.approx(
        14, rel=0.2
    )
