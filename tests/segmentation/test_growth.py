import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.segmentation import expand_labels

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.growth import _Ways, grown_along, guessed_membranes
from napari_gluer.segmentation.nuclei import SegmentParams, segment, segment_nuclei_and_cells
from napari_gluer.segmentation.params import Expansion, Membrane

from .pictures import blobs, dapi, hard_picture

few = st.sampled_from([(9, 14), (1, 20), (3, 6, 7)]).flatmap(
    lambda shape: arrays(np.int32, shape, elements=st.integers(-40, 5).map(lambda n: max(n, 0)))
)


def dijkstra(labels: np.ndarray, membrane: np.ndarray, ways: _Ways) -> np.ndarray:
    """Shortest ways by the textbook, label by label; of equal ways the lowest label."""
    steps = [np.array(s) - 1 for s in np.ndindex((3,) * labels.ndim) if any(n != 1 for n in s)]
    best = np.full(labels.shape, np.inf)
    found = np.zeros(labels.shape, np.int32)
    for name in np.unique(labels[labels > 0]):
        cost = np.where(labels == name, 0.0, np.inf)
        heap = [(0.0, tuple(at)) for at in np.argwhere(labels == name).tolist()]
        while heap:
            so_far, at = heapq.heappop(heap)
            if so_far > cost[at]:
                continue
            for step in steps:
                to = tuple(np.add(at, step).tolist())
                if any(not 0 <= n < side for n, side in zip(to, labels.shape, strict=True)):
                    continue
                length = np.sqrt(((step * ways.ratio) ** 2).sum())
                slow = 1 + ways.weight * (membrane[at] + membrane[to]) / 2
                if so_far + length * slow < min(cost[to], ways.reach):
                    cost[to] = so_far + length * slow
                    heapq.heappush(heap, (cost[to], to))
        nearer = cost < best - 1e-9
        best, found = np.where(nearer, cost, best), np.where(nearer, name, found)
    return found


@given(few, st.integers(0, 1000), st.sampled_from([0.0, 2.5, 10.0]), st.floats(1.1, 8.0))
def test_ways_along_membranes_are_the_shortest(
    labels: np.ndarray, seed: int, weight: float, reach: float
) -> None:
    membrane = np.random.default_rng(seed).random(labels.shape).astype(np.float32)
    ways = _Ways(reach + 0.0137, (2.3, 1.0, 1.0)[-labels.ndim :], weight)
    expected = dijkstra(labels, membrane.astype(float), ways)
    np.testing.assert_array_equal(grown_along(labels, membrane, ways), expected)


def test_even_growth_is_scikit_images() -> None:
    image = dapi(hard_picture(1, (120, 130), 5.0), 0.5)
    nuclei, cells = segment_nuclei_and_cells(image, SegmentParams(growth=Expansion(distance=2.0)))
    expected = expand_labels(nuclei, 4)
    np.testing.assert_array_equal(cells > 0, expected > 0)
    assert (cells == expected)[cells > 0].mean() > 0.98  # ties go to the lower number here
    np.testing.assert_array_equal(cells[nuclei > 0], nuclei[nuclei > 0])


def test_without_growth_cells_are_nuclei() -> None:
    nuclei, cells = segment_nuclei_and_cells(dapi(hard_picture(1, (80, 80), 5.0)))
    assert cells is nuclei


@pytest.fixture
def walled() -> MultiplexImage:
    """Two nuclei, with a wall much nearer to the left one."""
    nuclei = blobs((60, 100), np.array([[30.0, 30], [30, 70]]), 7.0)
    wall = np.random.default_rng(0).normal(5, 1, (60, 100))
    wall[:, 41:43] = 200
    return MultiplexImage(np.stack([nuclei, wall.astype(np.float32)]), ["DAPI", "E-cadherin"])


def test_membranes_hold_cells_up(walled: MultiplexImage) -> None:
    even = segment(walled, SegmentParams(growth=Expansion(distance=25)))
    held = segment(walled, SegmentParams(growth=Membrane(reach=30, weight=20)))
    assert (even[30, 44:50] == even[30, 30]).all()
    assert (held[30, 44:50] == held[30, 70]).all()
    assert held[30, 38] == held[30, 30]
    assert held[30, 30] != held[30, 70]


def test_membranes_are_guessed_and_named_ones_are_taken(walled: MultiplexImage) -> None:
    guessed = segment(walled, SegmentParams(growth=Membrane()))
    named = segment(walled, SegmentParams(growth=Membrane(channels=("e-cadherin",))))
    np.testing.assert_array_equal(guessed, named)
    with pytest.raises(InputError, match="'CD99' is not in this image"):
        segment(walled, SegmentParams(growth=Membrane(channels=("CD99",))))


@pytest.mark.parametrize(
    ("channels", "known"),
    [
        (["DAPI", "ECAD", "CD3"], ("ECAD",)),
        (["Na/K-ATPase", "E-Cadherin", "Ki67"], ("Na/K-ATPase", "E-Cadherin")),
        (["β-catenin", "b-Catenin"], ("β-catenin", "b-Catenin")),
        (["CD45", "CD45RO", "pan-membrane"], ("CD45", "pan-membrane")),
        (["WGA", "ConA", "HLA-ABC"], ("WGA", "ConA", "HLA-ABC")),
    ],
)
def test_membrane_channels_are_known_by_name(channels: list[str], known: tuple[str, ...]) -> None:
    assert guessed_membranes(channels) == known


def test_no_known_membrane_is_said_with_the_channels() -> None:
    image = MultiplexImage(hard_picture(1, (60, 60), 5.0)[np.newaxis], ["DAPI"])
    with pytest.raises(InputError, match=r"show membranes; the image has DAPI.*evenly"):
        segment(image, SegmentParams(growth=Membrane()))


def test_a_flat_membrane_is_refused(walled: MultiplexImage) -> None:
    pixels = walled.data.copy()
    pixels[1] = 3
    with pytest.raises(InputError, match=r"'E-cadherin' shows no membranes.*every pixel is 3"):
        segment(MultiplexImage(pixels, walled.channels), SegmentParams(growth=Membrane()))


def test_no_weight_means_geodesic_growth(walled: MultiplexImage) -> None:
    nuclei, cells = segment_nuclei_and_cells(
        walled, SegmentParams(growth=Membrane(reach=6, weight=0))
    )
    np.testing.assert_array_equal(cells > 0, expand_labels(nuclei, 6) > 0)
