"""The markers of the cells, what a reference has of them, and a tick for those that link."""

from collections.abc import Collection

import pandas as pd
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from napari_gluer._napari.cells.editing import link_words
from napari_gluer._napari.folding import TICKS
from napari_gluer.integration.linking import LINKED, SILENT

_HELP = "Untick a marker to leave it out of the integration; it can still be painted."
_SHARE_HELP = "Share of the reference's cells that express it, or why it does not link."
_LEFT_OUT = "left out by you"
_MARKER, _GENES, _HOW = range(3)
_WIDEST = 100  # pixels; the rest belongs to the last column


class LinksTree(QTreeWidget):
    """Linked markers first, with ticks; the others in grey, with the reason."""

    ticked = Signal(str, bool)
    """Name of a marker, and whether it may link."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderLabels(["Marker", "Genes", "In cells"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setMinimumHeight(120)
        self.setStyleSheet(TICKS)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._words: dict[str, str] = {}
        header, titles = self.header(), self.headerItem()
        if header is not None and titles is not None:
            header.setSectionResizeMode(_HOW, QHeaderView.ResizeMode.Stretch)
            titles.setToolTip(_MARKER, _HELP)
            titles.setToolTip(_HOW, _SHARE_HELP)
        self.itemChanged.connect(self._changed)

    def show_links(self, links: pd.DataFrame | None, left_out: Collection[str]) -> None:
        """List the rows of `marker_links`; those in `left_out` have no tick."""
        self.clear()
        if links is None:
            return
        ordered = links.sort_values("state", key=lambda s: s != LINKED, kind="stable")
        self._words = {str(name): _short(link) for name, link in ordered.iterrows()}
        items = [self._item(str(name), link, left_out) for name, link in ordered.iterrows()]
        self.addTopLevelItems(items)
        for column in (_MARKER, _GENES):
            self.resizeColumnToContents(column)
            self.setColumnWidth(column, min(self.columnWidth(column), _WIDEST))

    def _item(self, name: str, link: pd.Series, left_out: Collection[str]) -> QTreeWidgetItem:
        item = QTreeWidgetItem([name, ", ".join(link["genes"]), self._words[name]])
        linked, ticked = link["state"] == LINKED, name not in left_out
        for column in range(item.columnCount()):
            said = (name, ", ".join(link["genes"]), link_words(link), link["note"])
            item.setToolTip(column, "\n".join(part for part in said if part))
        if linked:
            item.setCheckState(_MARKER, _checked(ticked=ticked))
        self._paint(item, used=linked and ticked)
        return item

    def _changed(self, item: QTreeWidgetItem, column: int) -> None:
        if column != _MARKER:
            return
        ticked = item.checkState(_MARKER) == Qt.CheckState.Checked
        self.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self._paint(item, used=ticked)
        self.blockSignals(False)  # noqa: FBT003
        self.ticked.emit(item.text(_MARKER), ticked)

    def _paint(self, item: QTreeWidgetItem, *, used: bool) -> None:
        """Grey what does not link; say so where a person decided it."""
        by_hand = item.data(_MARKER, Qt.ItemDataRole.CheckStateRole) is not None and not used
        item.setText(_HOW, _LEFT_OUT if by_hand else self._words[item.text(_MARKER)])
        for column in range(item.columnCount()):
            role = Qt.ItemDataRole.ForegroundRole
            item.setData(column, role, None if used else QColor("gray"))


def _short(link: pd.Series) -> str:
    """The share of cells, or the reason, that fits a narrow column."""
    if link["state"] not in (LINKED, SILENT):
        return str(link["state"])
    return f"{'' if link['state'] == LINKED else 'silent: '}{link['detected']:.1%}"


def _checked(*, ticked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
