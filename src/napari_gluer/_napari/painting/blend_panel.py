"""The folded panel that blends genes."""

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Paintable
from napari_gluer._napari.painting.blending import COLORS, Channel
from napari_gluer._napari.painting.legend import swatch

_HEX = {"magenta": "#FF00FF", "green": "#00FF00", "cyan": "#00FFFF"}
_SIDE = 14


class BlendPanel(QWidget):
    """The channels with their colours and limits; what is painted can join them."""

    added = Signal(bool)
    """What is painted is to join the blend; clicks bring a meaningless bool."""
    removed = Signal(object)
    """A paintable is to leave it."""
    wanted = Signal(bool)
    """The blend is to be shown again; likewise."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.add = QPushButton()
        self.show_again = QPushButton("Show the blend")
        self.rows: list[ChannelRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self.add)
        self._layout.addWidget(self.show_again)
        self.add.clicked.connect(self.added.emit)
        self.show_again.clicked.connect(self.wanted.emit)
        self.offer(None, ())

    def offer(self, shown: Shown | None, channels: Sequence[Channel]) -> None:
        """Show the channels, and whether what is painted may join them."""
        new = shown is not None and shown.values is not None and shown.blend is None
        if shown is None or not new:
            self.add.setText("Paint a gene to add it to the blend")
        else:
            self.add.setText(f"Add “{shown.what.label}” to the blend")
            new = shown.what not in [one.what for one in channels]
        self.add.setEnabled(bool(new) and len(channels) < len(COLORS))
        self.show_again.setEnabled(bool(channels) and (shown is None or shown.blend is None))
        for row in self.rows:
            self._layout.removeWidget(row)
            row.deleteLater()
        self.rows = [ChannelRow(one, self.removed.emit) for one in channels]
        for place, row in enumerate(self.rows):
            self._layout.insertWidget(place, row)


class ChannelRow(QWidget):
    """Colour, name and limits of one channel, and a button that takes it out."""

    def __init__(self, channel: Channel, remove: Callable[[Paintable], Any]) -> None:
        super().__init__()
        color = QLabel()
        color.setPixmap(swatch(_HEX[channel.color]).pixmap(_SIDE, _SIDE))
        low, high = channel.shown.limits
        self.text = QLabel(f"{channel.what.label}  {low:.3g} to {high:.3g}")
        self.text.setToolTip(channel.name)
        self.remove = QToolButton()
        self.remove.setText("✕")
        self.remove.setToolTip(f"Take “{channel.what.label}” out of the blend")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(color)
        row.addWidget(self.text, 1)
        row.addWidget(self.remove)
        self.remove.clicked.connect(lambda: remove(channel.what))
