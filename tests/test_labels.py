import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_gluer.errors import InputError
from napari_gluer.labels import checked_labels, compact

ids = st.sampled_from([0, 0, 1, 2, 5, 1000, 70_000_000, 2**40])


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8"])
def test_whole_numbers_of_any_type_are_labels(dtype: str) -> None:
    labels = checked_labels(np.array([[0, 3], [7, 7]], dtype))
    assert labels.dtype.kind in "iu"
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
