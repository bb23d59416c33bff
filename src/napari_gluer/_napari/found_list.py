"""The list under the search box, and the legend under the list."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import (  # type: ignore[attr-defined]
    QAbstractTableModel,
    QModelIndex,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor, QIcon, QKeyEvent, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QTreeView,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from napari_gluer._napari.layers import LegendEntry
from napari_gluer._napari.paintables import Paintable

_HEADERS = ("Name", "What it is")
_SWATCH = 14
_NOWHERE = QModelIndex()


class FoundModel(QAbstractTableModel):
    """Paintables as rows of two columns; only the rows in sight are asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: Sequence[Paintable] = ()

    def show(self, rows: Sequence[Paintable]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def at(self, row: int) -> Paintable:
        """The paintable of a row."""
        return self._rows[row]

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Name and origin."""
        return 0 if parent.isValid() else len(_HEADERS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text of a cell."""
        one = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return one.label if index.column() == 0 else one.origin.value
        return None

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        return None


class SearchBox(QLineEdit):
    """A line to type in, which the down key leaves for the list beneath."""

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell of the down key."""
        if event is not None and event.key() == Qt.Key.Key_Down:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class FoundList(QTreeView):
    """A list to pick from by click or by arrow keys and Enter."""

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found = FoundModel(self)
        self.setModel(self.found)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMinimumHeight(120)
        _size_columns(self)
        self.clicked.connect(self._pick)
        self.activated.connect(self._pick)

    def show_found(self, rows: Sequence[Paintable]) -> None:
        """List `rows`."""
        self.found.show(rows)

    def enter(self) -> None:
        """Take the keyboard: arrows choose a row, Enter picks it."""
        self.setFocus()
        if self.found.rowCount() and not self.currentIndex().isValid():
            self.setCurrentIndex(self.found.index(0, 0))

    def pick_first(self) -> None:
        """Pick the topmost row."""
        if self.found.rowCount():
            self.setCurrentIndex(self.found.index(0, 0))
            self._pick(self.found.index(0, 0))

    def _pick(self, index: QModelIndex) -> None:
        self.picked.emit(self.found.at(index.row()))


class Legend(QTreeWidget):
    """Colour, name and number of cells of every category."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderLabels(["Category", "Cells"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setMinimumHeight(100)
        _size_columns(self)

    def show_entries(self, entries: Sequence[LegendEntry]) -> None:
        """List `entries`; those without a cell are left out."""
        self.clear()
        for entry in entries:
            if not entry.count:
                continue
            item = QTreeWidgetItem([entry.name, f"{entry.count:,}"])
            item.setIcon(0, _swatch(entry.color))
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(0, entry.name)
            self.addTopLevelItem(item)


def _swatch(color: str) -> QIcon:
    pixels = QPixmap(_SWATCH, _SWATCH)
    pixels.fill(QColor(color))
    return QIcon(pixels)


def _size_columns(view: QTreeView) -> None:
    header = view.header()
    if header is not None:
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(1, 110)
