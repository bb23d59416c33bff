"""What went wrong, told once and plainly: what to do, and the details behind a button."""

import errno
import traceback
from typing import Any

from napari.utils.notifications import (
    Notification,
    NotificationSeverity,
    notification_manager,
    show_warning,
)
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QMainWindow,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from napari_gluer.errors import InputError

_SIZE = (640, 420)
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_AGAIN = "Free some space or choose another folder, then try again."


_OPEN: set[QWidget] = set()


def explained(error: BaseException) -> str:
    """What happened and what would do, for the person."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            "There was not enough memory. Close other programs, or work with fewer cells or a "
            "smaller part of the image, then try again."
        )
    if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported for this
        return "The memory of the GPU is full. Choose the processor (cpu) as device and try again."
    if isinstance(error, OSError) or _is_full(error):
        return _of_file(error)
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return (
        f"Something unexpected went wrong ({told}). Try again; if it happens again, send the "
        "details to the developers."
    )


def _is_full(error: BaseException) -> bool:
    """Whether the disk is full; HDF5 and zarr say so in words only."""
    said = "No space left on device" in str(error) or f"errno = {errno.ENOSPC}" in str(error)
    return said or getattr(error, "errno", None) in _FULL


def _of_file(error: Any) -> str:
    name = getattr(error, "filename", None)
    place = f"“{name}”" if name else "the file"
    if _is_full(error):
        return f"The disk is full: {place} could not be written. {_AGAIN}"
    if error.errno in _CLOSED:
        return f"There is no permission for {place}. Choose another folder, then try again."
    if error.errno == errno.ENOENT:
        return f"There is no {place} (any more). Choose the file again."
    words = error.strerror or str(error) or type(error).__name__
    return f"{place[:1].upper()}{place[1:]} could not be read or written: {words}."


def report(error: BaseException) -> None:
    """Tell the person what went wrong, in one notification.

    What is not the input's fault comes with a button that shows the details, to be copied.
    """
    if isinstance(error, InputError):
        show_warning(str(error))
        return
    details = "".join(traceback.format_exception(error))
    notification_manager.dispatch(
        Notification(
            explained(error),
            NotificationSeverity.ERROR,
            actions=(("Details …", lambda told: show_details(explained(error), details, told)),),
        )
    )


class DetailsDialog(QDialog):
    """Where it went wrong, as text that can be copied.

    Parameters
    ----------
    summary
        What was told.
    details
        The traceback.
    """

    def __init__(self, summary: str, details: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("GLUER: details")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*_SIZE)
        told = QLabel(summary)
        told.setWordWrap(True)
        self.text = QPlainTextEdit(details)
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy: Any = self.buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        self.copy = copy
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (told, self.text, self.buttons):
            layout.addWidget(widget)

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.text.toPlainText())


def show_details(summary: str, details: str, told: object = None) -> DetailsDialog:
    """Open the details in a window of their own, which blocks nothing.

    Parameters
    ----------
    told
        The notification's widget, which napari passes.
    """
    parent = told.window() if isinstance(told, QWidget) else main_window()
    dialog = DetailsDialog(summary, details, parent)
    if parent is None:
        _OPEN.add(dialog)  # nothing else keeps it
        dialog.finished.connect(lambda _result: _OPEN.discard(dialog))
    dialog.show()
    return dialog


def main_window() -> QMainWindow | None:
    """The window in view."""
    windows = (one for one in QApplication.topLevelWidgets() if isinstance(one, QMainWindow))
    return next((one for one in windows if one.isVisible()), None)
