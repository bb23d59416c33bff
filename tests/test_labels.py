from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_gluer.errors import InputError
from napari_gluer.labels import checked_labels, compact, counterparts

ids = st.sampled_from([0, 0, 1, 2, 5, 1000, 70_000_000, 2**40])


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8", ">u2", ">i8", ">f4"])
def test_whole_numbers_of_any_type_are_labels(dtype: str) -> None:
    labels = checked_labels(np.array([[0, 3], [7, 7]], dtype))
    assert labels.dtype.kind in "iu"
    assert labels.dtype.isnative
    np.testing.assert_array_equal(labels, [[0, 3], [7, 7]])


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros(3, int), r"shape \(3,\)"),
        (np.zeros((1, 2, 3, 4), int), r"shape \(1, 2, 3, 4\)"),
        (np.zeros((2, 2), bool), "yes/no mask"),
        (np.full((2, 2), 0.5), "fractions"),
        (np.full((2, 2), np.nan), "NaN"),
        (np.full((2, 2), -4), "smallest here is -4"),
        (np.full((2, 2), "a"), "<U1"),
    ],
)
def test_what_is_no_labels_image(array: np.ndarray, says: str) -> None:
    with pytest.raises(InputError, match=says):
        checked_labels(array)


@given(arrays(np.int64, st.tuples(st.integers(0, 5), st.integers(1, 6)), elements=ids))
def test_compact_numbers_without_gaps_and_back(labels: np.ndarray) -> None:
    index, values = compact(labels)
    assert index.dtype == np.int32
    assert (np.diff(values) > 0).all()
    assert 0 not in values
    np.testing.assert_array_equal(np.concatenate([[0], values])[index], labels)
    np.testing.assert_array_equal(np.unique(index[index > 0]), np.arange(1, len(values) + 1))


def test_counterparts_are_those_that_cover_most() -> None:
    labels = np.array([[5, 5, 5, 5, 0], [9, 9, 9, 9, 9]])
    others = np.array([[1, 1, 2, 2, 2], [3, 3, 3, 0, 4]])
    assert counterparts(labels, others) == {5: 1, 9: 3}
    assert counterparts(labels, others, least=0.55) == {9: 3}


@given(
    arrays(np.int64, (7, 8), elements=st.integers(0, 6)),
    arrays(np.int64, (7, 8), elements=st.integers(0, 6)),
)
def test_counterparts_equal_counting_pixel_by_pixel(labels: Any, others: Any) -> None:
    expected = {}
    for value in np.unique(labels[labels > 0]):
        inside = others[labels == value]
        counts = {int(o): int((inside == o).sum()) for o in np.unique(inside[inside > 0])}
        if counts and max(counts.values()) >= 0.5 * inside.size:
            expected[int(value)] = min(counts, key=lambda o: (-counts[o], o))
    assert counterparts(labels, others) == expected


def test_counterparts_of_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(2, 2\) and \(2, 3\)"):
        counterparts(np.ones((2, 2), int), np.ones((2, 3), int))
