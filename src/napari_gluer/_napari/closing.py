"""Closing a window with results that are in no file asks first."""

from pathlib import Path
from typing import cast

from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QEvent, QObject, QThread
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QFileDialog, QMainWindow, QMessageBox, QWidget

from napari_gluer._napari.history import history_of
from napari_gluer._napari.jobs import report, while_waiting
from napari_gluer._napari.session.saving import gather, write_session
from napari_gluer.errors import InputError

_GUARDED = "gluer_guard"
_Answer = QMessageBox.StandardButton


def guard(widget: QWidget, viewer: ViewerModel) -> None:
    """Ask before the window of a widget closes with results that are not saved."""
    window = widget.window()
    if isinstance(window, QMainWindow) and window.findChild(QObject, _GUARDED) is None:
        window.installEventFilter(_Guard(viewer, window))


def unsaved(viewer: ViewerModel) -> list[tuple[str, int]]:
    """Layers with steps that are in no file: name and number of steps."""
    counted = [
        (layer.name, history_of(layer).unsaved)
        for layer in viewer.layers
        if isinstance(layer, Labels)
    ]
    return [(name, number) for name, number in counted if number]


def mark_saved(viewer: ViewerModel) -> None:
    """Everything that was done is in a file now."""
    for layer in viewer.layers:
        if isinstance(layer, Labels):
            history_of(layer).saved()


class _Guard(QObject):
    """Sees the window being closed before napari does."""

    def __init__(self, viewer: ViewerModel, window: QMainWindow) -> None:
        super().__init__(window)
        self.setObjectName(_GUARDED)
        self._viewer = viewer

    def eventFilter(self, window: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt
        """Stop the closing where the person wants that."""
        if event is None or event.type() != QEvent.Type.Close:
            return False
        closing = cast("QCloseEvent", event)
        if not (closing.spontaneous() or _in_use()) or self._may_close(cast("QWidget", window)):
            return False
        event.ignore()
        return True

    def _may_close(self, window: QWidget) -> bool:
        left = unsaved(self._viewer)
        if not left:
            return True
        answer = _ask(window, left)
        if answer == _Answer.Save:
            return self._saved(window)
        return answer == _Answer.Discard

    def _saved(self, window: QWidget) -> bool:
        path, _ = QFileDialog.getSaveFileName(window, "Save session (a folder)", "session")
        if not path:
            return False
        try:
            session = gather(self._viewer)
            while_waiting("Saving the session …", lambda: write_session(session, Path(path)))
        except InputError as error:
            report(error)
            return False
        mark_saved(self._viewer)
        return True


def _ask(window: QWidget, left: list[tuple[str, int]]) -> QMessageBox.StandardButton:
    box = QMessageBox(window)
    box.setObjectName("gluer_unsaved")
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("GLUER")
    named = ", ".join(f"“{name}”" for name, _ in left)
    box.setText(f"Results of {named} are not saved.")
    box.setInformativeText(
        "Save the session (layers, results, selections, view) to a folder before closing?"
    )
    box.setStandardButtons(_Answer.Save | _Answer.Discard | _Answer.Cancel)
    box.setDefaultButton(_Answer.Save)
    box.setEscapeButton(_Answer.Cancel)
    return _Answer(box.exec())


def _in_use() -> bool:
    """Whether a person may have asked for it, by a menu or a key: scripts run no event loop."""
    thread = QThread.currentThread()
    return thread is not None and thread.loopLevel() > 0
