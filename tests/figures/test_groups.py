import numpy as np
import pandas as pd
import pytest

from napari_gluer.errors import InputError
from napari_gluer.figures.groups import aligned, groups_of


def test_categories_keep_their_order_and_lose_empty_ones() -> None:
    values = pd.Categorical(["b", None, "a", "b"], categories=["z", "b", "a"])
    groups = groups_of(values, "types")
    assert groups.names == ["b", "a"]
    assert groups.codes.tolist() == [0, -1, 1, 0]
    assert groups.counts().tolist() == [2, 1]


@pytest.mark.parametrize(
    ("values", "names", "codes"),
    [
        (["y", "x", np.nan], ["x", "y"], [1, 0, -1]),
        (np.array([10, 9, 10]), ["9", "10"], [1, 0, 1]),
        ([True, False, True], ["no", "yes"], [1, 0, 1]),
        (["only", "only", None], ["only"], [0, 0, -1]),
    ],
)
def test_other_values_are_sorted(values: object, names: list[str], codes: list[int]) -> None:
    groups = groups_of(values, "types")
    assert groups.names == names
    assert groups.codes.tolist() == codes


def test_no_group_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="No cell has a value in 'type'"):
        groups_of([None, np.nan], "'type'")


def test_names_that_look_alike_are_refused() -> None:
    with pytest.raises(InputError, match="same name"):
        groups_of(pd.Series([1, "1"], dtype=object).astype(pd.CategoricalDtype([1, "1"])), "types")


def test_a_series_is_joined_by_its_names() -> None:
    series = pd.Series(["x", "y", "z"], index=["c", "a", "b"])
    assert list(aligned(series, pd.Index(["a", "b", "c"]), "It")) == ["y", "z", "x"]
    assert list(aligned(series.to_numpy(), pd.Index(["a", "b", "c"]), "It")) == ["x", "y", "z"]


@pytest.mark.parametrize("names", [["a", "b", "d"], ["a", "a", "b"]])
def test_other_cells_are_refused(names: list[str]) -> None:
    with pytest.raises(InputError, match="other cells"):
        aligned(pd.Series([1, 2, 3], index=names), pd.Index(["a", "b", "c"]), "It")


def test_another_number_of_cells_is_refused() -> None:
    with pytest.raises(InputError, match="It has 2 values for 3 cells"):
        aligned(["x", "y"], pd.Index(["a", "b", "c"]), "It")
