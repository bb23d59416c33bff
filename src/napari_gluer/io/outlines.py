"""Files of cell outlines, whatever format they are in, and the labels drawn from them."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.boundaries import is_boundaries, read_boundaries
from napari_gluer.io.geojson import cells_among, read_features
from napari_gluer.polygons import Polygon, Raster, draw

_GEOJSON = (".geojson", ".json")
_TABLES = (".parquet", ".csv", ".csv.gz")
_LARGEST = int(np.iinfo(np.int32).max)


def is_outlines(path: Path) -> bool:
    """Whether `path` is, by name and for tables by columns, a file of outlines."""
    name = path.name.casefold()
    if name.endswith(_GEOJSON):
        return path.is_file()
    return name.endswith(_TABLES) and path.is_file() and is_boundaries(path)


def holds_nuclei(path: Path) -> bool:
    """Whether a file of outlines holds cells with nuclei of their own, as QuPath writes them.

    Raises
    ------
    InputError
        If the file is no GeoJSON, or an outline cannot be used.
    """
    return path.name.casefold().endswith(_GEOJSON) and bool(read_features(path, nuclei=True)[0])


def read_polygons(
    path: str | os.PathLike[str], *, like: MultiplexImage | None = None, nuclei: bool = False
) -> tuple[list[Polygon], tuple[str, ...]]:
    """Outlines of cells in pixels, numbered, and notes on what was assumed.

    Parameters
    ----------
    path
        GeoJSON (QuPath), Xenium's ``cell_boundaries`` (parquet, csv.gz) or MERSCOPE's (parquet).
    like
        The image, whose pixel size turns µm into pixels.
    nuclei
        Take the nuclei of QuPath's cells.

    Returns
    -------
    polygons
        In the file's order. `Polygon.id` is the file's; `Polygon.label` the same number where all
        are different positive whole numbers up to 2³¹ - 1, else 1…n in the file's order.
    notes
        Plain sentences.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"There is no file {source}.")
    if source.name.casefold().endswith(_GEOJSON):
        features, without = read_features(source, nuclei=nuclei)
        kept = cells_among(features)
        polygons = [one.polygon for one in kept]
        notes: tuple[str, ...] = ()
        if len(kept) < len(features):
            others = len(features) - len(kept)
            notes = (f"{others} annotations in {source.name} are regions, not cells; left out.",)
        if without:
            notes += (f"{without} features of {source.name} have no area and are left out.",)
    else:
        polygons, notes = read_boundaries(source, like.spacing_um if like else None)
    if not polygons:
        raise InputError(f"{source.name} holds no polygon.")
    return _labelled(polygons), notes


def _labelled(polygons: Sequence[Polygon]) -> list[Polygon]:
    ids = [one.id for one in polygons]
    whole = all(id_.isascii() and id_.isdecimal() and 0 < len(id_) < 11 for id_ in ids)
    numbers = [int(id_) for id_ in ids] if whole else []
    usable = (
        whole and len(set(numbers)) == len(ids) and min(numbers) > 0 and max(numbers) <= _LARGEST
    )
    if not usable:
        numbers = list(range(1, len(ids) + 1))
    return [replace(one, label=number) for one, number in zip(polygons, numbers, strict=True)]


def ids_of(polygons: Sequence[Polygon]) -> pd.DataFrame:
    """Table of ``label``, the file's ``id`` and ``name`` of every polygon."""
    return pd.DataFrame(
        {
            "label": [one.label for one in polygons],
            "id": [one.id for one in polygons],
            "name": [one.name for one in polygons],
        }
    )


def image_of(name: str, like: MultiplexImage | None) -> MultiplexImage:
    """The image that outlines belong to.

    Raises
    ------
    InputError
        If there is none.
    """
    if like is None:
        raise InputError(f"{name} holds outlines; say which image they belong to (like=image).")
    return like


def drawn(
    name: str, polygons: Sequence[Polygon], like: MultiplexImage | None
) -> tuple[Raster, tuple[str, ...]]:
    """Draw outlines into labels of the image's shape, and tell what was lost.

    Raises
    ------
    InputError
        If there is no image, it has several planes in z, or no outline meets it.
    """
    shape = image_of(name, like).spatial_shape
    if len(shape) != 2:
        raise InputError(
            f"{name} holds flat outlines and the image has shape {shape}, with planes in z. Labels "
            "of every plane are needed, a TIFF (z, y, x) for instance."
        )
    bounds = np.array([one.bounds for one in polygons])
    low, high = bounds[:, :2], bounds[:, 2:]
    meets = ((high >= -0.5) & (low <= np.array(shape) - 0.5)).all(axis=1)
    if not meets.any():
        spans = [
            f"{axis} {low[:, i].min():.0f} to {high[:, i].max():.0f}" for i, axis in enumerate("yx")
        ]
        raise InputError(
            f"No outline of {name} lies in the image of shape {shape}: they reach, in pixels, from "
            f"{' and '.join(spans)}. Look at the pixel size, or whether the image is a part."
        )
    raster = draw(polygons, shape)
    crossing = sum(one.crosses_itself for one in polygons)
    tiny = int((meets & (raster.drawn == 0) & (raster.covered == 0)).sum())
    hidden = int(((raster.drawn == 0) & (raster.covered > 0)).sum())
    told = (
        (int((~meets).sum()), "lie outside the image and are left out"),
        (tiny, "hold no centre of a pixel and are left out"),
        (hidden, "are covered wholly by earlier ones and are left out"),
        (int((raster.covered > 0).sum()) - hidden, "overlap earlier ones, which keep the pixels"),
        (crossing, "cross themselves; every second layer counts as outside"),
    )
    many = len(polygons)
    return raster, tuple(f"{n} of {many} outlines of {name} {what}." for n, what in told if n)
