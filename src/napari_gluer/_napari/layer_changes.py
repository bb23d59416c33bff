"""Layers with results that a person deletes or renames: remembered, so that it can be undone."""

from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.utils.events import Event
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication, QMainWindow, QWidget

from napari_gluer._napari.attached import cells_of, held
from napari_gluer._napari.captions import OVER, PAINTS
from napari_gluer._napari.undo import Undo

_NAME = "gluer_layer_changes"
_MOST = 5  # a deleted layer keeps its memory until it is forgotten


class LayerChanges(QObject):
    """Follows the layers of a viewer: cells with their tables, and paintings that were kept.

    Parameters
    ----------
    viewer
        Whose layers are followed.
    parent
        The window that this lives as long as.

    Attributes
    ----------
    undo
        Deletions and new names, at most five.
    """

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(_NAME)
        self.viewer = viewer
        self.undo = Undo(_MOST)
        self._quiet = False
        self._names: dict[str, str] = {}
        self._gone: list[tuple[int, Layer]] = []
        layers = viewer.layers.events
        layers.inserted.connect(self._inserted)
        layers.removed.connect(self._removed)
        layers.renamed.connect(self._renamed)
        self._inserted()

    def _inserted(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        self._names = {str(one.unique_id): one.name for one in self.viewer.layers}

    def _removed(self, event: Event) -> None:
        if self._quiet or not _has_results(event.value):
            return
        if not self._gone:
            QTimer.singleShot(0, self._note)  # several that are deleted at once are one step
        self._gone.append((event.index, event.value))

    def _note(self) -> None:
        gone = [(at, one) for at, one in self._gone if one not in self.viewer.layers]
        self._gone = []
        if gone:
            names = ", ".join(sorted(f"“{one.name}”" for _, one in gone))
            self.undo.note(
                f"deletion of {names}", lambda: self._delete(gone), lambda: self._restore(gone)
            )

    def _delete(self, gone: list[tuple[int, Layer]]) -> None:
        self._quiet = True
        for _, layer in gone:
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self._quiet = False

    def _restore(self, gone: list[tuple[int, Layer]]) -> None:
        for at, layer in reversed(gone):
            if layer not in self.viewer.layers:
                self.viewer.layers.insert(min(at, len(self.viewer.layers)), layer)
        self.viewer.layers.selection.active = gone[-1][1]

    def _renamed(self, event: Event) -> None:
        for layer in self.viewer.layers:
            before = self._names.get(str(layer.unique_id), layer.name)
            if before != layer.name and _has_results(layer) and not self._quiet:
                self._note_name(layer, before, layer.name)
        self._inserted(event)

    def _note_name(self, layer: Layer, before: str, after: str) -> None:
        self.undo.note(
            f"name “{after}” of “{before}”",
            lambda: self._rename(layer, after),
            lambda: self._rename(layer, before),
        )

    def _rename(self, layer: Layer, name: str) -> None:
        self._quiet = True
        layer.name = name
        self._quiet = False


def follow_layers(widget: QWidget, viewer: ViewerModel) -> bool:
    """Remember what is done to the layers in a widget's window; False where that is done."""
    window = widget.window()
    if not isinstance(window, QMainWindow) or window.findChild(QObject, _NAME) is not None:
        return False
    LayerChanges(viewer, window)
    return True


def layer_undo(viewer: ViewerModel) -> Undo | None:
    """What can be undone of a viewer's layers; None where they are not followed."""
    for window in QApplication.topLevelWidgets():
        found = window.findChild(LayerChanges, _NAME)
        if found is not None and found.viewer is viewer:
            undo: Undo = found.undo
            return undo
    return None


def _has_results(layer: Layer) -> bool:
    if isinstance(layer, Labels) and cells_of(layer) is not None:
        return True
    return OVER in held(layer) and PAINTS not in held(layer)
