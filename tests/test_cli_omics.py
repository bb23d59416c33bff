"""Gene activity and peak links from the command line, against the same calls in Python."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import napari_gluer as ng
from napari_gluer.analysis.activity import ActivityParams, gene_activity
from napari_gluer.analysis.peak_links import PeakLinkParams, gene_peak_links
from napari_gluer.cli import main
from napari_gluer.io.annotation import read_annotation

BED = "chr1\t50000\t60000\tCD3E\t0\t+\nchr1\t300000\t400000\tCD8A\t0\t-\n"
NAMES = ["chr1:40000-40200", "chr1:49000-51000", "chr1:399000-400000"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    cells = pd.DataFrame(index=[f"c{i}" for i in range(40)])
    counts = sparse.csr_matrix(rng.poisson(1.5, (40, 3)).astype(np.float32))
    AnnData(counts, cells, pd.DataFrame(index=NAMES)).write_h5ad(tmp_path / "peaks.h5ad")
    values = rng.poisson(3, (40, 2)).astype(np.float32)
    genes = pd.DataFrame(index=["CD3E", "CD8A"])
    AnnData(values, cells, genes).write_h5ad(tmp_path / "rna.h5ad")
    (tmp_path / "genes.bed").write_text(BED)
    return tmp_path


def run(folder: Path, *words: str) -> int:
    return main([str(folder / word[1:]) if word.startswith("@") else word for word in words])


def test_gene_activity(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["gene-activity", "@peaks.h5ad", "--annotation", "@genes.bed", "--out", "@a.h5ad"]
    assert run(folder, *words, "--upstream-bp", "10000") == 0
    table = ng.read_cells(folder / "peaks.h5ad")
    annotation = read_annotation(folder / "genes.bed")
    truth = gene_activity(table, annotation, ActivityParams(upstream_bp=10_000))
    found = ng.read_cells(folder / "a.h5ad")
    np.testing.assert_array_equal(found.X.toarray(), truth.X.toarray())
    assert found.uns["gluer"]["kind"] == "activity"
    said = capsys.readouterr().out
    assert "2 genes in genes.bed" in said
    assert "3 of 3 peaks lie in a gene" in said


def test_fragments(folder: Path) -> None:
    (folder / "f.tsv").write_text("chr1\t50100\t50200\tAA\t1\nchr1\t70000\t70100\tAA\t1\n")
    (folder / "cells.txt").write_text("AA\nCC\n")
    words = ["gene-activity", "@f.tsv", "--annotation", "@genes.bed", "--out", "@a.h5ad"]
    assert run(folder, *words, "--barcodes", "@cells.txt") == 0
    found = ng.read_cells(folder / "a.h5ad")
    assert list(found.obs["cell_id"]) == ["AA", "CC"]
    np.testing.assert_array_equal(found.X.toarray(), [[1, 0], [0, 0]])


def test_peak_links(folder: Path) -> None:
    words = ["peak-links", "@peaks.h5ad", "@rna.h5ad", "--annotation", "@genes.bed"]
    given = ["--cells-in-group", "1", "--permutations", "99", "--seed", "4", "--genes", "CD8A"]
    assert run(folder, *words, "--out", "@links.csv", *given) == 0
    truth = gene_peak_links(
        ng.read_cells(folder / "peaks.h5ad"),
        ng.read_cells(folder / "rna.h5ad"),
        read_annotation(folder / "genes.bed"),
        PeakLinkParams(cells_in_group=1, permutations=99),
        genes=["CD8A"],
        seed=4,
    )
    pd.testing.assert_frame_equal(pd.read_csv(folder / "links.csv"), truth, check_exact=False)


def test_imputed_genes_are_those_of_the_reference(folder: Path, tissue: ng.SampleTissue) -> None:
    cells = ng.clean(ng.measure(tissue.image, tissue.labels))[:200].copy()
    params = ng.IntegrateParams(network={"max_epochs": 2})
    cells = ng.integrate(cells, tissue.reference, params)
    tissue.reference.write_h5ad(folder / "reference.h5ad")
    counts = sparse.csr_matrix(np.random.default_rng(1).poisson(1, (200, 3)).astype(np.float32))
    names = pd.DataFrame(index=[f"name{i}" for i in range(200)])
    cells.obs["cell_id"] = names.index
    ng.write_cells(cells, folder / "cells.h5ad")
    table = AnnData(counts, names, pd.DataFrame(index=NAMES))
    table.write_h5ad(folder / "open.h5ad")
    words = ["peak-links", "@open.h5ad", "@cells.h5ad", "--annotation", "@genes.bed"]
    given = ["--reference", "@reference.h5ad", "--permutations", "9", "--cells-in-group", "10"]
    assert run(folder, *words, "--out", "@links.csv", *given) == 0
    found = pd.read_csv(folder / "links.csv")
    assert set(found["gene"]) <= {"CD3E", "CD8A"}
    assert np.isfinite(found["pearson"]).any()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["gene-activity", "@peaks.h5ad", "--annotation", "@no.bed", "--out", "@a.h5ad"],
            "no file",
        ),
        (
            ["gene-activity", "@peaks.h5ad", "--annotation", "@genes.bed", "--out", "@peaks.h5ad"],
            "give --out another name",
        ),
        (
            [
                "gene-activity",
                "@peaks.h5ad",
                "--annotation",
                "@genes.bed",
                "--barcodes",
                "@x",
                "--out",
                "@a.h5ad",
            ],
            "this is a table of peaks",
        ),
        (
            ["peak-links", "@peaks.h5ad", "@rna.h5ad", "--annotation", "@genes.bed", "--out", "@x"],
            "no CSV file",
        ),
    ],
)
def test_bad_words(
    words: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "peaks.h5ad").read_bytes()
    assert run(folder, *words) == 2
    assert says in capsys.readouterr().err
    assert (folder / "peaks.h5ad").read_bytes() == before
    assert not (folder / "a.h5ad").exists()
