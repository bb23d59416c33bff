"""Columns gathered batch by batch."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.errors import InputError
from napari_gluer.io.spot_values import Names, Unusable, numbers

TEXTS = st.lists(st.sampled_from(["b", "a", "Z", "é", "", None]), max_size=8)


@given(st.lists(TEXTS, max_size=5), st.booleans())
def test_names_of_many_batches_are_those_of_all(batches: list[list[str]], coded: bool) -> None:
    names = Names()
    for batch in batches:
        column = pa.array(batch, pa.string())
        names.keep(names.add(column.dictionary_encode() if coded else column))
    found = names.categories()
    every = [text or None for batch in batches for text in batch]
    assert [None if pd.isna(text) else text for text in found] == every
    assert list(found.categories) == sorted({text for text in every if text})


def test_names_of_rows_left_out_are_no_categories() -> None:
    names = Names()
    codes = names.add(pa.array(["kept", "lost", "kept"]))
    names.keep(codes[[0, 2]])
    assert list(names.categories().categories) == ["kept"]


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=30))
def test_numbers_of_cells_are_exact(cells: list[int]) -> None:
    for column in (pa.array(cells, pa.int64()), pa.array([str(cell) for cell in cells])):
        names = Names()
        names.keep(names.add(column))
        found = names.cells()
        assert isinstance(found, np.ndarray)
        assert found.tolist() == cells


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([1, None, 3], pa.int8()), [1, np.nan, 3]),
        (pa.array(["1.5", "2"]).dictionary_encode(), [1.5, 2]),
        (pa.array([0.1], pa.float32()), [np.float64(np.float32(0.1))]),
        (pa.array([True, False]), [1, 0]),
    ],
)
def test_numbers_of_any_type(column: object, values: list[float]) -> None:
    found = numbers(column)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, values)


def test_what_is_no_number_is_counted_over_batches_and_the_first_shown() -> None:
    unusable = Unusable("x")
    unusable.add(pa.array(["1", "a", "b"]), 1, missing=True)
    unusable.add(pa.array(["", "inf", "2"]), 4, missing=True)
    with pytest.raises(InputError, match=r"4 of 6 .*\(row 2: 'a', row 3: 'b', row 4: 'empty'\)"):
        unusable.refuse("t.csv", 6)


def test_empty_values_may_be_missing_where_they_are_not_needed() -> None:
    unusable = Unusable("z")
    unusable.add(pa.array(["", "nan", "2", None]), 1, missing=False)
    unusable.refuse("t.csv", 4)
    unusable.add(pa.array(["low"]), 5, missing=False)
    with pytest.raises(InputError, match=r"1 of 5 .*row 5: 'low'"):
        unusable.refuse("t.csv", 5)
