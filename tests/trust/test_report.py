"""The report: everything it should say is there, with the numbers of the functions behind it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import napari_gluer as ng
from napari_gluer.cli import main
from napari_gluer.errors import InputError
from napari_gluer.integration.imputation import impute
from napari_gluer.trust.params import ReportParams, ValidateParams
from napari_gluer.trust.reliability import expected_correlation, gene_reliability
from napari_gluer.trust.report import ValidationReport, validation_report
from napari_gluer.trust.sections import known_partners

QUICK: dict[str, Any] = {"network": {"max_epochs": 2}, "choice": {"folds": 0}}
FEW = ReportParams(held_out=ValidateParams(folds=2), permuted_runs=0)


def text_of(html: str) -> str:
    plain = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain))


@pytest.fixture(scope="module")
def integrated(typed: Any) -> tuple[AnnData, AnnData]:
    cells = typed.cells.copy()
    cells.obs["cell_type"] = typed.types
    return ng.integrate(cells, typed.reference, ng.IntegrateParams(**QUICK)), typed.reference


@pytest.fixture(scope="module")
def report(integrated: tuple[AnnData, AnnData]) -> ValidationReport:
    params = ReportParams(held_out=ValidateParams(folds=2), permuted_runs=1)
    return validation_report(*integrated, params)


def test_every_section_is_there(report: ValidationReport) -> None:
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", report.html)
    assert headings == [
        "In short",
        "What was integrated",
        "What links the two",
        "Accuracy where it can be known",
        "Confidence of transferred labels",
        "Unmatched cells",
        "Genes that were held out",
        "Genes that were never measured",
        "Better than chance?",
        "What this page does not say",
        "Parameters and versions",
    ]
    assert not re.search(r'(?:src|href)="(?!#)', report.html)
    assert report.html.count("<svg ") == 3  # reliability, held-out genes, coverage


def test_it_says_what_its_parts_found(
    report: ValidationReport, integrated: tuple[AnnData, AnnData]
) -> None:
    text, (cells, _) = text_of(report.html), integrated
    assert report.genes is not None
    assert report.null is not None
    assert report.genes.text in text
    assert report.null.text in text
    assert cells.uns["gluer"]["outcome"].split(";")[0] in text
    for feature, correlation in report.genes.genes["spearman"].items():
        assert f"{feature} GENE{feature.removeprefix('Protein')} {correlation:.3f}" in text
    assert "No cell bears the name of a reference cell" in text
    assert len(report.reliability) == 40


def test_nothing_is_changed_and_it_repeats(integrated: tuple[AnnData, AnnData]) -> None:
    cells, reference = integrated
    before = cells.copy()
    once, again = (validation_report(cells, reference, FEW) for _ in range(2))
    assert once.html == again.html
    assert list(cells.obs) == list(before.obs)
    np.testing.assert_array_equal(cells.X, before.X)
    assert set(cells.uns["gluer"]) == set(before.uns["gluer"])
    assert "Not compared with permuted features: not asked for" in text_of(once.html)


def test_one_shared_feature_and_no_types_still_give_a_page(typed: Any) -> None:
    reference = typed.reference.copy()
    del reference.obs["cell_type"]
    one = typed.cells[:, :1].copy()
    cells = ng.integrate(one, reference, ng.IntegrateParams(**QUICK))
    found = validation_report(cells, reference, FEW)
    text = text_of(found.html)
    assert found.genes is None
    assert "No gene can be held out." in text
    assert "The reference has no column of types" in text


def test_ten_cells_still_give_a_page(typed: Any) -> None:
    cells = ng.integrate(typed.cells[:10].copy(), typed.reference, ng.IntegrateParams(**QUICK))
    assert "10 cells, integrated" in text_of(validation_report(cells, typed.reference, FEW).html)


def test_cells_that_bear_the_names_of_reference_cells(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(4)
    cells = typed.cells.copy()
    assert known_partners(cells, typed.reference) is None
    cells.obs["cell_id"] = [f"ref{i}" for i in range(89, -1, -1)]
    pairs = known_partners(cells, typed.reference)
    np.testing.assert_array_equal(pairs, np.column_stack([np.arange(89, -1, -1), np.arange(90)]))
    cells = ng.integrate(cells, typed.reference, ng.IntegrateParams(**QUICK))
    own, points = cells.obsm["X_gluer"], cells.uns["gluer"]["reference_factors"]
    accuracy = ng.integration_accuracy(points, own, pairs)
    text = text_of(validation_report(cells, typed.reference, FEW).html)
    assert f"the integration accuracy is {accuracy:.3f}" in text


def test_reliability_of_every_gene(integrated: tuple[AnnData, AnnData]) -> None:
    """Every number stands in its own place."""
    cells, reference = integrated
    table = gene_reliability(cells, reference)
    assert list(table.index) == [f"GENE{i}" for i in range(40)]
    assert table["measured"].tolist() == [True] * 24 + [False] * 16
    np.testing.assert_allclose(
        table["predicted"], expected_correlation(table["within_reference"].to_numpy())
    )
    assert (table["low"] <= table["predicted"]).all()
    assert (table["predicted"] <= table["high"]).all()
    assert set(table["grade"]) <= {"good", "fair", "weak", "no better than chance"}
    some = gene_reliability(cells, reference, ["GENE30", "GENE2"])
    pd.testing.assert_frame_equal(some, table.loc[["GENE30", "GENE2"]])


def test_genes_that_follow_no_type_are_not_promised(typed_of: Callable[..., Any]) -> None:
    """Six genes are shuffled among the reference's cells."""
    typed = typed_of(6, n_reference=300, n_cells=300)
    reference = typed.reference.copy()
    shuffled = reference.X.toarray()
    lost = [f"GENE{i}" for i in range(34, 40)]
    shuffled[:, 34:] = np.random.default_rng(0).permuted(shuffled[:, 34:], axis=0)
    reference.X = shuffled
    cells = ng.integrate(typed.cells, reference, ng.IntegrateParams(**QUICK))
    table = gene_reliability(cells, reference)
    assert table.loc[lost, "predicted"].max() < 0.2
    assert (table.loc[lost, "grade"] == "no better than chance").sum() >= 4
    assert table["predicted"].drop(lost).min() > 0.3
    assert impute(cells, reference, "GENE39").std() > 0  # it would be painted all the same


