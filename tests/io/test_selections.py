"""Named selections in a file."""

import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st

import napari_gluer as ng
from napari_gluer import cli
from napari_gluer.errors import InputError
from napari_gluer.io.selections import read_selections, write_selections

NAMED = {"rim": np.array([3, 9]), "core": np.array([6, 500])}


def test_without_names_there_is_nothing_to_save(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No selection has a name yet"):
        write_selections(tmp_path / "none.csv", {})
    assert not list(tmp_path.iterdir())


def test_a_file_has_a_row_for_every_cell_and_selection(tmp_path: Path) -> None:
    assert write_selections(tmp_path / "cells.csv", {**NAMED, "a, b": np.array([3])}) == 5
    read = pd.read_csv(tmp_path / "cells.csv")
    assert read["label"].tolist() == [3, 9, 6, 500, 3]
    assert read["selection"].tolist() == ["rim", "rim", "core", "core", "a, b"]
    assert [one.name for one in tmp_path.iterdir()] == ["cells.csv"]


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@given(
    named=st.dictionaries(
        NAMES, st.sets(st.integers(1, 2**53), min_size=1, max_size=5), min_size=1, max_size=4
    )
)
def test_what_is_written_is_read_again(named: dict[str, set[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.csv"
        write_selections(path, {name: sorted(labels) for name, labels in named.items()})
        found = read_selections(path)
    assert list(found) == list(named)
    assert {name: set(labels.tolist()) for name, labels in found.items()} == named


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cell,selection\n3,rim\n", "has no column label; it has cell, selection"),
        ("label,selection\n3,rim\n0,rim\n", "“0” is no label of a cell"),
        ("label,selection\n3.5,rim\n", "“3.5” is no label of a cell"),
        ("label,selection\nx,rim\n", "“x” is no label of a cell"),
        ("", "cannot be read as a table of selections"),
    ],
)
def test_what_is_no_table_of_selections_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(said)):
        read_selections(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv cannot be read"):
        read_selections(tmp_path / "none.csv")


def test_the_command_saves_them_as_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = [9, 3, 6, 12]
    cells = AnnData(
        np.ones((4, 1), np.float32),
        obs=pd.DataFrame({"label": labels}, index=list("abcd")),
        var=pd.DataFrame(index=["CD3"]),
    )
    ng.write_cells(cells, tmp_path / "cells.h5ad")
    write_selections(tmp_path / "named.csv", NAMED)
    given = [str(tmp_path / one) for one in ("cells.h5ad", "named.csv")]
    out = tmp_path / "selected.h5ad"
    assert cli.main(["select", *given, "--out", str(out)]) == 0
    assert "selection in" in capsys.readouterr().out
    found = ng.read_cells(out).obs
    chosen = found["selection"].astype(object).where(found["selection"].notna(), None)
    assert dict(zip(found["label"], chosen, strict=True)) == {
        9: "rim",
        3: "rim",
        6: "core",
        12: None,
    }
    assert cli.main(["select", *given, "--out", str(tmp_path / "named.csv")]) == 2
    assert read_selections(tmp_path / "named.csv").keys() == NAMED.keys()
