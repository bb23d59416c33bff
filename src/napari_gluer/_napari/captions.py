"""What goes with a painting: its title on the canvas, and labels that let it be seen."""

from typing import Any

from napari.components import ViewerModel
from napari.components.overlays import TextOverlay
from napari.layers import Labels, Layer

from napari_gluer._napari.attached import KEY, held

PAINTS = "paints"
"""Entry of a painting: the `unique_id` of its labels layer."""

OVER = "over"
"""Entry of everything that lies over a labels layer, kept paintings too: its `unique_id`."""

_TITLE, _OPACITY = "title", "opacity_before"
_OVERLAY = "gluer_title"
_SIZE = 10


def entitle(viewer: ViewerModel, painting: Layer, title: str) -> None:
    """Write `title` on the canvas while `painting` is the topmost one that is visible.

    Meanwhile the labels that it paints are seen through, but asked for what the mouse is over.
    """
    entries = painting.metadata.setdefault(KEY, {})
    entries[_TITLE] = title
    if OVER not in entries:
        entries[OVER] = entries.get(PAINTS)  # also when the painting is kept
        painting.events.visible.connect(lambda: _refresh(viewer))
    if _OVERLAY not in viewer.canvas.overlays:
        overlay = TextOverlay(font_size=_SIZE, position="top_left", box=True)
        viewer.canvas.overlays[_OVERLAY] = overlay
        viewer.layers.events.removed.connect(lambda: _refresh(viewer))
    _refresh(viewer)


def title(viewer: ViewerModel) -> str:
    """What the canvas says now."""
    overlay: Any = viewer.canvas.overlays.get(_OVERLAY)
    return str(overlay.text) if overlay is not None and overlay.visible else ""


def _refresh(viewer: ViewerModel) -> None:
    shown = [layer for layer in viewer.layers if layer.visible and _TITLE in held(layer)]
    overlay = viewer.canvas.overlays[_OVERLAY]
    if shown:
        overlay.text = held(shown[-1])[_TITLE]
    overlay.visible = bool(shown)
    painted = {held(layer)[OVER] for layer in shown}
    for labels in viewer.layers:
        if isinstance(labels, Labels):
            _see_through(labels, wanted=str(labels.unique_id) in painted)


def _see_through(labels: Labels, *, wanted: bool) -> None:
    """Hide labels by their opacity: hovering asks only layers that are visible."""
    entries = held(labels)
    if wanted and _OPACITY not in entries:
        labels.metadata.setdefault(KEY, {})[_OPACITY] = labels.opacity
        labels.opacity = 0
        if not labels.visible:  # to set it anew makes napari draw all pixels again
            labels.visible = True
    elif not wanted and _OPACITY in entries:
        labels.opacity = entries.pop(_OPACITY)
