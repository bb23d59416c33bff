"""Cells of a labels image, tile by tile."""

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from skimage.measure import regionprops

from napari_gluer.errors import InputError
from napari_gluer.measurement.cell_places import cell_places
from napari_gluer.tiles import TileParams

IDS = st.sampled_from([0, 1, 2, 5, 2**31, 2**62])


@settings(max_examples=30)
@given(
    hnp.arrays(
        np.int64, hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=9), elements=IDS
    ),
    st.sampled_from([0, 2, 3]),
)
def test_equal_to_scikit_image_for_any_tiles(labels: NDArray[np.int64], side: int) -> None:
    if not labels.any():
        return
    places = cell_places(labels, TileParams(side=side))
    np.testing.assert_array_equal(places.ids, np.unique(labels[labels > 0]))
    _, numbered = np.unique(labels, return_inverse=True)
    numbered = numbered.reshape(labels.shape) + (0 if (labels == 0).any() else 1)
    regions = regionprops(numbered)
    np.testing.assert_array_equal(places.sizes, [one.area for one in regions])
    np.testing.assert_allclose(places.centroids, [one.centroid for one in regions], atol=1e-9)
    assert places.covered == pytest.approx((labels > 0).mean())


def test_lazy_and_float_labels() -> None:
    labels = np.zeros((40, 30), np.float32)
    labels[3:7, 5:9] = 12
    labels[20:40, 10:30] = 7
    stored = zarr.array(labels, chunks=(16, 16))
    places = cell_places(stored, TileParams(side=16))
    assert places.ids.tolist() == [7, 12]
    assert places.sizes.tolist() == [400, 16]
    np.testing.assert_allclose(places.centroids, [[29.5, 19.5], [4.5, 6.5]])
    assert places.diameter == pytest.approx(2 * np.sqrt(208 / np.pi))


def test_the_diameter_in_three_dimensions_is_that_of_a_ball() -> None:
    ball = np.sum((np.indices((21, 21, 21)) - 10) ** 2, axis=0) < 64
    assert cell_places(ball.astype(np.uint8)).diameter == pytest.approx(16, rel=0.02)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.zeros((4, 4), np.int32), "no cell"),
        (np.zeros(4, np.int32), r"shape \(4,\)"),
        (-np.ones((4, 4), np.int32), "negative"),
        (np.full((4, 4), 0.5), "whole numbers"),
        (np.ones((4, 4), bool), "yes/no mask"),
    ],
)
def test_what_are_no_labels_is_refused(labels: NDArray[np.generic], said: str) -> None:
    with pytest.raises(InputError, match=said):
        cell_places(labels)


def test_ids_too_large_to_count_with_are_refused() -> None:
    with pytest.raises(InputError, match="above 2⁶³ - 1"):
        cell_places(np.array([[0, 2**63 + 5]], np.uint64))
