"""Deleted and renamed layers come back, in the order in which things were done."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_gluer._napari.attached import attach, cells_of
from napari_gluer._napari.layer_changes import LayerChanges, follow_layers, layer_undo
from napari_gluer._napari.layers import keep, show_values
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.undoing import redo, undo


@pytest.fixture
def masks(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> Labels:
    model.add_image(np.zeros(labels.shape), name="DAPI")
    layer = model.add_labels(labels, name="cells")
    attach(layer, cells=cells)
    return layer


@pytest.fixture
def window(qtbot: Any, model: ViewerModel, masks: Labels) -> QMainWindow:
    made = QMainWindow()
    qtbot.addWidget(made)
    panel = QWidget()
    made.setCentralWidget(panel)
    assert follow_layers(panel, model)
    return made


def settled(qtbot: Any) -> None:
    qtbot.wait(20)


def test_a_deleted_layer_comes_back_at_its_place_with_its_cells(
    qtbot: Any, model: ViewerModel, masks: Labels, cells: AnnData, window: QMainWindow
) -> None:
    model.add_image(np.zeros((4, 4)), name="above")
    model.layers.remove(masks)
    settled(qtbot)
    assert undo(model) == "deletion of “cells”"
    assert [one.name for one in model.layers] == ["DAPI", "cells", "above"]
    assert model.layers[1] is masks
    assert cells_of(masks) is cells
    assert redo(model) == "deletion of “cells”"
    assert masks not in model.layers
    assert undo(model) == "deletion of “cells”"
    assert window.findChild(LayerChanges) is not None


def test_what_is_deleted_together_comes_back_together(
    qtbot: Any, model: ViewerModel, masks: Labels, cells: AnnData, window: QMainWindow
) -> None:
    painted = show_values(model, masks, cells, np.arange(cells.n_obs), name="CD3")
    keep(painted)
    before = list(model.layers)
    model.layers.selection = {masks, painted}
    model.layers.remove_selected()
    settled(qtbot)
    assert len(model.layers) == len(before) - 2
    assert undo(model) == "deletion of “CD3”, “cells”"
    assert list(model.layers) == before
    assert undo(model) == ""
    assert window.isVisible() is False


def test_pictures_without_results_are_let_go(
    qtbot: Any, model: ViewerModel, window: QMainWindow
) -> None:
    model.layers.remove("DAPI")
    settled(qtbot)
    assert undo(model) == ""
    undo_of = layer_undo(model)
    assert undo_of is not None
    assert undo_of.undo_text == ""
    assert window.findChild(LayerChanges).viewer is model


def test_a_name_is_taken_back(model: ViewerModel, masks: Labels, window: QMainWindow) -> None:
    masks.name = "spleen"
    masks.name = "spleen 2"
    assert undo(model) == "name “spleen 2” of “spleen”"
    assert masks.name == "spleen"
    assert undo(model) == "name “spleen” of “cells”"
    assert masks.name == "cells"
    assert redo(model) == "name “spleen” of “cells”"
    assert masks.name == "spleen"
    assert window is not None


def test_the_last_thing_done_is_taken_back_first(
    qtbot: Any, model: ViewerModel, masks: Labels, window: QMainWindow
) -> None:
    linked = linked_of(masks)
    linked.recolor("cluster", "odd", "#ff0000")
    masks.name = "spleen"
    linked.recolor("cluster", "even", "#00ff00")
    assert [undo(model) for _ in range(4)] == [
        "colour of “even”",
        "name “spleen” of “cells”",
        "colour of “odd”",
        "",
    ]
    assert [redo(model) for _ in range(4)] == [
        "colour of “odd”",
        "name “spleen” of “cells”",
        "colour of “even”",
        "",
    ]
    assert masks.name == "spleen"
    assert linked.colors == {"cluster": {"odd": "#ff0000", "even": "#00ff00"}}
    assert window is not None


def test_a_layer_that_came_back_otherwise_is_not_added_twice(
    qtbot: Any, model: ViewerModel, masks: Labels, window: QMainWindow
) -> None:
    model.layers.remove(masks)
    settled(qtbot)
    model.layers.append(masks)
    assert undo(model) == "deletion of “cells”"
    assert [one.name for one in model.layers] == ["DAPI", "cells"]
    assert window is not None


def test_a_moved_layer_is_not_a_deleted_one(
    qtbot: Any, model: ViewerModel, masks: Labels, window: QMainWindow
) -> None:
    model.layers.move(1, 0)
    settled(qtbot)
    assert undo(model) == ""
    assert masks in model.layers
    assert window is not None


def test_each_window_follows_its_own_viewer_once(
    qtbot: Any, model: ViewerModel, window: QMainWindow
) -> None:
    assert not follow_layers(window.centralWidget(), model)
    other = ViewerModel()
    assert layer_undo(other) is None
    assert layer_undo(model) is window.findChild(LayerChanges).undo
    lone = QWidget()
    qtbot.addWidget(lone)
    assert not follow_layers(lone, other)


def test_only_the_last_five_are_kept(
    qtbot: Any, model: ViewerModel, labels: np.ndarray, cells: AnnData, window: QMainWindow
) -> None:
    for number in range(7):
        layer = model.add_labels(labels, name=f"section {number}")
        attach(layer, cells=cells)
        model.layers.remove(layer)
        settled(qtbot)
    said = []
    while text := undo(model):
        said.append(text)
    assert said == [f"deletion of “section {i}”" for i in (6, 5, 4, 3, 2)]
    assert window is not None
