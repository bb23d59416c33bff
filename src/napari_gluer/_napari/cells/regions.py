"""Shapes layers as regions of an image: where to look for cells, and where not."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Shapes
from numpy.typing import NDArray
from qtpy.QtWidgets import QFormLayout, QPushButton, QWidget

from napari_gluer._napari.layers import drawing_over
from napari_gluer._napari.pickers import Picker
from napari_gluer._napari.steps.base import side_by_side
from napari_gluer.errors import InputError
from napari_gluer.polygons import Polygon, Regions

_AREAS = ("polygon", "rectangle", "ellipse")
_ELLIPSE = 128  # corners of the polygon that stands for one
_FEW, _BUTTON = 5, 60  # letters and pixels that fit the panel
_WITHIN, _LEAVE_OUT = "Only within", "Leave out"
_EDGES = {_WITHIN: "#ffd54a", _LEAVE_OUT: "#ff6b5e"}
_LINE = 2  # pixels of the screen


class RegionRows(QWidget):
    """Two choices of Shapes layers, and a button beside each that makes one to draw in.

    Parameters
    ----------
    viewer
        Its layers are offered.
    image_layer
        Gives the layer of the image that is worked on, None where there is none.
    """

    def __init__(self, viewer: ViewerModel, image_layer: Callable[[], Layer | None]) -> None:
        super().__init__()
        self._viewer, self._image_layer = viewer, image_layer
        self.within = Picker(viewer, lambda: shapes_layers(viewer, "everywhere"))
        self.leave_out = Picker(viewer, lambda: shapes_layers(viewer, "nothing"))
        self.draw: dict[str, QPushButton] = {}
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        for name, picker in ((_WITHIN, self.within), (_LEAVE_OUT, self.leave_out)):
            button = QPushButton("Draw…")
            button.setMaximumWidth(_BUTTON)
            picker.setMinimumContentsLength(_FEW)
            button.setToolTip(f"Make a layer “{name.lower()}” and draw polygons on the image.")
            button.clicked.connect(lambda _=False, name=name: self._draw(name))
            self.draw[name] = button
            rows.addRow(name, side_by_side(picker, button))

    def regions(self, like: Layer) -> tuple[Regions | None, str]:
        """The chosen regions in pixels of `like`, None without any, and a word on what is ignored.

        Raises
        ------
        InputError
            If a chosen layer holds no area.
        """
        within, within_word = _areas(self.within.value, like)
        outside, outside_word = _areas(self.leave_out.value, like)
        found = Regions(within, outside)
        return (found or None), " ".join(filter(None, (within_word, outside_word)))

    def _draw(self, name: str) -> None:
        like = self._image_layer()
        layer = drawing_over(
            self._viewer,
            like,
            2,
            name=name.lower(),
            face_color="#ffffff10",  # the cells beneath must be seen
            edge_color=_EDGES[name],
            edge_width=_LINE / (self._viewer.scene.camera.zoom * _pixel(like)),
            opacity=1,
        )
        layer.mode = "add_polygon"
        (self.within if name == _WITHIN else self.leave_out).choose(layer)


def shapes_layers(viewer: ViewerModel, without: str) -> list[tuple[str, Shapes | None]]:
    """Shapes layers, the newest first, after the choice of none, which is named `without`."""
    found = [(one.name, one) for one in reversed(viewer.layers) if isinstance(one, Shapes)]
    return [(without, None), *found]


def polygons_of(shapes: Shapes, like: Layer) -> tuple[list[Polygon], int]:
    """The areas of a Shapes layer in pixels of the image layer `like`, and how many others it has.

    Polygons, rectangles and ellipses are areas; lines and paths are not. Only y and x count.
    """
    found = [
        Polygon((_in_pixels(_outline(corners, kind), shapes, like),), name=f"{shapes.name} {i + 1}")
        for i, (corners, kind) in enumerate(zip(shapes.data, shapes.shape_type, strict=True))
        if kind in _AREAS
    ]
    return found, len(shapes.data) - len(found)


def _pixel(like: Layer | None) -> float:
    """Side of a pixel in world units."""
    return 1.0 if like is None else abs(float(like.scale[-1]))


def _areas(shapes: Shapes | None, like: Layer) -> tuple[tuple[Polygon, ...], str]:
    if shapes is None:
        return (), ""
    found, others = polygons_of(shapes, like)
    if not found:
        raise InputError(
            f"The layer “{shapes.name}” holds no area. Draw polygons, rectangles or ellipses in it."
        )
    kinds = "line or path" if others == 1 else "lines or paths"
    word = f"Ignored in “{shapes.name}”: {others} {kinds}." if others else ""
    return tuple(found), word


def _outline(corners: NDArray[Any], kind: str) -> NDArray[np.float64]:
    if kind != "ellipse":
        return np.asarray(corners, np.float64)
    middle = corners.mean(axis=0)
    across, down = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    angle = np.linspace(0, 2 * np.pi, _ELLIPSE, endpoint=False)[:, np.newaxis]
    return np.asarray(middle + np.cos(angle) * across + np.sin(angle) * down, np.float64)


def _in_pixels(outline: NDArray[np.float64], shapes: Shapes, like: Layer) -> NDArray[np.float64]:
    points = np.empty((len(outline), 2))
    for i, corner in enumerate(outline):
        world = np.zeros(max(shapes.ndim, like.ndim))
        world[-shapes.ndim :] = shapes.data_to_world(corner)
        points[i] = like.world_to_data(world[-like.ndim :])[-2:]
    return points
