"""The named selections as a list: click to choose, F2 or double click to rename, Del to delete."""

from collections.abc import Mapping
from itertools import chain, count

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

_NAME = Qt.ItemDataRole.UserRole
_WIDTH = 80


class NamedList(QTreeWidget):
    """Name and number of cells of every selection."""

    recalled = Signal(str)
    """One was clicked, or Enter pressed on it."""

    renamed = Signal(str, str)
    """Its name, and the new one that was typed."""

    deleted = Signal()
    """Del was pressed."""

    def __init__(self) -> None:
        super().__init__()
        self._order: list[str] = []
        self.setHeaderLabels(["Selection", "Cells"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setToolTip("Click to choose; Ctrl+click marks several; F2 or double click renames.")
        self.setMinimumHeight(90)
        header = self.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.resizeSection(1, _WIDTH)
        self.itemClicked.connect(self._clicked)
        # names are edited, whichever column is pointed at
        self.itemDoubleClicked.connect(lambda item: self.editItem(item, 0))
        self.itemChanged.connect(self._edited)
        self.itemSelectionChanged.connect(self._note_order)

    @property
    def names(self) -> list[str]:
        """All names, in order."""
        return [item.data(0, _NAME) for item in self._items()]

    @property
    def marked(self) -> list[str]:
        """The marked names, in the order in which they were marked."""
        return list(self._order)

    def show_named(self, counts: Mapping[str, int]) -> None:
        """List selections with their numbers of cells; marks stay with their names."""
        marked = [name for name in self._order if name in counts]
        self.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.clear()
        for name, n in counts.items():
            item = QTreeWidgetItem([name, f"{n:,}"])
            item.setData(0, _NAME, name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.addTopLevelItem(item)
        self.blockSignals(False)  # noqa: FBT003
        self.mark(marked)

    def mark(self, names: list[str]) -> None:
        """Mark these rows alone."""
        self._order = []
        for item in self._items():
            item.setSelected(item.data(0, _NAME) in names)
        self._order = [name for name in names if name in self.names]
        self.itemSelectionChanged.emit()

    def free_name(self, wanted: str = "selection") -> str:
        """`wanted`, with a number where the name is taken or nothing was asked for."""
        taken = self.names
        first = [] if wanted == "selection" else [wanted]
        numbered = (f"{wanted} {i}" for i in count(1 + len(first)))
        return next(name for name in chain(first, numbered) if name not in taken)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Del deletes, Enter chooses."""
        key = None if event is None else event.key()
        if key == Qt.Key.Key_Delete:
            self.deleted.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem() is not None:
            self._clicked(self.currentItem())
        elif key == Qt.Key.Key_F2 and self.currentItem() is not None:
            self.editItem(self.currentItem(), 0)
        else:
            super().keyPressEvent(event)

    def _items(self) -> list[QTreeWidgetItem]:
        found = (self.topLevelItem(i) for i in range(self.topLevelItemCount()))
        return [item for item in found if item is not None]

    def _clicked(self, item: QTreeWidgetItem | None, _column: int = 0) -> None:
        if item is not None and len(self.selectedItems()) == 1:
            self.recalled.emit(item.data(0, _NAME))

    def _edited(self, item: QTreeWidgetItem, column: int) -> None:
        before = item.data(0, _NAME)
        if column == 0 and item.text(0) != before:
            self.renamed.emit(before, item.text(0))

    def _note_order(self) -> None:
        marked = [item.data(0, _NAME) for item in self._items() if item.isSelected()]
        self._order = [name for name in self._order if name in marked]
        self._order += [name for name in marked if name not in self._order]
