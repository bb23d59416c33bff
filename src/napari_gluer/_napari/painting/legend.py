"""The legend under the list: colours, names, counts; a click shows a category alone."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QBrush, QColor, QIcon, QKeyEvent, QMouseEvent, QPainter, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_gluer._napari.layers import LegendEntry

_SWATCH, _SWATCH_REACH, _COUNTS = 14, 24, 80
_ENTRY = Qt.ItemDataRole.UserRole
_PALE = "#808080"


class LegendList(QTreeWidget):
    """Colour, name and number of cells of every category.

    A click on a name shows it alone, with Ctrl several; a double click on a swatch edits its
    colour. Space and F2 do the same for the row of the keyboard.
    """

    isolate_asked = Signal(str, bool)
    """A category, and whether it joins those that are shown alone."""
    recolor_asked = Signal(str, str)
    """A category, and the ``#rrggbb`` that it has."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderLabels(["Colour", "Cells"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setMinimumHeight(90)
        header = self.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(1, _COUNTS)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show the category alone whose name was clicked."""
        super().mouseReleaseEvent(event)
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if event.pos().x() > _SWATCH_REACH:
            joins = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self._isolate(self.itemAt(event.pos()), joins=joins)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Edit the colour whose swatch was double-clicked."""
        super().mouseDoubleClickEvent(event)
        if event is not None and event.pos().x() <= _SWATCH_REACH:
            self._recolor(self.itemAt(event.pos()))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Space shows the current row alone, F2 edits its colour."""
        if event is not None and event.key() == Qt.Key.Key_Space:
            joins = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self._isolate(self.currentItem(), joins=joins)
        elif event is not None and event.key() == Qt.Key.Key_F2:
            self._recolor(self.currentItem())
        else:
            super().keyPressEvent(event)

    def _isolate(self, item: QTreeWidgetItem | None, *, joins: bool) -> None:
        entry = _entry_of(item)
        if entry is not None and not entry.note:
            self.isolate_asked.emit(entry.name, joins)

    def _recolor(self, item: QTreeWidgetItem | None) -> None:
        entry = _entry_of(item)
        if entry is not None and not entry.note:
            self.recolor_asked.emit(entry.name, entry.color)


class Legend(QWidget):
    """The list, and a button that brings all categories back."""

    isolated = Signal(tuple)
    """Names of the categories to show alone; none for all."""
    recolored = Signal(str, str)
    """A category, and the ``#rrggbb`` that a person chose."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = LegendList()
        self.all = QPushButton("Show all categories")
        self.all.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addWidget(self.all)
        self._alone: tuple[str, ...] = ()
        self.list.isolate_asked.connect(self._isolate)
        self.list.recolor_asked.connect(self._ask_color)
        self.all.clicked.connect(lambda: self.isolated.emit(()))

    def topLevelItem(self, row: int) -> Any:  # noqa: N802 - of the list
        """A row of the list."""
        return self.list.topLevelItem(row)

    def topLevelItemCount(self) -> int:  # noqa: N802 - of the list
        """Number of rows."""
        return self.list.topLevelItemCount()

    def show_entries(self, entries: Sequence[LegendEntry], alone: Sequence[str] = ()) -> None:
        """List `entries`; those without a cell are left out, and all but `alone` are pale."""
        self._alone = tuple(alone)
        self.all.setVisible(bool(alone))
        place = self.list.verticalScrollBar()
        before = 0 if place is None else place.value()
        current = self.list.indexOfTopLevelItem(self.list.currentItem())
        self.list.clear()
        self.list.addTopLevelItems([_row(one, self._alone) for one in entries if one.count])
        if 0 <= current < self.list.topLevelItemCount():
            self.list.setCurrentItem(self.list.topLevelItem(current))
        if place is not None:
            place.setValue(before)

    def _isolate(self, name: str, joins: bool) -> None:  # noqa: FBT001 - a signal's arguments
        others = tuple(one for one in self._alone if one != name)
        if joins:
            alone = others if name in self._alone else (*self._alone, name)
        else:
            alone = () if self._alone == (name,) else (name,)
        self.isolated.emit(alone)

    def _ask_color(self, name: str, color: str) -> None:
        chosen = QColorDialog.getColor(QColor(color), self, f"Colour of “{name}”")
        if chosen.isValid():
            self.recolored.emit(name, chosen.name().upper())


def swatch(color: str) -> QIcon:
    """A square of a colour; an empty frame where it is ""."""
    pixels = QPixmap(_SWATCH, _SWATCH)
    pixels.fill(QColor(color) if color else QColor(0, 0, 0, 0))
    if not color:
        painter = QPainter(pixels)
        painter.setPen(QColor(_PALE))
        painter.drawRect(0, 0, _SWATCH - 1, _SWATCH - 1)
        painter.end()
    return QIcon(pixels)


def _row(entry: LegendEntry, alone: tuple[str, ...]) -> QTreeWidgetItem:
    item = QTreeWidgetItem([entry.name, f"{entry.count:,}"])
    item.setIcon(0, swatch(entry.color))
    item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setData(0, _ENTRY, entry)
    how = "Click: show it alone (Ctrl: several). Double-click the colour to change it."
    item.setToolTip(0, entry.note or f"{entry.name}\n{how}")
    if alone and entry.name not in alone:
        item.setForeground(0, QBrush(QColor(_PALE)))
    return item


def _entry_of(item: QTreeWidgetItem | None) -> LegendEntry | None:
    return None if item is None else item.data(0, _ENTRY)
