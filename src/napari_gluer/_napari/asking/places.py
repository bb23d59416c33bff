"""Which cell is where: under the mouse, and where a label lies."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from numpy.typing import NDArray

from napari_gluer._napari.attached import cells_of, full_resolution, index_of, stale_of
from napari_gluer._napari.pickers import labels_layers
from napari_gluer.errors import InputError
from napari_gluer.painting import LabelIndex

_BIG = 3  # displayed axes of a volume
_FREE_MODES = ("pan_zoom", "transform")
_NOWHERE: NDArray[np.intp] = np.empty((0, 2), np.intp)
_SMALL = 30  # pixels of the screen, below which a cell is brought nearer


@dataclass(frozen=True, eq=False)
class CellPlace:
    """Where a cell lies, in the labels' pixels, axes in their order.

    Attributes
    ----------
    centre
        ``(ndim,)``
    size
        Number of pixels.
    first, last
        ``(ndim,)``: the lowest and highest pixel along every axis.
    """

    centre: NDArray[np.float64]
    size: int
    first: NDArray[np.intp]
    last: NDArray[np.intp]


def may_ask(active: Layer | None) -> bool:
    """Whether a click is free, since the active layer neither paints, draws nor picks."""
    return active is None or str(getattr(active, "mode", "pan_zoom")) in _FREE_MODES


def label_at(layer: Labels, event: Any) -> int:
    """The label under the mouse, 0 where there is none.

    In the 3-D view the first cell that the line of sight meets; else the pixel in the slice that
    is seen, whether or not the layer is visible.
    """
    if len(event.dims_displayed) == _BIG:
        found = layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=list(event.dims_displayed),
            world=True,
        )
        value = found[-1] if isinstance(found, tuple) else found
        return 0 if value is None else int(value)
    data = full_resolution(layer)
    place = np.rint(layer.world_to_data(event.position)).astype(int)
    if (place < 0).any() or (place >= data.shape).any():
        return 0
    return int(np.asarray(data[tuple(place.tolist())]))


def cell_under(viewer: ViewerModel, first: Labels | None, event: Any) -> tuple[Labels | None, int]:
    """The layer and label of the cell under the mouse; `first` is asked first, label 0 if none."""
    layers = [one for _, one in labels_layers(viewer) if isinstance(one, Labels)]
    layers.sort(key=lambda one: (one is not first, cells_of(one) is None))
    for layer in layers:
        if label := label_at(layer, event):
            return layer, label
    return first, 0


def place_of(layer: Labels, label: int) -> CellPlace:
    """Where a cell of a labels layer lies.

    Raises
    ------
    InputError
        If the image has no such label.
    """
    pixels = _pixels_of(layer, label)
    if not len(pixels):
        raise InputError(_absent(layer, label, index_of(layer)))
    return CellPlace(pixels.mean(axis=0), len(pixels), pixels.min(axis=0), pixels.max(axis=0))


def diameter(layer: Labels, place: CellPlace) -> float:
    """Width of a square or cube as large as the cell, in the layer's units."""
    scale = np.abs(np.asarray(layer.scale, np.float64))  # a mirrored layer has one below 0
    return float((place.size * np.prod(scale)) ** (1 / layer.ndim))


def show_place(viewer: ViewerModel, layer: Labels, place: CellPlace) -> None:
    """Bring a cell into the middle of the view, and nearer where it would be small."""
    world = np.asarray(layer.data_to_world(place.centre), np.float64)
    lead = viewer.dims.ndim - len(world)
    shown = viewer.dims.displayed
    for axis, value in enumerate(world, start=lead):
        if axis not in shown:
            viewer.dims.set_point(axis, float(value))
    camera = viewer.scene.camera
    placed = [float(world[axis - lead]) if axis >= lead else 0.0 for axis in shown]
    camera.center = (*((0.0,) * (3 - len(placed))), *placed)
    across = diameter(layer, place)
    if across * camera.zoom < _SMALL:
        camera.zoom = _SMALL / across


def _pixels_of(layer: Labels, label: int) -> NDArray[np.intp]:
    """Pixels of a cell now ``(n, ndim)``; those of an edited one are sought in the whole image."""
    index = index_of(layer)
    place = int(np.searchsorted(index.ids, label))
    known = place < len(index.ids) and index.ids[place] == label
    if label > 0 and known and label not in stale_of(layer):
        return _pixels(index, place + 1)
    return np.argwhere(np.asarray(full_resolution(layer)) == label) if label > 0 else _NOWHERE


def _pixels(index: LabelIndex, number: int) -> NDArray[np.intp]:
    """Pixels of a cell at full resolution ``(n, ndim)``, sought from coarse to fine."""
    full = index.levels[0]
    coarse = index.levels[-1]
    found = np.argwhere(coarse == number)
    if not len(found):  # so small that others hide it at low resolution
        return np.argwhere(full == number)
    steps = np.array([-(-a // b) for a, b in zip(full.shape, coarse.shape, strict=True)])
    exponent = np.ceil(np.log2(steps)).astype(int)  # levels are halved, the last pixel padded
    low = found.min(axis=0) - 1
    high = found.max(axis=0) + 2
    box = tuple(
        slice(max(int(a) << int(e), 0), min(int(b) << int(e), n))
        for a, b, e, n in zip(low, high, exponent, full.shape, strict=True)
    )
    inside = np.argwhere(full[box] == number) + [part.start for part in box]
    return np.asarray(inside, np.intp)


def _absent(layer: Labels, label: int, index: LabelIndex) -> str:
    if not len(index.ids):
        return f"“{layer.name}” has no cell."
    return (
        f"“{layer.name}” has no cell {label}; its {len(index.ids):,} cells have labels from "
        f"{index.ids[0]} to {index.ids[-1]}."
    )
