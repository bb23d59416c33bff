"""The main job on real tissue: an image, a table of proteins, a table of genes."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import napari_gluer as ng

pytestmark = pytest.mark.shared_data

CASES = {
    "mibi": (
        "mibi_dcis_simpleseg/Point2203_pt1072_31606.ome.tif",
        "citeseq_pbmc_bremsc/rna.h5ad",
        (500, 700),
        "segment",
    ),
    "codex": (
        "codex_human_spleen/codex_spleen_10000x28.h5ad",
        "citeseq_pbmc_bremsc/rna.h5ad",
        (9000, 10_000),
        "draw",
    ),
    "seqfish": (
        "seqfish_zhu_tasic/seqfish_113.h5ad",
        "seqfish_zhu_tasic/tasic_scrna_113.h5ad",
        (1597, 1597),
        "draw",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_main_job_on_real_tissue(case: str, shared_data: Path, tmp_path: Path) -> None:
    source, reference, (fewest, most), step = CASES[case]
    result = ng.run(ng.Inputs(shared_data / source, shared_data / reference), tmp_path)
    cells = ng.read_cells(tmp_path / "cells.h5ad")
    assert fewest <= cells.n_obs <= most
    labels = tifffile.imread(tmp_path / "labels.ome.tif")
    assert np.isin(cells.obs["label"], labels).all()
    np.testing.assert_allclose(
        np.asarray(cells.obsm["gluer_weights"].sum(axis=1)).ravel(), 1, rtol=1e-5
    )
    assert len(list(tmp_path.glob("gene_*.png"))) == 2
    assert (tmp_path / "clusters.png").stat().st_size > 10_000
    assert step in json.loads((tmp_path / "run.json").read_text())["steps"]
    types = cells.obs["cell_type_transferred"]
    assert set(types.cat.categories) <= set(result.reference.obs["cell_type"])
    assert "unknown" not in set(types.cat.categories)


def test_spleen_cells_keep_their_place(shared_data: Path) -> None:
    cells = ng.read_cells(shared_data / CASES["codex"][0])
    labels, drawn = ng.draw_cells(cells)
    mapping = drawn.uns["gluer"]["drawn"]
    assert mapping["y_flipped"]
    for i in (0, 4000, 9999):
        rows, columns = np.nonzero(labels == drawn.obs["label"].iloc[i])
        x, y = drawn.obsm["spatial"][i]
        column = (x - mapping["origin"][0]) / mapping["pixel_size"]
        row = (-y - mapping["origin"][1]) / mapping["pixel_size"]
        assert abs(columns.mean() - column) < 4
        assert abs(rows.mean() - row) < 4


def test_seqfish_types_agree_with_their_classifier(shared_data: Path) -> None:
    source, reference, *_ = CASES["seqfish"]
    cells = ng.read_cells(shared_data / source)
    atlas = ng.read_reference(shared_data / reference)
    found = ng.integrate(cells, atlas)
    types = ng.transfer_labels(found, atlas, "cell_type")["cell_type_transferred"].astype(str)
    agreement = (types == cells.obs["svm_label"].astype(str)).mean()
    # far from chance; the labels are themselves a classifier's, so no more is asked
    assert agreement > 0.58  # the commonest type is 0.54 of the cells
