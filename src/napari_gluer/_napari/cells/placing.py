"""The layer that found cells go to: an earlier one of the same image, or a new one."""

from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer

from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, edits, held, watch
from napari_gluer._napari.captions import PAINTS
from napari_gluer._napari.images import Source
from napari_gluer._napari.layers import place_like, show_labels

_FOUND_IN, _UNEDITED = "found in", "edits when found"
_NAME = "cells"


def put_labels(viewer: ViewerModel, labels: Any, source: Source) -> Labels:
    """Show found cells, in place of those found earlier in the same image.

    Cells that were edited by hand or integrated stay, and the new ones get a layer of their own.
    What was painted of replaced cells goes with them.
    """
    layer = earlier_layer(viewer, source)
    if layer is None:
        like = source.like if source.like in viewer.layers else None
        layer = show_labels(viewer, labels, name=_free_name(viewer), like=like)
    else:
        _remove_painted(viewer, layer)
        layer.data = labels
        viewer.layers.selection.active = layer
    watch(layer)
    held(layer).update({_FOUND_IN: source.key, _UNEDITED: edits(layer)})
    return layer


def earlier_layer(viewer: ViewerModel, source: Source) -> Labels | None:
    """The newest layer of cells found in this image that nobody edited or integrated."""
    for layer in reversed(viewer.layers):
        if isinstance(layer, Labels) and _is_of(layer, source) and not _is_kept(layer):
            return layer
    return None


def place_on(layer: Labels, source: Source) -> None:
    """Move labels onto their image where they have no place yet and are of its size."""
    unplaced = bool(np.all(layer.scale == 1) and np.all(layer.translate == 0))
    if unplaced and layer.ndim == len(source.image.spatial_shape):
        place_like(layer, source.like)


def _is_of(layer: Layer, source: Source) -> bool:
    key, entry = source.key, held(layer).get(_FOUND_IN)
    return entry is key or (isinstance(key, str) and entry == key)


def _is_kept(layer: Labels) -> bool:
    cells = cells_of(layer)
    integrated = cells is not None and slots.EMBEDDING in cells.obsm
    return integrated or edits(layer) != held(layer).get(_UNEDITED)


def _remove_painted(viewer: ViewerModel, layer: Labels) -> None:
    painted = [one for one in viewer.layers if held(one).get(PAINTS) == str(layer.unique_id)]
    for one in painted:
        viewer.layers.remove(one)


def _free_name(viewer: ViewerModel) -> str:
    taken = {layer.name for layer in viewer.layers}
    number = 1
    while (name := _NAME if number == 1 else f"{_NAME} {number}") in taken:
        number += 1
    return name
