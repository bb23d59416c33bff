import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer.analysis.grouping import groups_of, selected, typed_column
from napari_gluer.errors import InputError


def table(types: list[object] | None = None) -> AnnData:
    cells = AnnData(np.ones((6, 1), np.float32))
    cells.obs_names = [f"c{i}" for i in range(6)]
    cells.obs["label"] = [4, 9, 2, 30, 7, 1]
    cells.obs["type"] = pd.Series(types or ["b", "a", "b", None, "a", "c"], cells.obs_names)
    return cells


def test_a_column() -> None:
    groups = groups_of(table(), "type")
    assert groups.names == ("a", "b", "c")
    assert groups.rows.tolist() == [0, 1, 2, 4, 5]
    np.testing.assert_array_equal(
        groups.members,
        np.array([[0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]], bool),
    )
    assert (groups.n_unmatched, groups.n_untyped) == (0, 1)
    assert groups.sizes.tolist() == [2, 2, 1]
    assert groups.left_out == "1 untyped cells left out"


def test_unmatched_cells_are_left_out_and_counted() -> None:
    cells = table()
    cells.obs["gluer_unmatched"] = [True, False, False, True, False, True]
    groups = groups_of(cells, "type")
    assert groups.names == ("a", "b")
    assert groups.rows.tolist() == [1, 2, 4]
    assert (groups.n_unmatched, groups.n_untyped) == (3, 0)


def test_order_of_the_categories_stays_and_numbers_are_counted() -> None:
    cells = table()
    cells.obs["type"] = pd.Categorical(["z", "a", "z", None, "a", "z"], ["z", "a", "none of them"])
    assert groups_of(cells, "type").names == ("z", "a")
    assert list(typed_column(table(["10", "9", "2", "10", "9", "2"]), "type").categories) == [
        "2",
        "9",
        "10",
    ]


@pytest.mark.parametrize(
    "selection",
    [
        np.array([False, True, False, False, True, False]),
        [7, 9],
        np.array([9, 7]),
        ["c1", "c4"],
        pd.Series([True, False, True, False, False, False], ["c4", "c0", "c1", "c2", "c3", "c5"]),
    ],
    ids=["booleans", "labels", "label array", "names", "series in another order"],
)
def test_a_selection(selection: object) -> None:
    groups = groups_of(table(), selection)  # type: ignore[arg-type]
    assert groups.names == ("selection",)
    assert np.flatnonzero(groups.members[:, 0]).tolist() == [1, 4]


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ([], "holds no cell"),
        (np.zeros(6, bool), "holds no cell"),
        (np.ones(6, bool), "holds every cell"),
        ([4, 9, 2, 30, 7, 1], "holds every cell"),
        (np.ones(5, bool), r"shape \(5,\), and there are 6"),
        ([4, 5, 6], r"2 are not in the table \(labels 5, 6\)"),
        (["c1", "d"], r"1 are not in the table \(names d\)"),
        (pd.Series(True, [f"d{i}" for i in range(6)]), "index does not name these cells"),
        (pd.Series(True, ["c0"]), r"shape \(1,\)"),
        (np.ones((6, 2), bool), r"shape \(6, 2\)"),
    ],
)
def test_selections_that_cannot_be_compared(selection: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        groups_of(table(), selection)  # type: ignore[arg-type]


def test_a_selection_of_unmatched_cells_alone() -> None:
    cells = table()
    cells.obs["gluer_unmatched"] = [False, True, False, False, True, False]
    with pytest.raises(InputError, match=r"no cell that is not unmatched \(2 are\)"):
        groups_of(cells, [7, 9])


def test_columns_that_hold_no_groups() -> None:
    with pytest.raises(InputError, match=r"no obs\['other'\]"):
        groups_of(table(), "other")
    with pytest.raises(InputError, match="every one of its values is missing"):
        groups_of(table([None, "", "nan", None, "NA", None]), "type")
    with pytest.raises(InputError, match="no column of groups"):
        groups_of(table([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), "type")
    cells = table()
    cells.obs["gluer_unmatched"] = True
    with pytest.raises(InputError, match="is unmatched"):
        groups_of(cells, "type")


def test_labels_need_the_column() -> None:
    cells = table()
    del cells.obs["label"]
    with pytest.raises(InputError, match=r"obs\['label'\]"):
        selected(cells, [4])
