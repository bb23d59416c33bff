"""A ring around the cell that is asked."""

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Points
from numpy.typing import NDArray

from napari_gluer._napari.asking.places import CellPlace, diameter
from napari_gluer._napari.attached import KEY, held
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.layers import place_like, points_over

NAME = "asked cell"
_KIND = "ring"
_WIDER, _LEAST = 1.8, 6.0  # of the cell's diameter; pixels
_COLOR, _LINE = "#ff3b30", 0.12


def ring(viewer: ViewerModel, labels: Labels, place: CellPlace) -> Points:
    """Put the ring around a cell of `labels`, in all slices that it spans; a viewer has one.

    It is meant for the axes that are displayed now.
    """
    across = max(_WIDER * diameter(labels, place) / abs(float(labels.scale[-1])), _LEAST)
    layer = _there(viewer, labels.ndim)
    if layer is None:
        layer = _added(viewer, labels)
    else:
        place_like(layer, labels)  # to remove a layer and add one takes long
    layer.data = _centres(viewer, labels, place)
    layer.editable = False  # which new data undo
    layer.size = across
    layer.visible = True
    if viewer.layers[-1] is not layer:
        viewer.layers.move(viewer.layers.index(layer), len(viewer.layers))
    return layer


def _centres(viewer: ViewerModel, labels: Labels, place: CellPlace) -> NDArray[np.float64]:
    """The centre; where slices are seen, one in each of the cell's: napari draws points in one."""
    lead = viewer.dims.ndim - labels.ndim
    sliced = [one - lead for one in viewer.dims.not_displayed if one >= lead]
    centres = place.centre[None]
    for axis in sliced:
        slices = np.arange(place.first[axis], place.last[axis] + 1)
        centres = np.repeat(centres, len(slices), axis=0)
        centres[:, axis] = np.resize(slices, len(centres))
    return centres


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
        metadata={KEY: {PAINTED: _KIND}},
    )
    viewer.layers.selection.active = active
    return layer


def turn_ring(viewer: ViewerModel, labels: Labels, place: CellPlace) -> None:
    """Fit the ring to the axes that are displayed now; one that is hidden stays so."""
    if any(one.visible for one in viewer.layers if held(one).get(PAINTED) == _KIND):
        ring(viewer, labels, place)


def hide_ring(viewer: ViewerModel) -> None:
    """Hide the ring, if there is one."""
    for layer in viewer.layers:
        if held(layer).get(PAINTED) == _KIND:
            layer.visible = False
