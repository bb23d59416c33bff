"""Labels as OME-Zarr with the classes of their cells, for programs that read ``image-label``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.io.classes import classes_of, rgb
from napari_gluer.io.joining import joined_labels
from napari_gluer.io.labels_writing import OmeZarr, Sizes, write_labels


def image_label(
    cells: AnnData, column: str = "", colors: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """``image-label`` of OME-Zarr: the colour and class of every cell, by its label.

    Parameters
    ----------
    cells
        Reads ``obs["label"]`` and the column.
    column
        Of ``obs``; empty takes transferred types, else clusters.
    colors
        Chosen by a person, ``#RRGGBB`` by class.
    """
    keys = slots.cell_labels(cells).tolist()
    classes = classes_of(cells, column, colors)
    if not classes.column:
        return {}
    named = [(key, name) for key, name in zip(keys, classes.names, strict=True) if name]
    return {
        "colors": [
            {"label-value": key, "rgba": [*rgb(classes.colors[name]), 255]} for key, name in named
        ],
        "properties": [{"label-value": key, classes.column: name} for key, name in named],
    }


def write_ome_zarr_labels(  # noqa: PLR0913 - the labels, their cells, and how they are written
    labels: NDArray[np.integer],
    path: Path,
    cells: AnnData | None = None,
    pixel_size_um: Sizes = None,
    *,
    version: OmeZarr = "0.4",
    column: str = "",
    colors: Mapping[str, str] | None = None,
) -> None:
    """Write labels as OME-Zarr with a pyramid and, where there are cells, their classes.

    Parameters
    ----------
    labels
        Whole numbers ``(y, x)`` or ``(z, y, x)``.
    path
        Ending in ``.zarr``.
    cells
        Whose classes are told.
    pixel_size_um
        One number, or one for each axis.
    version
        Of OME-Zarr; more programs read 0.4.
    column, colors
        As in `image_label`.
    """
    about = None
    if cells is not None:
        labels = joined_labels(cells, labels)
        about = image_label(cells, column, colors)
    write_labels(labels, path, pixel_size_um, ome_zarr=version, about=about)
