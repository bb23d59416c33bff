"""Results open in scanpy, squidpy and SpatialData as they are (tools/test_extras runs these)."""

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData

import napari_gluer as ng
from napari_gluer.sample import SampleTissue

pytestmark = pytest.mark.filterwarnings("ignore")  # of the other programs
GENE = 0
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def result(tissue: SampleTissue) -> AnnData:
    cells = ng.clean(ng.measure(tissue.image, tissue.labels))
    cells = ng.integrate(cells, tissue.reference)
    cells.obs = cells.obs.join(ng.transfer_labels(cells, tissue.reference, "cell_type"))
    return ng.cluster(cells)


@pytest.fixture(scope="module", params=["memory", ".h5ad", ".zarr", ".zarr.zip"])
def opened(
    request: pytest.FixtureRequest, result: AnnData, tmp_path_factory: pytest.TempPathFactory
) -> AnnData:
    """The result as it is, and as plain anndata reads what we wrote."""
    if request.param == "memory":
        return result.copy()
    path = tmp_path_factory.mktemp("out") / f"cells{request.param}"
    ng.write_cells(result, path)
    return ng.read_cells(path)


def test_scanpy(opened: AnnData) -> None:
    sc.pp.neighbors(opened, use_rep="X_gluer", n_neighbors=10)
    sc.tl.umap(opened, maxiter=10)
    assert opened.obsm["X_umap"].shape == (opened.n_obs, 2)
    named = opened[opened.obs["cell_type_transferred"].notna()].copy()
    sc.tl.rank_genes_groups(named, "cell_type_transferred", method="t-test")
    first = sc.get.rank_genes_groups_df(named, None)
    assert set(first["names"]) <= set(opened.var_names)
    sc.get.obs_df(opened, keys=[str(opened.var_names[0]), "cluster", "gluer_confidence"])


def test_squidpy(opened: AnnData) -> None:
    sq = pytest.importorskip("squidpy", reason="squidpy is not installed (tools/test_extras)")
    named = opened[opened.obs["cell_type_transferred"].notna()].copy()
    named.obs["cell_type_transferred"] = named.obs[
        "cell_type_transferred"
    ].cat.remove_unused_categories()
    sq.gr.spatial_neighbors(named, coord_type="generic", n_neighs=6)
    assert named.obsp["spatial_connectivities"].shape == (named.n_obs, named.n_obs)
    sq.gr.nhood_enrichment(named, "cell_type_transferred", n_perms=20, seed=0)
    found = named.uns["cell_type_transferred_nhood_enrichment"]["zscore"]
    assert found.shape[0] == named.obs["cell_type_transferred"].nunique()
    assert np.diag(found).mean() > np.mean(found), "types of the sample lie in regions"


def written(result: AnnData, tissue: SampleTissue, folder: Path) -> Any:
    sd = pytest.importorskip("spatialdata", reason="spatialdata is not installed")
    path = ng.hand_over(
        result,
        folder / "tissue.sdata.zarr",
        labels=tissue.labels,
        image=tissue.image,
        reference=tissue.reference,
        genes=[str(tissue.reference.var_names[GENE])],
    )
    return sd.read_zarr(path)


def test_spatialdata_holds_image_labels_and_cells(
    result: AnnData, tissue: SampleTissue, tmp_path: Path
) -> None:
    whole = written(result, tissue, tmp_path)
    table = whole.tables["cells"]
    assert list(table.obs["label"]) == list(result.obs["label"])
    np.testing.assert_array_equal(table.X, result.X)
    assert table.uns["spatialdata_attrs"] == {
        "region": "cell_labels",
        "region_key": "region",
        "instance_key": "label",
    }
    imputed = ng.impute(result, tissue.reference, str(tissue.reference.var_names[GENE]))
    shown = ~result.obs["gluer_unmatched"].to_numpy()
    np.testing.assert_allclose(
        np.asarray(table.obsm["imputed"])[shown, 0], imputed[shown], rtol=1e-6
    )
    image = whole.images["image"]["scale0"]["image"]
    np.testing.assert_array_equal(np.asarray(image), tissue.image.data)
    assert list(image.coords["c"].values) == list(tissue.image.channels)


