"""The Trust step runs the real check on cells of known types, and keeps what it found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.notifications import Notification
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach, cells_of
from napari_gluer._napari.forms import read
from napari_gluer._napari.painting.grades import grades_of
from napari_gluer._napari.steps.trust import TrustStep
from napari_gluer.trust.params import ReportParams


@pytest.fixture(scope="module")
def integrated(typed: Any) -> Any:
    return ng.integrate(typed.cells, typed.reference, seed=0)


@pytest.fixture
def masks(model: ViewerModel, integrated: Any, typed: Any) -> Labels:
    drawn = np.zeros((20, 20), np.int32)
    drawn.ravel()[: integrated.n_obs] = integrated.obs["label"]
    layer = model.add_labels(drawn, name="masks")
    attach(layer, cells=integrated.copy(), reference=typed.reference)
    return layer


@pytest.fixture
def step(qtbot: Any, model: ViewerModel, masks: Labels) -> TrustStep:
    assert masks in model.layers
    made = TrustStep(model)
    qtbot.addWidget(made)
    made.show()
    made.params.rows["permuted_runs"].widget.value = 1
    made.params.rows["held_out"].widget.rows["folds"].widget.value = 3
    return made


def test_the_form_is_the_reports_params(step: TrustStep) -> None:
    asked = read(ReportParams, step.params)
    assert (asked.permuted_runs, asked.held_out.folds) == (1, 3)


def test_the_check_is_shown_and_its_grades_reach_the_picker(
    step: TrustStep, masks: Labels, run: Any, tmp_path: Path, monkeypatch: Any, qtbot: Any
) -> None:
    said = run(step)
    assert "Genes that can be imputed:" in said
    held_out = step.report.genes.genes
    assert step.genes.topLevelItemCount() == len(held_out) > 10
    first = step.genes.topLevelItem(0)
    assert first.text(0) == held_out.index[0]
    assert first.text(1) == f"{held_out['spearman'].iloc[0]:.2f}"
    assert first.text(3) == held_out["grade"].iloc[0]
    for sentence in step.report.summary[1:]:
        assert sentence in step.summary.text()
    table = slots.info(cells_of(masks))[slots.RELIABILITY]
    np.testing.assert_array_equal(table["grade"], step.report.reliability["grade"])
    assert grades_of(cells_of(masks)).table is not None
    path = tmp_path / "found"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    qtbot.mouseClick(step.save, Qt.MouseButton.LeftButton)
    assert (tmp_path / "found.html").read_text(encoding="utf-8") == step.report.html
    assert step.show_page.isEnabled()


def test_cells_that_are_not_integrated_are_told_what_to_do(
    qtbot: Any, step: TrustStep, masks: Labels, typed: Any, notified: list[Notification]
) -> None:
    attach(masks, cells=typed.cells)
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)
    assert not step.busy
    assert "Integrate" in notified[-1].message
    assert not step.save.isEnabled()


def test_a_full_disk_loses_nothing(
    qtbot: Any, step: TrustStep, monkeypatch: Any, notified: list[Notification]
) -> None:
    class Report:
        html = "x"

    step.report = Report()
    step.save.setEnabled(True)
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_: ("/proc/nowhere/report.html", "")
    )
    qtbot.mouseClick(step.save, Qt.MouseButton.LeftButton)
    assert "could not be written" in notified[-1].message
    assert step.report.html == "x"


def test_changed_cells_discard_the_check(
    qtbot: Any, step: TrustStep, masks: Labels, integrated: Any, finish: Any
) -> None:
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)
    attach(masks, cells=integrated[:50].copy())
    said = finish(step)
    assert "changed meanwhile" in said
    assert step.report is None
