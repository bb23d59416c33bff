"""Closing with unsaved results asks; undo by keys leaves napari's own alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QFileDialog, QMainWindow, QMessageBox, QWidget

from napari_gluer._napari.closing import unsaved
from napari_gluer._napari.history import history_of, record
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.session.reading import read_session
from napari_gluer._napari.steps.history import HistoryStep
from napari_gluer.pipeline.recipes.steps import Cleaned

_Button = QMessageBox.StandardButton


@pytest.fixture
def window(qtbot: Any, model: ViewerModel, labels: np.ndarray) -> QMainWindow:
    """A window as napari's, that lives on when it is closed."""
    record(model.add_labels(labels, name="cells"), Cleaned())
    opened = QMainWindow()
    qtbot.addWidget(opened)
    opened.setCentralWidget(HistoryStep(model))
    opened.show()
    qtbot.waitExposed(opened)
    return opened


def _close(qtbot: Any, window: QMainWindow, answer: Any) -> int:
    """Close as a person does, while the loop runs; how often was asked."""
    asked: list[str] = []

    def look() -> None:
        box = window.findChild(QMessageBox, "gluer_unsaved")
        if box is not None and box.isVisible():
            asked.append(box.text())
            box.button(answer).click()
            box.setObjectName("answered")

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    QTimer.singleShot(0, window.close)
    qtbot.wait(300)
    timer.stop()
    return len(asked)


def test_cancel_keeps_the_window_and_discard_closes_it(
    qtbot: Any, window: QMainWindow, model: ViewerModel
) -> None:
    assert unsaved(model) == [("cells", 1)]
    assert _close(qtbot, window, _Button.Cancel) == 1
    assert window.isVisible()
    assert _close(qtbot, window, _Button.Discard) == 1
    assert not window.isVisible()


def test_save_writes_the_session_and_closes(
    qtbot: Any, window: QMainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("", ""))
    assert _close(qtbot, window, _Button.Save) == 1
    assert window.isVisible()  # no folder was chosen
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    taken = str(tmp_path / "mine")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (taken, ""))
    assert _close(qtbot, window, _Button.Save) == 1
    assert window.isVisible()  # nothing could be saved there
    folder = tmp_path / "session"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(folder), ""))
    assert _close(qtbot, window, _Button.Save) == 1
    assert not window.isVisible()
    assert read_session(folder).record["layers"][0]["history"]["steps"][0]["kind"] == "clean"


def test_nothing_is_asked_when_all_is_saved(
    qtbot: Any, window: QMainWindow, model: ViewerModel
) -> None:
    history_of(model.layers["cells"]).saved()
    assert _close(qtbot, window, _Button.Cancel) == 0
    assert not window.isVisible()


def test_a_script_that_closes_its_window_is_not_asked(window: QMainWindow) -> None:
    assert window.close()
    assert not window.isVisible()


def _canvas(window: QMainWindow) -> QWidget:
    """What takes the keys of napari's picture."""
    return next(
        one
        for one in window.findChildren(QWidget)
        if type(one).__name__.startswith("CanvasBackend")
    )


def _press(qtbot: Any, canvas: QWidget) -> Callable[[Any], None]:
    return lambda modifiers: qtbot.keyClick(canvas, Qt.Key.Key_Z, modifiers)


def test_in_napari_keys_undo_and_leave_painting_to_napari(
    qtbot: Any, make_napari_viewer: Any, labels: np.ndarray
) -> None:
    viewer = make_napari_viewer(show=True)
    layer = viewer.add_labels(labels, name="cells")
    viewer.window.add_dock_widget(HistoryStep(viewer))
    record(layer, Cleaned())
    window = next(
        one
        for one in QApplication.topLevelWidgets()
        if isinstance(one, QMainWindow) and one.isVisible()
    )
    selections = linked_of(layer).selections
    selections.choose([3])
    selections.keep("one")
    press = _press(qtbot, _canvas(window))
    alt, control = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
    shift = Qt.KeyboardModifier.ShiftModifier
    press(alt)
    assert selections.named == {}
    press(alt | shift)
    assert list(selections.named) == ["one"]
    layer.paint((0, 0), 9)
    assert layer.data[0, 0] == 9
    press(control)  # the labels are active: napari's own
    assert layer.data[0, 0] == 0
    assert list(selections.named) == ["one"]
    viewer.layers.selection.active = viewer.add_image(np.zeros((9, 9)))
    press(control)
    assert selections.named == {}
    press(control | shift)
    assert list(selections.named) == ["one"]
    assert _close(qtbot, window, _Button.Cancel) == 1
    assert window.isVisible()
