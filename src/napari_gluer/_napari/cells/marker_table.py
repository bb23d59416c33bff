"""A table of channels: what each is, which genes it stands for, and what the reference has."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from qtpy.QtCore import QAbstractItemModel, QModelIndex
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_gluer._napari.cells.marker_rows import (
    CHANNEL,
    FOUND,
    GENES,
    ROLE,
    ROLES,
    MarkerModel,
    Row,
)
from napari_gluer._napari.folding import TICKS
from napari_gluer._napari.jobs import report
from napari_gluer.errors import InputError

_SIZE, _PADDING, _WIDEST = (860, 560), 8, 250
_HELP = (
    "Double-click to change. Several genes of one antigen are written with ; between. Only "
    "markers are cleaned and integrated; those without a tick under Links take no part in the "
    "integration."
)


class RoleDelegate(QStyledItemDelegate):
    """Edits a role by a choice."""

    def createEditor(  # noqa: N802 - Qt's name
        self,
        parent: QWidget | None,
        option: QStyleOptionViewItem,  # noqa: ARG002 - Qt's signature
        index: QModelIndex,  # noqa: ARG002
    ) -> QWidget:
        """A choice that takes effect at once."""
        box = QComboBox(parent)
        box.addItems(ROLES)
        box.activated.connect(lambda: self._take(box))
        return box

    def setEditorData(self, editor: QWidget | None, index: QModelIndex) -> None:  # noqa: N802
        """Show the present role."""
        if isinstance(editor, QComboBox):
            editor.setCurrentText(str(index.data()))

    def setModelData(  # noqa: N802 - Qt's name
        self, editor: QWidget | None, model: QAbstractItemModel | None, index: QModelIndex
    ) -> None:
        """Keep the chosen role."""
        if isinstance(editor, QComboBox) and model is not None:
            model.setData(index, editor.currentText())

    def _take(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)


class MarkerDialog(QDialog):
    """The table of channels, with buttons to keep or drop what was changed.

    Parameters
    ----------
    rows
        What to show.
    keep
        Called with the changed rows; an `InputError` is told and leaves the dialog open.
    parent
        The window it belongs to.
    """

    def __init__(
        self, rows: Sequence[Row], keep: Callable[[list[Row]], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Markers and genes")
        self.resize(*_SIZE)
        self._keep = keep
        self.model = MarkerModel(rows, self)
        self.table = _table(self.model)
        self.table.setColumnHidden(FOUND, not any(row.found for row in rows))
        self.said = QLabel(_HELP)
        self.said.setWordWrap(True)
        self.reset = QPushButton("Reset to the names")
        self.reset.setToolTip(
            "Roles and genes as the channels' names say, every marker linking; edits are dropped."
        )
        self.reset.clicked.connect(self._reset)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.addButton(self.reset, QDialogButtonBox.ButtonRole.ResetRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (self.said, self.table, self.buttons):
            layout.addWidget(widget)

    def accept(self) -> None:
        """Keep what was changed, and close unless it is refused."""
        try:
            self._keep(self.model.changed)
        except InputError as error:
            self.said.setText(str(error))
            report(error)
            return
        super().accept()

    def _reset(self) -> None:
        self.model.show(
            [
                replace(row, role=row.named[0], genes=row.named[1], links=True)
                for row in self.model.rows
            ]
        )


def _table(model: MarkerModel) -> QTableView:
    table = QTableView()
    table.setModel(model)
    table.setItemDelegateForColumn(ROLE, RoleDelegate(table))
    table.setWordWrap(False)
    table.setStyleSheet(TICKS)
    down, across = table.verticalHeader(), table.horizontalHeader()
    if down is not None and across is not None:
        down.hide()
        down.setDefaultSectionSize(table.fontMetrics().height() + _PADDING)
        across.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        across.setStretchLastSection(True)
    table.resizeColumnsToContents()
    for column in (CHANNEL, GENES, FOUND):
        table.setColumnWidth(column, min(table.columnWidth(column), _WIDEST))
    return table
