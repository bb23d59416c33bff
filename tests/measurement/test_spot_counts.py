"""Spots looked up and counted."""

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_gluer.measurement import spot_counts
from napari_gluer.measurement.agreement import Sample
from napari_gluer.measurement.orientation import Orientation, Placement
from napari_gluer.measurement.spot_counts import count_spots, labels_under
from napari_gluer.tiles import TileParams


@settings(max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(13, 9), (3, 8, 11)]),
    st.integers(1, 6),
    st.booleans(),
    st.booleans(),
)
def test_tiles_and_parts_give_what_one_look_gives(
    seed: int, shape: tuple[int, ...], side: int, flip_y: bool, transposed: bool
) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2**40, shape)
    planes = random.integers(-1, 4, 200) if len(shape) == 3 else None
    spots = Sample(random.uniform(-3, 14, 200), random.uniform(-3, 14, 200), planes)
    placement = Placement(Orientation(transposed, flip_y), 1, -0.5)
    expected = []
    for i in range(200):
        x, y = spots.x[i] - 1, spots.y[i] + 0.5
        column, row = (y, x) if transposed else (x, y)
        row = shape[-2] - 1 - row if flip_y else row
        place = [int(np.floor(row + 0.5)), int(np.floor(column + 0.5))]
        place = place if planes is None else [int(planes[i]), *place]
        inside = all(0 <= at < size for at, size in zip(place, shape, strict=True))
        expected.append(labels[tuple(place)] if inside else -1)
    np.testing.assert_array_equal(labels_under(spots, placement, labels), expected)
    tiled = labels_under(spots, placement, zarr.array(labels), TileParams(side=side, workers=2))
    np.testing.assert_array_equal(tiled, expected)


def test_parts_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 5, (50, 60))
    spots = Sample(random.uniform(-5, 65, 1000), random.uniform(-5, 55, 1000))
    whole = labels_under(spots, Placement(), labels)
    monkeypatch.setattr(spot_counts, "_PART", 7)
    np.testing.assert_array_equal(labels_under(spots, Placement(), labels), whole)
    np.testing.assert_array_equal(labels_under(spots, Placement(), zarr.array(labels)), whole)


def test_only_tiles_with_spots_are_read() -> None:
    class Watched:
        shape = (40, 40)
        dtype = np.dtype(np.int32)
        read: list[object] = []  # noqa: RUF012 - of this one test

        def __getitem__(self, key: object) -> object:
            self.read.append(key)
            return np.full(self.shape, 3, np.int32)[key]  # type: ignore[index]

    labels = Watched()
    spots = Sample(np.array([1.0, 35.0]), np.array([1.0, 2.0]))
    found = labels_under(spots, Placement(), labels, TileParams(side=10))
    assert found.tolist() == [3, 3]
    assert len(labels.read) == 2


def test_counts_are_summed_and_background_is_left_out() -> None:
    under = np.array([9, 9, 0, -1, 2**50, 9])
    counts = count_spots(under, np.array([1, 1, 0, 0, 2, 0]), np.array([4, 9, 2**50]), 3)
    np.testing.assert_array_equal(counts.toarray(), [[0, 0, 0], [1, 2, 0], [0, 0, 1]])
    assert counts.nnz == 3
    assert counts.has_sorted_indices
