"""A ring around the cell that is asked."""

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Points
from numpy.typing import NDArray

from napari_gluer._napari.attached import KEY, held
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.layers import place_like, points_over

NAME = "asked cell"
_KIND = "ring"
_WIDER, _LEAST = 1.8, 6.0  # of the cell's diameter; pixels
_COLOR, _LINE = "#ff3b30", 0.12


def ring(viewer: ViewerModel, labels: Labels, centre: NDArray[np.float64], size: int) -> Points:
    """Put the ring around a cell; there is one in a viewer.

    Parameters
    ----------
    labels
        The layer of the cell.
    centre, size
        In its pixels, as `places.centre_of` gives them.
    """
    across = max(_WIDER * float(size) ** (1 / labels.ndim), _LEAST)
    layer = _there(viewer, labels.ndim)
    if layer is None:
        layer = _added(viewer, labels)
    else:
        place_like(layer, labels)  # to remove a layer and add one takes long
    layer.data = centre[None]
    layer.size = across
    layer.visible = True
    if viewer.layers[-1] is not layer:
        viewer.layers.move(viewer.layers.index(layer), len(viewer.layers))
    return layer


def _there(viewer: ViewerModel, ndim: int) -> Points | None:
    found = [one for one in viewer.layers if held(one).get(PAINTED) == _KIND]
    fits = [one for one in found if isinstance(one, Points) and one.ndim == ndim]
    for layer in found:
        if layer not in fits:
            viewer.layers.remove(layer)
    return fits[0] if fits else None


def _added(viewer: ViewerModel, labels: Labels) -> Points:
    active = viewer.layers.selection.active
    layer = points_over(
        viewer,
        labels,
        np.zeros((1, labels.ndim)),
        name=NAME,
        face_color="transparent",
        border_color=_COLOR,
        border_width=_LINE,
        out_of_slice_display=labels.ndim > 2,  # a cell spans several slices
        metadata={KEY: {PAINTED: _KIND}},
    )
    layer.editable = False
    viewer.layers.selection.active = active
    return layer


def hide_ring(viewer: ViewerModel) -> None:
    """Hide the ring, if there is one."""
    for layer in viewer.layers:
        if held(layer).get(PAINTED) == _KIND:
            layer.visible = False
