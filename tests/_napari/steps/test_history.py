"""What is done in the window is listed, exported, and gives the same cells when it is repeated."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

import napari_gluer as ng
from napari_gluer._napari import reader
from napari_gluer._napari.attached import cells_of
from napari_gluer._napari.cells.editing import keep_links
from napari_gluer._napari.history import history_of
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.steps.cells import CellsStep, Instead
from napari_gluer._napari.steps.history import HistoryStep
from napari_gluer._napari.steps.integrate import IntegrateStep
from napari_gluer._napari.steps.reference import ReferenceStep
from napari_gluer.io.image_writing import write_image


@pytest.fixture(scope="module")
def files(tissue: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A corner of the tissue as an OME-TIFF, and its reference."""
    folder = tmp_path_factory.mktemp("data")
    pixels = np.ascontiguousarray(tissue.image.data[:, 700:1000, 700:1000])
    corner = ng.MultiplexImage(pixels, tissue.image.channels, tissue.image.pixel_size_um)
    write_image(corner, folder / "tissue.ome.tif")
    tissue.reference.write_h5ad(folder / "atlas.h5ad")
    return folder / "tissue.ome.tif", folder / "atlas.h5ad"


@pytest.fixture
def opened(model: ViewerModel, files: tuple[Path, Path]) -> ViewerModel:
    for data, options, kind in reader.read_tissue(str(files[0])):
        getattr(model, f"add_{kind}")(data, **options)
    return model


def _made(qtbot: Any, step: Any) -> Any:
    qtbot.addWidget(step)
    return step


def _again(script: Path) -> AnnData:
    ended = subprocess.run(  # noqa: S603
        [sys.executable, script],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    assert "WARNING" not in ended.stderr
    return ng.read_cells(script.with_name(f"{script.stem}_results") / "cells.h5ad")


def _check(again: AnnData, cells: AnnData) -> None:
    assert again.obs["label"].tolist() == cells.obs["label"].tolist()
    np.testing.assert_array_equal(again.X, cells.X)
    np.testing.assert_array_equal(again.obsm["X_gluer"], cells.obsm["X_gluer"])
    assert (again.obsm["gluer_weights"] != cells.obsm["gluer_weights"]).nnz == 0
    for column in ("cell_type_transferred", "cluster"):
        assert again.obs[column].astype(str).tolist() == cells.obs[column].astype(str).tolist()


def test_what_was_clicked_is_repeated_by_the_exported_script(  # noqa: PLR0917 - fixtures
    qtbot: Any,
    opened: ViewerModel,
    files: tuple[Path, Path],
    run: Any,
    finish: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells_step = _made(qtbot, CellsStep(opened))
    run(cells_step)
    layer = opened.layers["cells"]
    marker = str(cells_of(layer).var_names[5])
    reference_step = _made(qtbot, ReferenceStep(opened))
    reference_step.path.setText(str(files[1]))
    run(reference_step)
    keep_links(layer, {marker: False})
    integrate_step = _made(qtbot, IntegrateStep(opened))
    integrate_step.seed.value = 5
    said = run(integrate_step)
    assert "cells integrated" in said
    assert history_of(layer).unsaved == 6
    step = _made(qtbot, HistoryStep(opened))
    lines = [step.list.item(i).text() for i in range(step.list.count())]
    assert lines == [
        "Find cells in tissue.ome.tif",
        "Measure them in tissue.ome.tif",
        "Clean the measurements",
        "Open reference atlas.h5ad",
        "Change markers and genes",
        "Integrate (preset default, seed 5)",
    ]
    script = tmp_path / "again.py"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(script), ""))
    qtbot.mouseClick(step.script, Qt.MouseButton.LeftButton)
    assert finish(step).startswith("Written: again.py")
    assert history_of(layer).unsaved == 0
    text = script.read_text()
    assert repr(str(files[0])) in text
    assert marker in text
    again = _again(script)
    _check(again, cells_of(layer))
    assert marker not in " ".join(again.uns["gluer"]["links"])
    labels = ng.read_labels(tmp_path / "again_results" / "labels.ome.tif")
    np.testing.assert_array_equal(labels, layer.data)


