"""The card of a cell: lines that can be copied, and two small tables."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_gluer._napari.asking.facts import CellFacts

_ROWS, _PADDING, _NARROW = 6, 4, 120


class RowTable(QTreeWidget):
    """Rows of text; those that are selected are copied by the usual key, all if none is."""

    def __init__(self, headers: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._headers = list(headers)
        self.setHeaderLabels(self._headers)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setFixedHeight((_ROWS + 1) * (self.fontMetrics().height() + _PADDING))
        header = self.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_rows(
        self, rows: Sequence[Sequence[str]], headers: Sequence[str] | None = None
    ) -> None:
        """Replace all rows; other headers where they are given."""
        self.clear()
        if headers is not None:
            self._headers = list(headers)
            self.setColumnCount(len(headers))
            self.setHeaderLabels(self._headers)
        for row in rows:
            item = QTreeWidgetItem(list(row))
            for column, text in enumerate(row):
                item.setToolTip(column, text)
            self.addTopLevelItem(item)

    @property
    def text(self) -> str:
        """The selected rows, or all, with tabs between."""
        items = [self.topLevelItem(i) for i in range(self.topLevelItemCount())]
        chosen = [one for one in items if one is not None and one.isSelected()]
        taken = chosen or [one for one in items if one is not None]
        lines = [[one.text(i) for i in range(self.columnCount())] for one in taken]
        return "\n".join("\t".join(line) for line in [self._headers, *lines])

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Copy rows."""
        if event is not None and event.matches(QKeySequence.StandardKey.Copy):
            copy(self.text)
        else:
            super().keyPressEvent(event)


class Card(QWidget):
    """Names and values of one cell."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = QFormLayout()
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setVerticalSpacing(2)
        self.title = selectable("")
        self.title.setStyleSheet("font-weight: bold; font-size: 14px;")
        self.notes = selectable("")
        everything = QVBoxLayout(self)
        everything.setContentsMargins(0, 0, 0, 0)
        everything.addWidget(self.title)
        everything.addLayout(self._lines)
        everything.addWidget(self.notes)
        self.values: dict[str, QLabel] = {}

    def show_facts(self, facts: CellFacts) -> None:
        """Replace everything."""
        self.title.setText(f"Cell {facts.label}")
        while self._lines.rowCount():
            self._lines.removeRow(0)
        self.values = {}
        for name, value in facts.rows:
            self.add_line(name, value)
        self.notes.setText("\n".join(facts.notes))
        self.notes.setVisible(bool(facts.notes))

    def add_line(self, name: str, value: str) -> None:
        """One more line, or another value of a line that is there."""
        if name in self.values:
            self.values[name].setText(value)
            return
        self.values[name] = selectable(value)
        told = QLabel(name)
        told.setWordWrap(True)
        self._lines.addRow(told, self.values[name])


def selectable(text: str) -> QLabel:
    """Text that wraps, and can be marked and copied by mouse and keys."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setMinimumWidth(1)  # a long word must not widen the panel
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label


def copy(text: str) -> None:
    """Put text into the clipboard."""
    clipboard = QGuiApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)
