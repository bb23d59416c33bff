import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.segmentation import expand_labels

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.growth import _Ways, grow, grown_along, guessed_membranes
from napari_gluer.segmentation.keeping import Memory
from napari_gluer.segmentation.nuclei import SegmentParams, segment, segment_nuclei_and_cells
from napari_gluer.segmentation.params import Expansion, Membrane
from napari_gluer.segmentation.scene import Scene
from napari_gluer.tiles import TileParams
from napari_gluer.track import silently

from .pictures import blobs, dapi, hard_picture
from .slow import cheapest_label, nearest_by_hand

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


@pytest.mark.parametrize(
    ("shape", "spacing", "side"),
    [((30, 34), None, 100), ((30, 34), (0.5, 0.5), 11), ((5, 14, 15), (2.0, 0.5, 0.5), 8)],
)
def test_growth_along_two_membranes_is_scipys_shortest_ways(
    shape: tuple[int, ...], spacing: tuple[float, ...] | None, side: int
) -> None:
    rng = np.random.default_rng(3)
    pixels = rng.gamma(2.0, 50.0, (3, *shape)).astype(np.float32)
    image = MultiplexImage(pixels, ["DAPI", "ECAD", "CD45"], spacing)
    labels = np.zeros(shape, np.int32)
    for number, at in enumerate(rng.integers(0, shape, (6, len(shape))).tolist(), 1):
        labels[tuple(at)] = number
    part = tuple(slice(0, length) for length in shape)
    scene = Scene(image, ("DAPI",), None, part)
    params = Membrane(reach=9.3 * scene.grid.step_um, weight=4.0)
    engine = TileParams(side=side), silently
    cells = grow(scene, params, Memory(part), labels, engine)

    slow = np.zeros(shape)
    for channel in pixels[1:]:
        blurred = ndimage.gaussian_filter(channel, 1.0, truncate=3)
        low, high = np.percentile(blurred, [10, 99])
        slow += np.clip((blurred - low) / (high - low), 0, 1)
    expected = cheapest_label(labels, 1 + 4.0 * slow / 2, scene.grid.ratio, 9.3)
    np.testing.assert_array_equal(cells, expected)
    assert 0 < (expected == 0).sum() < expected.size


@given(few, st.floats(1.0, 7.0))
def test_ways_without_membranes_are_straight_up_to_the_grid(
    labels: np.ndarray, reach: float
) -> None:
    """Steps to 8 neighbours make a way at most 8.3 % longer than the straight one; 26: 12.8 %."""
    steps = (1.0,) * labels.ndim
    ways = _Ways(reach, steps, 0.0)
    found = grown_along(labels, np.zeros(labels.shape, np.float32), ways)
    distance, _ = nearest_by_hand(labels, steps, reach)
    longer = 1.083 if min(labels.shape) == 1 or labels.ndim == 2 else 1.129
    assert (found[distance * longer < reach] > 0).all()
    assert (found[distance > reach * 1.000001] == 0).all()


def test_no_weight_is_plain_growth(walled: MultiplexImage) -> None:
    plain = segment(walled, SegmentParams(growth=Expansion(distance=7)))
    np.testing.assert_array_equal(
        segment(walled, SegmentParams(growth=Membrane(reach=7, weight=0))), plain
    )


def test_bright_membrane_makes_ways_longer_by_the_weight() -> None:
    """Along a line every step costs 1 + weight · membrane: 4 on membrane, 2.5 next to it."""
    labels = np.zeros((1, 12), np.int32)
    labels[0, 0] = 3
    membrane = np.zeros((1, 12), np.float32)
    membrane[0, 4:7] = 1
    for reach, last in [(3.0, 3), (5.4, 3), (5.5, 4), (9.4, 4), (9.5, 5), (16.0, 7), (17.0, 8)]:
        found = grown_along(labels, membrane, _Ways(reach, (1.0, 1.0), 3.0))
        assert found[0].tolist() == [3] * (last + 1) + [0] * (11 - last)


@pytest.mark.parametrize("name", ["CD4", "CD45RO", "CD45RA", "DAPI", "ECADX", "Collagen", "CD441"])
def test_other_channels_are_not_taken_for_membranes(name: str) -> None:
    assert guessed_membranes(["ECAD", name]) == ("ECAD",)
