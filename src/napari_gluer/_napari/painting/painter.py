"""Paints on labels layers and tells the panels that follow; listens to napari's own controls."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import AVAILABLE_COLORMAPS
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer._napari.adding import see
from napari_gluer._napari.attached import KEY, cells_of, held, index_of, stale_of
from napari_gluer._napari.captions import PAINTS
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.layers import CHANNEL, draw, remember, turn_with, without_stale
from napari_gluer._napari.linked import Shown, linked_of, rows_of
from napari_gluer._napari.painting.companion import complete, follow_again, is_in_3d
from napari_gluer._napari.painting.hovering import let_hover
from napari_gluer._napari.painting.looks import (
    certainty_of,
    names_of,
    only,
    styled,
    with_one_scale,
)
from napari_gluer._napari.painting.pictures import rest, solid
from napari_gluer.errors import InputError

_WATCHED, _PERCENTILES = "controls watched", "percentiles of the limits"


@dataclass(frozen=True, eq=False)
class Canvas:
    """A labels layer, and what is to be painted on its cells."""

    layer: Labels
    shown: Shown


def paint(viewer: ViewerModel, canvases: Sequence[Canvas], name: str) -> list[Layer]:
    """Paint by the style of the first layer, all sections with one scale, and tell the panels.

    Parameters
    ----------
    canvases
        Of one section, or of several that are painted alike.
    name
        Of the layers; the section is added where there are several.

    Returns
    -------
    list of napari.layers.Layer
        The painted layer of each.

    Raises
    ------
    InputError
        If a layer is gone, or its table is not of its labels; then nothing is painted.
    """
    for canvas in canvases:
        _refuse_gone(viewer, canvas.layer)
    several = [without_stale(canvas.layer, canvas.shown) for canvas in canvases]
    for canvas, shown in zip(canvases, several, strict=True):
        index_of(canvas.layer).places(shown.labels)
    together = len(canvases) > 1
    if together:
        several = with_one_scale(several, linked_of(canvases[0].layer).style)
    painted = []
    for canvas, shown in zip(canvases, several, strict=True):
        _follow_edits(viewer, canvas)
        final = _styled(canvases[0].layer, canvas.layer, shown, keep_limits=together)
        own = f"{name} · {canvas.layer.name}" if together else name
        painted.append(_put(viewer, canvas.layer, final, own))
    for layer in painted:
        if isinstance(layer, Image):
            layer.colorbar.visible = layer is painted[0]  # one scale needs one bar
    viewer.layers.selection.active = canvases[0].layer
    _remember_percentiles(canvases[0].layer)
    return painted


def repaint(viewer: ViewerModel, layers: Sequence[Labels]) -> None:
    """Paint the same by the style that the first layer has now.

    Limits stay, also those that a person set, unless the style has other percentiles.
    """
    known = [(layer, linked_of(layer).shown, painting_of(viewer, layer)) for layer in layers]
    there = [
        (layer, without_stale(layer, shown), painting)
        for layer, shown, painting in known
        if shown is not None and painting is not None
    ]
    if not there:
        return
    style = linked_of(layers[0]).style
    keep_limits = held(layers[0]).get(_PERCENTILES) == (style.low, style.high)
    several = [shown for _, shown, _ in there]
    if len(there) > 1 and not keep_limits:
        several = with_one_scale(several, style)
        keep_limits = True
    for (layer, _, painting), shown in zip(there, several, strict=True):
        final = _styled(layers[0], layer, shown, keep_limits=keep_limits)
        _put(viewer, layer, final, painting.name)
    _remember_percentiles(layers[0])


def _follow_edits(viewer: ViewerModel, canvas: Canvas) -> None:
    linked = linked_of(canvas.layer)
    first, linked.whole = linked.whole is None, (canvas.shown, cells_of(canvas.layer))
    if first:
        canvas.layer.events.metadata.connect(lambda: _empty_edited(viewer, canvas.layer))


def _empty_edited(viewer: ViewerModel, layer: Labels) -> None:
    """Empty cells whose labels are edited, fill them when that is undone; whatever is open."""
    linked = linked_of(layer)
    shown, painting = linked.shown, painting_of(viewer, layer)
    if layer not in viewer.layers or shown is None or painting is None or linked.whole is None:
        return
    whole, cells = linked.whole
    # of another table nothing is known here: what was edited stays empty until it is painted anew
    known = with_one_scale([shown, whole], linked.style)[1] if cells is cells_of(layer) else shown
    known = only(known, ~np.isin(known.labels, stale_of(layer)))
    if np.array_equal(known.labels, shown.labels):
        return
    if not known.labels.size:
        see(painting, visible=False)
        linked.show(None)
        return
    limited = replace(known, limits=shown.limits)
    _put(viewer, layer, _styled(layer, layer, limited, keep_limits=True), painting.name)


def _refuse_gone(viewer: ViewerModel, layer: Labels) -> None:
    if layer not in viewer.layers:
        raise InputError(f"The layer “{layer.name}” is gone; there is nothing to paint on.")


def painting_of(viewer: ViewerModel, labels: Labels) -> Any:
    """The layer that shows what is painted on a labels layer now, None where it is a blend."""
    mine = [one for one in viewer.layers if held(one).get(PAINTS) == str(labels.unique_id)]
    top = next((one for one in reversed(mine) if one.visible), None)
    return None if top is None or held(top).get(PAINTED) == CHANNEL else top


def reconnect(viewer: ViewerModel) -> None:
    """Let paintings of a restored session behave as if they were painted just now."""
    labels = {str(one.unique_id): one for one in viewer.layers if isinstance(one, Labels)}
    for layer in viewer.layers:
        painted_on = labels.get(held(layer).get(PAINTS, ""))
        if isinstance(layer, Image) and painted_on is not None:
            _watch(viewer, painted_on, layer)
            shown = linked_of(painted_on).shown
            if layer is painting_of(viewer, painted_on) and shown is not None:
                turn_with(viewer, painted_on, layer, shown)
    follow_again(viewer)


def certainty(layer: Labels, shown: Shown) -> tuple[str, NDArray[np.float32]] | None:
    """What tells how sure each shown cell is, joined by label; its column, and ``(n,)`` values."""
    cells = cells_of(layer)
    found = None if cells is None else certainty_of(shown.what, cells)
    if cells is None or found is None:
        return None
    column, values = found
    rows = rows_of(shown.labels, slots.cell_labels(cells))
    return column, np.where(rows < 0, np.float32(np.nan), values[rows])


def _styled(leader: Labels, layer: Labels, shown: Shown, *, keep_limits: bool) -> Shown:
    linked = linked_of(leader)
    sure = certainty(layer, shown)
    return styled(
        shown,
        linked.style,
        certainty=None if sure is None else sure[1],
        colors=linked.colors.get(shown.what.name),
        limits=shown.limits if keep_limits else None,
    )


def _remember_percentiles(layer: Labels) -> None:
    style = linked_of(layer).style
    layer.metadata.setdefault(KEY, {})[_PERCENTILES] = (style.low, style.high)


def _put(viewer: ViewerModel, labels: Labels, shown: Shown, name: str) -> Any:
    for layer in viewer.layers:
        if held(layer).get(PAINTS) == str(labels.unique_id) and _WATCHED in held(layer):
            held(layer)[_WATCHED] = False  # what we set ourselves is no wish of the person
    painted = draw(viewer, labels, shown, name)
    cells = cells_of(labels)
    if cells is not None:
        values: Any = names_of(shown) if shown.values is None else shown.values
        padded = np.concatenate([values, np.array([np.nan], values.dtype)])
        rows = rows_of(slots.cell_labels(cells), shown.labels)
        let_hover(viewer, labels, cells, name, padded[rows])
    linked_of(labels).show(shown)
    if isinstance(painted, Image):
        _watch(viewer, labels, painted)
    return painted


def _watch(viewer: ViewerModel, labels: Labels, painted: Image) -> None:
    """Take over colours that a person sets in napari's own controls."""
    first = _WATCHED not in held(painted)
    painted.metadata.setdefault(KEY, {})[_WATCHED] = True
    if first:
        for event in ("contrast_limits", "gamma", "colormap"):
            getattr(painted.events, event).connect(lambda: _take_over(viewer, labels, painted))


def _take_over(viewer: ViewerModel, labels: Labels, painted: Image) -> None:
    linked = linked_of(labels)
    shown = linked.shown
    current = held(painted).get(PAINTS) and held(painted).get(_WATCHED)
    if not current or shown is None or shown.values is None:
        return
    low, high = (float(one) for one in painted.contrast_limits)
    known = painted.colormap.name in AVAILABLE_COLORMAPS
    colormap = painted.colormap.name if known else painted.colormap
    now = replace(shown, limits=(low, high), gamma=float(painted.gamma), colormap=colormap)
    if known:
        linked.restyle(linked.style.but(colormap=colormap, gamma=now.gamma), quietly=True)
    index = index_of(labels)
    if is_in_3d(viewer, index):
        complete(viewer, labels, painted, solid(index, now))
    elif now.opacity is not None:
        complete(viewer, labels, painted, rest(index, now))
    remember(painted, now)
    linked.show(now)
