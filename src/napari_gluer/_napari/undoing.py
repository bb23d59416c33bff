"""Undo and redo: of the cells that the person is looking at, and of layers themselves."""

from collections.abc import Iterator
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.notifications import show_info

from napari_gluer._napari.attached import held
from napari_gluer._napari.captions import OVER, PAINTS
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.layer_changes import layer_undo
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.undo import Undo

KEYS = {"Alt-Z": "undo", "Alt-Shift-Z": "redo", "Control-Z": "undo", "Control-Shift-Z": "redo"}
"""napari asks the active layer first: on labels Control-Z takes painting by hand back, as ever."""


def bind_keys(viewer: ViewerModel) -> None:
    """Take back, by key, what was done to selections, names and colours."""
    for key, way in KEYS.items():
        viewer.bind_key(key, _undo if way == "undo" else _redo, overwrite=True)


def undo(viewer: ViewerModel) -> str:
    """Take the last step back for the cells looked at; what it was, "" where there is none."""
    found = undoable(viewer)
    return "" if found is None else found.undo()


def redo(viewer: ViewerModel) -> str:
    """Do again what was taken back last; what it was, "" where there is nothing."""
    found = redoable(viewer)
    return "" if found is None else found.redo()


def undoable(viewer: ViewerModel, of: Undo | None = None) -> Undo | None:
    """Whose last step is taken back next: of layers themselves where that came later.

    Parameters
    ----------
    of
        Of the cells looked at; None asks which those are.
    """
    several = _undos(viewer) if of is None else [of]
    mine = next((one for one in several if one.undo_text), None)
    layers = layer_undo(viewer)
    later = layers is not None and layers.done_at > (0 if mine is None else mine.done_at)
    return layers if later else mine


def redoable(viewer: ViewerModel, of: Undo | None = None) -> Undo | None:
    """Whose step is done again next; as `undoable`."""
    several = _undos(viewer) if of is None else [of]
    mine = next((one for one in several if one.redo_text), None)
    layers = layer_undo(viewer)
    later = layers is not None and layers.undone_at > (0 if mine is None else mine.undone_at)
    return layers if later else mine


def _undo(viewer: Any) -> None:
    text = undo(viewer)
    show_info(f"Taken back: {text}." if text else "There is nothing to take back.")


def _redo(viewer: Any) -> None:
    text = redo(viewer)
    show_info(f"Done again: {text}." if text else "There is nothing to do again.")


def _undos(viewer: ViewerModel) -> Iterator[Undo]:
    """Of the active cells, or those whose painting is active, then of the others, newest first."""
    layers = [one for one in viewer.layers if isinstance(one, Labels) and PAINTED not in held(one)]
    active = viewer.layers.selection.active
    below = "" if active is None else held(active).get(PAINTS) or held(active).get(OVER) or ""
    layers.sort(key=lambda one: one is active or str(one.unique_id) == below)
    for layer in reversed(layers):
        yield linked_of(layer).undo
