"""Evidence on genes from the reference alone, gene by gene and without a look at the cells."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

import napari_gluer as ng
from napari_gluer.expression import expression
from napari_gluer.trust import evidence
from napari_gluer.trust.evidence import measured_features, reference_evidence
from napari_gluer.trust.within import reference_left_out

QUICK = ng.IntegrateParams(network={"max_epochs": 2}, choice={"folds": 0})


@pytest.mark.parametrize("block", [7, 500])
def test_every_gene_by_hand(typed: Any, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_BLOCK", block)
    cells = ng.integrate(typed.cells, typed.reference, QUICK)
    expressed = expression(typed.reference)
    genes = ["GENE30", "GENE2", "GENE25"]
    found = reference_evidence(cells, expressed, genes)
    assert list(found.index) == genes
    left = reference_left_out(cells, expressed, max_cells=2000, max_reference=20_000)
    values = expressed.columns([f"GENE{i}" for i in range(40)])
    for gene, row in found.iterrows():
        own = values[:, int(gene.removeprefix("GENE"))]
        predicted, truth = left.weights @ own, own[left.rows]
        np.testing.assert_allclose(row["expressed"], (truth > 0).mean(), atol=1e-6)
        np.testing.assert_allclose(
            row["within_reference"], spearmanr(predicted, truth).statistic, atol=1e-5
        )
        np.testing.assert_allclose(row["spread"], predicted.std() / truth.std(), rtol=1e-3)
        others = [i for i in range(24) if f"GENE{i}" != gene]
        likeness = [pearsonr(values[left.rows, i], truth).statistic for i in others]
        best = int(np.abs(likeness).argmax())
        assert row["nearest"] == f"GENE{others[best]}"
        np.testing.assert_allclose(row["nearest_correlation"], likeness[best], atol=1e-4)


def test_measured_features_are_those_of_the_integration(typed: Any) -> None:
    cells = ng.integrate(typed.cells, typed.reference, QUICK)
    assert measured_features(cells) == {f"Protein{i}": [f"GENE{i}"] for i in range(24)}
