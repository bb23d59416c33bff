from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer.errors import InputError
from napari_gluer.markers import annotate, edited, read_marker_table, with_marker_table

NAMES = ["CD3", "CD8", "DAPI", "mystery"]


def cells() -> AnnData:
    return AnnData(np.ones((3, 4), np.float32), var=annotate(NAMES))


def test_edited_genes_are_kept_and_marked() -> None:
    before = cells()
    after = edited(before, {"CD3": "CD3E ; CD3D;", "mystery": "FOXP3"})
    assert list(after.var["genes"]) == ["CD3E;CD3D", "CD8A;CD8B", "", "FOXP3"]
    assert list(after.var["genes_source"]) == ["edited", "", "", "edited"]
    assert list(before.var["genes"]) == ["CD3D;CD3E;CD3G", "CD8A;CD8B", "", ""]
    assert "genes_source" not in before.var


def test_edits_add_up() -> None:
    twice = edited(edited(cells(), {"CD3": "CD3E"}), {"CD8": "CD8A"})
    assert list(twice.var["genes_source"]) == ["edited", "edited", "", ""]
    assert list(twice.var["genes"][:2]) == ["CD3E", "CD8A"]


def test_a_channel_that_is_given_genes_is_a_marker() -> None:
    after = edited(cells(), {"DAPI": "HMGB1", "CD8": ""})
    assert list(after.var["role"]) == ["marker", "marker", "marker", "marker"]
    assert list(after.var["genes"])[1:3] == ["", "HMGB1"]


def test_tables_without_genes_can_be_edited() -> None:
    bare = AnnData(np.ones((2, 2), np.float32), var=pd.DataFrame(index=["a", "b"]))
    after = edited(bare, {"b": "CD4"})
    assert list(after.var["genes"]) == ["", "CD4"]
    assert "role" not in after.var


@pytest.mark.parametrize("gene", ["FAM46C", "TENT5C", "ENSG00000183508", "Tent5c", "tent5c"])
def test_every_name_of_a_known_gene_will_do(gene: str) -> None:
    assert edited(cells(), {"CD3": gene}, ["TENT5C", "CD4"]).var.at["CD3", "genes"] == gene


def test_unknown_genes_are_refused_with_near_ones() -> None:
    with pytest.raises(InputError, match=r"CD3: the reference has no gene 'CD3EE'. Near: CD3E"):
        edited(cells(), {"CD3": "CD3EE"}, ["CD3E", "CD3D", "ACTB"])
    with pytest.raises(InputError, match=r"no gene 'qqqqqq'.$"):
        edited(cells(), {"CD3": "qqqqqq"}, ["CD3E"])


def test_unknown_channels_are_refused() -> None:
    with pytest.raises(InputError, match="no channel CD99; they have CD3, CD8, DAPI, mystery"):
        edited(cells(), {"CD99": "CD99"})


def test_repeated_channels_are_refused() -> None:
    with pytest.warns(UserWarning, match="not unique"):
        twice = AnnData(np.ones((2, 2), np.float32), var=pd.DataFrame(index=["a", "a"]))
    with pytest.raises(InputError, match="names of their own; repeated: a"):
        edited(twice, {"a": "CD4"})


@pytest.mark.parametrize(
    "text",
    [
        "channel,genes,role\nCD3,CD3E;CD3G,\nmystery, MYC ,marker\nDAPI,,nuclear\n",
        "\ufeffMarker\tGene\tRole\r\nCD3\tCD3E;CD3G\r\n\r\nmystery\tMYC\tmarker\r\nDAPI\t\tnuclear\r\n",
        'role,note,Antigen,Symbol\n,x,CD3,"CD3E;CD3G"\nmarker,y,mystery,MYC\nnuclear,z,DAPI,\n',
    ],
)
def test_a_table_of_ones_own(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text, "utf-8")
    table = read_marker_table(path)
    assert table["genes"].to_dict() == {"CD3": "CD3E;CD3G", "mystery": "MYC", "DAPI": ""}
    assert table["role"].to_dict() == {"CD3": "", "mystery": "marker", "DAPI": "nuclear"}
    after = with_marker_table(cells(), table)
    assert list(after.var["genes"]) == ["CD3E;CD3G", "CD8A;CD8B", "", "MYC"]
    assert list(after.var["role"]) == ["marker", "marker", "nuclear", "marker"]
    assert list(after.var["genes_source"]) == ["edited", "", "edited", "edited"]


def test_a_table_may_serve_several_panels() -> None:
    table = pd.DataFrame({"genes": {"CD3": "CD3E", "CD99": "CD99"}})
    assert with_marker_table(cells(), table).var.at["CD3", "genes"] == "CD3E"
    with pytest.raises(
        InputError, match=r"No channel of the table .* has CD99; the cells have CD3"
    ):
        with_marker_table(cells(), table.loc[["CD99"]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 'channel' and a column 'genes'; this one has none"),
        ("a,b\n1,2\n", "this one has a, b"),
        ("channel,genes\nCD3,CD3E\nCD3,CD3G\n", "CD3 is there twice"),
        ("channel,genes\n,CD3E\n", "one row has none"),
        ("channel,genes,role\nCD3,CD3E,nucleus\n", "marker, nuclear, blank, ignore; found nucleus"),
        (b"\xff\xfe\x00channel", "no text table of markers"),
    ],
)
def test_files_that_are_no_table_of_markers(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=f"own.csv.*{message}"):
        read_marker_table(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_marker_table(tmp_path / "none.csv")
