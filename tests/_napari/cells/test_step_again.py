"""Running the Cells step again: layers do not pile up, edits stay, cancelling changes nothing."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialogButtonBox

from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, measured_of
from napari_gluer._napari.cells.marker_rows import FOUND
from napari_gluer._napari.steps.cells import CellsStep, Instead


def _labels(model: ViewerModel) -> list[str]:
    return [layer.name for layer in model.layers if isinstance(layer, Labels)]


def _find(step: CellsStep, run: Any) -> str:
    step.cells_from.choose(Instead.FIND)
    return str(run(step))


@pytest.fixture
def found(step: CellsStep, model: ViewerModel, run: Any) -> Labels:
    step.clean.setChecked(False)
    run(step)
    return model.layers["cells"]


def _change(
    qtbot: Any, step: CellsStep, channel: str, *, genes: str = "", role: str = "marker"
) -> None:
    """Change a channel in the table and save it by a click."""
    qtbot.mouseClick(step.edit, Qt.MouseButton.LeftButton)
    model = step.markers.model
    row = [one.channel for one in model.rows].index(channel)
    model.setData(model.index(row, 1), role)
    model.setData(model.index(row, 2), genes)
    button = step.markers.buttons.button(QDialogButtonBox.StandardButton.Save)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_second_run_replaces_the_first_unless_it_was_edited(
    step: CellsStep, model: ViewerModel, found: Labels, run: Any
) -> None:
    _find(step, run)
    assert _labels(model) == ["cells"]
    assert step.cells_from.value is found
    found.paint((1, 1), 300)
    before = cells_of(found)
    _find(step, run)
    assert _labels(model) == ["cells", "cells 2"]
    assert cells_of(found) is before
    assert step.cells_from.value is model.layers["cells 2"]


def test_edited_markers_stay_when_measured_and_cleaned_again(
    qtbot: Any, step: CellsStep, found: Labels, run: Any
) -> None:
    _change(qtbot, step, "CD3", genes="CD3D; CD3G")
    assert step.outcome.text() == "1 channel changed. Integrate again for it to take effect."
    _change(qtbot, step, "CD20", genes="MS4A1", role="ignore")
    assert step.outcome.text() == "1 channel changed. Clean again for it to take effect."
    for table in (cells_of(found), measured_of(found)):
        assert table.var["genes"].tolist()[1:] == ["CD3D;CD3G", "MS4A1"]
        assert table.var["role"].tolist() == ["nuclear", "marker", "ignore"]
    step.clean.setChecked(True)
    run(step)  # measured again
    step.image.choose(Instead.TABLE)
    run(step)  # cleaned again
    _find(step, run)  # found again
    table = cells_of(found)
    assert slots.CLEAN in slots.info(table)
    assert table.var["genes"].tolist()[1:] == ["CD3D;CD3G", "MS4A1"]
    assert table.var["role"].tolist() == ["nuclear", "marker", "ignore"]


def test_a_gene_that_the_reference_lacks_is_refused_with_near_names(
    qtbot: Any, step: CellsStep, found: Labels, notified: list[Any]
) -> None:
    reference = AnnData(np.eye(4, dtype=np.float32))
    reference.var_names = ["CD3D", "CD3E", "MS4A1", "FOXP3"]
    found.metadata["gluer"]["reference"] = reference
    before = cells_of(found)
    _change(qtbot, step, "CD3", genes="CD3Q")
    assert step.markers.isVisible()
    assert "CD3Q" in notified[0].message
    assert "CD3D" in notified[0].message
    assert cells_of(found) is before
    model = step.markers.model
    assert "in 25.0% of cells" in model.index(2, FOUND).data()


def test_channels_cannot_be_edited_before_there_are_cells(step: CellsStep) -> None:
    assert not step.edit.isEnabled()
    assert not step.look.isEnabled()


def test_cancel_answers_at_once_and_changes_nothing(
    qtbot: Any, model: ViewerModel, notified: list[Any]
) -> None:
    rng = np.random.default_rng(0)
    spots = rng.random((3000, 3000)) > 0.999
    model.add_image(spots * 1000.0 + rng.random((3000, 3000)), name="DAPI")
    step = CellsStep(model)
    qtbot.addWidget(step)
    step.show()
    step.big.form.rows["side"].widget.value = 1000
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)
    job = step._running.job
    ended: list[float] = []
    job.finished.connect(lambda: ended.append(time.monotonic()))
    qtbot.wait(300)
    assert step.busy
    asked = time.monotonic()
    qtbot.mouseClick(step.cancel, Qt.MouseButton.LeftButton)
    assert time.monotonic() - asked < 0.2
    assert not step.busy
    qtbot.waitUntil(lambda: bool(ended), timeout=10_000)
    assert ended[0] - asked < 4  # 2 s where nothing else runs
    assert _labels(model) == []
    assert not notified


def test_finished_tiles_are_kept_in_a_folder(
    step: CellsStep, model: ViewerModel, run: Any, tmp_path: Path
) -> None:
    step.clean.setChecked(False)
    step.big.form.rows["side"].widget.value = 64
    step.big.folder.setText(str(tmp_path / "tiles"))
    assert run(step) == "64 cells, 3 channels."
    assert {path.name for path in (tmp_path / "tiles").iterdir()} == {"cells", "values"}
    first = np.asarray(model.layers["cells"].data)
    step.big.folder.clear()
    _find(step, run)
    np.testing.assert_array_equal(model.layers["cells"].data, first)


def test_a_folder_of_other_work_is_refused(
    step: CellsStep, run: Any, tmp_path: Path, notified: list[Any]
) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "notes.txt").write_text("mine")
    step.big.folder.setText(str(tmp_path))
    assert "holds no finished tiles" in run(step)
    assert [one.severity.value for one in notified] == ["warning"]
    assert (tmp_path / "cells" / "notes.txt").read_text() == "mine"


def test_a_cluster_that_does_not_answer_is_told(
    step: CellsStep, run: Any, notified: list[Any]
) -> None:
    step.big.form.rows["cluster"].widget.value = "carrier://pigeon:1"
    assert "No dask scheduler answers at 'carrier://pigeon:1'" in run(step)
    assert [one.severity.value for one in notified] == ["warning"]
