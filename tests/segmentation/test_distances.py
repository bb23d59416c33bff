import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_gluer.segmentation.distances import edge_distance, nearest_label

from .slow import nearest_by_hand

RATIOS = {2: [(1.0, 1.0), (1.7, 1.0)], 3: [(1.0, 1.0, 1.0), (2.9, 1.0, 1.0)]}
masks = st.sampled_from([(9, 14), (1, 20), (20, 1), (4, 8, 9)]).flatmap(
    lambda shape: arrays(bool, shape, elements=st.booleans())
)
few = st.sampled_from([(9, 14), (1, 20), (4, 8, 9)]).flatmap(
    lambda shape: arrays(np.int32, shape, elements=st.integers(-30, 6).map(lambda n: max(n, 0)))
)


@given(masks, st.integers(0, 1), st.floats(0.5, 12))
def test_edge_distance_is_scipys_up_to_its_reach(mask, which: int, reach: float) -> None:
    ratio = RATIOS[mask.ndim][which]
    if mask.all():
        expected = np.full(mask.shape, reach)
    else:
        expected = np.minimum(ndimage.distance_transform_edt(mask, sampling=ratio), reach)
    np.testing.assert_allclose(edge_distance(mask, ratio, reach), expected, rtol=1e-6)


@given(few, st.integers(0, 1), st.floats(0.5, 12))
def test_nearest_label_is_the_lowest_of_the_nearest(labels, which: int, reach: float) -> None:
    ratio = np.array(RATIOS[labels.ndim][which])
    at = np.argwhere(labels > 0)
    expected = np.zeros(labels.shape, np.int32)
    for pixel in np.ndindex(labels.shape):
        apart = np.sqrt((((at - pixel) * ratio) ** 2).sum(1))
        if len(at) and apart.min() <= reach - 1e-6:
            expected[pixel] = labels[tuple(at[apart <= apart.min() + 1e-6].T)].min()
        elif len(at) and apart.min() <= reach + 1e-6:
            return  # on the very edge of the reach, where rounding decides
    np.testing.assert_array_equal(nearest_label(labels, tuple(ratio), reach), expected)


@given(few)
def test_a_crop_gives_what_the_whole_gives(labels) -> None:
    ratio, reach = RATIOS[labels.ndim][1], 3.0
    whole = nearest_label(labels, ratio, reach)
    cut = labels.shape[-1] // 2
    crop = nearest_label(np.ascontiguousarray(labels[..., : cut + 3]), ratio, reach)
    np.testing.assert_array_equal(crop[..., :cut], whole[..., :cut])


@pytest.mark.parametrize("reach", [0.0, 0.5])
def test_without_reach_nothing_grows(reach: float) -> None:
    labels = np.zeros((5, 5), np.int32)
    labels[2, 2] = 7
    np.testing.assert_array_equal(nearest_label(labels, (1.0, 1.0), reach), labels)


@given(few, st.sampled_from([1, 2, 3]), st.integers(1, 9))
def test_whole_steps_are_exact_with_ties_and_on_the_reach(labels, thick: int, reach: int) -> None:
    """With whole steps no rounding blurs ties and reaches, so nothing is left out here."""
    ratio = (float(thick), 1.0, 1.0)[:: 1 if labels.ndim == 3 else 2][: labels.ndim]
    distance, names = nearest_by_hand(labels, ratio, reach)
    np.testing.assert_array_equal(nearest_label(labels, ratio, reach), names)
    mask = np.asarray(labels == 0)
    capped = np.minimum(distance, reach).astype(np.float32)
    np.testing.assert_array_equal(edge_distance(mask, ratio, reach), capped)


def test_a_thick_plane_counts_its_thickness() -> None:
    labels = np.zeros((4, 1, 7), np.int32)
    labels[0, 0, 0], labels[0, 0, 6] = 9, 4
    # planes are 2.5 apart; pixel 3 is as near to both, and the lower label has it
    found = nearest_label(labels, (2.5, 1.0, 1.0), 5.0)
    assert found[:, 0].tolist() == [
        [9, 9, 9, 4, 4, 4, 4],
        [9, 9, 9, 4, 4, 4, 4],
        [9, 0, 0, 0, 0, 0, 4],  # 5 away, on the reach, straight down only
        [0] * 7,
    ]
    depth = edge_distance(labels == 0, (2.5, 1.0, 1.0), 5.5)
    assert depth[1, 0, 3] == pytest.approx(np.hypot(2.5, 3))
    assert depth[2, 0, 0] == 5.0
    assert depth[3, 0, 0] == 5.5  # 7.5 in truth
