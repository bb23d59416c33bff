"""The Selections panel by clicks and keys, and drawing on a real canvas."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.notifications import Notification
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_gluer._napari.attached import attach, cells_of
from napari_gluer._napari.selecting.step import SelectionsStep
from napari_gluer._napari.selection_layer import CHOSEN, selection_layer

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def masks(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> Labels:
    layer = model.add_labels(labels, name="masks")
    attach(layer, cells=cells, measured=cells)
    return layer


@pytest.fixture
def step(qtbot: Any, masks: Labels, model: ViewerModel) -> SelectionsStep:
    made = SelectionsStep(model)
    qtbot.addWidget(made)
    made.resize(340, 700)
    made.show()
    return made


def _keep(qtbot: Any, step: SelectionsStep, labels: list[int], name: str) -> None:
    step.linked.selections.choose(labels)
    qtbot.keyClicks(step.name, name)
    qtbot.keyClick(step.name, Qt.Key.Key_Return)


def _click_row(
    qtbot: Any, step: SelectionsStep, row: int, keys: Any = Qt.KeyboardModifier.NoModifier
) -> None:
    at = step.list.visualItemRect(step.list.topLevelItem(row)).center()
    qtbot.mouseClick(step.list.viewport(), LEFT, keys, QPoint(20, at.y()))


def test_chosen_cells_get_a_name(qtbot: Any, step: SelectionsStep) -> None:
    assert not step.keep.isEnabled()
    _keep(qtbot, step, [3, 6], "rim")
    assert step.outcome.text() == "2 cells are chosen."
    assert step.list.names == ["rim"]
    qtbot.mouseClick(step.keep, LEFT)
    assert step.list.names == ["rim", "selection 1"]


def test_a_name_is_recalled_by_a_click(
    qtbot: Any, step: SelectionsStep, model: ViewerModel, masks: Labels, labels: np.ndarray
) -> None:
    _keep(qtbot, step, [3, 6], "rim")
    qtbot.mouseClick(step.clear, LEFT)
    assert not selection_layer(model, masks).visible
    _click_row(qtbot, step, 0)
    assert step.linked.selections.current.tolist() == [3, 6]
    found = np.asarray(selection_layer(model, masks).data)
    np.testing.assert_array_equal(found == CHOSEN, np.isin(labels, [3, 6]))


@pytest.mark.parametrize(
    ("how", "name", "expected"),
    [
        ("add", "one or two", [3, 6, 9]),
        ("remove", "one without two", [3]),
        ("common", "one and two", [6]),
    ],
)
def test_names_are_combined(
    qtbot: Any, step: SelectionsStep, how: str, name: str, expected: list[int]
) -> None:
    _keep(qtbot, step, [3, 6], "one")
    _keep(qtbot, step, [6, 9], "two")
    assert not step.combine[how].isEnabled()
    _click_row(qtbot, step, 0)
    _click_row(qtbot, step, 1, Qt.KeyboardModifier.ControlModifier)
    qtbot.mouseClick(step.combine[how], LEFT)
    assert step.linked.selections.named[name].tolist() == expected
    assert step.list.marked == [name]


def test_a_rename_that_is_refused_shows_the_old_name(
    qtbot: Any, step: SelectionsStep, notified: list[Notification]
) -> None:
    _keep(qtbot, step, [3], "one")
    _keep(qtbot, step, [6], "two")
    step.list.topLevelItem(1).setText(0, "one")
    assert "There is a selection “one” already" in notified[0].message
    assert step.list.topLevelItem(1).text(0) == "two"
    step.list.topLevelItem(1).setText(0, "three")
    assert step.list.names == ["one", "three"]
    assert notified[1:] == []


def test_deleting_is_taken_back(qtbot: Any, step: SelectionsStep) -> None:
    _keep(qtbot, step, [3], "one")
    _click_row(qtbot, step, 0)
    qtbot.keyClick(step.list, Qt.Key.Key_Delete)
    assert step.list.names == []
    assert step.undo.toolTip() == "delete “one”"
    qtbot.mouseClick(step.undo, LEFT)
    assert step.list.names == ["one"]
    qtbot.mouseClick(step.redo, LEFT)
    assert step.list.names == []


def test_selections_are_saved_to_the_table(qtbot: Any, step: SelectionsStep, masks: Labels) -> None:
    _keep(qtbot, step, [3, 6, 1000], "one")
    qtbot.mouseClick(step.save, LEFT)
    said = "Saved in the table as selection. 1 chosen labels have no row in the table."
    assert step.outcome.text() == said
    saved = cells_of(masks).obs
    assert sorted(saved["label"][saved["selection"] == "one"]) == [3, 6]


def test_selections_are_exported(
    qtbot: Any, step: SelectionsStep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _keep(qtbot, step, [3, 6], "one")
    path = tmp_path / "chosen.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    qtbot.mouseClick(step.export, LEFT)
    assert pd.read_csv(path)["label"].tolist() == [3, 6]
    assert step.outcome.text() == "Wrote 2 rows to chosen.csv."


def test_drawing_needs_measured_cells_and_a_flat_view(
    qtbot: Any, step: SelectionsStep, model: ViewerModel, notified: list[Notification]
) -> None:
    model.dims.ndisplay = 3
    qtbot.mouseClick(step.tools["add_rectangle"], LEFT)
    assert "3-D view" in notified[0].message
    assert not step.tools["add_rectangle"].isChecked()
    model.dims.ndisplay = 2
    model.add_labels(np.ones((9, 9), int), name="not measured")
    step.labels.setCurrentIndex(step.labels.findText("not measured"))
    qtbot.mouseClick(step.tools["add_rectangle"], LEFT)
    assert "not measured yet" in notified[1].message
    assert step.drawing.layer is None


def test_the_drawing_layer_comes_and_goes_with_the_button(
    qtbot: Any, step: SelectionsStep, model: ViewerModel, masks: Labels
) -> None:
    lasso, rectangle = step.tools.values()
    qtbot.mouseClick(lasso, LEFT)
    assert str(step.drawing.layer.mode) == "add_polygon_lasso"
    qtbot.mouseClick(rectangle, LEFT)
    assert str(step.drawing.layer.mode) == "add_rectangle"
    assert (lasso.isChecked(), rectangle.isChecked()) == (False, True)
    qtbot.mouseClick(rectangle, LEFT)
    assert list(model.layers) == [masks]
    assert model.layers.selection.active is masks
    qtbot.mouseClick(lasso, LEFT)
    model.layers.remove(step.drawing.layer)
    assert not lasso.isChecked()


def test_the_labels_go_while_somebody_draws(
    qtbot: Any, step: SelectionsStep, model: ViewerModel, masks: Labels
) -> None:
    qtbot.mouseClick(step.tools["add_rectangle"], LEFT)
    model.layers.remove(masks)
    assert len(model.layers) == 0
    assert not step.tools["add_rectangle"].isChecked()


class _Canvas:
    """A real window whose canvas is clicked where a pixel of the labels is."""

    def __init__(self, viewer: Any, qtbot: Any) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        self.widget = _canvas(viewer)

    def place(self, y: float, x: float) -> QPoint:
        """Where a point in world coordinates is on the canvas."""
        camera = self.viewer.scene.camera
        size = self.widget.size()
        centre = np.asarray(camera.center[-2:])
        dy, dx = (np.array([y, x]) - centre) * camera.zoom
        return QPoint(round(size.width() / 2 + dx), round(size.height() / 2 + dy))

    def drag(self, corners: list[tuple[float, float]], keys: Any) -> None:
        places = [self.place(*corner) for corner in corners]
        self.qtbot.mousePress(self.widget, LEFT, keys, places[0])
        for place in places[1:]:
            self.qtbot.mouseMove(self.widget, place)
            QApplication.processEvents()
        self.qtbot.mouseRelease(self.widget, LEFT, keys, places[-1])
        QApplication.processEvents()


def _canvas(viewer: Any) -> Any:
    """The drawing area: the widget that vispy makes, found among the window's children."""
    window = next(
        one for one in QApplication.topLevelWidgets() if one.windowTitle() == viewer.title
    )
    return next(one for one in window.findChildren(object) if "CanvasBackend" in type(one).__name__)


