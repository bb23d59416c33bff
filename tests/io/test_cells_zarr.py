"""Tables as zarr folders and zips: back as they were, one error for what is none."""

import shutil
import zipfile
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import zarr
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.io.cells import read_cells, read_table, write_cells
from napari_gluer.io.cells_zarr import is_zarr_table
from napari_gluer.io.references import read_reference
from napari_gluer.io.subsampling import SubsampleParams

ENDINGS = (".h5ad", ".zarr", ".zarr.zip")


@pytest.fixture
def cells() -> AnnData:
    rng = np.random.default_rng(0)
    table = AnnData(
        rng.random((6, 3), np.float32),
        obs=pd.DataFrame(
            {"label": [4, 1, 9, 30, 31, 7], "type": pd.Categorical(list("abacab"))},
            index=[f"s1-{i}" for i in range(6)],
        ),
        var=pd.DataFrame(
            {"genes": ["A", "B;C", ""], "role": "marker"}, index=["CD3", "CD8", "DAPI"]
        ),
        obsm={"spatial": rng.random((6, 2))},
        layers={"raw": rng.random((6, 3))},
    )
    table.obsm[slots.WEIGHTS] = sparse.random(6, 8, 0.4, "csr", np.float32, random_state=0)
    slots.note(table, kind="intensity", spatial_unit="um", seed=3, clean={"dropped": {"size": 3}})
    return table


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_table_comes_back_as_it_was(tmp_path: Path, cells: AnnData, ending: str) -> None:
    path = tmp_path / f"cells{ending}"
    for _ in range(2):  # also over an older one
        write_cells(cells, path)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    back = read_cells(path)
    np.testing.assert_array_equal(back.X, cells.X)
    assert list(back.obs["label"]) == list(cells.obs["label"])
    assert list(back.obs_names) == list(cells.obs_names)
    assert list(back.obs["type"]) == list(cells.obs["type"])
    assert list(back.var["genes"]) == list(cells.var["genes"])
    np.testing.assert_array_equal(back.layers["raw"], cells.layers["raw"])
    assert (back.obsm[slots.WEIGHTS] != cells.obsm[slots.WEIGHTS]).nnz == 0
    known = slots.info(back)
    assert known["clean"] == {"dropped": {"size": 3}}
    assert (known["seed"], known["path"]) == (3, str(path))


def test_plain_anndata_opens_the_folder(tmp_path: Path, cells: AnnData) -> None:
    write_cells(cells, tmp_path / "cells.zarr")
    np.testing.assert_array_equal(anndata.read_zarr(tmp_path / "cells.zarr").X, cells.X)


def test_text_is_of_objects_as_from_h5ad(tmp_path: Path, cells: AnnData) -> None:
    cells.uns["text"] = {"deep": {"names": np.array(["a", "b" * 99], object)}, "one": "c"}
    for ending in (".zarr", ".h5ad"):
        write_cells(cells, tmp_path / f"cells{ending}")
        found = read_cells(tmp_path / f"cells{ending}").uns["text"]
        assert found["deep"]["names"].dtype == object
        assert found["deep"]["names"].tolist() == ["a", "b" * 99]
        assert found["one"] == "c"


def test_the_same_table_makes_the_same_zip(tmp_path: Path, cells: AnnData) -> None:
    for name in ("a", "b"):
        write_cells(cells, tmp_path / f"{name}.zarr.zip")
    assert (tmp_path / "a.zarr.zip").read_bytes() == (tmp_path / "b.zarr.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zarr.zip") as archive:
        names = archive.namelist()
    assert len(names) == len(set(names))


def test_a_reference_is_read_from_zarr_whole_and_in_part(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(2.0, (40, 5)).astype(np.float32)
    obs = pd.DataFrame({"t": ["a", "b"] * 20}, index=[f"r{i}" for i in range(40)])
    table = AnnData(sparse.csr_matrix(counts), obs=obs)
    table.var_names = [f"G{i}" for i in range(5)]
    write_cells(table, tmp_path / "r.zarr")
    write_cells(table, tmp_path / "r.h5ad")
    params = SubsampleParams(n_cells=12, by=("t",), least=2)
    for some in (None, params):
        found = read_reference(tmp_path / "r.zarr", some)
        expected = read_reference(tmp_path / "r.h5ad", some)
        assert list(found.obs_names) == list(expected.obs_names)
        assert (found.X != expected.X).nnz == 0
    assert slots.info(found)["subsample"]["n_before"] == 40


def test_names_and_folders_that_are_no_tables_are_refused(tmp_path: Path, cells: AnnData) -> None:
    other = tmp_path / "mine.zarr"
    other.mkdir()
    (other / "thesis.docx").touch()
    with pytest.raises(InputError, match="folder with other things in it"):
        write_cells(cells, other)
    assert [one.name for one in other.iterdir()] == ["thesis.docx"]
    with pytest.raises(InputError, match=r"no folder .*none\.zarr"):
        read_cells(tmp_path / "none.zarr")
    (tmp_path / "text.zarr.zip").write_text("hello")
    with pytest.raises(InputError, match=r"text\.zarr\.zip cannot be read"):
        read_cells(tmp_path / "text.zarr.zip")
    with pytest.raises(InputError, match=r"mine\.zarr cannot be read"):
        read_cells(other)


def test_an_image_is_told_from_a_table(tmp_path: Path, cells: AnnData) -> None:
    group = zarr.create_group(tmp_path / "image.zarr")
    group.create_array("0", shape=(4, 4), dtype="u1")
    with pytest.raises(InputError, match=r"holds 0 in place of obs and var\. Is it an image"):
        read_cells(tmp_path / "image.zarr")
    write_cells(cells, tmp_path / "cells.zarr")
    write_cells(cells, tmp_path / "cells.zarr.zip")
    found = {name: is_zarr_table(tmp_path / name) for name in ("image.zarr", "cells.zarr")}
    assert found == {"image.zarr": False, "cells.zarr": True}
    assert is_zarr_table(tmp_path / "cells.zarr.zip")
    assert not is_zarr_table(tmp_path / "none.zarr")


@pytest.mark.parametrize("lost", ["X", "obs/label", "var"])
def test_a_folder_that_lost_a_part_is_refused(tmp_path: Path, cells: AnnData, lost: str) -> None:
    write_cells(cells, tmp_path / "cells.zarr")
    shutil.rmtree(tmp_path / "cells.zarr" / lost)
    for meta in (tmp_path / "cells.zarr").glob(".zmetadata"):
        meta.unlink()
    if lost == "X":  # a table may have none, but no cells without values
        with pytest.raises(InputError, match="has no X"):
            read_cells(tmp_path / "cells.zarr")
        return
    with pytest.raises(InputError, match=r"cells\.zarr"):
        read_table(tmp_path / "cells.zarr")


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    write_cells(AnnData(np.zeros((0, 3), np.float32)), tmp_path / "none.zarr")
    with pytest.raises(InputError, match="0 cells × 3 columns"):
        read_cells(tmp_path / "none.zarr")
