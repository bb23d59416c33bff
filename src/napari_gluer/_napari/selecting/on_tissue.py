"""Draw around cells on the tissue: a Shapes layer of ours, emptied after each outline."""

from typing import Any, Literal

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Shapes
from napari.layers.base import ActionType
from napari.utils.events import Event
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QApplication

from napari_gluer._napari.attached import full_resolution
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.layers import drawing_over
from napari_gluer._napari.selecting.inside import Rule, labels_inside
from napari_gluer.errors import InputError

Tool = Literal["add_polygon_lasso", "add_rectangle"]
NAME = "draw around cells"
_EDGE, _FACE, _LINE = "#ffd54a", "#ffd54a20", 2


class TissueDrawing(QObject):
    """Draws in a viewer, and tells which cells of a labels layer were drawn around.

    Parameters
    ----------
    viewer
        Where the person draws.
    """

    enclosed = Signal(object, object)
    """Labels inside the outline, and the keys that were held when it was closed."""

    stopped = Signal()
    """The drawing layer is gone: `stop` was called, or somebody removed it."""

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rule: Rule = "most"
        self._viewer = viewer
        self._labels: Labels | None = None
        self._layer: Shapes | None = None
        viewer.layers.events.removed.connect(self._removed)

    @property
    def layer(self) -> Shapes | None:
        """The layer that is drawn in, None while nobody draws."""
        return self._layer

    def start(self, labels: Labels, tool: Tool) -> None:
        """Let the person draw around cells of `labels`.

        Raises
        ------
        InputError
            If the view is in 3-D, where napari cannot draw.
        """
        if self._viewer.dims.ndisplay == 3:
            raise InputError(
                "Nothing can be drawn in the 3-D view. Switch to 2-D (the button below the list "
                "of layers), and draw in a slice."
            )
        if self._labels is not labels:
            self.stop()
        self._labels = labels
        if self._layer is None:
            self._layer = drawing_over(
                self._viewer,
                labels,
                labels.ndim,
                name=NAME,
                edge_color=_EDGE,
                face_color=_FACE,
                edge_width=_LINE / (self._viewer.scene.camera.zoom * abs(float(labels.scale[-1]))),
            )
            self._layer.events.data.connect(self._drawn)
        self._viewer.layers.selection.active = self._layer
        self._layer.mode = tool

    def stop(self) -> None:
        """Take the drawing layer away, and make the labels the active layer again."""
        layer, self._layer = self._layer, None
        if layer is None:
            return
        layer.events.data.disconnect(self._drawn)
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        if self._labels in self._viewer.layers:
            self._viewer.layers.selection.active = self._labels
        self.stopped.emit()

    def _drawn(self, event: Event) -> None:
        if event.action == ActionType.ADDED:
            keys = QApplication.keyboardModifiers()
            # napari has not finished the shape while it tells of it
            QTimer.singleShot(0, lambda: self._take(keys))

    def _take(self, keys: Any) -> None:
        layer, labels = self._layer, self._labels
        if not is_open(self) or layer is None or labels is None or not layer.data:
            return
        outlines, layer.data = list(layer.data), []
        found = [self._inside(outline, labels) for outline in outlines if len(outline) > 2]
        if found:
            self.enclosed.emit(np.unique(np.concatenate(found)), keys)

    def _inside(self, outline: NDArray[Any], labels: Labels) -> NDArray[np.int64]:
        """Cells inside an outline that was drawn in the slice that is seen."""
        down, across = self._viewer.dims.displayed[-2:]
        skipped = self._viewer.dims.ndim - labels.ndim  # axes that other layers have before ours
        axes = [down - skipped, across - skipped]
        place: list[Any] = [round(float(one)) for one in np.median(outline, axis=0)]
        for axis in axes:
            place[axis] = slice(None)
        data = full_resolution(labels)
        plane = data if labels.ndim == 2 else data[tuple(place)]
        if axes[0] > axes[1]:
            plane = plane.T
        return labels_inside(plane, np.asarray(outline, np.float64)[:, axes], self.rule)

    def _removed(self, event: Event) -> None:
        if not is_open(self):
            return
        if event.value is self._layer:
            self._layer = None
            self.stopped.emit()
        elif event.value is self._labels:
            self.stop()
            self._labels = None
