"""Imputed genes as files, against `impute`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, read_h5ad

import napari_gluer as ng
from napari_gluer.pipeline import exporting
from napari_gluer.pipeline.exporting import ExportParams, export_imputed

GENES = ["GENE7", "GENE0", "GENE3"]


def table(n_cells: int, seed: int) -> AnnData:
    rng = np.random.default_rng(seed)
    kind = np.arange(n_cells) % 2
    mean = np.where((np.arange(10) < 5) == (kind[:, None] == 0), 20, 2)
    made = AnnData(rng.poisson(mean).astype(np.float32))
    made.var_names = [f"GENE{i}" for i in range(10)]
    made.obs_names = [f"r{i}" for i in range(n_cells)]
    return made


@pytest.fixture(scope="module")
def integrated() -> tuple[AnnData, AnnData]:
    cells, reference = table(47, 1)[:, :6].copy(), table(60, 2)
    cells.obs["label"] = np.arange(47)[::-1] * 3 + 5
    cells.X[4] = 0
    return ng.integrate(cells, reference, seed=0), reference


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_BLOCK_VALUES", 40)


def expected(integrated: tuple[AnnData, AnnData], genes: list[str]) -> np.ndarray:
    values = ng.impute(*integrated, genes)
    values[integrated[0].obs["gluer_unmatched"]] = np.nan
    assert np.isnan(values).any(axis=1).sum() == 1
    return values


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_tables_hold_a_row_per_label(
    integrated: tuple[AnnData, AnnData], tmp_path: Path, ending: str
) -> None:
    path = export_imputed(*integrated, tmp_path / f"genes{ending}", GENES)
    found = pd.read_parquet(path) if ending == ".parquet" else pd.read_csv(path)
    assert list(found) == ["label", "unmatched", *GENES]
    assert list(found["label"]) == list(integrated[0].obs["label"])
    assert list(found["unmatched"]) == list(integrated[0].obs["gluer_unmatched"])
    np.testing.assert_allclose(found[GENES], expected(integrated, GENES), rtol=1e-4, atol=1e-6)


def test_an_h5ad_holds_all_genes(integrated: tuple[AnnData, AnnData], tmp_path: Path) -> None:
    cells, reference = integrated
    found = read_h5ad(export_imputed(cells, reference, tmp_path / "all.h5ad"))
    assert list(found.var_names) == list(reference.var_names)
    assert list(found.obs["label"]) == list(cells.obs["label"])
    assert found.X.dtype == np.float32
    np.testing.assert_array_equal(found.obsm["X_gluer"], cells.obsm["X_gluer"])
    assert "gluer_weights" not in found.obsm
    np.testing.assert_allclose(found.X, expected(integrated, list(reference.var_names)), atol=1e-6)
    assert "gluer_weights" in cells.obsm


def test_unmatched_cells_have_values_where_asked(
    integrated: tuple[AnnData, AnnData], tmp_path: Path
) -> None:
    shown = ExportParams(show_unmatched=True)
    path = export_imputed(*integrated, tmp_path / "g.csv", GENES, params=shown)
    np.testing.assert_allclose(pd.read_csv(path)[GENES], ng.impute(*integrated, GENES), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "genes", "words"),
    [
        ("genes.xlsx", GENES, r"must end in one of \.h5ad"),
        ("genes.csv", ["GENE1", "CD3"], "Not in the reference: CD3"),
        ("genes.csv", [], "no gene to write"),
        ("genes.csv", ["GENE1", "GENE1"], "named twice: GENE1"),
    ],
)
def test_what_cannot_be_written_leaves_the_file(
    integrated: tuple[AnnData, AnnData], tmp_path: Path, name: str, genes: list[str], words: str
) -> None:
    (tmp_path / name).write_text("earlier")
    with pytest.raises(ng.InputError, match=words):
        export_imputed(*integrated, tmp_path / name, genes)
    assert (tmp_path / name).read_text() == "earlier"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_cancelled_export_leaves_nothing(
    integrated: tuple[AnnData, AnnData], tmp_path: Path
) -> None:
    def second(items, desc, /):
        for i, item in enumerate(items):
            if i == 1:
                raise ng.Cancelled
            yield item

    for ending in (".csv", ".h5ad", ".parquet"):
        with pytest.raises(ng.Cancelled):
            export_imputed(*integrated, tmp_path / f"g{ending}", GENES, track=second)
    assert not list(tmp_path.iterdir())


def test_one_gene_is_a_gene(integrated: tuple[AnnData, AnnData], tmp_path: Path) -> None:
    found = pd.read_csv(export_imputed(*integrated, tmp_path / "one.csv", "GENE3"))
    assert list(found) == ["label", "unmatched", "GENE3"]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_a_gene_called_like_a_key_is_refused(tmp_path: Path, ending: str) -> None:
    cells, reference = table(47, 1)[:, :6].copy(), table(60, 2)
    reference.var_names = [*reference.var_names[:-1], "label"]
    cells.obs["label"] = np.arange(1, 48)
    done = ng.integrate(cells, reference, seed=0)
    with pytest.raises(ng.InputError, match="called label have the name of a key"):
        export_imputed(done, reference, tmp_path / f"all{ending}")
    assert not list(tmp_path.iterdir())
    found = read_h5ad(export_imputed(done, reference, tmp_path / "all.h5ad", ["label"]))
    np.testing.assert_allclose(found.X[:, 0], ng.impute(done, reference, "label"), atol=1e-6)
