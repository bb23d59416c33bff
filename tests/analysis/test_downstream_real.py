"""Imputed markers and names on real cells whose own expression is known."""

from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

import napari_gluer as ng
from napari_gluer.analysis.clustering import ClusterParams, cluster
from napari_gluer.analysis.marker_genes import MarkerParams, marker_genes
from napari_gluer.analysis.naming import name_clusters
from napari_gluer.analysis.rank_sums import contrasts
from napari_gluer.expression import expression

pytestmark = pytest.mark.shared_data
LISTS = {
    "B cells": ["MS4A1", "CD79A", "CD79B", "CD19", "CD37"],
    "NK cells": ["NKG7", "GNLY", "KLRD1", "KLRF1", "PRF1"],
    "CD14+ monocytes": ["CD14", "LYZ", "S100A8", "S100A9", "FCN1"],
    "CD8+ T cells": ["CD8A", "CD8B", "CD3D", "CD3E"],
    "CD4+ T cells": ["CD4", "IL7R", "CD3D", "CD3E"],
    "neuron": ["SNAP25", "SYT1", "RBFOX3", "GAD1"],
    "hepatocyte": ["ALB", "APOA1", "TTR", "APOB"],
}


@pytest.fixture(scope="module")
def sides(shared_data: Path) -> tuple[AnnData, AnnData]:
    """Proteins of PBMC, integrated with the RNA of the same cells, in clusters."""
    folder = shared_data / "citeseq_pbmc_bremsc"
    reference = ng.read_reference(folder / "rna.h5ad")
    cells = ng.integrate(ng.read_cells(folder / "adt.h5ad"), reference, seed=0)
    return cluster(cells, ClusterParams(resolution=0.5)), reference


def test_clusters_get_the_names_that_their_authors_gave(sides: tuple[AnnData, AnnData]) -> None:
    cells, reference = sides
    found = name_clusters(cells, "cluster", LISTS, reference=reference)
    own = cells.obs.groupby("cluster", observed=True)["cell_type"]
    truth = own.agg(lambda types: types[types != "unknown"].mode()[0]).astype(str)
    named = found.set_index("group")["name"]
    assert not named.isin(["neuron", "hepatocyte"]).any()
    assert (named == truth.loc[named.index]).mean() >= 0.8


def test_no_list_of_genes_that_blood_lacks_fits(sides: tuple[AnnData, AnnData]) -> None:
    cells, reference = sides
    absent = {name: LISTS[name] for name in ("neuron", "hepatocyte")}
    found = name_clusters(cells, "cluster", absent, reference=reference)
    assert (found["name"] == "none fits").mean() >= 0.8


def test_imputed_markers_are_markers_of_the_cells_themselves(
    sides: tuple[AnnData, AnnData],
) -> None:
    cells, reference = sides
    best = marker_genes(cells, "cluster", reference=reference, params=MarkerParams(n_genes=10))
    kept = cells.obs["cluster"].notna().to_numpy()
    names = list(cells.obs["cluster"].cat.categories)
    members = cells.obs["cluster"].to_numpy(str)[kept][:, None] == np.array(names)
    expressed = expression(reference)
    own = contrasts(sparse.csc_matrix(expressed.matrix[np.flatnonzero(kept)]), members)
    found = [
        own.auroc[names.index(row.group), expressed.genes.get_loc(row.gene)]
        for row in best.itertuples()
    ]
    assert np.mean(found) > 0.7
