"""The chosen cells on the tissue: they stay bright, the others are dimmed."""

from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import ArrayLike, NDArray

from napari_gluer._napari.attached import KEY, held, index_of, stale_of
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.layers import lay_over
from napari_gluer.painting import LabelIndex, LookUp

NAME = "chosen cells"
CHOSEN, OTHERS = 1, 2
"""Values of the layer: in a chosen cell, and in another one; 0 outside cells."""

_KIND, _OF, _DRAWN = "selection", "selection of", "drawn"
_Asked = tuple[LabelIndex, NDArray[np.int64], NDArray[np.int64]]
_NOTHING: Any = (0.0, 0.0, 0.0, 0.0)
# flat: light on the chosen, dark on the others, so that a painting beneath keeps its colours
_FLAT: dict[int | None, Any] = {CHOSEN: (1.0, 1.0, 1.0, 0.2), OTHERS: (0.0, 0.0, 0.0, 0.72)}
# in a volume only what is chosen is drawn: dark cells would hide it
_VOLUME: dict[int | None, Any] = {CHOSEN: (1.0, 0.9, 0.2, 0.75), OTHERS: _NOTHING}


def show_selection(viewer: ViewerModel, labels: Labels, chosen: ArrayLike) -> Labels | None:
    """Highlight cells on the tissue, above everything painted.

    Parameters
    ----------
    viewer
        Where `labels` is.
    labels
        The labels layer of the cells.
    chosen
        Their values in the labels image; none hides the highlight. Cells that were edited since
        they were measured are left empty.

    Returns
    -------
    napari.layers.Labels or None
        The layer: 1 in chosen cells, 2 in others, 0 elsewhere. None where there is none to hide.
    """
    wanted = np.asarray(chosen, np.int64)
    layer = selection_layer(viewer, labels)
    if not wanted.size:
        if layer is not None:
            layer.visible = False
        return layer
    index, stale = index_of(labels), stale_of(labels)
    asked = (index, wanted, stale)
    if layer is not None and layer.visible and _is_drawn(layer, asked):
        return layer
    levels = _levels(*asked)
    if layer is None or layer.multiscale != (len(levels) > 1):
        layer = _added(viewer, labels, levels, layer)
    else:
        layer.data = levels if len(levels) > 1 else levels[0]
        layer.visible = True
    held(layer)[_DRAWN] = asked
    _raise(viewer, layer)
    return layer


def selection_layer(viewer: ViewerModel, labels: Labels) -> Labels | None:
    """The layer that highlights the chosen cells of `labels`, None where there is none."""
    wanted = str(labels.unique_id)
    found = (one for one in viewer.layers if held(one).get(_OF) == wanted)
    return next((one for one in found if isinstance(one, Labels)), None)


def raise_selection(viewer: ViewerModel, labels: Labels) -> None:
    """Put the highlight above what was painted since."""
    layer = selection_layer(viewer, labels)
    if layer is not None and layer.visible:
        _raise(viewer, layer)


def _is_drawn(layer: Labels, asked: _Asked) -> bool:
    """Several panels ask for the same picture."""
    drawn: _Asked | None = held(layer).get(_DRAWN)
    if drawn is None or drawn[0] is not asked[0]:
        return False
    return all(np.array_equal(one, other) for one, other in zip(drawn[1:], asked[1:], strict=True))


def _levels(index: LabelIndex, chosen: NDArray[np.int64], stale: NDArray[np.int64]) -> list[LookUp]:
    codes = np.full(len(index.ids) + 1, OTHERS, np.uint8)
    codes[1:][np.isin(index.ids, chosen)] = CHOSEN
    # where such a cell was measured is not where it is now
    codes[1:][np.isin(index.ids, stale)] = 0
    codes[0] = 0
    return [LookUp(level, codes) for level in index.levels]


def _added(
    viewer: ViewerModel, labels: Labels, levels: list[LookUp], before: Labels | None
) -> Labels:
    if before is not None:  # the labels were replaced by some with another pyramid
        viewer.layers.remove(before)
    colors = {None: _NOTHING, 0: _NOTHING, **(_FLAT if labels.ndim == 2 else _VOLUME)}
    active = viewer.layers.selection.active
    layer = lay_over(
        viewer,
        labels,
        levels,
        name=NAME,
        colormap=DirectLabelColormap(color_dict=colors),
        opacity=1,
        metadata={KEY: {PAINTED: _KIND, _OF: str(labels.unique_id)}},
    )
    layer.editable = False  # a look-up has no pixels of its own to draw on
    viewer.layers.selection.active = active
    return layer


def _raise(viewer: ViewerModel, layer: Labels) -> None:
    if viewer.layers[-1] is not layer:
        viewer.layers.move(viewer.layers.index(layer), len(viewer.layers))
