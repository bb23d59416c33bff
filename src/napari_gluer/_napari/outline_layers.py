"""Outlines from a file as a layer: labels on an open image, or shapes."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_gluer._napari.channel_layers import LayerData, scale_of
from napari_gluer._napari.images import Source
from napari_gluer._napari.layers import placement
from napari_gluer.errors import InputError
from napari_gluer.io.geojson import read_features
from napari_gluer.io.outlines import drawn, ids_of, read_polygons
from napari_gluer.polygons import Polygon

_MOST_CORNERS = 20_000  # of shapes; napari takes some 5 s for them
_CELLS = ("cell", "detection")


def outline_layers(path: Path, opened: Source | None) -> tuple[list[LayerData], tuple[str, ...]]:
    """A layer of the outlines in a file, and notes for the person.

    Parameters
    ----------
    path
        GeoJSON or a table of cell boundaries.
    opened
        The image that is open: cells are drawn into labels of its shape. Without one, and for
        annotations, outlines become shapes.

    Raises
    ------
    InputError
        If there are too many outlines for shapes and no image is open.
    """
    name = path.name.split(".")[0]
    if path.suffix.casefold() == ".geojson":
        features, _ = read_features(path)
        if features and not any(one.kind in _CELLS for one in features):
            return [_shapes([one.polygon for one in features], name, opened, path)], ()
    image = opened.image if opened is not None else None
    polygons, notes = read_polygons(path, like=image)
    if image is None or opened is None:
        return [_shapes(polygons, name, opened, path)], notes
    raster, told = drawn(path.name, polygons, image)
    options = {"name": name, "features": _features(polygons), **placement(opened.like, 2)}
    return [(raster.labels, options, "labels")], (*notes, *told)


def _features(polygons: list[Polygon]) -> pd.DataFrame:
    """What hovering shows: the file's id and name of a label."""
    table = ids_of(polygons).rename(columns={"label": "index"})
    kept = [column for column in ("id", "name") if table[column].astype(bool).any()]
    background = pd.DataFrame({"index": [0], **{column: [""] for column in kept}})
    return pd.concat([background, table[["index", *kept]]], ignore_index=True)


def _shapes(polygons: list[Polygon], name: str, opened: Source | None, path: Path) -> LayerData:
    corners = sum(len(ring) for one in polygons for ring in one.rings)
    if len(polygons) > 1 and corners > _MOST_CORNERS:
        raise InputError(
            f"{path.name} holds {len(polygons):,} outlines with {corners:,} corners, too many to "
            "draw one by one. Open the image first; cells are then drawn into labels of its shape."
        )
    rings = [
        (ring, one) for one in polygons for ring in one.rings if len(np.unique(ring, axis=0)) > 2
    ]
    options: dict[str, Any] = {
        "name": name,
        "shape_type": "polygon",
        "edge_width": 1,
        "opacity": 0.4,
        "features": pd.DataFrame(
            {"name": [one.name for _, one in rings], "id": [one.id for _, one in rings]}
        ),
        **(placement(opened.like, 2) if opened is not None else scale_of(None)),
    }
    return [ring for ring, _ in rings], options, "shapes"
