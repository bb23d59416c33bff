"""Cells are found or chosen, measured, cleaned, and kept with their labels."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLineEdit

from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, measured_of, table_metadata
from napari_gluer._napari.cells.outcome import outcome
from napari_gluer._napari.reader import image_layers
from napari_gluer._napari.steps.cells import CellsStep, Instead
from napari_gluer.image import MultiplexImage


@pytest.fixture
def open_image(model: ViewerModel, image: MultiplexImage) -> ViewerModel:
    for data, kwargs, _ in image_layers(image, "tissue.tif"):
        model.add_image(data, **kwargs)
    return model


@pytest.fixture
def step(qtbot: Any, open_image: ViewerModel) -> CellsStep:
    cells = CellsStep(open_image)
    qtbot.addWidget(cells)
    cells.show()
    return cells


def _run(qtbot: Any, step: CellsStep) -> None:
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)


def test_nuclei_are_guessed_and_cells_are_found(
    qtbot: Any, step: CellsStep, model: ViewerModel, finish: Any
) -> None:
    assert step.finding.nuclear.ticked == ("DAPI",)
    step.clean.setChecked(False)
    _run(qtbot, step)
    assert finish(step) == "64 cells, 3 channels."
    layer = model.layers[-1]
    table = cells_of(layer)
    assert table is not None
    assert table.shape == (64, 3)
    assert tuple(layer.scale) == (0.5, 0.5)
    assert step.cells_from.value is layer
    assert step.run.text() == "Measure"


def _area(layer: Any) -> int:
    return int((np.asarray(layer.data) > 0).sum())


def test_nuclei_grow_by_what_is_typed(
    qtbot: Any, step: CellsStep, model: ViewerModel, run: Any
) -> None:
    step.clean.setChecked(False)
    run(step)
    nuclei = _area(model.layers["cells"])
    step.cells_from.setCurrentIndex(step.cells_from.findText("find them in the image"))
    distance = _growth(step)
    assert distance.isVisible()
    distance.selectAll()
    qtbot.keyClicks(distance, "1")
    run(step)
    assert _area(model.layers["cells"]) > 1.2 * nuclei


def _growth(step: CellsStep) -> QLineEdit:
    """The line in which the distance is typed."""
    box = step.finding.growth.rows["growth"].widget.native
    return next(line for line in box.findChildren(QLineEdit) if line.isVisibleTo(box))


def test_growth_is_in_pixels_where_their_size_is_unknown(qtbot: Any, model: ViewerModel) -> None:
    model.add_image(np.zeros((64, 64)), name="DAPI")
    step = CellsStep(model)
    qtbot.addWidget(step)
    assert step.finding.growth_label.text() == "Growth (px)"


def test_the_outcome_counts_markers_and_its_details_name_them(cells: AnnData) -> None:
    report = {
        "cells": 600,
        "kept": 582,
        "dropped": {"size": 18, "blanks": 0},
        "reasons": {"too small": 17, "too large": 1, "blanks too dark": 0},
        "skipped": {"total": "not wanted"},
        "not_separated": ["CD4", "CD8"],
        "constant": ["ER"],
        "bounds": {"size": {"low": 12.5, "high": 1250.0, "unit": "µm²", "from": {}}},
    }
    slots.note(cells, clean=report)
    said = outcome(cells)
    assert said.text == (
        "582 of 600 cells kept, 2 channels. Dropped: 17 too small, 1 too large. No clear split "
        "into signal and ground: 2 markers. The same in every cell: 1."
    )
    for part in ("CD4, CD8", "ER", "total: not wanted", "Sizes kept: 12.5 to 1,250 µm²."):
        assert part in said.details
    slots.note(cells, kind=slots.COUNTS, clean={**report, "not_separated": [], "constant": []})
    assert outcome(cells).text.startswith("582 of 600 cells kept, 2 features.")


def test_a_mask_is_measured_and_moved_onto_its_image(
    qtbot: Any, step: CellsStep, model: ViewerModel, labels: np.ndarray, finish: Any
) -> None:
    masks = model.add_labels(labels, name="masks")
    step.cells_from.choose(masks)
    assert not step.finding.nuclear.isVisible()
    _run(qtbot, step)
    assert "cells" in finish(step)
    assert set(cells_of(masks).obs["label"]) <= set(np.unique(labels))
    assert measured_of(masks).n_obs == 64
    assert tuple(masks.scale) == (0.5, 0.5)


def test_a_table_from_a_file_skips_measuring(
    qtbot: Any, step: CellsStep, model: ViewerModel, labels: np.ndarray, cells: AnnData, finish: Any
) -> None:
    masks = model.add_labels(labels, name="table", metadata=table_metadata(cells))
    step.cells_from.choose(masks)
    step.image.choose(Instead.TABLE)
    assert step.run.text() == "Clean"
    step.clean.setChecked(False)
    _run(qtbot, step)
    assert finish(step) == "64 cells, 2 channels."
    assert cells_of(masks) is cells


def test_without_an_image_the_way_on_is_told(
    qtbot: Any, model: ViewerModel, notified: list[Any]
) -> None:
    step = CellsStep(model)
    qtbot.addWidget(step)
    _run(qtbot, step)
    assert "no image yet" in step.outcome.text()
    assert len(notified) == 1


def test_without_a_nuclear_channel_nothing_happens(
    qtbot: Any, step: CellsStep, model: ViewerModel, notified: list[Any]
) -> None:
    before = list(model.layers)
    step.finding.nuclear.item(0).setCheckState(Qt.CheckState.Unchecked)
    _run(qtbot, step)
    assert notified[0].message.startswith("Tick a channel that shows nuclei")
    assert "DAPI, CD3, CD20" in notified[0].message
    assert list(model.layers) == before


def test_ticks_survive_a_new_layer(step: CellsStep, model: ViewerModel) -> None:
    step.finding.nuclear.item(2).setCheckState(Qt.CheckState.Checked)
    model.add_points(np.zeros((1, 2)))
    assert step.finding.nuclear.ticked == ("DAPI", "CD20")


def test_an_image_of_unknown_channels_has_none_ticked(qtbot: Any, model: ViewerModel) -> None:
    model.add_image(np.zeros((3, 32, 32)), name="stack")
    step = CellsStep(model)
    qtbot.addWidget(step)
    assert step.finding.nuclear.count() == 3
    assert step.finding.nuclear.ticked == ()


def test_an_empty_image_gives_one_message_and_no_layer(
    qtbot: Any, model: ViewerModel, notified: list[Any], finish: Any
) -> None:
    model.add_image(np.zeros((2, 64, 64), np.uint8), name="DAPI")
    step = CellsStep(model)
    qtbot.addWidget(step)
    step.finding.nuclear.item(0).setCheckState(Qt.CheckState.Checked)
    _run(qtbot, step)
    finish(step)
    assert len(notified) == 1
    assert len(model.layers) == 1


def test_labels_of_another_size_are_refused(
    qtbot: Any,
    step: CellsStep,
    model: ViewerModel,
    labels: np.ndarray,
    notified: list[Any],
    finish: Any,
) -> None:
    masks = model.add_labels(labels[:50])
    step.cells_from.choose(masks)
    _run(qtbot, step)
    assert "differ in shape" in finish(step)
    assert cells_of(masks) is None
    assert len(notified) == 1


def test_a_wrong_parameter_names_its_field(
    qtbot: Any, step: CellsStep, notified: list[Any]
) -> None:
    method = step.finding.settings.rows["method"]
    name, row = next((n, r) for n, r in _rows(method) if n == "smoothing")
    row.widget.value = "-5"
    _run(qtbot, step)
    assert notified[0].message.startswith(f"{name.capitalize()}:")


def _rows(row: Any) -> list[Any]:
    return list(row.widget[1].rows.items())  # the first is the choice of the method


def test_labels_removed_meanwhile_discard_the_result(
    qtbot: Any,
    step: CellsStep,
    model: ViewerModel,
    labels: np.ndarray,
    notified: list[Any],
    finish: Any,
) -> None:
    masks = model.add_labels(labels, name="masks")
    step.cells_from.choose(masks)
    _run(qtbot, step)
    model.layers.remove(masks)
    assert finish(step) == "The layer “masks” is gone; the result was discarded."
    assert cells_of(masks) is None


def test_painted_layers_are_not_offered(
    step: CellsStep, model: ViewerModel, labels: np.ndarray
) -> None:
    assert step.cells_from.count() == 1
    assert step.cells_from.value is Instead.FIND
    model.add_labels(labels, metadata={"gluer": {"kind": "categories"}})
    assert step.cells_from.count() == 1
    masks = model.add_labels(labels, name="masks")
    assert step.cells_from.count() == 2
    masks.name = "renamed"
    assert step.cells_from.itemText(1) == "renamed"
    model.layers.remove(masks)
    assert step.cells_from.count() == 1


def test_everything_unfolded_is_as_narrow_as_the_panel(qtbot: Any, step: CellsStep) -> None:
    for section in (*step.sections.values(), step.finding.section):
        section.fold(folded=False)
    qtbot.wait(10)
    scroll_bar = 20
    assert step.scroll_area.widget().minimumSizeHint().width() <= step.minimumWidth() - scroll_bar


def test_one_of_a_thing_is_said_in_the_singular(cells: AnnData) -> None:
    one = cells[:1, :1].copy()
    slots.note(one, measure={"outside_regions": 1})
    assert outcome(one).text == "1 cell, 1 channel. Left out by regions: 1 cell."
    slots.note(one, kind=slots.COUNTS, spots={"outcome": "5 spots"})
    assert outcome(one).text.startswith("1 cell, 1 gene. 5 spots.")
