"""Tables of decoded spots as points layers, and points layers as tables of spots."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import KEY, held
from napari_gluer.errors import InputError, listed
from napari_gluer.io.spot_columns import SpotParams, guess_columns
from napari_gluer.io.spot_tables import SpotTable
from napari_gluer.measurement.orientation import Orientation, Placement
from napari_gluer.track import Track, silently

LayerData = tuple[Any, dict[str, Any], str]

DRAWN = 200_000  # spots that napari still pans smoothly
_SPOTS, _ROWS = "spots", "spot_rows"
_QUIET, _OUTSIDE = "#d9cfa9", "#6f7d8c"
_SIZE = 2.0  # pixels of the labels
_ON_SCREEN = (1, 6)


def looks_like_spots(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a table with columns of gene, x and y; only its header is read."""
    try:
        table = SpotTable(path)
        guess_columns(table.header, SpotParams(), table.path.name)
    except InputError:
        return False
    return True


def read_spots_layer(
    path: str | os.PathLike[str], params: SpotParams | None = None, *, track: Track = silently
) -> list[LayerData]:
    """A points layer of a table of spots, the whole table in its metadata.

    Above 200,000 spots a random part of them is drawn, always the same, and the name says so.

    Raises
    ------
    InputError
        As `read_spots`.
    """
    return [spots_layer(ng.read_spots(path, params, track=track), Path(path).name.split(".")[0])]


def spots_layer(spots: pd.DataFrame, name: str) -> LayerData:
    """A points layer of `spots`, y and x; depth and plane stay in the table."""
    rows = _drawn(len(spots))
    shown = spots if rows is None else spots.iloc[rows]
    told = name if rows is None else f"{name} ({len(rows):,} of {len(spots):,} spots)"
    size = float(spots.attrs.get("pixel_size_um", 0.0))
    in_um = spots.attrs.get("unit") == "um"
    placed: dict[str, Any] = {}
    if size or in_um:
        placed = {"scale": (1.0, 1.0) if in_um else (size, size), "units": ("um", "um")}
    layer = {
        "name": told,
        "size": _SIZE,
        "face_color": _QUIET,
        "border_width": 0,
        "opacity": 0.8,
        "symbol": "disc",
        "antialiasing": 0,
        "canvas_size_limits": _ON_SCREEN,
        "features": _features(shown),
        "metadata": {KEY: {_SPOTS: spots, _ROWS: rows}},
        **placed,
    }
    return shown[["y", "x"]].to_numpy(np.float64), layer, "points"


def spots_layers(viewer: ViewerModel) -> list[Points]:
    """Points layers of the viewer that hold spots: read by us, or with a feature ``gene``."""
    return [layer for layer in viewer.layers if _holds_spots(layer)]


def spot_sources(viewer: ViewerModel) -> list[tuple[str, Points]]:
    """Names and layers to choose spots from."""
    return [(layer.name, layer) for layer in spots_layers(viewer)]


def spots_of(layer: Layer) -> pd.DataFrame:
    """All spots of a points layer, also those that are not drawn.

    For points of another reader: the feature ``gene``, and ``cell`` and ``fov`` where there are
    such; the last two axes are y and x, one before them z.

    Raises
    ------
    InputError
        If the layer holds no spots.
    """
    kept = held(layer).get(_SPOTS)
    if kept is not None:
        table: pd.DataFrame = kept
        return table
    if not _holds_spots(layer):
        raise InputError(
            f"“{layer.name}” holds no spots: a points layer with a feature “gene” is needed (it "
            f"has {listed(getattr(layer, 'features', {}))}). Open the table of the spots."
        )
    features = layer.features
    columns = {"gene": features["gene"].to_numpy(), "x": layer.data[:, -1], "y": layer.data[:, -2]}
    if layer.ndim > 2:
        columns["z"] = layer.data[:, -3]
    columns |= {name: features[name].to_numpy() for name in ("cell", "fov") if name in features}
    return pd.DataFrame(columns)


def assigned(layer: Points, labels: Labels, cells: AnnData) -> str:
    """Lay the points where `assign_spots` found that they lie, and tell those outside cells apart.

    Parameters
    ----------
    layer
        The spots.
    labels
        The labels they were assigned to.
    cells
        What `assign_spots` gave.

    Returns
    -------
    str
        The outcome, one line.
    """
    said = slots.info(cells)[slots.SPOTS]
    way = Orientation(said["transposed"], said["flip_y"], said["flip_x"])
    _lay(layer, labels, Placement(way, said["x0"], said["y0"]))
    pixels = np.floor(_in_labels(layer, labels) + 0.5)
    in_cell = _under(pixels, labels) > 0
    features = layer.features.copy()
    features["in_cell"] = np.where(in_cell, "in a cell", "outside")
    layer.features = features
    layer.face_color_cycle = {"in a cell": _QUIET, "outside": _OUTSIDE}
    layer.face_color = "in_cell"
    return str(said["outcome"])


def _lay(layer: Points, labels: Labels, placement: Placement) -> None:
    extent = labels.level_shapes[0][-2:] if labels.multiscale else labels.data.shape[-2:]
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # y, x
    laid = np.stack(placement.laid(corner[:, 1], corner[:, 0], extent), axis=1)
    linear = np.stack([laid[1] - laid[0], laid[2] - laid[0]], axis=1)
    scale, start = np.asarray(labels.scale)[-2:], np.asarray(labels.translate)[-2:]
    affine = np.eye(3)
    affine[:2, :2] = scale[:, np.newaxis] * linear
    affine[:2, 2] = scale * laid[0] + start
    lead = layer.ndim - 2
    whole = np.eye(layer.ndim + 1)
    whole[lead:, lead:] = affine
    layer.scale = (*layer.scale[:lead], 1.0, 1.0)
    layer.translate = (*layer.translate[:lead], 0.0, 0.0)
    layer.affine = whole
    layer.units = (*layer.units[:lead], *labels.units[-2:])


def _in_labels(layer: Points, labels: Labels) -> NDArray[np.float64]:
    """The points in pixels of the labels, y and x."""
    points = np.asarray(layer.data, np.float64)
    homogeneous = np.column_stack([points, np.ones(len(points))])
    world = (homogeneous @ np.asarray(layer.affine).T)[:, -3:-1]
    scale, start = np.asarray(labels.scale)[-2:], np.asarray(labels.translate)[-2:]
    return np.asarray((world - start) / scale)


def _under(pixels: NDArray[np.float64], labels: Labels) -> NDArray[np.int64]:
    """Label under every pixel, in any plane; 0 beside the labels."""
    data = labels.data[0] if labels.multiscale else labels.data
    flat = np.asarray(data) if data.ndim == 2 else np.asarray(data).max(axis=0)
    found = np.zeros(len(pixels), np.int64)
    inside = ((pixels >= 0) & (pixels < flat.shape)).all(axis=1)
    rows, columns = pixels[inside].astype(np.int64).T
    found[inside] = flat[rows, columns]
    return found


def _holds_spots(layer: Layer) -> bool:
    if not isinstance(layer, Points):
        return False
    return _SPOTS in held(layer) or "gene" in layer.features


def _drawn(count: int) -> NDArray[np.int64] | None:
    """Rows that are drawn, None for all."""
    if count <= DRAWN:
        return None
    return np.sort(np.random.default_rng(0).choice(count, DRAWN, replace=False))


def _features(shown: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in ("gene", "cell", "z", "quality", "fov") if name in shown]
    features = shown[names].reset_index(drop=True)
    features.attrs = {}
    return features
