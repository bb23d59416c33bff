"""Named selections in the table, cells known by label."""

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.errors import InputError
from napari_gluer.selecting import with_selections

NAMED = {"rim": np.array([3, 9]), "core": np.array([6, 500])}


@pytest.fixture
def cells() -> AnnData:
    """64 cells with labels 3, 6, …, 192, shuffled."""
    label = np.random.default_rng(0).permutation(3 * np.arange(1, 65))
    return AnnData(np.zeros((64, 1)), obs=pd.DataFrame({"label": label}, index=label.astype(str)))


def test_selections_apart_become_one_column(cells: AnnData) -> None:
    saved, columns = with_selections(cells, NAMED)
    assert columns == ["selection"]
    by_label = saved.obs.set_index("label")["selection"]
    assert by_label.loc[[3, 9, 6]].tolist() == ["rim", "rim", "core"]
    assert by_label.isna().sum() == 61
    assert "selection" not in cells.obs


def test_selections_that_overlap_become_a_column_each(cells: AnnData) -> None:
    saved, columns = with_selections(cells, {**NAMED, "both": np.array([3, 6])})
    assert columns == ["selection_rim", "selection_core", "selection_both"]
    for name, labels in (("rim", [3, 9]), ("core", [6]), ("both", [3, 6])):
        chosen = saved.obs["label"][saved.obs[f"selection_{name}"]]
        assert sorted(chosen) == labels


@given(order=st.permutations(range(64)))
def test_the_order_of_the_table_does_not_matter(order: list[int]) -> None:
    labels = 3 * np.arange(1, 65)
    table = AnnData(
        np.zeros((64, 1)), obs=pd.DataFrame({"label": labels}, index=labels.astype(str))
    )
    saved, _ = with_selections(table[order].copy(), NAMED)
    assert set(saved.obs["label"][saved.obs["selection"] == "rim"]) == {3, 9}


def test_saving_again_replaces_our_columns(cells: AnnData, tmp_path: Path) -> None:
    saved, _ = with_selections(cells, {**NAMED, "both": np.array([3, 6])})
    saved.write_h5ad(tmp_path / "cells.h5ad")
    again, columns = with_selections(anndata.read_h5ad(tmp_path / "cells.h5ad"), NAMED)
    assert columns == ["selection"]
    assert not [name for name in again.obs if name.startswith("selection_")]


def test_somebodys_own_column_is_not_overwritten(cells: AnnData) -> None:
    cells.obs["selection"] = "mine"
    with pytest.raises(InputError, match=r"a column selection already.*Rename"):
        with_selections(cells, NAMED)


def test_without_names_there_is_nothing_to_save(cells: AnnData) -> None:
    with pytest.raises(InputError, match="No selection has a name yet"):
        with_selections(cells, {})
