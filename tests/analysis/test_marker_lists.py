from pathlib import Path

import pandas as pd
import pytest

from napari_gluer.analysis.marker_lists import GeneColumns, marker_lists, read_marker_lists
from napari_gluer.errors import InputError


def test_a_dictionary() -> None:
    found = marker_lists({"T": ["CD3D", "CD3E", "CD3D"], "B": [" MS4A1 "]})
    assert found.types == ("T", "B")
    assert found.up == (("CD3D", "CD3E"), ("MS4A1",))
    assert found.down == ((), ())


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("tsv", "\t"), ("txt", "\t")])
def test_a_file(tmp_path: Path, suffix: str, separator: str) -> None:
    path = tmp_path / f"markers.{suffix}"
    rows = [
        ("Type", "gene", "Direction"),
        ("T", "CD3E", "+"),
        ("T", "CD19", "-"),
        ("NK", "NA", ""),
        ("NK", "CD3E", "down"),
        ("NK", "", "+"),
    ]
    path.write_text("".join(f"{separator.join(row)}\n" for row in rows), encoding="utf-8")
    found = marker_lists(path)
    assert found.types == ("T", "NK")
    assert found.up == (("CD3E",), ("NA",))
    assert found.down == (("CD19",), ("CD3E",))
    assert marker_lists(read_marker_lists(path)) is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cell,gene\nT,CD3E\n", "columns cell, gene; type and gene are needed"),
        ("type,gene,direction\nT,CD3E,sideways\n", "found sideways"),
        ("type,gene\n,\n", "names no marker gene"),
        ("", "cannot be read as marker lists"),
        ("type,gene,direction\nT,CD3E,+\nT,CD3E,-\n", "T both shows and lacks CD3E"),
    ],
)
def test_files_that_are_no_lists(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "markers.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        marker_lists(path)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lists\.xlsx: marker lists are \.csv or \.tsv"):
        read_marker_lists(tmp_path / "lists.xlsx")
    with pytest.raises(InputError, match="are lists of genes"):
        marker_lists({"T": "CD3E"})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="names no marker gene"):
        marker_lists({"T": []})


def test_genes_are_found_by_name_case_and_what_a_marker_stands_for() -> None:
    names = pd.Index(["CD3", "Cd4", "cd4", "MS4A1", "dapi"])
    var = pd.DataFrame({"genes": ["CD3D;CD3E", "CD4", "", "MS4A1", ""]}, index=names)
    columns = GeneColumns(names, var)
    assert columns.all_of(["ms4a1", "CD3"]).tolist() == [3, 0]
    assert columns.all_of(["CD3E", "CD3D"]).tolist() == [0]
    assert columns.all_of(["cd4", "Cd4"]).tolist() == [2, 1]
    assert columns.all_of(["CD4", "FOXP3"]).tolist() == [1]
    assert columns.of("FOXP3") is None
    assert GeneColumns(names).of("CD4") is None  # two columns are called so


def test_a_gene_of_two_markers_is_neither() -> None:
    names = pd.Index(["CD45", "CD45RA"])
    var = pd.DataFrame({"genes": ["PTPRC", "PTPRC"]}, index=names)
    assert GeneColumns(names, var).of("PTPRC") is None