def _square(top: float, left: float, bottom: float, right: float) -> list[tuple[float, float]]:
    corners = [(top, left), (top, right), (bottom, right), (bottom, left), (top, left)]
    steps = np.linspace(0, 1, 8)[:-1, None]
    sides = zip(np.array(corners[:-1]), np.array(corners[1:]), strict=True)
    return [tuple(one) for a, b in sides for one in a + steps * (b - a)]


@pytest.mark.gui
def test_cells_are_drawn_around_on_the_tissue(
    qtbot: Any, make_napari_viewer: Any, labels: np.ndarray, cells: AnnData
) -> None:
    viewer = make_napari_viewer(show=True, title="drawing on the tissue")
    viewer.window.resize(1000, 700)
    stack = np.stack([labels * 0, labels, labels[::-1]])
    scale, shift = np.array([4, 2, 2]), np.array([0, 30, -10])
    masks = viewer.add_labels(stack, scale=scale, translate=shift)
    attach(masks, cells=cells, measured=cells)
    viewer.add_image(np.zeros((2, 3, 20, 20)))  # one axis more than the labels have
    viewer.dims.set_point(1, 4)
    _, step = viewer.window.add_plugin_dock_widget("napari-gluer", "Selections")
    QApplication.processEvents()
    viewer.reset_view()
    QApplication.processEvents()
    canvas = _Canvas(viewer, qtbot)
    no, shift_key = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier

    def world(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [tuple(np.array(one) * scale[1:] + shift[1:]) for one in corners]

    # cells are 14 pixels apart: the first two of the first row, and a part of the third
    qtbot.mouseClick(step.tools["add_polygon_lasso"], LEFT)
    canvas.drag(world(_square(0, 0, 13, 31)), no)
    assert step.linked.selections.current.tolist() == [3, 6]
    assert len(step.drawing.layer.data) == 0
    canvas.drag(world(_square(14, 0, 27, 13)), shift_key)
    assert step.linked.selections.current.tolist() == [3, 6, 27]
    # a rectangle, any part of a cell
    step.rule.setCurrentIndex(1)
    qtbot.mouseClick(step.tools["add_rectangle"], LEFT)
    canvas.drag(world([(0, 0), (6, 15), (13, 31)]), no)
    assert step.linked.selections.current.tolist() == [3, 6, 9]
    # the next slice holds the rows upside down
    viewer.dims.set_point(1, 8)
    qtbot.mouseClick(step.how.buttons["remove"], LEFT)
    canvas.drag(world([(99, 0), (105, 6), (111, 13)]), no)
    assert step.linked.selections.current.tolist() == [6, 9]
