"""Commands on what follows an integration, as a person would use them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, read_h5ad

import napari_gluer as ng
from napari_gluer import cli
from napari_gluer.analysis.trajectory import pseudotime_of

FAST = ["--network.max-epochs", "3"]


def call(*words: object) -> int:
    """Exit status of ``napari-gluer words``."""
    return cli.main([str(word) for word in words])


def table(n_cells: int, n_genes: int, seed: int) -> AnnData:
    """Counts of two types; even genes are of the first, odd ones of the second."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n_cells) % 2
    mean = np.where((np.arange(n_genes) % 2 == 0) == (kind[:, None] == 0), 20, 2)
    mean[:, 12:] = 8
    made = AnnData(rng.poisson(mean).astype(np.float32))
    made.var_names = [f"GENE{i}" for i in range(n_genes)]
    made.obs_names = [f"r{i}" for i in range(n_cells)]
    made.obs["cell_type"] = np.where(kind == 0, "first", "second")
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference, and cells integrated with it whose types were transferred."""
    folder = tmp_path_factory.mktemp("analysing")
    table(80, 60, 0).write_h5ad(folder / "reference.h5ad")
    cells = table(60, 12, 1)
    cells.obs["label"] = np.arange(60) * 3 + 1
    cells.obs["half"] = np.where(np.arange(60) < 30, "upper", "lower")
    cells.obsm["spatial"] = np.column_stack([np.arange(60) % 10, np.arange(60) // 10]) * 5.0
    cells.uns["gluer"] = {"spatial_unit": "um"}
    cells.write_h5ad(folder / "raw.h5ad")
    where = ("--reference", folder / "reference.h5ad")
    assert call("integrate", folder / "raw.h5ad", *where, "--out", folder / "c.h5ad", *FAST) == 0
    words = ("transfer", folder / "c.h5ad", "cell_type", *where, "--out", folder / "c.h5ad")
    assert call(*words) == 0
    return folder


@pytest.mark.parametrize("imputed", [True, False])
def test_markers(folder: Path, imputed: bool, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--reference", folder / "reference.h5ad") if imputed else ()
    out = folder / "markers.csv"
    words = ("markers", folder / "c.h5ad", "cell_type_transferred", *where, "--n-genes", 3)
    assert call(*words, "--out", out) == 0
    found = pd.read_csv(out)
    assert found.groupby("group").size().to_dict() == {"first": 3, "second": 3}
    for group, odd in (("first", 0), ("second", 1)):
        genes = found.loc[found["group"] == group, "gene"].str[4:].astype(int)
        assert (genes % 2 == odd).all()
        assert (genes < 12).all()
    said = capsys.readouterr().out
    assert f"{'60 imputed' if imputed else '12 measured'} genes in 2 of 2 groups" in said
    assert "optimistic" in said


def test_clusters_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists = folder / "lists.csv"
    rows = [f"even,GENE{i}" for i in (0, 2, 4)] + [f"other,GENE{i}" for i in (20, 31, 42)]
    lists.write_text("\n".join(["type,gene", *rows]), encoding="utf-8")
    words = ("name-clusters", folder / "c.h5ad", "cell_type_transferred")
    where = ("--reference", folder / "reference.h5ad", "--out", folder / "names.csv")
    assert call(*words, lists, *where) == 0
    found = pd.read_csv(folder / "names.csv").set_index("group")
    assert found["name"].to_dict() == {"first": "even", "second": "none fits"}
    assert "1 of 2 groups named" in capsys.readouterr().out
    assert call(*words, "cell_type", *where) == 0
    found = pd.read_csv(folder / "names.csv").set_index("group")
    assert found["best"].to_dict() == {"first": "first", "second": "second"}


def test_a_trajectory_of_the_joint_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joint, out = folder / "joint.h5ad", folder / "ordered.h5ad"
    where = ("--reference", folder / "reference.h5ad")
    layout = ("--layout.kind", "umap", "--layout.n-neighbors", 5)
    assert call("coembed", folder / "c.h5ad", *where, *layout, "--out", joint) == 0
    words = ("trajectory", joint, "--root-cell", "cell_r4", "--n-neighbors", 100)
    assert call(*words, "--out", out) == 0
    found = read_h5ad(out)
    assert found.obs.loc["cell_r4", "pseudotime"] == 0
    assert json.loads(found.uns["gluer"]["trajectory"])["root"] == "cell_r4"
    assert "Pseudotime of 140 cells from cell_r4" in capsys.readouterr().out
    cells = ng.read_cells(folder / "c.h5ad")
    assert pseudotime_of(cells, found)["r4"] == 0


def test_a_trajectory_of_cells_from_a_group(folder: Path) -> None:
    out = folder / "ordered.h5ad"
    words = ("trajectory", folder / "c.h5ad", "--n-neighbors", 45, "--out", out)
    group = ("--root-group", "cell_type_transferred", "first")
    assert call(*words, "--groups", "cell_type_transferred", *group) == 0
    found = ng.read_cells(out)
    first = (found.obs["cell_type_transferred"] == "first").to_numpy()
    times = found.obs["pseudotime"].to_numpy()
    assert np.nanmedian(times[first]) < np.nanmedian(times[~first])
    assert found.uns["paga"]["connectivities"].shape == (2, 2)


def test_a_trajectory_wants_one_root(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("trajectory", folder / "c.h5ad", "--out", folder / "no.h5ad")
    assert call(*words) == 2
    assert call(*words, "--root-cell", "r4", "--root-label", 4) == 2
    assert capsys.readouterr().err.count("Give one root") == 2
    assert call(*words, "--root-label", 5) == 2
    assert "label 5, is not in the table" in capsys.readouterr().err
    assert not (folder / "no.h5ad").exists()


def test_regions_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outlines = folder / "regions.geojson"
    ring = [[-1, -1], [101, -1], [101, 29], [-1, 29], [-1, -1]]  # 100 px wide: pixels of 0.5 µm
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"name": "top"},
    }
    outlines.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    where = ("--regions", outlines, "--by", "cell_type_transferred", "--genes", "GENE0", "GENE33")
    words = ("compare-regions", folder / "c.h5ad", *where, "--out", folder / "compared")
    assert call(*words, "--reference", folder / "reference.h5ad") == 2
    assert "pixel_size_um" in capsys.readouterr().err
    scale = ("--pixel-size-um", 0.5)
    assert call(*words, "--reference", folder / "reference.h5ad", *scale) == 0
    assert "30 in top, 30 in outside, pixels of 0.5 µm" in capsys.readouterr().out
    sizes, composition, expression = (
        pd.read_csv(folder / "compared" / f"{name}.csv")
        for name in ("regions", "composition", "expression")
    )
    assert sizes["n_cells"].tolist() == [30, 30]
    assert composition["n"].sum() == 60
    assert set(expression["feature"]) == {"GENE0", "GENE33"}
    again = ("--column", "half", "--by", "cell_type_transferred", "--genes", "all")
    assert call("compare-regions", folder / "c.h5ad", *again, "--out", folder / "by_column") == 0
    found = pd.read_csv(folder / "by_column" / "expression.csv")
    assert set(found["region"]) == {"upper", "lower"}
    assert len(found) == 2 * 12


def test_what_cannot_be_written_or_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = folder / "c.h5ad"
    assert call("markers", cells, "cluster", "--out", folder / "m.xlsx") == 2
    assert "name ends in .csv" in capsys.readouterr().err
    assert call("markers", cells, "nothing", "--out", folder / "none.csv") == 2
    assert "no obs['nothing']" in capsys.readouterr().err
    assert not (folder / "none.csv").exists()
    both = ("--regions", folder / "r.geojson", "--column", "half")
    assert call("compare-regions", cells, *both, "--by", "half", "--out", folder / "x") == 2
    assert "one of them" in capsys.readouterr().err
    assert call("compare-regions", cells, "--column", "half", "--out", cells) == 2
    assert "folder for the tables" in capsys.readouterr().err
    lists = folder / "own.csv"
    lists.write_text("type,gene\na,GENE0\n", encoding="utf-8")
    assert call("name-clusters", cells, "half", lists, "--out", lists) == 2
    assert "is read by this command" in capsys.readouterr().err
