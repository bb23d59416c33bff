"""Channels as rows of a table: role and genes can be changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from anndata import AnnData
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_gluer import slots
from napari_gluer.markers import annotate, note_of

_HEADERS = ("Channel", "Role", "Genes", "In the reference", "Note")
CHANNEL, ROLE, GENES, LINK, NOTE = range(len(_HEADERS))
"""Columns."""

ROLES = (slots.MARKER, slots.NUCLEAR, slots.BLANK, slots.IGNORE)
_NOWHERE = QModelIndex()


@dataclass(frozen=True)
class Row:
    """A channel.

    Attributes
    ----------
    channel
        Its name.
    role
        ``marker``, ``nuclear``, ``blank`` or ``ignore``.
    genes
        Symbols with ``;`` between, "" where it stands for none.
    link
        What the reference has of it, in words; "" without a reference.
    note
        What to know of it.
    named
        Role and genes as the channel's name says.
    """

    channel: str
    role: str
    genes: str
    link: str = ""
    note: str = ""
    named: tuple[str, str] = (slots.MARKER, "")


def rows_of(cells: AnnData, links: Mapping[str, str] | None = None) -> list[Row]:
    """The channels of a table of cells.

    Parameters
    ----------
    cells
        Reads ``var["genes"]`` and ``var["role"]``.
    links
        What the reference has of a channel, in words; None without a reference.
    """
    known = annotate(cells.var_names, slots.info(cells).get(slots.KIND, slots.INTENSITY))
    genes = cells.var.get(slots.GENES, known[slots.GENES]).astype(object).fillna("")
    roles = cells.var.get(slots.ROLE, known[slots.ROLE]).astype(str)
    named = zip(known[slots.ROLE], known[slots.GENES], strict=True)
    return [
        Row(name, role, gene, (links or {}).get(name, ""), note_of(name), both)
        for name, role, gene, both in zip(cells.var_names, roles, genes, named, strict=True)
    ]


class MarkerModel(QAbstractTableModel):
    """Channels as rows; role and genes can be changed."""

    def __init__(self, rows: Sequence[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = list(rows)
        self._were = list(rows)

    @property
    def changed(self) -> list[Row]:
        """The rows that differ from what they were."""
        return [row for row, was in zip(self.rows, self._were, strict=True) if row != was]

    def show(self, rows: Sequence[Row]) -> None:
        """Replace the rows; what they were stays."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Number of channels."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Number of columns."""
        return 0 if parent.isValid() else len(_HEADERS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text of a cell; channels that are not used in grey."""
        row = self.rows[index.row()]
        if role in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.EditRole,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return (row.channel, row.role, row.genes, row.link, row.note)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and row.role != slots.MARKER:
            return QColor("gray")
        return None

    def setData(  # noqa: N802 - Qt's name
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Change a role or genes."""
        if role != Qt.ItemDataRole.EditRole or index.column() not in (ROLE, GENES):
            return False
        row, text = self.rows[index.row()], str(value).strip()
        if index.column() == ROLE and text not in ROLES:
            return False
        is_role = index.column() == ROLE
        changed = replace(row, role=text) if is_role else replace(row, genes=_tidy(text))
        self.rows[index.row()] = changed
        self.dataChanged.emit(self.index(index.row(), 0), self.index(index.row(), NOTE))
        return True

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Role and genes can be edited."""
        fixed = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return fixed | Qt.ItemFlag.ItemIsEditable if index.column() in (ROLE, GENES) else fixed

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        return None


def _tidy(genes: str) -> str:
    parts = (part.strip() for part in genes.replace(",", ";").split(";"))
    return ";".join(dict.fromkeys(part for part in parts if part))
