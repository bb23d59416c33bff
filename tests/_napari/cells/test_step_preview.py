"""Preview by a click: what is in view, with the settings as they are, and nothing else."""

import time
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt

import napari_gluer as ng
from napari_gluer._napari.reader import read_tissue
from napari_gluer._napari.steps.cells import CellsStep
from napari_gluer.image import MultiplexImage


def _preview(qtbot: Any, step: CellsStep, finish: Any) -> str:
    qtbot.mouseClick(step.finding.preview, Qt.MouseButton.LeftButton)
    return str(finish(step))


def _labels(model: ViewerModel) -> list[Labels]:
    return [layer for layer in model.layers if isinstance(layer, Labels)]


def test_a_preview_shows_what_a_run_would_find(
    qtbot: Any, step: CellsStep, model: ViewerModel, image: MultiplexImage, finish: Any
) -> None:
    assert _preview(qtbot, step, finish) == "64 cells in view."
    (layer,) = _labels(model)
    assert layer.name == "preview"
    whole = ng.segment(image, ng.SegmentParams(nuclear_channels=("DAPI",)))
    np.testing.assert_array_equal(np.asarray(layer.data) > 0, whole > 0)


def test_it_follows_the_view_and_the_settings(
    qtbot: Any, step: CellsStep, model: ViewerModel, finish: Any
) -> None:
    model.canvas.size = (56, 56)  # half of the image along y and x
    model.scene.camera.center = (0, 14, 14)
    model.scene.camera.zoom = 2
    assert _preview(qtbot, step, finish) == "16 cells in view."
    first = _labels(model)[0].data
    assert first.shape == (57, 57)
    step.finding.growth.rows["growth"].widget[1].rows["distance"].widget.value = "0.5"
    assert _preview(qtbot, step, finish) == "16 cells in view."
    (second,) = _labels(model)
    assert (second.data > 0).sum() > 1.2 * (first > 0).sum()


def test_a_full_run_takes_the_preview_away(
    qtbot: Any, step: CellsStep, model: ViewerModel, finish: Any, run: Any
) -> None:
    _preview(qtbot, step, finish)
    step.clean.setChecked(False)
    run(step)
    assert [layer.name for layer in _labels(model)] == ["cells"]


def test_the_preview_keeps_to_the_regions(
    qtbot: Any, step: CellsStep, model: ViewerModel, finish: Any
) -> None:
    fold = model.add_shapes(ndim=2, scale=(0.5, 0.5))
    fold.add_rectangles(np.array([[-1, -1], [112, 55.5]]))
    step.regions.leave_out.choose(fold)
    assert _preview(qtbot, step, finish) == "32 cells in view."


def test_out_of_view_and_no_ticks_are_told(
    qtbot: Any, step: CellsStep, model: ViewerModel, notified: list[Any]
) -> None:
    model.scene.camera.center = (0, 5000, 5000)
    qtbot.mouseClick(step.finding.preview, Qt.MouseButton.LeftButton)
    assert step.outcome.text().startswith("Nothing of the image is in view")
    step.finding.nuclear.item(0).setCheckState(Qt.CheckState.Unchecked)
    model.scene.camera.center = (0, 28, 28)
    qtbot.mouseClick(step.finding.preview, Qt.MouseButton.LeftButton)
    assert step.outcome.text().startswith("Tick a channel")
    assert [one.severity.value for one in notified] == ["warning", "warning"]
    assert not _labels(model)


def test_preview_waits_while_a_job_runs(qtbot: Any, step: CellsStep, finish: Any) -> None:
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)
    assert not step.finding.preview.isEnabled()
    finish(step)
    assert step.finding.preview.isEnabled()


@pytest.mark.shared_data
def test_the_field_of_a_real_image_is_previewed_in_two_seconds(
    qtbot: Any, model: ViewerModel, shared_data: Any, finish: Any
) -> None:
    for data, kwargs, _ in read_tissue(
        str(shared_data / "mibi_dcis_simpleseg" / "Point2203_pt1072_31606.ome.tif")
    ):
        model.add_image(data, **kwargs)
    step = CellsStep(model)
    qtbot.addWidget(step)
    step.show()
    _preview(qtbot, step, finish)  # numba compiles
    started = time.monotonic()
    text = _preview(qtbot, step, finish)
    assert time.monotonic() - started < 6  # 2 s where nothing else runs
    assert 400 < int(text.split()[0].replace(",", "")) < 1000
