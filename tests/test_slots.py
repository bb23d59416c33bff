import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.errors import InputError, listed


def test_note_adds_and_info_is_a_copy() -> None:
    table = AnnData(np.ones((2, 2), np.float32))
    assert slots.info(table) == {}
    slots.note(table, kind="counts", seed=1)
    slots.note(table, seed=2)
    assert slots.info(table) == {"kind": "counts", "seed": 2}
    slots.info(table)["seed"] = 3
    assert table.uns["gluer"]["seed"] == 2


def test_note_on_a_copy_leaves_the_original() -> None:
    table = AnnData(np.ones((2, 2), np.float32))
    slots.note(table, seed=1)
    copy = table.copy()
    slots.note(copy, seed=2)
    assert slots.info(table) == {"seed": 1}


def test_require_names_the_key_what_exists_and_the_remedy() -> None:
    table = AnnData(np.ones((2, 2), np.float32))
    table.obs["area"] = 1
    assert list(slots.require(table, "obs", "area", "")) == [1, 1]
    with pytest.raises(InputError, match=r"no obs\['label'\] \(it has: area\). Read it again."):
        slots.require(table, "obs", "label", "Read it again.")


def test_names_of_results() -> None:
    assert slots.transferred("cell_type") == "cell_type_transferred"
    assert slots.probability("cell_type") == "cell_type_probability"


def test_lists_are_cut() -> None:
    assert listed([]) == "none"
    assert listed(["a", "b"]) == "a, b"
    assert listed(range(20), 3) == "0, 1, 2 … (20 in all)"


def test_labels_are_exact_whatever_holds_them() -> None:
    for column in (
        [3, 7],
        [3.0, 7.0],
        ["3", "7"],
        pd.Categorical([3, 7]),
        np.array([3, 7], np.uint64),
    ):
        cells = AnnData(np.zeros((2, 1), np.float32))
        cells.obs["label"] = column
        assert slots.cell_labels(cells).tolist() == [3, 7]
    cells.obs["label"] = np.array([2**53, 2**53 + 1])
    assert slots.cell_labels(cells).tolist() == [2**53, 2**53 + 1]


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ([0, 1], "0 is none"),
        (["111111111111111111111111111111111111111", "1"], "1111 is none|11 is none"),
        (["a", "1"], "a is none"),
        ([True, False], "True, False is none"),
        ([4, 4], "4 is repeated"),
    ],
)
def test_what_is_no_label(column: list[object], says: str) -> None:
    cells = AnnData(np.zeros((2, 1), np.float32))
    cells.obs["label"] = column
    with pytest.raises(InputError, match=says):
        slots.cell_labels(cells)
