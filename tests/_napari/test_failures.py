"""Failures are told once, with what would do; the details are behind a button."""

import errno
import os
from typing import Any

import pytest
from napari._qt.dialogs.qt_notification import NapariQtNotification
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QApplication, QPushButton

from napari_gluer._napari.failures import DetailsDialog, explained, report
from napari_gluer.errors import InputError


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/data/cells.h5ad")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InputError("No nuclei."), "No nuclei."),
        (MemoryError(), "not enough memory"),
        (
            _os_error(errno.ENOSPC),
            "The disk is full: “/data/cells.h5ad” could not be written. Free some space",
        ),
        (
            OSError("Can't write data (file write failed: errno = 28, message = '…')"),
            "The disk is full: the file could not be written.",
        ),
        (RuntimeError("[Errno 28] No space left on device"), "The disk is full: the file"),
        (_os_error(errno.EACCES), "There is no permission for “/data/cells.h5ad”. Choose another"),
        (_os_error(errno.ENOENT), "There is no “/data/cells.h5ad” (any more)"),
        (_os_error(errno.EIO), "“/data/cells.h5ad” could not be read or written: Input/output"),
        (OSError("truncated"), "The file could not be read or written: truncated."),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA"), "memory of the GPU is full"),
        (KeyError("x"), "Something unexpected went wrong (KeyError: 'x'). Try again;"),
        (AssertionError(), "Something unexpected went wrong (AssertionError)."),
    ],
)
def test_it_is_said_what_would_do(error: Exception, words: str) -> None:
    assert explained(error).startswith(words) or words in explained(error)


def test_input_errors_are_told_in_their_own_words(notified: list[Any]) -> None:
    report(InputError("The file is not an image."))
    assert [str(one.message) for one in notified] == ["The file is not an image."]
    assert notified[0].severity.value == "warning"
    assert not notified[0].actions


def _raised() -> Exception:
    try:
        {}["x"]
    except KeyError as error:
        return error
    raise AssertionError


def test_others_are_told_once_with_a_button(qtbot: Any, notified: list[Any]) -> None:
    report(_raised())
    (told,) = notified
    assert told.severity.value == "error"
    assert "KeyError" in told.message
    assert "Traceback" not in told.message
    ((text, act),) = told.actions
    assert text == "Details …"
    act(None)
    (dialog,) = (one for one in QApplication.topLevelWidgets() if isinstance(one, DetailsDialog))
    assert dialog.isVisible()
    assert not dialog.isModal()
    assert "in _raised" in dialog.text.toPlainText()
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert "in _raised" in QGuiApplication.clipboard().text()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(
        lambda: not any(isinstance(one, DetailsDialog) for one in QApplication.topLevelWidgets())
    )


def test_naparis_own_notification_has_the_button_and_no_traceback(
    qtbot: Any, notified: list[Any]
) -> None:
    report(_raised())
    shown = NapariQtNotification.from_notification(notified[0])
    qtbot.addWidget(shown)
    buttons = {one.text(): one for one in shown.findChildren(QPushButton)}
    assert "Details …" in buttons
    assert not any("raceback" in text for text in buttons)
    qtbot.mouseClick(buttons["Details …"], Qt.MouseButton.LeftButton)
    (dialog,) = shown.findChildren(DetailsDialog)
    assert "in _raised" in dialog.text.toPlainText()
