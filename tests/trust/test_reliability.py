"""Expected reliability: genes that follow the linked ones first, nothing promised against truth."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse
from scipy.stats import spearmanr

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.trust.evidence import reference_evidence
from napari_gluer.trust.held_out import GeneValidation, validate_genes
from napari_gluer.trust.params import ValidateParams
from napari_gluer.trust.reliability import expected_correlation, gene_reliability

PARAMS = ng.IntegrateParams(network={"max_epochs": 2}, choice={"folds": 0})
TWO = ValidateParams(folds=2)
UNMEASURED = [f"GENE{i}" for i in range(24, 40)]


@pytest.fixture(scope="module")
def integrated(typed: Any) -> tuple[AnnData, AnnData]:
    return ng.integrate(typed.cells, typed.reference, PARAMS), typed.reference


@pytest.fixture(scope="module")
def validation(typed: Any) -> GeneValidation:
    return validate_genes(typed.cells, typed.reference, PARAMS, TWO)


def with_noise_gene(reference: AnnData) -> AnnData:
    """The reference with the counts of GENE39 shuffled over its cells."""
    made = reference.copy()
    counts = made.X.toarray()
    counts[:, 39] = np.random.default_rng(0).permutation(counts[:, 39])
    made.X = sparse.csr_matrix(counts)
    return made


def test_expectations_are_the_evidence_on_the_line(integrated: tuple[AnnData, AnnData]) -> None:
    cells, reference = integrated
    found = gene_reliability(cells, reference, ["GENE30", "GENE3", "GENE25"], seed=4)
    table = reference_evidence(cells, expression(reference), list(found.index), seed=4)
    for name in ("expressed", "within_reference", "nearest", "nearest_correlation"):
        assert list(found[name]) == list(table[name])
    np.testing.assert_array_equal(
        found["predicted"], expected_correlation(table["within_reference"].to_numpy())
    )
    assert list(found["measured"]) == [False, True, False]
    assert found["held_out"].isna().all()
    assert (found["low"] < found["predicted"]).all()
    assert (found["predicted"] < found["high"]).all()
    assert found[["low", "high", "predicted"]].abs().max().max() <= 1


def test_all_genes_of_the_reference_by_default(integrated: tuple[AnnData, AnnData]) -> None:
    found = gene_reliability(*integrated)
    assert list(found.index) == [f"GENE{i}" for i in range(40)]
    assert found["measured"].sum() == 24
    numbers = found.drop(columns=["grade", "nearest", "held_out"]).astype(float)
    assert np.isfinite(numbers).all(axis=None)


def test_a_gene_that_follows_nothing_is_not_promised(typed: Any) -> None:
    reference = with_noise_gene(typed.reference)
    cells = ng.integrate(typed.cells, reference, PARAMS)
    found = gene_reliability(cells, reference, UNMEASURED)
    assert found["predicted"].idxmin() == "GENE39"
    assert found.loc["GENE39", "predicted"] < 0.2 < found["predicted"].median()
    assert found.loc["GENE39", "grade"] in ("weak", "no better than chance")


def test_order_of_genes_is_that_of_the_truth(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(5, n_reference=400, n_cells=200)
    reference, query = typed.reference[:250].copy(), typed.reference[250:].copy()
    cells = AnnData(query.X[:, :24].toarray(), uns={"gluer": {"kind": "counts"}})
    cells.var_names = [f"GENE{i}" for i in range(24)]
    cells.obs_names = query.obs_names
    result = ng.integrate(cells, reference, PARAMS)
    expected = gene_reliability(result, reference, UNMEASURED)["predicted"]
    values, truth = ng.impute(result, reference, UNMEASURED), expression(query).columns(UNMEASURED)
    real = [spearmanr(values[:, i], truth[:, i]).statistic for i in range(len(UNMEASURED))]
    assert spearmanr(expected, real).statistic > 0.6
    assert np.abs(expected - real).mean() < 0.15


def test_a_validation_scales_and_is_joined_by_gene(
    integrated: tuple[AnnData, AnnData], validation: GeneValidation
) -> None:
    genes = ["GENE30", "GENE7", "GENE2"]
    alone = gene_reliability(*integrated, genes)
    table = validation.genes.assign(pearson=validation.genes["within_reference"] / 4)
    poor = replace(validation, genes=table)
    assert poor.transfer == pytest.approx(0.25)
    found = gene_reliability(*integrated, genes, validation=poor)
    np.testing.assert_allclose(found["predicted"], alone["predicted"] / 4)
    assert np.isnan(found.loc["GENE30", "held_out"])
    for gene in genes[1:]:
        own = validation.genes.loc[f"Protein{gene.removeprefix('GENE')}", "spearman"]
        assert found.loc[gene, "held_out"] == own


def test_transfer_by_hand(validation: GeneValidation) -> None:
    def of(own: list[float], within: list[float]) -> float:
        table = validation.genes.iloc[:2].assign(pearson=own, within_reference=within)
        return replace(validation, genes=table).transfer

    assert of([0.1, 0.2], [0.2, 0.4]) == pytest.approx(0.5)
    assert of([0.3, 0.0], [0.5, 0.5]) == pytest.approx(0.3)
    assert of([0.9, 0.8], [0.5, 0.5]) == 1
    assert of([-0.2, 0.1], [0.5, 0.5]) == 0
    assert of([0.2, 0.1], [0.0, 0.0]) == 0
    assert validation.to_dict()["transfer"] == validation.transfer


def test_cells_of_noise_are_promised_nothing(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(2, n_reference=200, n_cells=300)
    typed.cells.X = np.random.default_rng(0).gamma(2, 50, typed.cells.shape).astype(np.float32)
    cells = ng.integrate(typed.cells, typed.reference, PARAMS)
    judged = validate_genes(typed.cells, typed.reference, PARAMS, TWO)
    found = gene_reliability(cells, typed.reference, UNMEASURED, validation=judged)
    alone = gene_reliability(cells, typed.reference, UNMEASURED)
    assert alone["predicted"].median() > 0.4
    assert found["predicted"].max() < 0.2
    assert "good" not in set(found["grade"])


def test_what_cannot_be_judged_is_refused(typed: Any, integrated: tuple[AnnData, AnnData]) -> None:
    cells, reference = integrated
    with pytest.raises(InputError, match="Not in the reference: GENE99"):
        gene_reliability(cells, reference, ["GENE99"])
    with pytest.raises(InputError, match="Integrate the cells first"):
        gene_reliability(typed.cells, reference)
    with pytest.raises(InputError, match="reference"):
        gene_reliability(cells, reference[::-1].copy())
