"""A line drawn on the tissue: a Shapes layer of ours, and where cells lie along it."""

from typing import Any

import numpy as np
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels, Shapes
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer._napari.attached import KEY, held
from napari_gluer._napari.images import pixel_size_um
from napari_gluer._napari.layers import drawing_over
from napari_gluer._napari.plots.drawing import Line
from napari_gluer.errors import InputError
from napari_gluer.measurement.cell_places import cell_places
from napari_gluer.track import Track

NAME = "line of the profile"
_LINE_OF = "profile line of"
_KINDS = ("line", "path")
_COLOR, _WIDTH = "#ffd54a", 3  # pixels of the screen


def draw_line(viewer: ViewerModel, labels: Labels) -> Shapes:
    """A layer to draw a line in, over `labels`: the one that is there, or a new one.

    Raises
    ------
    InputError
        If the view is in 3-D, where napari cannot draw.
    """
    if viewer.dims.ndisplay == 3:
        raise InputError("Lines cannot be drawn in the 3-D view; switch to 2-D.")
    layer = line_layer(viewer, labels)
    if layer is None:
        pixel = abs(float(labels.scale[-1]))
        layer = drawing_over(
            viewer,
            labels,
            labels.ndim,
            name=NAME,
            edge_color=_COLOR,
            face_color="transparent",
            edge_width=_WIDTH / (viewer.scene.camera.zoom * pixel),
            opacity=1,
            metadata={KEY: {_LINE_OF: str(labels.unique_id)}},
        )
    viewer.layers.selection.active = layer
    layer.visible = True
    layer.mode = "add_path"
    return layer


def line_layer(viewer: ViewerModel, labels: Labels) -> Shapes | None:
    """The layer of the line of `labels`, None where there is none."""
    for layer in viewer.layers:
        if isinstance(layer, Shapes) and held(layer).get(_LINE_OF) == str(labels.unique_id):
            return layer
    return None


def corners_of(viewer: ViewerModel, labels: Labels) -> NDArray[np.float64]:
    """Corners ``(m, ndim)`` of the line drawn last, in pixels of `labels`.

    Raises
    ------
    InputError
        If there is no line.
    """
    layer = line_layer(viewer, labels)
    kinds = [] if layer is None else list(layer.shape_type)
    lines = [i for i, kind in enumerate(kinds) if kind in _KINDS]
    if layer is None or not lines:
        raise InputError(
            "There is no line yet. Press “Draw a line”, click along the tissue, and end with a "
            "double click."
        )
    chosen = [i for i in lines if i in layer.selected_data]
    return np.asarray(layer.data[(chosen or lines)[-1]], np.float64)


def unit_of(labels: Labels) -> tuple[NDArray[np.float64], str]:
    """Size of a pixel along every axis, and its unit: pixels where it is not known."""
    size = pixel_size_um(labels)
    if size is None:
        return np.ones(labels.ndim), "px"
    return np.asarray(size, np.float64), "µm"


class Places:
    """Centres of the cells of a labels image, kept until the labels change."""

    def __init__(self) -> None:
        self._of: Any = None
        self._edits = -1
        self._found: Any = None

    def __call__(self, data: Any, edits: int, cells: AnnData, track: Track) -> NDArray[np.float64]:
        """Centres ``(n_cells, ndim)`` in pixels, in the order of the table; NaN where not drawn.

        Parameters
        ----------
        data, edits
            Labels at full resolution, and how often they were edited.
        cells
            Joined by ``obs["label"]``.
        """
        if self._of is not data or self._edits != edits:
            self._found = cell_places(data, track=track)
            self._of, self._edits = data, edits
        labels = slots.cell_labels(cells)
        rows = np.searchsorted(self._found.ids, labels)
        rows = np.minimum(rows, len(self._found.ids) - 1)
        there = self._found.ids[rows] == labels
        return np.where(there[:, None], self._found.centroids[rows], np.nan)


def line_of(
    corners: NDArray[np.float64], centres: NDArray[np.float64], size: NDArray[np.float64], unit: str
) -> Line:
    """Line and cells in one unit; of a line in a volume, cells count by all their axes."""
    return Line(corners * size, centres * size, unit)