def test_edited_masks_are_exported_as_they_were_when_they_were_measured(
    qtbot: Any, opened: ViewerModel, run: Any, finish: Any, tmp_path: Path
) -> None:
    cells_step = _made(qtbot, CellsStep(opened))
    cells_step.clean.setChecked(False)
    run(cells_step)
    layer: Labels = opened.layers["cells"]
    layer.paint((20, 20), 5000)
    layer.paint((60, 60), 0)
    cells_step.cells_from.choose(layer)
    assert cells_step.cells_from.value is not Instead.FIND
    run(cells_step)
    measured = layer.data.copy()
    layer.paint((100, 100), 6000)  # after measuring: not in the result
    assert [one.kind for one in history_of(layer).steps] == ["segment", "measure"] * 1 + [
        "masks", "measure",
    ]  # fmt: skip
    step = _made(qtbot, HistoryStep(opened))
    assert step.list.item(0).text().endswith("(done again later)")
    assert not step.list.item(3).text().endswith("(done again later)")
    step.export_to(tmp_path / "again.py", "script")
    finish(step)
    again = _again(tmp_path / "again.py")
    assert 5000 in again.obs["label"].tolist()
    np.testing.assert_array_equal(again.X, cells_of(layer).X)
    labels = ng.read_labels(tmp_path / "again_inputs" / "masks.ome.tif")
    np.testing.assert_array_equal(labels, measured)


def test_masks_of_a_file_that_were_painted_on_are_not_taken_from_the_file(
    qtbot: Any, opened: ViewerModel, run: Any, finish: Any, tmp_path: Path, tissue: Any
) -> None:
    path = tmp_path / "masks.tif"
    ng.write_labels(tissue.labels[700:1000, 700:1000], path)
    [(data, options, _)] = reader.read_mask(str(path))
    layer = opened.add_labels(data, **options)
    step = _made(qtbot, CellsStep(opened))
    step.cells_from.choose(layer)
    run(step)
    history = _made(qtbot, HistoryStep(opened))
    history.export_to(tmp_path / "as_in_file.py", "script")
    finish(history)
    assert repr(str(path)) in (tmp_path / "as_in_file.py").read_text()
    assert not (tmp_path / "as_in_file_inputs").exists()
    layer.paint((20, 20), 5000)
    run(step)
    history.export_to(tmp_path / "painted.py", "script")
    finish(history)
    written = ng.read_labels(tmp_path / "painted_inputs" / "masks_2.ome.tif")
    np.testing.assert_array_equal(written, layer.data)


def test_nothing_done_is_said(qtbot: Any, model: ViewerModel, labels: np.ndarray) -> None:
    step = _made(qtbot, HistoryStep(model))
    assert not step.script.isEnabled()
    step.save_to(Path("nowhere"))
    assert "no layer yet" in step.outcome.text()
    model.add_labels(labels, name="cells")
    assert step.labels.value is model.layers["cells"]
    assert not step.script.isEnabled()
    assert not step.undo.isEnabled()


def test_undo_and_redo_say_what_they_take_back(
    qtbot: Any, model: ViewerModel, labels: np.ndarray
) -> None:
    layer = model.add_labels(labels, name="cells")
    step = _made(qtbot, HistoryStep(model))
    selections = linked_of(layer).selections
    selections.choose([3, 6])
    selections.keep("two")
    linked_of(layer).recolor("cluster", "odd", "#ff0000")
    assert step.undo.text() == "Undo colour of “odd”"
    qtbot.mouseClick(step.undo, Qt.MouseButton.LeftButton)
    assert linked_of(layer).colors == {"cluster": {}}
    qtbot.mouseClick(step.undo, Qt.MouseButton.LeftButton)
    assert selections.named == {}
    assert step.redo.text() == "Redo name “two”"
    qtbot.mouseClick(step.redo, Qt.MouseButton.LeftButton)
    assert list(selections.named) == ["two"]
    assert step.undo.text() == "Undo name “two”"


def test_a_session_is_saved_and_opened_by_its_buttons(
    qtbot: Any,
    model: ViewerModel,
    labels: np.ndarray,
    finish: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = model.add_labels(labels, name="cells")
    linked_of(layer).selections.choose([3])
    step = _made(qtbot, HistoryStep(model))
    folder = tmp_path / "mine"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(folder), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(folder))
    qtbot.mouseClick(step.save, Qt.MouseButton.LeftButton)
    assert finish(step).startswith("Session saved in mine.")
    model.layers.clear()
    qtbot.mouseClick(step.open, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: step.outcome.text() == "Session mine opened.", timeout=10_000)
    assert linked_of(model.layers["cells"]).selections.current.tolist() == [3]
