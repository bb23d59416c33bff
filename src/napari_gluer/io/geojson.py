"""GeoJSON as QuPath writes it: cells and annotations as polygons."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_gluer.errors import InputError
from napari_gluer.polygons import Polygon, Regions

_CELLS = ("cell", "detection")
_EXCLUDED = ("ignore", "exclude")  # QuPath's class Ignore*
_FARTHEST = 1e9
_CORNER = 0.5  # QuPath counts from the first pixel's corner


@dataclass(frozen=True, eq=False)
class Feature:
    """A feature with an area.

    Parameters
    ----------
    polygon
        Its outline, in pixels as arrays count them.
    kind
        QuPath's ``objectType``: ``cell``, ``detection``, ``annotation``, "".
    """

    polygon: Polygon
    kind: str


def read_features(path: Path, *, nuclei: bool = False) -> tuple[list[Feature], int]:
    """Polygons of a GeoJSON file, and the number of features without an area.

    Parameters
    ----------
    path
        A FeatureCollection, one feature, or a list of features.
    nuclei
        Take the outline of the nucleus (``nucleusGeometry``) in place of the cell's.

    Raises
    ------
    InputError
        If the file is no GeoJSON, or a polygon's coordinates cannot be used.
    """
    features, without = [], 0
    for number, item in enumerate(_items(path)):
        where = f"{path.name}, feature {number}"
        if not isinstance(item, Mapping):
            raise InputError(f"{where} is {type(item).__name__}, not a GeoJSON feature.")
        geometry = item.get("nucleusGeometry" if nuclei else "geometry")
        if nuclei and geometry is None:
            geometry = _properties(item).get("nucleusGeometry")
        rings = [_ring(ring, where) for ring in _rings(geometry, where)]
        if not rings:
            without += 1
            continue
        features.append(_feature(item, tuple(rings)))
    return features, without


def read_regions(path: Path) -> Regions:
    """Areas to include and to leave out: QuPath annotations.

    Annotations whose name or class begins with ``Ignore`` or ``Exclude`` are left out, all others
    included. Where there is no annotation every polygon of the file counts.

    Raises
    ------
    InputError
        If the file holds no polygon.
    """
    features, _ = read_features(Path(path))
    drawn = [one for one in features if one.kind == "annotation"] or features
    if not drawn:
        raise InputError(f"{Path(path).name} holds no polygon.")
    outside = [one.polygon.name.casefold().startswith(_EXCLUDED) for one in drawn]
    pairs = list(zip(drawn, outside, strict=True))
    return Regions(
        tuple(one.polygon for one, out in pairs if not out),
        tuple(one.polygon for one, out in pairs if out),
    )


def cells_among(features: list[Feature]) -> list[Feature]:
    """Cells and detections where there are any, else all features."""
    return [one for one in features if one.kind in _CELLS] or features


def _items(path: Path) -> list[Any]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not GeoJSON: {error}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if isinstance(found, Mapping):
        if found.get("type") == "FeatureCollection" and isinstance(found.get("features"), list):
            return list(found["features"])
        if found.get("type") == "Feature":
            return [found]
    if isinstance(found, list):
        return found
    raise InputError(
        f"{path.name} is JSON, but no GeoJSON: a FeatureCollection or a list of features is needed."
    )


def _rings(geometry: Any, where: str) -> Iterator[Any]:
    if not isinstance(geometry, Mapping):
        return
    kind, inside = geometry.get("type"), geometry.get("coordinates")
    if kind == "GeometryCollection":
        for one in geometry.get("geometries") or ():
            yield from _rings(one, where)
    elif kind in ("Polygon", "MultiPolygon"):
        parts = inside if kind == "MultiPolygon" else [inside]
        if not isinstance(parts, list) or not all(isinstance(part, list) for part in parts):
            raise InputError(f"{where} has no coordinates of a {kind}.")
        for part in parts:
            yield from part


def _ring(points: Any, where: str) -> Any:
    try:
        ring = np.array([point[:2] for point in points], np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError, KeyError) as error:
        raise InputError(f"{where}: its outline is no list of [x, y].") from error
    if not (np.abs(ring) < _FARTHEST).all():
        raise InputError(f"{where}: its outline is NaN, infinite or beyond {_FARTHEST:g} pixels.")
    return ring[:, ::-1] - _CORNER


def _properties(item: Mapping[str, Any]) -> Mapping[str, Any]:
    found = item.get("properties")
    return found if isinstance(found, Mapping) else {}


def _feature(item: Mapping[str, Any], rings: tuple[Any, ...]) -> Feature:
    facts = _properties(item)
    about = facts.get("classification")
    kind = about.get("name") if isinstance(about, Mapping) else about
    name = str(facts.get("name") or kind or "")
    known = [facts.get(key) for key in ("label", "cell_id", "id")]
    given = next((one for one in (*known, item.get("id")) if one not in (None, "")), "")
    polygon = Polygon(rings, id=str(given), name=name)
    return Feature(polygon, str(facts.get("objectType") or facts.get("object_type") or ""))
