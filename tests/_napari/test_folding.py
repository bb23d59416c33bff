"""Sections fold, and a stray wheel changes nothing."""

from typing import Any

from magicgui.widgets import Container, Label
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QSpinBox, QWidget

from napari_gluer._napari.folding import Section, boxed, is_open, no_stray_wheel


def test_a_section_starts_folded_and_opens_by_a_click(qtbot: Any) -> None:
    inside = Container(widgets=[Label(value="content")])
    section = Section("Network", inside, "The map.")
    qtbot.addWidget(section.native)
    section.native.show()
    assert section.folded
    assert not inside.native.isVisible()
    header = section[0]
    assert header.text == "▸ Network"
    qtbot.mouseClick(header.native, Qt.MouseButton.LeftButton)
    assert inside.native.isVisible()
    assert header.text == "▾ Network"


def test_a_qt_widget_folds_too(qtbot: Any) -> None:
    inside = QSpinBox()
    section = Section("Tiles", boxed(inside))
    qtbot.addWidget(section.native)
    section.native.show()
    assert not inside.isVisible()
    section.fold(folded=False)
    assert inside.isVisible()


def _wheel(editor: QWidget) -> None:
    none = QPoint(0, 0)
    turned = QWheelEvent(
        QPointF(2, 2),
        QPointF(editor.mapToGlobal(QPoint(2, 2))),
        none,
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(editor, turned)


def test_the_wheel_changes_only_an_editor_that_was_clicked(qtbot: Any) -> None:
    editor = QSpinBox()
    qtbot.addWidget(editor)
    no_stray_wheel(editor)
    editor.show()
    qtbot.waitExposed(editor)
    editor.clearFocus()
    _wheel(editor)
    assert editor.value() == 0
    editor.activateWindow()
    editor.setFocus()
    qtbot.waitUntil(editor.hasFocus)
    _wheel(editor)
    assert editor.value() == 1


def test_a_deleted_widget_is_not_open(qtbot: Any) -> None:
    widget = QWidget()
    assert is_open(widget)
    widget.deleteLater()
    qtbot.waitUntil(lambda: not is_open(widget))
