"""Steps out of order, layers that go or change during a job, two viewers, a full disk."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach, cells_of, index_of, stale_of
from napari_gluer._napari.cells import work
from napari_gluer._napari.reader import image_layers
from napari_gluer._napari.steps.base import Step
from napari_gluer._napari.steps.cells import CellsStep, Instead
from napari_gluer._napari.steps.explore import ExploreStep
from napari_gluer._napari.steps.integrate import IntegrateStep
from napari_gluer._napari.steps.reference import ReferenceStep
from napari_gluer.image import MultiplexImage
from napari_gluer.integration.params import IntegrateParams


def _shown(qtbot: Any, step: Any) -> Any:
    qtbot.addWidget(step)
    step.show()
    return step


def _click(qtbot: Any, button: Any) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def _open(model: ViewerModel, image: MultiplexImage) -> None:
    for data, options, _ in image_layers(image, "tissue.tif"):
        model.add_image(data, **options)


@pytest.fixture
def only_told(notified: list[Any]) -> Iterator[list[Any]]:
    """What was told; none of it may be an error of the program."""
    yield notified
    assert not [one for one in notified if one.severity.value == "error"]


class Held:
    """Holds measurements up until `go_on` is called, so that a test can act during a job."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._event, self.begun = threading.Event(), threading.Event()
        measure = ng.measure

        def slowly(*args: Any, **kwargs: Any) -> AnnData:
            self.begun.set()
            assert self._event.wait(20)
            return measure(*args, **kwargs)

        monkeypatch.setattr(work.ng, "measure", slowly, raising=False)
        self.go_on = self._event.set


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch, in_this_process: None) -> Held:
    return Held(monkeypatch)


@pytest.fixture
def masks(model: ViewerModel, image: MultiplexImage, labels: np.ndarray) -> Labels:
    _open(model, image)
    return model.add_labels(labels, name="masks")


@pytest.fixture
def step(qtbot: Any, model: ViewerModel, masks: Labels) -> CellsStep:
    found: CellsStep = _shown(qtbot, CellsStep(model))
    found.clean.setChecked(False)
    found.cells_from.choose(masks)
    return found


@pytest.mark.parametrize("kind", [CellsStep, ReferenceStep, IntegrateStep])
def test_steps_without_anything_open_say_what_is_missing(
    qtbot: Any, model: ViewerModel, only_told: list[Any], kind: type[Step]
) -> None:
    step = _shown(qtbot, kind(model))
    _click(qtbot, step.run)
    assert not step.busy
    assert len(only_told) == 1
    assert any(word in step.outcome.text() for word in ("Open one", "Start with"))


@pytest.mark.parametrize("kind", [ReferenceStep, IntegrateStep])
def test_steps_out_of_order_name_the_one_before(
    qtbot: Any, model: ViewerModel, masks: Labels, only_told: list[Any], kind: type[Step]
) -> None:
    step = _shown(qtbot, kind(model))
    _click(qtbot, step.run)
    assert not step.busy
    assert len(only_told) == 1
    assert any(word in step.outcome.text() for word in ("h5ad", "Cells first"))
    assert cells_of(masks) is None


def test_nothing_can_be_painted_before_it_is_measured(
    qtbot: Any, model: ViewerModel, masks: Labels, only_told: list[Any]
) -> None:
    step = _shown(qtbot, ExploreStep(model))
    qtbot.keyClicks(step.search_box, "CD3")
    qtbot.keyClick(step.search_box, Qt.Key.Key_Return)
    assert "Measure cells first" in step.outcome.text()
    assert len(model.layers) == 4


def _during(qtbot: Any, step: CellsStep, held_up: Held, act: Callable[[], None]) -> None:
    _click(qtbot, step.run)
    qtbot.waitUntil(held_up.begun.is_set)
    act()
    held_up.go_on()


def test_a_layer_renamed_during_a_job_gets_its_cells(
    qtbot: Any, step: CellsStep, masks: Labels, held_up: Held, finish: Any, only_told: list[Any]
) -> None:
    _during(qtbot, step, held_up, lambda: setattr(masks, "name", "other"))
    assert finish(step) == "64 cells, 3 channels."
    assert cells_of(masks).n_obs == 64
    assert not only_told


def test_labels_removed_during_a_job_discard_it(
    qtbot: Any,
    *,
    step: CellsStep,
    masks: Labels,
    model: ViewerModel,
    held_up: Held,
    finish: Any,
    only_told: list[Any],
) -> None:
    _during(qtbot, step, held_up, lambda: model.layers.remove(masks))
    assert finish(step) == "The layer “masks” is gone; the result was discarded."
    assert len(only_told) == 1


@pytest.mark.parametrize("shape", ["same", "other"])
def test_an_image_replaced_during_a_job_discards_it(
    qtbot: Any,
    *,
    step: CellsStep,
    masks: Labels,
    model: ViewerModel,
    held_up: Held,
    finish: Any,
    only_told: list[Any],
    shape: str,
) -> None:
    pixels = np.zeros(masks.data.shape if shape == "same" else (9, 9))
    _during(qtbot, step, held_up, lambda: setattr(model.layers[0], "data", pixels))
    assert "was replaced meanwhile; the result was discarded" in finish(step)
    assert cells_of(masks) is None
    assert len(only_told) == 1


