"""Confidence of cells in a whole integration: what it is made of, and that it tells right."""

import json
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse
from sklearn.metrics import roc_auc_score

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.integration.readout import best_types, chance_to_be_right, codes_of
from napari_gluer.integration.transfer import membership

QUICK: dict[str, Any] = {"network": {"max_epochs": 3}}


def integrated(typed: Any, **params: Any) -> AnnData:
    return ng.integrate(typed.cells, typed.reference, ng.IntegrateParams(**QUICK, **params))


def test_the_chance_rises_with_the_probability_and_keeps_its_ends() -> None:
    probability = np.linspace(0, 1, 101)
    chance = chance_to_be_right(probability)
    assert chance.dtype == np.float32
    assert chance[0] == 0
    assert chance[-1] > 0.9999
    assert (np.diff(chance) >= 0).all()
    np.testing.assert_allclose(chance[50], 1 / (1 + np.exp(-0.26)), atol=1e-6)


def test_it_is_the_chance_of_the_transferred_type(typed: Any) -> None:
    cells = integrated(typed)
    found = ng.transfer_labels(cells, typed.reference, "cell_type", unmatched="named")
    np.testing.assert_allclose(cells.obs["gluer_confidence"], found["cell_type_probability"])
    _, has_type = membership(typed.reference, "cell_type")
    factors = cells.uns["gluer"]["reference_unmapped"], cells.obsm["X_gluer_unmapped"]
    best = best_types(cells.obsm["gluer_weights"], factors, has_type)
    np.testing.assert_allclose(best.chance, found["cell_type_probability"])
    assert json.loads(cells.uns["gluer"]["absence"])["column"] == "cell_type"


def test_without_types_it_is_the_support(typed: Any) -> None:
    reference = typed.reference.copy()
    del reference.obs["cell_type"]
    cells = ng.integrate(typed.cells, reference, ng.IntegrateParams(**QUICK))
    np.testing.assert_array_equal(cells.obs["gluer_confidence"], cells.obs["gluer_support"])
    known = json.loads(cells.uns["gluer"]["absence"])
    assert known["column"] == ""
    assert "no column of types is known" in cells.uns["gluer"]["outcome"]


def test_anchored_is_the_share_of_weights_on_anchors(typed: Any) -> None:
    pairs = np.array([[3, 0], [7, 4], [3, 5]])
    reference = typed.reference
    cells = ng.integrate(typed.cells, reference, ng.IntegrateParams(**QUICK), pairs=pairs)
    weights = cells.obsm["gluer_weights"].toarray()
    np.testing.assert_allclose(
        cells.obs["gluer_anchored"], weights[:, [3, 7]].sum(axis=1), atol=1e-6
    )


def test_cells_without_signal_have_neither(typed: Any) -> None:
    cells = typed.cells.copy()
    cells.X[[2, 5]] = 0
    found = ng.integrate(cells, typed.reference, ng.IntegrateParams(**QUICK))
    assert list(np.flatnonzero(found.obs["gluer_support"].isna())) == [2, 5]
    assert (found.obs["gluer_confidence"].iloc[[2, 5]] == 0).all()
    assert found.obs["gluer_unmatched"].iloc[[2, 5]].all()
    assert "2 cells without signal are unmatched" in found.uns["gluer"]["outcome"]


def test_the_column_can_be_chosen_and_must_hold_types(typed: Any) -> None:
    reference = typed.reference.copy()
    reference.obs["kind"] = np.where(reference.obs["cell_type"] == "B cell", "B", "other")
    cells = ng.integrate(
        typed.cells, reference, ng.IntegrateParams(**QUICK, absence={"label_column": "kind"})
    )
    found = ng.transfer_labels(cells, reference, "kind", unmatched="named")
    np.testing.assert_allclose(cells.obs["gluer_confidence"], found["kind_probability"])
    with pytest.raises(InputError, match=r"no obs\['sort'\]"):
        integrated(typed, absence={"label_column": "sort"})


def test_paper_does_not_look_for_absent_types(typed: Any) -> None:
    params = ng.IntegrateParams(preset="paper", network={"max_epochs": 2})
    cells = ng.integrate(typed.cells, typed.reference, params)
    assert not cells.obs["gluer_unmatched"].any()
    assert "auroc" not in json.loads(cells.uns["gluer"]["absence"])


def test_codes_of_reference_cells() -> None:
    typed = np.array([[0, 1], [0, 0], [1, 0]], np.float32)

    assert list(codes_of(sparse.csr_matrix(typed))) == [1, -1, 0]


def test_on_the_simulated_tissue_it_tells_right_from_wrong(tissue: Any) -> None:
    cells = ng.clean(ng.measure(tissue.image, tissue.labels))
    cells = ng.integrate(cells, tissue.reference)
    found = ng.transfer_labels(cells, tissue.reference, "cell_type", unmatched="named")
    place = {int(label): i for i, label in enumerate(tissue.truth.obs["label"])}
    truth = tissue.truth.obs["cell_type"].to_numpy()[[place[int(v)] for v in cells.obs["label"]]]
    right = found["cell_type_transferred"].astype(str).to_numpy() == truth
    confidence = cells.obs["gluer_confidence"].to_numpy()
    assert roc_auc_score(right, confidence) > 0.7
    assert abs(confidence.mean() - right.mean()) < 0.08


@pytest.mark.shared_data
def test_on_citeseq_a_removed_type_comes_out_unmatched(shared_data: Any) -> None:
    folder = shared_data / "citeseq_pbmc_bremsc"
    reference = ng.read_reference(folder / "rna.h5ad")
    cells = ng.read_cells(folder / "adt.h5ad")
    kinds = reference.obs["cell_type"].astype(str).to_numpy()
    kept = kinds != "unknown"
    reference, cells, kinds = reference[kept].copy(), cells[kept].copy(), kinds[kept]
    found = ng.integrate(cells, reference[kinds != "CD14+ monocytes"].copy())
    unmatched = found.obs["gluer_unmatched"].to_numpy()
    assert unmatched[kinds == "CD14+ monocytes"].mean() >= 0.7
    assert unmatched[kinds != "CD14+ monocytes"].mean() <= 0.15
    named = ng.transfer_labels(found, reference[kinds != "CD14+ monocytes"].copy(), "cell_type")
    assert named["cell_type_transferred"].isna().to_numpy()[unmatched].all()
