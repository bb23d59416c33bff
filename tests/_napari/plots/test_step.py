"""Genes are typed, groups chosen; the plot follows and is saved as it is drawn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from PIL import Image as Picture
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

import napari_gluer as ng
from napari_gluer._napari.attached import attach
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.looks import values_shown
from napari_gluer._napari.plots.drawing import Kind
from napari_gluer._napari.plots.grouping import Way
from napari_gluer._napari.plots.line import NAME
from napari_gluer._napari.plots.step import PlotsStep


@pytest.fixture
def step(qtbot: Any, tissue_of_types: Any) -> PlotsStep:
    made = PlotsStep(tissue_of_types.viewer)
    qtbot.addWidget(made)
    made.resize(340, 760)
    made.show()
    return made


@pytest.fixture
def drawn(qtbot: Any, finish: Callable[..., str]) -> Callable[[PlotsStep], str]:
    """Wait until the plot that follows a change is drawn."""

    def wait(step: PlotsStep) -> str:
        qtbot.waitUntil(lambda: not step._timer.isActive())
        return finish(step)

    return wait


def add(qtbot: Any, step: PlotsStep, *names: str) -> None:
    for name in names:
        qtbot.keyClicks(step.genes.line, name)
        qtbot.keyClick(step.genes.line, Qt.Key.Key_Return)


def choose(box: Any, value: Any) -> None:
    box.setCurrentIndex(next(i for i in range(box.count()) if box.itemData(i) == value))


def save_as(monkeypatch: pytest.MonkeyPatch, path: Path | str, kind: str = "") -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), kind))


def test_a_typed_gene_is_drawn_in_its_types(
    qtbot: Any, step: PlotsStep, drawn: Any, tissue_of_types: Any
) -> None:
    assert step.by.currentText() == "cell_type"
    add(qtbot, step, "GENE30", "Protein0")
    assert drawn(step) == "Violins of 2 genes."
    assert step.figure.figure is not None
    assert len(step.figure.figure.axes) == 2
    assert step.plot is not None
    found = step.plot.data.query("gene == 'GENE30 (imputed)'").set_index("label")["value"]
    cells = tissue_of_types.cells
    values = ng.impute(cells, tissue_of_types.reference, "GENE30")
    for label, value in zip(cells.obs["label"], values, strict=True):
        assert label in (12, 13) or found[label] == pytest.approx(value, rel=1e-6)
    assert "Left out: 2 unmatched." in step.caption.text()


@pytest.mark.parametrize("kind", [Kind.DOTS, Kind.HEAT, Kind.CELLS])
def test_other_kinds_follow_at_once(qtbot: Any, step: PlotsStep, drawn: Any, kind: Kind) -> None:
    add(qtbot, step, "GENE30", "GENE31")
    choose(step.kind, kind)
    assert drawn(step) == f"{kind.value.capitalize()} of 2 genes."
    assert step.look_section.visible
    assert not step.along.visible


def test_a_profile_follows_the_line_that_is_drawn(
    qtbot: Any, step: PlotsStep, drawn: Any, tissue_of_types: Any
) -> None:
    viewer = tissue_of_types.viewer
    add(qtbot, step, "GENE30")
    drawn(step)
    choose(step.kind, Kind.PROFILE)
    assert not step.by.isEnabled()
    qtbot.mouseClick(step.line, Qt.MouseButton.LeftButton)
    y = tissue_of_types.centre(51)[0]  # the fifth row: labels 51 to 60
    step.along.rows["line_width"].widget.value = "4"
    step.along.rows["bin_width"].widget.value = "6"
    viewer.layers[NAME].add([[y, 0], [y, 120]], shape_type="line")
    assert drawn(step) == "Profile along a line of 1 gene."
    assert step.plot is not None
    data = step.plot.data
    assert data["to"].iloc[-1] == 60  # 120 pixels of half a µm
    assert data["n"].tolist() == [1] * 10
    values = ng.impute(tissue_of_types.cells, tissue_of_types.reference, "GENE30")
    own = pd.Series(values, tissue_of_types.cells.obs["label"])
    np.testing.assert_allclose(data["mean"], own[list(range(51, 61))], rtol=1e-5)


def test_the_selection_is_followed(
    qtbot: Any, step: PlotsStep, drawn: Any, tissue_of_types: Any
) -> None:
    selections = linked_of(tissue_of_types.layer).selections
    selections.choose(np.arange(20, 30))
    add(qtbot, step, "GENE30")
    choose(step.by, Way.SELECTION)
    drawn(step)
    assert step.plot is not None
    assert step.plot.data.groupby("group", observed=True)["label"].count().to_dict() == {
        "selection": 10,
        "the rest": 78,
    }
    selections.choose(np.arange(20, 25))
    drawn(step)
    assert (step.plot.data["group"] == "selection").sum() == 5


def test_what_is_painted_can_be_added(
    qtbot: Any, step: PlotsStep, drawn: Any, tissue_of_types: Any, notified: list[Any]
) -> None:
    qtbot.mouseClick(step.add_painted, Qt.MouseButton.LeftButton)
    assert "No gene is painted" in notified[-1].message
    what = Paintable("Protein3", Origin.MARKER)
    cells = tissue_of_types.cells
    values = cells.obs_vector("Protein3")
    linked_of(tissue_of_types.layer).show(values_shown(what, cells, values, title=""))
    qtbot.mouseClick(step.add_painted, Qt.MouseButton.LeftButton)
    assert step.genes.chosen == (what,)
    drawn(step)


def test_data_and_figure_are_saved_as_drawn(
    qtbot: Any, step: PlotsStep, drawn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not step.save_data.isEnabled()
    add(qtbot, step, "GENE30", "GENE31")
    choose(step.kind, Kind.HEAT)
    drawn(step)
    assert step.plot is not None
    save_as(monkeypatch, tmp_path / "plot", "Table (*.csv)")
    qtbot.mouseClick(step.save_data, Qt.MouseButton.LeftButton)
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "plot.csv"), step.plot.data, check_dtype=False, rtol=1e-5
    )
    step.print_form.rows["width_mm"].widget.value = "100"
    step.print_form.rows["dpi"].widget.value = 200
    for ending in ("png", "svg", "pdf"):
        save_as(monkeypatch, tmp_path / f"plot.{ending}")
        qtbot.mouseClick(step.save_figure, Qt.MouseButton.LeftButton)
        assert step.outcome.text().startswith(f"Saved plot.{ending}: 100 × ")
    with Picture.open(tmp_path / "plot.png") as picture:
        assert picture.width == pytest.approx(100 / 25.4 * 200, abs=1)
        assert picture.getpixel((0, 0))[:3] == (255, 255, 255)  # print is white in any theme
    assert b"GENE31" in (tmp_path / "plot.svg").read_bytes()


def test_a_full_disk_is_said_and_leaves_no_file(
    qtbot: Any, step: PlotsStep, drawn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    notified: list[Any],
) -> None:  # fmt: skip
    add(qtbot, step, "GENE30")
    drawn(step)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    save_as(monkeypatch, tmp_path / "plot.csv")
    qtbot.mouseClick(step.save_data, Qt.MouseButton.LeftButton)
    assert "No space left" in notified[-1].message
    assert not list(tmp_path.iterdir())


def test_without_genes_a_line_says_what_to_do(step: PlotsStep, run: Callable[..., str]) -> None:
    assert "at least one gene" in run(step)


def test_cells_that_are_not_integrated_have_plots_too(
    step: PlotsStep, model: ViewerModel, labels: np.ndarray, cells: Any
) -> None:
    bare = model.add_labels(labels, name="bare")
    step.labels.choose(bare)
    assert not step.run.isEnabled()
    attach(bare, cells=cells)
    assert step.run.isEnabled()
    assert step.by.findText("region") >= 0


def test_another_layer_forgets_the_plot(
    qtbot: Any, step: PlotsStep, drawn: Any, model: ViewerModel, labels: np.ndarray
) -> None:
    add(qtbot, step, "GENE30")
    drawn(step)
    step.labels.choose(model.add_labels(labels, name="bare"))
    assert step.plot is None
    assert not step.save_figure.isEnabled()
    assert step.genes.chosen == ()