def test_a_replaced_image_is_what_is_measured_next(
    step: CellsStep, masks: Labels, model: ViewerModel, run: Any, only_told: list[Any]
) -> None:
    run(step)
    before = cells_of(masks)
    for layer in list(model.layers)[1:3]:
        model.layers.remove(layer)
    model.layers[0].data = np.full(masks.data.shape, 7.0)
    step.image.refresh()
    step.image.setCurrentIndex(1)  # after the values of the table
    run(step)
    assert cells_of(masks).X.tolist() == [[7.0]] * 64
    assert before.shape == (64, 3)
    model.layers[0].data = np.ones((9, 9))
    step.image.refresh()
    step.image.setCurrentIndex(1)
    assert "differ in shape" in run(step)
    assert cells_of(masks).X.tolist() == [[7.0]] * 64
    assert len(only_told) == 1


def test_an_image_closed_while_its_cells_are_found_loses_nothing(
    qtbot: Any, step: CellsStep, model: ViewerModel, held_up: Held, finish: Any, only_told: Any
) -> None:
    step.cells_from.choose(Instead.FIND)
    images = [layer for layer in model.layers if not isinstance(layer, Labels)]

    def close() -> None:
        for layer in images:
            model.layers.remove(layer)

    _during(qtbot, step, held_up, close)
    assert finish(step) == "64 cells, 3 channels."
    assert cells_of(model.layers["cells"]).n_obs == 64
    assert not only_told


def test_labels_of_another_shape_show_nothing_of_the_old_cells(
    qtbot: Any, step: CellsStep, masks: Labels, model: ViewerModel, run: Any, only_told: list[Any]
) -> None:
    run(step)
    before = cells_of(masks)
    masks.data = np.arange(1, 21, dtype=np.int32).reshape(4, 5)
    assert set(before.obs["label"]) <= set(stale_of(masks).tolist())
    assert index_of(masks).levels[0].shape == (4, 5)
    explore = _shown(qtbot, ExploreStep(model))
    explore.labels.choose(masks)
    qtbot.keyClicks(explore.search_box, "CD3")
    qtbot.keyClick(explore.search_box, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not explore.busy)
    for layer in model.layers:
        if "measured" in layer.name:
            assert not np.isfinite(np.asarray(layer.data)).any()
    assert cells_of(masks) is before


def test_two_viewers_do_not_mix(
    qtbot: Any, image: MultiplexImage, labels: np.ndarray, finish: Any, only_told: list[Any]
) -> None:
    steps, layers = [], []
    for number in (1, 2):
        model = ViewerModel()
        _open(model, MultiplexImage(image.data * number, image.channels, 0.5))
        layers.append(model.add_labels(labels.copy(), name="masks"))
        step = _shown(qtbot, CellsStep(model))
        step.clean.setChecked(False)
        step.cells_from.choose(layers[-1])
        steps.append(step)
    for step in steps:
        _click(qtbot, step.run)
    for step in steps:
        finish(step)
    first, second = (cells_of(layer) for layer in layers)
    np.testing.assert_allclose(second.X, 2 * first.X, rtol=1e-6)
    layers[0].paint((6, 6), 9)
    assert stale_of(layers[0]).size
    assert not stale_of(layers[1]).size
    assert steps[0].again.isVisible()
    assert not steps[1].again.isVisible()
    assert not only_told


def test_a_reference_replaced_while_integrating_discards_the_result(
    qtbot: Any,
    *,
    model: ViewerModel,
    labels: np.ndarray,
    cells: AnnData,
    monkeypatch: pytest.MonkeyPatch,
    in_this_process: None,
    finish: Any,
    only_told: list[Any],
) -> None:
    go_on = threading.Event()

    def integrate(table: AnnData, *_: Any, **__: Any) -> AnnData:
        assert go_on.wait(20)
        result = table.copy()
        slots.note(result, params=IntegrateParams().model_dump_json(), seed=0, outcome="x")
        return result

    monkeypatch.setattr(ng, "integrate", integrate, raising=False)
    monkeypatch.setattr(ng, "transfer_labels", lambda table, *_: table.obs[[]], raising=False)
    layer = model.add_labels(labels, name="masks")
    attach(layer, cells=cells, reference=cells.copy())
    step = _shown(qtbot, IntegrateStep(model))
    step.cluster.setChecked(False)
    _click(qtbot, step.run)
    attach(layer, reference=cells[:30].copy())
    go_on.set()
    assert finish(step) == (
        "The reference of “masks” was replaced meanwhile; the result was discarded. "
        "Integrate again."
    )
    assert cells_of(layer) is cells
    assert len(only_told) == 1


def test_a_full_disk_is_said_and_loses_nothing(
    qtbot: Any,
    *,
    model: ViewerModel,
    labels: np.ndarray,
    cells: AnnData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    notified: list[Any],
) -> None:
    from qtpy.QtWidgets import QFileDialog  # noqa: PLC0415 - patched below

    path = tmp_path / "imputed.csv"
    path.write_text("what was there")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "CSV (*.csv)"))
    reference = cells.copy()
    slots.note(reference, kind=slots.LOG1P)
    layer = model.add_labels(labels, name="masks")
    attach(layer, cells=cells, reference=reference)
    step = _shown(qtbot, ExploreStep(model))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(ng, "export_imputed", full, raising=False)
    with_weights = cells.copy()
    with_weights.obsm[slots.WEIGHTS] = np.eye(64, dtype=np.float32)
    attach(layer, cells=with_weights)
    _click(qtbot, step.save.button)
    _click(qtbot, step.save.dialog.choose)
    qtbot.waitUntil(lambda: not step.save.busy)
    qtbot.waitUntil(lambda: "The disk is full" in step.outcome.text())
    assert len(notified) == 1
    assert path.name in notified[0].message
    assert [text for text, _ in notified[0].actions] == ["Details …"]
    assert path.read_text() == "what was there"
    assert cells_of(layer) is with_weights
