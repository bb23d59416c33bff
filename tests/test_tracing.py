"""Outlines against drawing them again and against shapes known by heart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.polygons import Polygon, draw
from napari_gluer.tracing import Part, traced

images = arrays(
    np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 5, 12])
)


def drawn_again(found: dict[int, list[Part]], shape: tuple[int, ...]) -> NDArray[np.int32]:
    polygons = [
        Polygon(
            tuple(ring - 0.5 for part in parts for ring in (part.outer, *part.holes)), label=label
        )
        for label, parts in found.items()
    ]
    return draw(polygons, shape).labels if polygons else np.zeros(shape, np.int32)


def area(ring: NDArray[np.int32]) -> float:
    y, x = ring.astype(float).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


@given(labels=images)
def test_drawing_the_outlines_gives_the_labels_again(labels: NDArray[np.int32]) -> None:
    assert_array_equal(drawn_again(traced(labels), labels.shape), labels)


@given(labels=images)
def test_rings_are_simple_and_run_the_right_way_round(labels: NDArray[np.int32]) -> None:
    for label, parts in traced(labels).items():
        pixels = 0.0
        for part in parts:
            assert part.label == label
            assert area(part.outer) > 0
            assert all(area(hole) < 0 for hole in part.holes)
            pixels += area(part.outer) + sum(area(hole) for hole in part.holes)
            for ring in (part.outer, *part.holes):
                assert len({tuple(point) for point in ring.tolist()}) == len(ring), "touches itself"
                along = np.abs(np.roll(ring, -1, axis=0) - ring)
                assert ((along > 0).sum(axis=1) == 1).all(), "edges run along pixels"
        assert pixels == (labels == label).sum()


def test_a_ring_of_pixels_has_a_hole_and_one_pixel_four_corners() -> None:
    labels = np.zeros((5, 6), np.int64)
    labels[0:3, 0:3] = 7
    labels[1, 1] = 0
    labels[4, 5] = 2
    found = traced(labels)
    assert list(found) == [2, 7]
    (single,) = found[2]
    assert single.outer.tolist() == [[4, 6], [5, 6], [5, 5], [4, 5]]
    (ring,) = found[7]
    assert len(ring.holes) == 1
    assert sorted(ring.holes[0].tolist()) == [[1, 1], [1, 2], [2, 1], [2, 2]]


def test_pixels_that_touch_at_a_corner_are_two_parts() -> None:
    assert len(traced(np.array([[1, 0], [0, 1]]))[1]) == 2
    assert len(traced(np.array([[1, 1], [0, 1]]))[1]) == 1


def test_a_hole_that_touches_the_outside_at_a_corner_stays_a_hole() -> None:
    labels = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 0, 1]])
    labels = np.pad(labels, 1)
    (part,) = traced(labels)[1]
    assert len(part.holes) == 1
    assert_array_equal(drawn_again({1: [part]}, labels.shape), labels)


def test_every_cell_of_the_sample_comes_again(tissue: object) -> None:
    labels = tissue.labels  # type: ignore[attr-defined]
    found = traced(labels)
    assert set(found) == set(np.unique(labels)) - {0}
    assert_array_equal(drawn_again(found, labels.shape), labels)


def test_a_long_ring_takes_no_longer_than_its_length() -> None:
    labels = (np.indices((400, 400)).sum(axis=0) % 2).astype(np.int32)
    labels[::2] = 1  # a comb whose one ring has tens of thousands of corners
    assert_array_equal(drawn_again(traced(labels), labels.shape), labels)


def test_planes_in_z_are_refused() -> None:
    with pytest.raises(InputError, match=r"Choose one plane, labels\[z\]"):
        traced(np.zeros((2, 3, 3), int))
