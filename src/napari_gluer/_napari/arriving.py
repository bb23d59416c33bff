"""Hidden channels arrive after the visible ones, one at a time.

napari needs about a tenth of a second for every layer, whatever it holds: controls, drawing
objects, the list. 41 channels at once would freeze the window for seconds.
"""

from collections.abc import Sequence
from typing import Any

import napari
from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import Qt, QThread, QTimer
from qtpy.QtWidgets import QApplication, QMainWindow

from napari_gluer._napari.channel_layers import LayerData

_PAUSE = 10  # ms in which the window answers the person
_BUSY = 200  # ms to wait while a mouse button is down
_FEW = 8  # layers that are simply opened
_running: set["Arrival"] = set()  # kept here, else their timers would go with them


def first_and_rest(layers: list[LayerData]) -> list[LayerData]:
    """What napari shall add now; the others follow by themselves.

    They follow only in a window that is in use (its event loop runs); scripts get all at once.
    """
    viewer = napari.current_viewer()
    shown = [layer for layer in layers if layer[1].get("visible", True)]
    if viewer is None or len(layers) <= _FEW or not shown or not _in_use():
        return layers
    Arrival(viewer, layers)
    return shown


def _in_use() -> bool:
    thread = QThread.currentThread()
    return QApplication.instance() is not None and thread is not None and thread.loopLevel() > 0


class Arrival:
    """Adds the hidden ones of `layers` to a viewer, in the pauses of its window.

    It ends early when all layers of the image that are there were removed.

    Parameters
    ----------
    viewer
        Where to add them.
    layers
        All channels, in order; those that are visible are added by napari.
    """

    def __init__(self, viewer: ViewerModel, layers: Sequence[LayerData]) -> None:
        self._viewer = viewer
        self._image = layers[0][1]["metadata"]
        self._order = [layer[1]["name"] for layer in layers]
        self._waiting = [layer for layer in layers if not layer[1].get("visible", True)]
        self._present: dict[str, Layer] = {}
        self._timer = QTimer(_window())  # a closed window takes it along
        self._timer.setSingleShot(True)
        self._timer.destroyed.connect(lambda: _running.discard(self))
        self._timer.timeout.connect(self._next)
        self._timer.start(_PAUSE)
        _running.add(self)

    def _next(self) -> None:
        if QApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._timer.start(_BUSY)
            return
        here = [layer for layer in self._viewer.layers if _same(layer.metadata, self._image)]
        if not here or not self._waiting:
            self._timer.deleteLater()
            return
        for layer in here:
            self._present.setdefault(_plain(layer.name, self._order), layer)
        self._add(self._waiting.pop(0))
        self._timer.start(_PAUSE)

    def _add(self, data: LayerData) -> None:
        name = data[1]["name"]
        layer = Layer.create(*data)
        chosen = set(self._viewer.layers.selection)
        active = self._viewer.layers.selection.active
        self._viewer.layers.insert(self._place(name), layer)
        self._present[name] = layer
        self._viewer.layers.selection.active = active
        self._viewer.layers.selection = chosen & set(self._viewer.layers)

    def _place(self, name: str) -> int:
        """Behind the nearest channel before it that is there; before the first one otherwise."""
        layers = self._viewer.layers
        before = self._order[: self._order.index(name)]
        known = [self._present[one] for one in before if one in self._present]
        places = [layers.index(one) + 1 for one in known if one in layers]
        if places:
            return int(max(places))
        there = [layers.index(one) for one in self._present.values() if one in layers]
        return int(min(there, default=len(layers)))


def _window() -> QMainWindow | None:
    """The main window that the person uses."""
    active = QApplication.activeWindow()
    if isinstance(active, QMainWindow):
        return active
    windows = (one for one in QApplication.topLevelWidgets() if isinstance(one, QMainWindow))
    return next((one for one in windows if one.isVisible()), None)


def _same(metadata: Any, other: Any) -> bool:
    """Whether two layers show the same image."""
    one, two = (facts.get("gluer", {}).get("image") for facts in (metadata, other))
    return one is not None and one is two


def _plain(name: str, known: list[str]) -> str:
    """The channel of a layer whose name napari may have numbered, ``CD8 [1]``."""
    return name if name in known else name.rpartition(" [")[0]
