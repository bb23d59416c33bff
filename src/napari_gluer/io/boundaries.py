"""Tables of cell outlines in µm: Xenium's ``cell_boundaries``, MERSCOPE's parquet with WKB."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.io.damage import refusing
from napari_gluer.io.wkb import rings_of_wkb
from napari_gluer.polygons import Polygon

_VERTICES = ("cell_id", "vertex_x", "vertex_y")
_GEOMETRY = ("geometry", "Geometry")
_IDS = ("EntityID", "cell_id", "ID", "id")
_PLANE = "ZIndex"
_TRANSFORM = "micron_to_mosaic_pixel_transform.csv"
_WOULD_DO = (
    "Xenium's cell_boundaries (cell_id, vertex_x, vertex_y) or MERSCOPE's (EntityID, Geometry) "
    "would do."
)

ToPixels = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def is_boundaries(path: Path) -> bool:
    """Whether a parquet or csv file has the columns of cell outlines; only its head is read."""
    try:
        columns = _columns(path)
    except (InputError, ValueError, OSError):
        return False
    return set(_VERTICES) <= set(columns) or any(one in columns for one in _GEOMETRY)


def read_boundaries(
    path: Path, spacing_um: tuple[float, ...] | None
) -> tuple[list[Polygon], tuple[str, ...]]:
    """Outlines of cells in pixels, in the file's order, and what was assumed.

    Parameters
    ----------
    path
        A parquet or csv(.gz).
    spacing_um
        Size of a pixel along y and x in µm.

    Raises
    ------
    InputError
        If columns are missing, values are no numbers, or the pixel size is not known.
    """
    with refusing(path.name, _WOULD_DO):
        columns = _columns(path)
        if set(_VERTICES) <= set(columns):
            return _vertices(path, columns, _to_pixels(path, spacing_um)), ()
        if any(one in columns for one in _GEOMETRY):
            return _geometries(path, columns, _to_pixels(path, spacing_um))
    raise InputError(f"{path.name} has columns {listed(columns)}. {_WOULD_DO}")


def _columns(path: Path) -> list[str]:
    with refusing(path.name, _WOULD_DO):
        if path.suffix == ".parquet":
            return [str(name) for name in pq.read_schema(path).names]
        return [str(name) for name in pd.read_csv(path, nrows=0).columns]


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path, columns=columns)
    return pd.read_csv(path, usecols=columns)


def _vertices(path: Path, columns: list[str], to_pixels: ToPixels) -> list[Polygon]:
    split = ["label_id"] if "label_id" in columns else []
    table = _table(path, [*_VERTICES, *split])
    places = np.column_stack(
        [pd.to_numeric(table[name], errors="coerce") for name in ("vertex_y", "vertex_x")]
    ).astype(np.float64)
    bad = int((~np.isfinite(places)).any(axis=1).sum())
    if bad:
        raise InputError(f"{path.name}: {bad} of {len(places)} points are no numbers.")
    pixels = to_pixels(places)
    cell, ids = pd.factorize(_plain(table["cell_id"]))
    if (cell < 0).any():
        raise InputError(f"{path.name}: {int((cell < 0).sum())} points have no cell_id.")
    part = pd.factorize(table["label_id"])[0] if split else np.zeros_like(cell)
    order = np.lexsort((np.arange(len(cell)), part, cell))
    cell, part, pixels = cell[order], part[order], pixels[order]
    cuts = np.flatnonzero((np.diff(cell) != 0) | (np.diff(part) != 0)) + 1
    rings: list[list[Any]] = [[] for _ in ids]
    firsts = [0, *cuts.tolist()] if len(cell) else []
    for first, ring in zip(firsts, np.split(pixels, cuts), strict=False):
        rings[cell[first]].append(ring)
    return [Polygon(tuple(found), id=str(id_)) for found, id_ in zip(rings, ids, strict=True)]


def _geometries(
    path: Path, columns: list[str], to_pixels: ToPixels
) -> tuple[list[Polygon], tuple[str, ...]]:
    geometry = next(one for one in _GEOMETRY if one in columns)
    key = next((one for one in _IDS if one in columns), None)
    wanted = [geometry, *([key] if key else []), *([_PLANE] if _PLANE in columns else [])]
    table = _table(path, wanted)
    notes: tuple[str, ...] = ()
    if _PLANE in wanted and table[_PLANE].nunique() > 1:
        counts = table[_PLANE].value_counts().sort_index()
        plane = counts.idxmax()
        table = table[table[_PLANE] == plane]
        notes = (f"{path.name} has outlines of {len(counts)} planes; those of {plane} are used.",)
    ids = _plain(table[key]) if key else pd.Series(range(1, len(table) + 1))
    polygons = []
    for id_, data in zip(ids, table[geometry], strict=True):
        if not isinstance(data, bytes):
            raise InputError(f"{path.name}: {geometry} of {id_} is no WKB geometry.")
        rings = tuple(to_pixels(ring[:, ::-1]) for ring in rings_of_wkb(data))
        polygons.append(Polygon(rings, id=str(id_)))
    return polygons, notes


def _plain(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Ids as the file writes them: bytes decoded, whole floats without the point."""
    if len(column) and isinstance(column.iloc[0], bytes):
        return column.str.decode("utf-8")
    if column.dtype.kind == "f" and (column.dropna() == np.floor(column.dropna())).all():
        return column.astype("Int64")
    return column


def _to_pixels(path: Path, spacing_um: tuple[float, ...] | None) -> ToPixels:
    """From µm, y and x, to pixels: MERSCOPE's own transform, else the pixel size.

    µm count from the corner of the first pixel; MERSCOPE's transform gives pixels as they are.
    """
    for folder in (path.parent, path.parent / "images"):
        if (folder / _TRANSFORM).is_file():
            matrix = np.loadtxt(folder / _TRANSFORM).reshape(3, 3)
            return lambda places: (np.c_[places[:, ::-1], np.ones(len(places))] @ matrix.T)[
                :, 1::-1
            ]
    if spacing_um is None:
        raise InputError(
            f"{path.name} gives outlines in µm and the image's pixel size is not known. Give the "
            "image a pixel size."
        )
    return lambda places: places / np.array(spacing_um[-2:]) - 0.5
