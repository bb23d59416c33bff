"""Channels as rows of a table: role, genes and whether they link can be changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from anndata import AnnData
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_gluer import slots
from napari_gluer._napari.cells.edits import left_out
from napari_gluer.markers import annotate, note_of

_HEADERS = ("Channel", "Role", "Genes", "Links", "In the reference", "Note")
CHANNEL, ROLE, GENES, LINKS, FOUND, NOTE = range(len(_HEADERS))
"""Columns."""

ROLES = (slots.MARKER, slots.NUCLEAR, slots.BLANK, slots.IGNORE)
_LINKS_HELP = "Untick a marker to leave it out of the integration; it can still be painted."
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
    found
        What the reference has of it, in words; "" without a reference.
    note
        What to know of it.
    named
        Role and genes as the channel's name says.
    links
        Whether it may link cells and reference.
    """

    channel: str
    role: str
    genes: str
    found: str = ""
    note: str = ""
    named: tuple[str, str] = (slots.MARKER, "")
    links: bool = True


def rows_of(cells: AnnData, found: Mapping[str, str] | None = None) -> list[Row]:
    """The channels of a table of cells.

    Parameters
    ----------
    cells
        Reads ``var["genes"]``, ``var["role"]`` and what is left out.
    found
        What the reference has of a channel, in words; None without a reference.
    """
    known = annotate(cells.var_names, slots.info(cells).get(slots.KIND, slots.INTENSITY))
    genes = cells.var.get(slots.GENES, known[slots.GENES]).astype(object).fillna("")
    roles = cells.var.get(slots.ROLE, known[slots.ROLE]).astype(str)
    named, out = zip(known[slots.ROLE], known[slots.GENES], strict=True), left_out(cells)
    return [
        Row(name, role, gene, (found or {}).get(name, ""), note_of(name), both, name not in out)
        for name, role, gene, both in zip(cells.var_names, roles, genes, named, strict=True)
    ]


class MarkerModel(QAbstractTableModel):
    """Channels as rows; role, genes and whether they link can be changed."""

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
        """Text or tick of a cell; channels that are not used in grey."""
        row, column = self.rows[index.row()], index.column()
        if column == LINKS:
            if role == Qt.ItemDataRole.ToolTipRole:
                return _LINKS_HELP
            if role == Qt.ItemDataRole.CheckStateRole and row.role == slots.MARKER:
                return Qt.CheckState.Checked if row.links else Qt.CheckState.Unchecked
        elif role in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.EditRole,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return (row.channel, row.role, row.genes, "", row.found, row.note)[column]
        if role == Qt.ItemDataRole.ForegroundRole and not (row.role == slots.MARKER and row.links):
            return QColor("gray")
        return None

    def setData(  # noqa: N802 - Qt's name
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Change a role, genes, or whether a marker links."""
        row, column = self.rows[index.row()], index.column()
        if column == LINKS and role == Qt.ItemDataRole.CheckStateRole:
            changed = replace(row, links=Qt.CheckState(value) == Qt.CheckState.Checked)
        elif column == ROLE and role == Qt.ItemDataRole.EditRole and str(value).strip() in ROLES:
            changed = replace(row, role=str(value).strip())
        elif column == GENES and role == Qt.ItemDataRole.EditRole:
            changed = replace(row, genes=_tidy(str(value)))
        else:
            return False
        self.rows[index.row()] = changed
        self.dataChanged.emit(self.index(index.row(), 0), self.index(index.row(), NOTE))
        return True

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Role and genes can be edited, the link of a marker ticked."""
        fixed = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == LINKS and self.rows[index.row()].role == slots.MARKER:
            return fixed | Qt.ItemFlag.ItemIsUserCheckable
        return fixed | Qt.ItemFlag.ItemIsEditable if index.column() in (ROLE, GENES) else fixed

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles of the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole and section == LINKS:
            return _LINKS_HELP
        return _HEADERS[section] if role == Qt.ItemDataRole.DisplayRole else None


def _tidy(genes: str) -> str:
    parts = (part.strip() for part in genes.replace(",", ";").split(";"))
    return ";".join(dict.fromkeys(part for part in parts if part))
