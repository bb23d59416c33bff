"""Labels are the same, number by number, however an image is cut into tiles."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from distributed import LocalCluster
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from napari_gluer.segmentation.nuclei import SegmentParams, segment, segment_nuclei_and_cells
from napari_gluer.segmentation.params import Expansion, Membrane, Watershed
from napari_gluer.tiles import TileParams

from .pictures import blobs, dapi, hard_picture

PLANES = st.tuples(
    st.integers(0, 10_000),
    st.tuples(st.integers(20, 110), st.integers(20, 110)),
    st.sampled_from([3.0, 5.0, 8.0]),
    st.integers(16, 64),
)
STACKS = st.tuples(
    st.integers(0, 10_000),
    st.tuples(st.integers(4, 24), st.integers(20, 45), st.integers(20, 45)),
    st.sampled_from([3.0, 5.0]),
    st.integers(16, 32),
)


def same_in_tiles(image, params: SegmentParams, side: int) -> None:
    whole = segment(image, params)
    np.testing.assert_array_equal(segment(image, params, tiles=TileParams(side=side)), whole)
    assert whole.max() >= 1


@settings(max_examples=40)
@given(PLANES)
def test_planes(drawn: tuple[int, tuple[int, ...], float, int]) -> None:
    seed, shape, radius, side = drawn
    same_in_tiles(dapi(hard_picture(seed, shape, radius)), SegmentParams(), side)


@settings(max_examples=20)
@given(PLANES, st.sampled_from([0.0, 1.0, 8.0]), st.sampled_from([0.0, 3.0]))
def test_planes_with_other_settings(
    drawn: tuple[int, tuple[int, ...], float, int], diameter: float, background: float
) -> None:
    seed, shape, radius, side = drawn
    method = Watershed(nucleus_diameter=2 * radius * diameter / 8, background=background)
    params = SegmentParams(method=method, growth=Expansion(distance=diameter / 2))
    same_in_tiles(dapi(hard_picture(seed, shape, radius), 1.0), params, side)


@settings(max_examples=15)
@given(STACKS, st.sampled_from([None, (2.3, 0.7, 0.7)]))
def test_stacks(
    drawn: tuple[int, tuple[int, ...], float, int], spacing: tuple[float, ...] | None
) -> None:
    seed, shape, radius, side = drawn
    params = SegmentParams(growth=Expansion(distance=2.0))
    same_in_tiles(dapi(hard_picture(seed, shape, radius), spacing), params, side)


@settings(max_examples=15)
@given(PLANES, st.sampled_from([0.0, 3.0, 20.0]))
def test_cells_grown_along_membranes(
    drawn: tuple[int, tuple[int, ...], float, int], weight: float
) -> None:
    seed, shape, radius, side = drawn
    pixels = np.stack([hard_picture(seed, shape, radius), hard_picture(seed + 1, shape, radius)])
    image = type(dapi(pixels[0]))(pixels, ["DAPI", "E-cadherin"])
    same_in_tiles(image, SegmentParams(growth=Membrane(reach=9.0, weight=weight)), side)


def test_a_clump_larger_than_many_tiles_has_no_seam() -> None:
    centres = np.array([(y, x) for y in range(8, 300, 13) for x in range(8, 300, 13)], float)
    image = dapi(blobs((300, 300), centres, 7.0))
    params = SegmentParams(
        method=Watershed(nucleus_diameter=14.0, background=0, local_threshold=0, threshold=0.3)
    )
    whole = segment(image, params)
    assert whole.max() > 150
    _, sizes = np.unique(label(whole > 0), return_counts=True)
    assert sizes[1:].max() > 0.8 * whole.size  # one clump
    for side in (20, 37, 128):
        found = segment(image, params, tiles=TileParams(side=side))
        np.testing.assert_array_equal(found, whole)


def test_numbers_follow_the_first_pixels() -> None:
    labels = segment(dapi(hard_picture(3, (90, 100), 5.0)), tiles=TileParams(side=31))
    ids, first = np.unique(labels, return_index=True)
    np.testing.assert_array_equal(ids, np.arange(labels.max() + 1))
    assert (np.diff(first[1:]) > 0).all()


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["img2d", "tests_img2d", "img3d"])
def test_real_nuclei(shared_data: Path, name: str) -> None:
    image = dapi(tifffile.imread(shared_data / f"nuclei_stardist/{name}.tif"))
    for side in (24, 100):
        same_in_tiles(image, SegmentParams(growth=Expansion(distance=4.0)), side)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as running:
        yield running.scheduler_address


@pytest.mark.parametrize("growth", [Expansion(distance=3.0), Membrane(channels=("DAPI",))])
def test_a_cluster_gives_the_same(cluster: str, growth: Expansion | Membrane) -> None:
    image = dapi(hard_picture(5, (90, 100), 5.0))
    params = SegmentParams(growth=growth)
    found = segment_nuclei_and_cells(image, params, tiles=TileParams(side=40, cluster=cluster))
    for part, whole in zip(found, segment_nuclei_and_cells(image, params), strict=True):
        np.testing.assert_array_equal(part, whole)
