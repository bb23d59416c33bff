"""Choosers that follow the viewer's layers."""

from collections.abc import Callable, Sequence
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.utils.events import Event
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QWidget,
)

from napari_gluer._napari.attached import held
from napari_gluer._napari.folding import is_open, no_stray_wheel
from napari_gluer._napari.images import PAINTED

_SHORTEST, _ROWS, _NARROW = 10, 5, 120


class Picker(QComboBox):
    """A choice among things that are listed anew whenever the layers change.

    Parameters
    ----------
    viewer
        Its layers are followed.
    options
        Lists the choices now: name and value.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        options: Callable[[], Sequence[tuple[str, Any]]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._options = options
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_SHORTEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        no_stray_wheel(self)
        self.currentTextChanged.connect(self.keep_tooltip)
        for name in ("inserted", "removed", "reordered", "renamed"):
            getattr(viewer.layers.events, name).connect(self.refresh)
        self.refresh()

    @property
    def value(self) -> Any:
        """What is chosen, None where there is nothing to choose."""
        return self.currentData()

    def keep_tooltip(self) -> None:
        """Show the whole of a chosen name that does not fit."""
        self.setToolTip(self.currentText())

    def choose(self, value: Any) -> None:
        """Choose `value` if it is listed."""
        for i in range(self.count()):
            if self.itemData(i) is value:
                self.setCurrentIndex(i)

    def refresh(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        """List the choices anew; the chosen one stays chosen while it exists."""
        if not is_open(self):
            return
        chosen, name = self.value, self.currentText()
        options = list(self._options())
        self.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.clear()
        for text, value in options:
            self.addItem(text, value)
        places = [i for i, (_, value) in enumerate(options) if value is chosen]
        places += [i for i, (text, _) in enumerate(options) if text == name and chosen is not None]
        self.setCurrentIndex(places[0] if places else min(0, len(options) - 1))
        self.blockSignals(False)  # noqa: FBT003
        self.keep_tooltip()
        if self.value is not chosen:
            self.currentIndexChanged.emit(self.currentIndex())


def labels_layers(viewer: ViewerModel) -> list[tuple[str, Layer]]:
    """Labels layers that hold cells: those we painted are left out; the newest first."""
    return [
        (layer.name, layer)
        for layer in reversed(viewer.layers)
        if isinstance(layer, Labels) and PAINTED not in held(layer)
    ]


def labels_picker(viewer: ViewerModel) -> Picker:
    """A choice among the labels layers."""
    return Picker(viewer, lambda: labels_layers(viewer))


class ChannelList(QListWidget):
    """Channels to tick."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setUniformItemSizes(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_ROWS * (self.fontMetrics().height() + 6))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As narrow as the other editors; Qt's own hint would widen the panel."""
        return QSize(_NARROW, super().sizeHint().height())

    def show_channels(self, names: Sequence[str], ticked: Sequence[str]) -> None:
        """List `names`, with `ticked` ticked and scrolled into view."""
        self.clear()
        for name in names:
            item = QListWidgetItem(name, self)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            state = Qt.CheckState.Checked if name in ticked else Qt.CheckState.Unchecked
            item.setCheckState(state)
            if name in ticked:
                self.setCurrentItem(item)
                self.scrollToItem(item)

    @property
    def channels(self) -> tuple[str, ...]:
        """All channels listed."""
        return tuple(item.text() for item in self._items())

    @property
    def ticked(self) -> tuple[str, ...]:
        """The ticked channels, in order."""
        checked = Qt.CheckState.Checked
        return tuple(item.text() for item in self._items() if item.checkState() == checked)

    def _items(self) -> list[QListWidgetItem]:
        items = (self.item(i) for i in range(self.count()))
        return [item for item in items if item is not None]