def test_what_is_not_integrated_is_refused(typed: Any, integrated: tuple[AnnData, AnnData]) -> None:
    with pytest.raises(InputError, match="Integrate the cells first"):
        validation_report(typed.cells, typed.reference)
    cells, reference = integrated
    with pytest.raises(InputError, match="reference"):
        validation_report(cells, reference[::-1].copy())
    with pytest.raises(InputError, match="GENE99"):
        gene_reliability(cells, reference, ["GENE99"])


@pytest.fixture
def files(integrated: tuple[AnnData, AnnData], tmp_path: Path) -> Path:
    ng.write_cells(integrated[0], tmp_path / "cells.h5ad")
    integrated[1].write_h5ad(tmp_path / "reference.h5ad")
    return tmp_path


def test_the_command_writes_the_same_page(
    files: Path, integrated: tuple[AnnData, AnnData], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["validate", str(files / "cells.h5ad"), "--reference", str(files / "reference.h5ad")]
    more = ["--out", str(files / "r.html"), "--genes", str(files / "g.csv")]
    assert main([*words, *more, "--held-out.folds", "2", "--permuted-runs", "0"]) == 0
    found = validation_report(*integrated, FEW)
    page = (files / "r.html").read_text(encoding="utf-8")
    assert (
        text_of(page).split("What was integrated")[1].split("What links")[1][:2000]
        == (text_of(found.html).split("What was integrated")[1].split("What links")[1][:2000])
    )
    table = pd.read_csv(files / "g.csv", index_col="gene")
    np.testing.assert_allclose(table["predicted"], found.reliability["predicted"], atol=1e-6)
    assert found.summary[1] in capsys.readouterr().out


def test_the_command_explains_a_cell(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["explain", str(files / "cells.h5ad"), "12", "--column", "cell_type"]
    assert main([*words, "--reference", str(files / "reference.h5ad")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Cell 12 lies among reference cells of ")
    assert "spoke_for" in said
    words[2] = "7"
    assert main([*words, "--reference", str(files / "reference.h5ad")]) == 2
    assert "No cell has the label 7" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["cells.h5ad", "page.txt", "."])
def test_the_command_refuses_other_files(
    name: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (files / "cells.h5ad").read_bytes()
    words = ["validate", str(files / "cells.h5ad"), "--reference", str(files / "reference.h5ad")]
    assert main([*words, "--out", str(files / name)]) == 2
    assert "must be a file that ends in .html" in capsys.readouterr().err
    assert (files / "cells.h5ad").read_bytes() == before
