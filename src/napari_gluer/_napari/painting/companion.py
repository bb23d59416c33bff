"""What goes with a painting of values: cells that have none, faded ones, and bodies in 3-D."""

from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels, Layer
from numpy.typing import ArrayLike

from napari_gluer._napari.adding import lay_over, pyramid, see
from napari_gluer._napari.attached import KEY, held, index_of
from napari_gluer._napari.captions import OVER, PAINTS
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.painting.pictures import Codes
from napari_gluer.painting import LabelIndex

_REST, _COMPLETES, _CODES = "rest", "completes", "codes"


def is_in_3d(viewer: ViewerModel, index: LabelIndex) -> bool:
    """Whether cells are seen as bodies, not in slices."""
    return viewer.dims.ndisplay == 3 and index.levels[0].ndim == 3


def complete(viewer: ViewerModel, labels: Any, painting: Layer, codes: Codes | None) -> None:
    """Show with a painting of values the cells that have none, or are faded."""
    layer = _companion(viewer, painting)
    before = held(layer).get(_CODES) if layer is not None else None
    fits = layer is not None and codes is not None and layer.multiscale == (len(codes.levels) > 1)
    if layer is not None and not fits:
        viewer.layers.remove(layer)
        layer = None
    if codes is None:
        return
    name = "cells in 3-D" if is_in_3d(viewer, index_for(labels)) else "unmatched and faded cells"
    if layer is None:
        over = held(painting).get(OVER, held(painting).get(PAINTS))
        mark = {KEY: {PAINTED: _REST, _COMPLETES: str(painting.unique_id), OVER: over}}
        options = {"colormap": codes.colormap, "opacity": 1, "metadata": mark}
        active = viewer.layers.selection.active
        layer = lay_over(viewer, labels, codes.levels, name=name, **options)
        layer.editable = False
        viewer.layers.selection.active = active
        _follow(viewer, painting, layer)
    else:
        if before is None or before.colors != codes.colors:
            layer.colormap = codes.colormap
        if not codes.same_cells(before):
            layer.data = pyramid(codes.levels)
    layer.name = name
    layer.metadata[KEY][_CODES] = codes
    see(layer, visible=painting.visible)


def follow_again(viewer: ViewerModel) -> None:
    """Bind companions of a restored session to their paintings."""
    paintings = {str(layer.unique_id): layer for layer in viewer.layers}
    for layer in viewer.layers:
        painting = paintings.get(held(layer).get(_COMPLETES, ""))
        if painting is not None:
            _follow(viewer, painting, layer)


def _companion(viewer: ViewerModel, painting: Layer) -> Any:
    """The layer that completes a painting of values, None where there is none."""
    wanted = str(painting.unique_id)
    return next((one for one in viewer.layers if held(one).get(_COMPLETES) == wanted), None)


def _follow(viewer: ViewerModel, painting: Layer, companion: Layer) -> None:
    """Show, hide and remove a companion with its painting."""

    def show() -> None:
        see(companion, visible=painting.visible)

    def remove() -> None:
        if painting not in viewer.layers and companion in viewer.layers:
            viewer.layers.remove(companion)

    painting.events.visible.connect(show)
    viewer.layers.events.removed.connect(remove)


def index_for(labels: Labels | ArrayLike) -> LabelIndex:
    """The index of a labels layer, or of bare labels."""
    return index_of(labels) if isinstance(labels, Labels) else LabelIndex(labels)
