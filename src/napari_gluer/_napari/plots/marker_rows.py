"""A sortable table of marker genes; what is clicked is painted."""

from typing import Any

import numpy as np
import pandas as pd
from qtpy.QtCore import (  # type: ignore[attr-defined]
    QAbstractTableModel,
    QModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableView, QWidget

from napari_gluer._napari.asking.card import copy

COLUMNS = {
    "gene": "Gene",
    "values": "Origin",
    "difference": "Differs",
    "auroc": "AUROC",
    "share_in": "% in",
    "share_out": "% out",
    "p_adjusted": "p adj.",
}
"""Columns shown, and what they are called."""

_TIPS = {
    "Differs": "Mean in the selection less mean in the rest.",
    "AUROC": "Chance that a selected cell has the higher value: 0.5 tells nothing.",
    "% in": "Share of selected cells above zero.",
    "% out": "Share of the other cells above zero.",
    "p adj.": "Wilcoxon's rank sums, adjusted by Benjamini and Hochberg.",
}
_SHARES = ("share_in", "share_out")
_SORTED = Qt.ItemDataRole.UserRole
_NOWHERE = QModelIndex()
_LOWEST, _NARROW, _PADDING = 160, 120, 4
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class MarkerModel(QAbstractTableModel):
    """Rows of the table that `ng.marker_genes` made."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns: list[list[Any]] = [[] for _ in COLUMNS]

    def show(self, table: pd.DataFrame) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self._columns = [table[name].tolist() for name in COLUMNS]
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Number of genes."""
        return 0 if parent.isValid() else len(self._columns[0])

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text of a cell; its value, to sort by."""
        value = self._columns[index.column()][index.row()]
        if role == _SORTED:
            return value if isinstance(value, str) or np.isfinite(value) else -np.inf
        if role == Qt.ItemDataRole.DisplayRole:
            return value if isinstance(value, str) else _told(value, list(COLUMNS)[index.column()])
        if role == Qt.ItemDataRole.TextAlignmentRole and not isinstance(value, str):
            return _RIGHT
        return None

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles of the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        title = list(COLUMNS.values())[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return title
        return _TIPS.get(title) if role == Qt.ItemDataRole.ToolTipRole else None


class MarkerTable(QTableView):
    """Sorted by a click on a column's title; a click on a row picks its gene."""

    picked = Signal(str, str)
    """Gene, and ``measured`` or ``imputed``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = MarkerModel(self)
        self.sorted = QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.rows)
        self.sorted.setSortRole(_SORTED)
        self.sorted.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setModel(self.sorted)
        self.setSortingEnabled(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMinimumHeight(_LOWEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        upright = self.verticalHeader()
        if upright is not None:
            upright.hide()
            upright.setMinimumSectionSize(1)
            upright.setDefaultSectionSize(self.fontMetrics().height() + _PADDING)
        header = self.horizontalHeader()
        if header is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.clicked.connect(self._pick)
        self.activated.connect(self._pick)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As narrow as the other editors."""
        return QSize(_NARROW, super().sizeHint().height())

    def show_table(self, table: pd.DataFrame) -> None:
        """List all genes, in the table's order until a column's title is clicked."""
        self.rows.show(table)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)

    def narrow(self, text: str) -> None:
        """Show genes whose name holds `text`."""
        self.sorted.setFilterFixedString(text.strip())

    @property
    def text(self) -> str:
        """Marked rows as text, with tabs between; all that are shown if none is marked."""
        chosen = self.selectionModel()
        marked = chosen.selectedRows() if chosen is not None else []
        rows = [one.row() for one in marked] or list(range(self.sorted.rowCount()))
        lines = [[str(self._cell(row, i).data()) for i in range(len(COLUMNS))] for row in rows]
        return "\n".join("\t".join(line) for line in [list(COLUMNS.values()), *lines])

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Copy rows."""
        if event is not None and event.matches(QKeySequence.StandardKey.Copy):
            copy(self.text)
        else:
            super().keyPressEvent(event)

    def _cell(self, row: int, column: int) -> QModelIndex:
        return self.sorted.index(row, column)

    def _pick(self, index: QModelIndex) -> None:
        self.picked.emit(self._cell(index.row(), 0).data(), self._cell(index.row(), 1).data())


def _told(value: float, column: str) -> str:
    if not np.isfinite(value):
        return ""
    if column in _SHARES:
        return f"{100 * value:.0f}"
    return f"{value:.1e}" if 0 < abs(value) < 0.001 else f"{value:.3g}"
