"""What other programs get, read back by readers that are not ours where there are some."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import zarr
from anndata import AnnData
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.exports import format_of, needs_labels
from napari_gluer.image import MultiplexImage
from napari_gluer.io.classes import classes_of, rgb
from napari_gluer.io.geojson_out import GeoJsonParams, write_geojson
from napari_gluer.io.labels_writing import write_labels
from napari_gluer.io.ome_zarr_labels import write_ome_zarr_labels
from napari_gluer.io.spatialdata_out import write_spatialdata
from napari_gluer.io.tables_out import cell_table, write_table
from napari_gluer.io.vitessce_out import VitessceParams, write_vitessce
from napari_gluer.palette import GREY

GENES = {"MS4A1": np.array([0.5, 1.5, 2.5, 3.5], np.float32)}


@pytest.fixture
def labels() -> NDArray[np.int32]:
    """Five cells, of which 40 is in no table, 7 has two pieces and 9 a hole."""
    image = np.zeros((12, 14), np.int32)
    image[1:4, 1:4] = 3
    image[0, 8], image[6:8, 8:10] = 7, 7
    image[5:10, 1:6] = 9
    image[7, 3] = 0
    image[10:12, 11:14] = 300_000
    image[11, 0] = 40
    return image


@pytest.fixture
def cells() -> AnnData:
    """Rows in another order than the labels; the last is unmatched."""
    table = AnnData(
        np.array([[1, 2.5], [0, np.nan], [3, 4], [5, 6]], np.float32),
        obs=pd.DataFrame(
            {
                "label": [300_000, 9, 3, 7],
                "cell_type_transferred": pd.Categorical(["T", "B", "T", None]),
                "gluer_unmatched": [False, False, False, True],
                "note": ["a", "b, c", "d", "e"],
            },
            index=["s-300000", "s-9", "s-3", "s-7"],
        ),
        var=pd.DataFrame(index=["CD3", "CD8"]),
        obsm={"spatial": np.arange(8.0).reshape(4, 2), "X_umap": np.ones((4, 3))},
    )
    slots.note(table, kind="intensity", spatial_unit="um")
    return table


def test_tables_hold_one_row_a_cell_by_its_label(cells: AnnData, tmp_path: Path) -> None:
    for name, read in (
        ("t.csv", pd.read_csv),
        ("t.csv.gz", pd.read_csv),
        ("t.parquet", pd.read_parquet),
    ):
        write_table(cells, tmp_path / name, GENES)
        found = read(tmp_path / name)
        assert list(found.columns)[:3] == ["label", "x", "y"]
        assert list(found["label"]) == [300_000, 9, 3, 7]
        assert list(found["note"]) == ["a", "b, c", "d", "e"]
        np.testing.assert_array_equal(found["CD8"], [2.5, np.nan, 4, 6])
        np.testing.assert_allclose(found["MS4A1 (imputed)"], [0.5, 1.5, 2.5, np.nan])
    write_table(cells, tmp_path / "again.csv.gz", GENES)
    assert (tmp_path / "again.csv.gz").read_bytes() == (tmp_path / "t.csv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "t.csv.gz").read_bytes()).startswith(b"label,x,y,")


def test_columns_of_one_name_and_values_that_do_not_fit_are_refused(cells: AnnData) -> None:
    with pytest.raises(InputError, match=r"MS4A1 has values of shape \(3,\)"):
        cell_table(cells, {"MS4A1": np.zeros(3)})
    cells.obs["CD3"] = 1.0
    with pytest.raises(InputError, match=r"the same name: CD3"):
        cell_table(cells)


def test_outlines_give_the_labels_again(
    cells: AnnData, labels: NDArray[np.int32], tmp_path: Path
) -> None:
    path = tmp_path / "cells.geojson"
    assert write_geojson(cells, labels, path, genes=GENES) == 4
    image = MultiplexImage(np.zeros((1, *labels.shape), "u1"), ["DAPI"])
    back = ng.read_labels(path, like=image)
    np.testing.assert_array_equal(back, np.where(labels == 40, 0, labels))


def test_features_are_what_qupath_reads(
    cells: AnnData, labels: NDArray[np.int32], tmp_path: Path
) -> None:
    path = tmp_path / "cells.geojson"
    params = GeoJsonParams(object_type="detection", measurements=("CD8",))
    write_geojson(cells, labels, path, params, genes=GENES, colors={"T": "#010203"})
    collection = json.loads(path.read_text())
    assert collection["type"] == "FeatureCollection"
    by_label = {one["properties"]["label"]: one for one in collection["features"]}
    assert list(by_label) == [300_000, 9, 3, 7], "in the order of the table"
    single, holed, pieces = by_label[3], by_label[9], by_label[7]
    assert single["geometry"] == {
        "type": "Polygon",
        "coordinates": [[[4, 1], [4, 4], [1, 4], [1, 1], [4, 1]]],
    }, "counted from the corner of the first pixel, closed"
    assert [len(ring) for ring in holed["geometry"]["coordinates"]] == [5, 5]
    assert pieces["geometry"]["type"] == "MultiPolygon"
    assert len(pieces["geometry"]["coordinates"]) == 2
    assert single["properties"] == {
        "objectType": "detection",
        "label": 3,
        "classification": {"name": "T", "color": [1, 2, 3]},
        "measurements": {"label": 3, "CD8": 4, "MS4A1 (imputed)": 2.5},
        "metadata": {"label": "3"},
    }
    assert pieces["properties"]["classification"] == {
        "name": "unmatched",
        "color": list(rgb(GREY)),
    }
    assert "MS4A1 (imputed)" not in pieces["properties"]["measurements"], "JSON has no NaN"
    assert "CD8" not in holed["properties"]["measurements"]


def test_a_table_of_other_labels_is_refused_everywhere(
    cells: AnnData, labels: NDArray[np.int32], tmp_path: Path
) -> None:
    other = np.where(labels == 9, 10, labels)
    for name, params in (
        ("a.geojson", ng.HandOverParams()),
        ("a.ome.zarr", ng.HandOverParams()),
        ("v", ng.HandOverParams(format="vitessce")),
    ):
        with pytest.raises(InputError, match=r"1 of 4 cells .* not in the labels image, label 9"):
            ng.hand_over(cells, tmp_path / name, params, labels=other)
        with pytest.raises(InputError, match="give their labels image"):
            ng.hand_over(cells, tmp_path / name, params)
    with pytest.raises(InputError, match=r"Choose one plane"):
        write_geojson(cells, labels[None], tmp_path / "a.geojson")
    with pytest.raises(InputError, match="No numbers are called note"):
        write_geojson(cells, labels, tmp_path / "a.geojson", GeoJsonParams(measurements=("note",)))
    assert not list(tmp_path.iterdir())


def test_classes_and_their_colours(cells: AnnData) -> None:
    found = classes_of(cells)
    assert found.column == "cell_type_transferred"
    assert list(found.names) == ["T", "B", "T", "unmatched"]
    assert found.colors["unmatched"] == GREY
    cells.uns["cell_type_transferred_colors"] = np.array(["#ff0000ff", "#00ff00"])
    assert classes_of(cells).colors["B"] == "#ff0000"
    assert classes_of(cells, colors={"B": "#123456", "none": "#0"}).colors["B"] == "#123456"
    cells.obs["score"] = 0.5
    with pytest.raises(InputError, match="holds numbers"):
        classes_of(cells, "score")
    with pytest.raises(InputError, match="is no colour"):
        rgb("green")
    assert classes_of(cells[:, :].copy()[:, []]).column == "cell_type_transferred"
    del cells.obs["cell_type_transferred"]
    assert classes_of(cells).column == ""


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_as_ome_zarr(
    version: Any, cells: AnnData, labels: NDArray[np.int32], tmp_path: Path
) -> None:
    path = tmp_path / "labels.ome.zarr"
    write_ome_zarr_labels(labels, path, cells, 0.5, version=version)
    np.testing.assert_array_equal(ng.read_labels(path), labels)
    group = zarr.open_group(path, mode="r")
    assert group.metadata.zarr_format == (2 if version == "0.4" else 3)
    about = dict(group.attrs) if version == "0.4" else dict(group.attrs)["ome"]
    image = about["multiscales"][0]
    assert image["axes"][0] == {"name": "y", "type": "space", "unit": "micrometer"}
    assert image["datasets"][0]["coordinateTransformations"][0]["scale"] == [0.5, 0.5]
    assert (image if version == "0.4" else about)["version"] == version
    told = about["image-label"]
    assert {one["label-value"]: one["cell_type_transferred"] for one in told["properties"]} == {
        300_000: "T",
        9: "B",
        3: "T",
        7: "unmatched",
    }
    assert {"label-value": 7, "rgba": [*rgb(GREY), 255]} in told["colors"]
    assert np.asarray(group["0"]).dtype == np.uint32


def test_old_ome_zarr_has_nested_chunks_and_a_pyramid(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 9, (1500, 1100)).astype(np.int32)
    write_labels(labels, tmp_path / "a.zarr", ome_zarr="0.4")
    assert (tmp_path / "a.zarr" / "0" / "1" / "1").is_file()
    coarse = zarr.open_array(tmp_path / "a.zarr" / "1", mode="r")[:]
    np.testing.assert_array_equal(
        coarse, labels.reshape(750, 2, 550, 2).max(axis=(1, 3)).astype(coarse.dtype)
    )


def test_a_folder_for_vitessce(cells: AnnData, labels: NDArray[np.int32], tmp_path: Path) -> None:
    folder = tmp_path / "view"
    params = VitessceParams(base_url="https://x.org/a/")
    for _ in range(2):
        write_vitessce(cells, labels, folder, params, genes=GENES, colors={"B": "#0a0b0c"})
    assert sorted(one.name for one in tmp_path.iterdir()) == ["view"]
    table = anndata.read_zarr(folder / "cells.zarr")
    assert list(table.obs_names) == ["300000", "9", "3", "7"], "named by their labels"
    assert list(table.var_names) == ["CD3", "CD8", "MS4A1 (imputed)"]
    np.testing.assert_allclose(table.X[:, 2], [0.5, 1.5, 2.5, np.nan])
    np.testing.assert_array_equal(ng.read_labels(folder / "labels.ome.zarr"), labels)
    config = json.loads((folder / "vitessce.json").read_text())
    files = config["datasets"][0]["files"]
    assert [one["url"] for one in files] == [
        "https://x.org/a/labels.ome.zarr",
        "https://x.org/a/cells.zarr",
    ]
    options = files[1]["options"]
    for part in (*options["obsSets"], *options["obsEmbedding"], options["obsFeatureMatrix"]):
        assert part["path"] in zarr.open_group(folder / "cells.zarr", mode="r")
    space = config["coordinationSpace"]
    assert {"path": ["cell_type_transferred", "B"], "color": [10, 11, 12]} in space["obsSetColor"][
        "A"
    ]
    for view in config["layout"]:
        for name, scope in view["coordinationScopes"].items():
            assert scope in space[name]
    (folder / "vitessce.json").unlink()
    with pytest.raises(InputError, match="no Vitessce folder"):
        write_vitessce(cells, labels, folder, params)


def test_formats_by_name(tmp_path: Path) -> None:
    wanted = {
        "a.csv": "table", "a.CSV.gz": "table", "a.parquet": "table", "a.geojson": "geojson",
        "a.h5ad": "anndata", "a.zarr": "anndata", "a.zarr.zip": "anndata",
        "a.sdata.zarr": "spatialdata", "a.ome.zarr": "ome-zarr-labels",
    }  # fmt: skip
    assert {name: format_of(Path(name)) for name in wanted} == wanted
    assert format_of(Path("a.zarr"), "spatialdata") == "spatialdata"
    assert [name for name in wanted if needs_labels(Path(name))] == [
        "a.geojson",
        "a.sdata.zarr",
        "a.ome.zarr",
    ]
    with pytest.raises(InputError, match=r"a\.xlsx does not say what to write"):
        format_of(Path("a.xlsx"))


def test_handing_over_genes(
    typed_of: Callable[..., Any], tmp_path: Path, labels: NDArray[np.int32]
) -> None:
    typed = typed_of(2)
    result = ng.integrate(typed.cells, typed.reference)
    masks = np.arange(11, 101, dtype=np.int32).reshape(9, 10)
    expected = ng.impute(result, typed.reference, "GENE30")
    seen = np.where(result.obs["gluer_unmatched"], np.nan, expected)
    given: dict[str, Any] = {"reference": typed.reference, "genes": ["GENE30"], "labels": masks}
    table = pd.read_csv(ng.hand_over(result, tmp_path / "a.csv", **given))
    np.testing.assert_allclose(table["GENE30 (imputed)"], seen, rtol=1e-5)
    back = ng.read_cells(ng.hand_over(result, tmp_path / "a.zarr", **given))
    np.testing.assert_array_equal(back.obsm["imputed"]["GENE30"], seen)
    assert "imputed" not in result.obsm
    features = json.loads(ng.hand_over(result, tmp_path / "a.geojson", **given).read_text())
    values = {f["properties"]["label"]: f["properties"] for f in features["features"]}
    first = int(result.obs["label"].iloc[0])
    assert values[first]["measurements"]["GENE30 (imputed)"] == pytest.approx(seen[0], rel=1e-5)
    with pytest.raises(InputError, match="give it too"):
        ng.hand_over(result, tmp_path / "b.csv", genes=["GENE30"])
    given["genes"] = ["GENE30", "GENE30"]
    with pytest.raises(InputError, match="named twice"):
        ng.hand_over(result, tmp_path / "b.csv", **given)


def test_spatialdata_is_named_where_it_is_missing(
    cells: AnnData,
    labels: NDArray[np.int32],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "spatialdata", None)
    with pytest.raises(InputError, match=r"pip install 'napari-gluer\[spatialdata\]'"):
        write_spatialdata(cells, labels, tmp_path / "a.sdata.zarr")