def test_spatialdata_joins_cells_to_labels_by_label(
    result: AnnData, tissue: SampleTissue, tmp_path: Path
) -> None:
    shuffled = result[np.random.default_rng(0).permutation(result.n_obs)].copy()
    whole = written(shuffled, tissue, tmp_path)
    sd = pytest.importorskip("spatialdata")
    elements, table = sd.join_spatialelement_table(
        sdata=whole, spatial_element_names=["cell_labels"], table_name="cells", how="left"
    )
    assert "cell_labels" in elements
    by_label = result.obs.set_index("label")["volume_px"]
    joined = table.obs.set_index("label")["volume_px"]
    assert joined.equals(by_label.loc[joined.index])
    labels = whole.labels["cell_labels"]
    labels = labels["scale0"]["image"] if hasattr(labels, "keys") else labels
    pixels = np.asarray(labels)
    np.testing.assert_array_equal(pixels, tissue.labels)
    centres = sd.get_centroids(whole["cell_labels"], coordinate_system="global").compute()
    spacing = tissue.image.spacing_um
    assert spacing is not None
    first = int(shuffled.obs["label"].iloc[0])
    expected = np.argwhere(tissue.labels == first).mean(axis=0)[::-1] * spacing[0]
    found = centres.loc[first].to_numpy()
    assert np.abs(found - expected).max() <= spacing[0], "global is in µm"


def test_labels_open_in_ome_zarr_py(result: AnnData, tissue: SampleTissue, tmp_path: Path) -> None:
    reader = pytest.importorskip("ome_zarr.reader", reason="ome-zarr is not installed")
    parse_url = pytest.importorskip("ome_zarr.io").parse_url
    path = ng.hand_over(result, tmp_path / "labels.ome.zarr", labels=tissue.labels)
    location = parse_url(path)
    assert location is not None
    nodes = list(reader.Reader(location)())
    assert nodes
    np.testing.assert_array_equal(np.asarray(nodes[0].data[0]), tissue.labels)


def test_a_volume_and_odd_names_go_into_spatialdata(tmp_path: Path) -> None:
    sd = pytest.importorskip("spatialdata", reason="spatialdata is not installed")
    labels = np.zeros((2, 5, 6), np.int32)
    labels[0, 1:3, 1:3], labels[1, 3:, 3:] = 4, 9
    cells = AnnData(
        np.ones((2, 1), np.float32),
        obs=pd.DataFrame({"label": [9, 4], "my note": ["a", "b"], "My_note": [1, 2]}, ["x", "y"]),
        layers={"raw/old": np.zeros((2, 1), np.float32)},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ng.hand_over(cells, tmp_path / "a.sdata.zarr", labels=labels)
        table = sd.read_zarr(tmp_path / "a.sdata.zarr").tables["cells"]
    assert list(table.obs["my_note"]) == ["a", "b"]
    assert list(table.obs["My_note_2"]) == [1, 2]
    assert list(table.obs["label"]) == [9, 4]
    assert list(table.layers) == ["raw_old"]


def test_the_page_on_squidpy_runs_as_it_stands(
    result: AnnData, tissue: SampleTissue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("squidpy", reason="squidpy is not installed (tools/test_extras)")
    monkeypatch.syspath_prepend(str(DOCS))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    pages = import_module("_generate.code")
    ng.write_cells(result, "cells.h5ad")
    names: dict[str, Any] = {"reference": tissue.reference}
    page = DOCS / "neighbourhoods.md"
    for block in pages.blocks(page):
        if block.language == "python":
            exec(compile(block.code, str(page), "exec"), names)  # noqa: S102 - our own text
    shown = names["cells"]
    assert not shown.obs["gluer_unmatched"].any()
    types = shown.obs["cell_type_transferred"].cat.categories
    assert shown.uns["cell_type_transferred_nhood_enrichment"]["zscore"].shape == (len(types),) * 2
