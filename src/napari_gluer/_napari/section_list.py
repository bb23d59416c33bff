"""Further tissue sections to integrate with the chosen one: the other labels layers, to tick."""

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from qtpy.QtCore import QSize, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QSizePolicy, QWidget

from napari_gluer._napari.attached import cells_of
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.pickers import labels_layers

_FEWEST_ROWS, _MOST_ROWS, _PADDING, _NARROW = 2, 5, 6, 120
_LAYER = Qt.ItemDataRole.UserRole


class SectionList(QListWidget):
    """The labels layers beside the chosen one, each with a tick; it follows the viewer.

    Parameters
    ----------
    viewer
        Its labels layers are listed.
    chosen
        Gives the layer that is not listed.
    """

    changed = Signal()
    """Other layers are ticked, or there are others to tick."""

    def __init__(
        self, viewer: ViewerModel, chosen: Callable[[], Any], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._chosen = viewer, chosen
        self._ticked: list[Labels] = []
        self._followed: list[Labels] = []
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setUniformItemSizes(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Ticked sections are integrated together with the cells above, with one reference in "
            "one factorisation. Each keeps its own result; clusters are common to all."
        )
        self.itemChanged.connect(self._tick)
        for name in ("inserted", "removed", "reordered", "renamed"):
            getattr(viewer.layers.events, name).connect(self.refresh)
        self.refresh()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As narrow as the other editors."""
        return QSize(_NARROW, super().sizeHint().height())

    @property
    def ticked(self) -> list[Labels]:
        """The layers that are ticked, in the order listed."""
        return list(self._ticked)

    def refresh(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        """List the layers anew; ticks stay with their layers."""
        if not is_open(self):
            return
        chosen = self._chosen()
        layers = [layer for _, layer in labels_layers(self._viewer) if layer is not chosen]
        self._ticked = [layer for layer in layers if layer in self._ticked]
        self._follow(layers)
        self.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.clear()
        for layer in layers:
            without = "" if cells_of(layer) is not None else " (not measured)"
            item = QListWidgetItem(f"{layer.name}{without}", self)
            item.setData(_LAYER, layer)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = layer in self._ticked
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        self.blockSignals(False)  # noqa: FBT003
        rows = min(max(self.count(), _FEWEST_ROWS), _MOST_ROWS)
        self.setFixedHeight(rows * (self.fontMetrics().height() + _PADDING))
        self.changed.emit()

    def _follow(self, layers: list[Labels]) -> None:
        """Hear of tables that are attached or dropped."""
        for layer in self._followed:
            layer.events.metadata.disconnect(self.refresh)
        self._followed = layers
        for layer in layers:
            layer.events.metadata.connect(self.refresh)

    def _tick(self, item: QListWidgetItem) -> None:  # noqa: ARG002 - Qt passes it
        items = [one for i in range(self.count()) if (one := self.item(i)) is not None]
        checked = Qt.CheckState.Checked
        self._ticked = [one.data(_LAYER) for one in items if one.checkState() == checked]
        self.changed.emit()
