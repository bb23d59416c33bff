"""Imputed genes are saved to a file while painting goes on; cancelling leaves no file."""

import time
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.export_dialog import GenesDialog
from napari_gluer._napari.exporting import _with_ending
from napari_gluer._napari.steps.explore import ExploreStep
from napari_gluer.expression import expression, fingerprint

GENES = ["CD3E", "MS4A1", "NKG7", "LYZ"]


@pytest.fixture
def reference() -> AnnData:
    values = np.random.default_rng(3).uniform(0.5, 4, (5, len(GENES))).astype(np.float32)
    return AnnData(values, var=pd.DataFrame(index=GENES))


@pytest.fixture
def integrated(cells: AnnData, reference: AnnData) -> AnnData:
    """Cells with weights over the five reference cells; the first two are unmatched."""
    weights = np.random.default_rng(4).dirichlet(np.ones(5), cells.n_obs).astype(np.float32)
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix(weights)
    cells.obs[slots.UNMATCHED] = np.arange(cells.n_obs) < 2
    names = {
        slots.REFERENCE_NAMES: reference.obs_names.to_numpy(object),
        slots.FINGERPRINT: fingerprint(reference, expression(reference)),
    }
    slots.note(cells, **names)
    return cells


@pytest.fixture
def step(
    qtbot: Any, model: ViewerModel, labels: np.ndarray, integrated: AnnData, reference: AnnData
) -> ExploreStep:
    attach(model.add_labels(labels, name="masks"), cells=integrated, reference=reference)
    made = ExploreStep(model)
    qtbot.addWidget(made)
    made.resize(320, 600)
    made.show()
    return made


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the person chooses."""
    path = tmp_path / "imputed.h5ad"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "AnnData (*.h5ad)"))
    return path


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """An export that takes long; holds when it ended."""
    ended: list[float] = []

    def export(*_: Any, track: Any, **__: Any) -> None:
        try:
            for _block in track(range(1000), "Imputed genes"):
                time.sleep(0.02)
        finally:
            ended.append(time.monotonic())

    monkeypatch.setattr(ng, "export_imputed", export, raising=False)
    return ended


def _save(qtbot: Any, step: ExploreStep, genes: str = "") -> None:
    qtbot.mouseClick(step.save.button, Qt.MouseButton.LeftButton)
    if genes:
        qtbot.keyClicks(step.save.dialog.text, genes)
    qtbot.mouseClick(step.save.dialog.choose, Qt.MouseButton.LeftButton)


def _wait(qtbot: Any, step: ExploreStep) -> str:
    qtbot.waitUntil(lambda: not step.save.busy, timeout=20_000)
    return str(step.outcome.text())


def test_all_genes_are_saved(
    qtbot: Any, step: ExploreStep, chosen: Path, integrated: AnnData, reference: AnnData
) -> None:
    _save(qtbot, step)
    assert _wait(qtbot, step) == "Saved 4 genes of 64 cells to imputed.h5ad."
    written = anndata.read_h5ad(chosen)
    assert list(written.var_names) == GENES
    assert written.obs["label"].tolist() == integrated.obs["label"].tolist()
    values = written.X.toarray() if sparse.issparse(written.X) else np.asarray(written.X)
    expected = integrated.obsm[slots.WEIGHTS].toarray() @ reference.X
    np.testing.assert_allclose(values[2:], expected[2:], rtol=1e-5)
    assert np.isnan(values[:2]).all()


def test_named_genes_are_saved_in_their_order(qtbot: Any, step: ExploreStep, chosen: Path) -> None:
    _save(qtbot, step, "NKG7, CD3E;NKG7")
    assert _wait(qtbot, step) == "Saved 2 genes of 64 cells to imputed.h5ad."
    assert list(anndata.read_h5ad(chosen).var_names) == ["NKG7", "CD3E"]


def test_an_unknown_gene_leaves_the_dialog_open(
    qtbot: Any, step: ExploreStep, chosen: Path
) -> None:
    _save(qtbot, step, "NKG7 FOXP4X")
    assert step.save.dialog.isVisible()
    assert step.save.dialog.said.text() == "Not in the reference: FOXP4X."
    assert not step.save.busy
    assert not chosen.exists()


def test_painting_goes_on_while_a_file_is_written(
    qtbot: Any, step: ExploreStep, chosen: Path, slow: list[float], finish: Any
) -> None:
    _save(qtbot, step)
    qtbot.waitUntil(lambda: step.save.progress.value() > 1)
    step.search_box.setText("NKG7")
    step.list.pick_first()
    assert finish(step).startswith("NKG7: imputed")
    assert step.save.busy
    assert step.save.progress.isVisible()
    asked = time.monotonic()
    qtbot.mouseClick(step.save.cancel, Qt.MouseButton.LeftButton)
    assert time.monotonic() - asked < 0.2
    assert step.outcome.text() == "Cancelled. No file was written."
    assert step.save.button.isVisible()
    qtbot.waitUntil(lambda: bool(slow), timeout=2000)
    assert not chosen.exists()


def test_a_file_that_cannot_be_written_is_told(
    qtbot: Any, step: ExploreStep, chosen: Path, notified: list[Any]
) -> None:
    chosen.mkdir()
    _save(qtbot, step)
    assert "imputed.h5ad" in _wait(qtbot, step)
    assert len(notified) == 1
    assert list(chosen.iterdir()) == []


def test_no_file_chosen_writes_none(
    qtbot: Any, step: ExploreStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    _save(qtbot, step)
    assert not step.save.busy


def test_it_waits_for_an_integration(
    step: ExploreStep, model: ViewerModel, cells: AnnData, reference: AnnData
) -> None:
    assert step.save.button.isEnabled()
    masks = model.layers["masks"]
    assert isinstance(masks, Labels)
    plain = cells.copy()
    del plain.obsm[slots.WEIGHTS]
    attach(masks, cells=plain)
    assert not step.save.button.isEnabled()


def test_what_will_be_written_is_counted(qtbot: Any) -> None:
    dialog = GenesDialog([f"G{i}" for i in range(20_000)], 1_000_000)
    qtbot.addWidget(dialog)
    assert dialog.genes is None
    assert dialog.said.text() == "1,000,000 cells × 20,000 genes: up to 80 GB."
    dialog.text.setPlainText("G1, G2\nG3; G1")
    assert dialog.genes == ["G1", "G2", "G3"]
    assert dialog.said.text() == "1,000,000 cells × 3 genes: up to 12 MB."


@pytest.mark.parametrize(
    ("chosen", "kind", "path"),
    [
        ("out", "AnnData (*.h5ad)", "out.h5ad"),
        ("out.v2", "The same, compressed (*.csv.gz)", "out.v2.csv.gz"),
        ("out.parquet", "AnnData (*.h5ad)", "out.parquet"),
        ("out", "", "out.h5ad"),
    ],
)
def test_a_file_gets_the_ending_of_its_kind(chosen: str, kind: str, path: str) -> None:
    assert _with_ending(chosen, kind) == Path(path)
