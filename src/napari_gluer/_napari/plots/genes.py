"""Genes to plot: a line that completes what is typed, and the list of those chosen."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import (  # type: ignore[attr-defined]
    QAbstractListModel,
    QModelIndex,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_gluer._napari.paintables import Paintable, Search

_MOST_FOUND, _ROWS, _PADDING, _NARROW = 50, 3, 6, 120
_WHAT = Qt.ItemDataRole.UserRole
_NOWHERE = QModelIndex()


class _Found(QAbstractListModel):
    """The few names that match what is typed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: Sequence[Paintable] = ()

    def show(self, rows: Sequence[Paintable]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        shown = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole)
        return self.rows[index.row()].layer_name if role in shown else None


class ChosenList(QListWidget):
    """What is plotted, in order; dragged to another place, removed by the delete key."""

    removed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_ROWS * (self.fontMetrics().height() + _PADDING))
        self.setToolTip("Drag to change the order; Delete removes what is marked.")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As narrow as the other editors."""
        return QSize(_NARROW, super().sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Remove what is marked."""
        keys = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
        if event is not None and event.key() in keys:
            self.remove_marked()
        else:
            super().keyPressEvent(event)

    def remove_marked(self) -> None:
        """Remove the marked rows."""
        for item in self.selectedItems():
            self.takeItem(self.row(item))
        self.removed.emit()


class GeneList(QWidget):
    """Several genes, markers or numbers per cell, picked from tens of thousands by typing."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit()
        self.line.setPlaceholderText("Gene, marker …")
        self.line.setClearButtonEnabled(True)
        self.found = _Found(self)
        self.completer = QCompleter(self.found, self)
        self.completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self.completer.setMaxVisibleItems(12)
        self.line.setCompleter(self.completer)
        self.add_button = QPushButton("Add")
        self.remove_button = QPushButton("Remove")
        self.list = ChosenList()
        self._search = Search([])
        self._all: dict[str, Paintable] = {}
        self._lay_out()
        self.line.textEdited.connect(self._complete)
        self.line.returnPressed.connect(self._add_typed)
        self.add_button.clicked.connect(self._add_typed)
        self.remove_button.clicked.connect(self.list.remove_marked)
        self.completer.activated.connect(self._add_named)
        self.list.removed.connect(self.changed)

    @property
    def chosen(self) -> tuple[Paintable, ...]:
        """What is in the list, in its order."""
        items = (self.list.item(i) for i in range(self.list.count()))
        return tuple(item.data(_WHAT) for item in items if item is not None)

    def offer(self, offered: Sequence[Paintable]) -> None:
        """What can be chosen now; what is chosen and no longer there is removed."""
        self._search = Search(offered)
        self._all = {one.layer_name: one for one in offered}
        gone = [one for one in self.chosen if self._all.get(one.layer_name) != one]
        if gone:
            self.choose([one for one in self.chosen if one not in gone])

    def choose(self, wanted: Sequence[Paintable]) -> None:
        """Replace the list."""
        self.list.clear()
        for one in wanted:
            self._append(one)
        self.changed.emit()

    def add(self, what: Paintable) -> None:
        """Append to the list; what is there stays where it is."""
        if what not in self.chosen:
            self._append(what)
            self.changed.emit()

    def _append(self, what: Paintable) -> None:
        item = QListWidgetItem(what.layer_name, self.list)
        item.setData(_WHAT, what)
        item.setToolTip(what.layer_name)

    def _complete(self, text: str) -> None:
        self.found.show(self._search(text)[:_MOST_FOUND] if text.strip() else ())
        if text.strip():
            self.completer.complete()

    def _add_typed(self) -> None:
        """Add what is marked in the popup, else the name typed or its best match.

        Several names may stand between commas.
        """
        popup = self.completer.popup()
        marked = popup.currentIndex() if popup is not None and popup.isVisible() else _NOWHERE
        if marked.isValid() and marked.row() < len(self.found.rows):
            self._add_named(self.found.rows[marked.row()].layer_name)
            return
        for part in self.line.text().split(","):
            if found := self._meant(part.strip()):
                self.add(found)
        self._clear()

    def _add_named(self, name: str) -> None:
        if name in self._all:
            self.add(self._all[name])
        self._clear()

    def _clear(self) -> None:
        popup = self.completer.popup()
        if popup is not None:
            popup.hide()
        self.found.show(())
        self.line.clear()

    def _meant(self, text: str) -> Paintable | None:
        if not text:
            return None
        return self._all.get(text) or next(iter(self._search(text)), None)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(self.add_button)
        row.addWidget(self.remove_button)
        everything = QVBoxLayout(self)
        everything.setContentsMargins(0, 0, 0, 0)
        everything.setSpacing(_PADDING)
        everything.addLayout(row)
        everything.addWidget(self.list)
