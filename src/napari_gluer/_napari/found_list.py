"""The list under the search box: what can be painted, and how far it may be believed."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import (  # type: ignore[attr-defined]
    QAbstractTableModel,
    QModelIndex,
    Qt,
    Signal,
)
from qtpy.QtGui import QBrush, QColor, QKeyEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QTableView,
    QWidget,
)

from napari_gluer._napari.paintables import Paintable
from napari_gluer._napari.painting.grades import Grades

_HEADERS = ("Name", "What it is", "Grade")
_NAME, _WHAT, _GRADE = range(3)
_WIDTHS = {_WHAT: 132, _GRADE: 52}
_UNTRUE = QColor("#E07000")
_PADDING = 4
_NOWHERE = QModelIndex()


class FoundModel(QAbstractTableModel):
    """Paintables as rows of name, origin and grade; only the rows in sight are asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: Sequence[Paintable] = ()
        self._grades = Grades()

    def show(self, rows: Sequence[Paintable]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def grade(self, grades: Grades) -> None:
        """Show other grades beside the rows."""
        self.beginResetModel()
        self._grades = grades
        self.endResetModel()

    def at(self, row: int) -> Paintable:
        """The paintable of a row."""
        return self._rows[row]

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Name, origin and grade."""
        return 0 if parent.isValid() else len(_HEADERS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tooltip and colour of a cell."""
        one = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            column = index.column()
            if column == _NAME:
                return one.label
            return self._grades.what(one) if column == _WHAT else self._grades.grade(one)
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = (one.label, self._grades.what(one), self._grades.explained(one))
            return "\n".join(line for line in lines if line)
        if role == Qt.ItemDataRole.ForegroundRole and self._grades.is_chance(one):
            return QBrush(_UNTRUE)
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


class FoundList(QTableView):
    """A list to pick from by click or by arrow keys and Enter."""

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found = FoundModel(self)
        self.setModel(self.found)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMinimumHeight(120)
        _size_columns(self)
        self.clicked.connect(self._pick)
        self.activated.connect(self._pick)

    def show_found(self, rows: Sequence[Paintable]) -> None:
        """List `rows`."""
        self.found.show(rows)

    def grade(self, grades: Grades) -> None:
        """Show grades beside the genes; without any there is no column of them."""
        self.found.grade(grades)
        self.setColumnHidden(_GRADE, grades.table is None)

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


def _size_columns(view: QTableView) -> None:
    header, rows = view.horizontalHeader(), view.verticalHeader()
    if header is not None:
        header.setMinimumSectionSize(40)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(column, width)
    if rows is not None:
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(view.fontMetrics().height() + _PADDING)
    view.setColumnHidden(_GRADE, True)  # noqa: FBT003 - Qt's signature
