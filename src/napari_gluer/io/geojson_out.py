"""Cells as GeoJSON for QuPath: exact outlines, measurements, classes with colours."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import MaxLen
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.classes import Classes, classes_of, rgb
from napari_gluer.io.joining import joined_labels
from napari_gluer.io.tables_out import Values, cell_table
from napari_gluer.params import Params
from napari_gluer.tracing import Part, traced
from napari_gluer.track import Track, silently


class GeoJsonParams(Params):
    """How cells are written for QuPath."""

    object_type: Literal["cell", "detection"] = "cell"
    """What QuPath takes them for; cells have a nucleus there, or could have one."""

    classify_by: Annotated[str, MaxLen(200)] = ""
    """Column whose values become QuPath's classes, with their colours; empty takes transferred
    types, else clusters."""

    measurements: tuple[str, ...] = ()
    """Columns and markers to write as measurements; empty writes all that are numbers."""


def write_geojson(  # noqa: PLR0913 - the cells, where they lie, and how they are written
    cells: AnnData,
    labels: NDArray[np.integer],
    path: Path,
    params: GeoJsonParams = GeoJsonParams(),  # noqa: B008 - frozen
    *,
    genes: Values | None = None,
    colors: Mapping[str, str] | None = None,
    track: Track = silently,
) -> int:
    """Write one feature for every cell, whole or not at all.

    Outlines run along the edges of pixels and count from the corner of the first, as QuPath does:
    drawing them gives the labels again. A cell in several pieces is one feature.

    Parameters
    ----------
    cells
        Reads ``obs["label"]``, ``obs`` and ``X``. Labels without a row are left out.
    labels
        Whole numbers ``(y, x)``, of the same image.
    path
        Ending in ``.geojson``.
    params
        What is written.
    genes
        Imputed genes, each ``(n_cells,)``; measurements ``NAME (imputed)``.
    colors
        Colours of classes that a person chose, ``#RRGGBB``.
    track
        Wraps the loop over cells.

    Returns
    -------
    int
        Number of features.

    Raises
    ------
    InputError
        If a cell has no pixels, labels have planes in z, or a column is not there.
    """
    if not path.name.casefold().endswith(".geojson"):
        raise InputError(f"{path.name}: outlines are written to a name that ends in .geojson.")
    parts = traced(joined_labels(cells, labels))
    keys = slots.cell_labels(cells).tolist()
    measured = measurements_of(cells, params.measurements, genes)
    features = _features(
        [(key, parts[key]) for key in keys],
        measured,
        classes_of(cells, params.classify_by, colors),
        params.object_type,
    )
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8") as stream:
        stream.write('{"type": "FeatureCollection", "features": [\n')
        for number, _ in enumerate(track(range(len(keys)), "Writing outlines")):
            stream.write(("" if number == 0 else ",\n") + json.dumps(next(features)))
        stream.write("\n]}\n")
    return len(keys)


def measurements_of(
    cells: AnnData, wanted: tuple[str, ...], genes: Values | None = None
) -> pd.DataFrame:
    """The numbers of each cell, float64; ``label`` is always among them."""
    table = cell_table(cells, genes)
    numbers = table.select_dtypes(["number", "bool"])
    if wanted:
        missing = [name for name in wanted if name not in numbers]
        if missing:
            raise InputError(
                f"No numbers are called {listed(missing)}; there are {listed(numbers.columns)}."
            )
        imputed = [
            name for name in numbers if name not in cells.obs and str(name).endswith("(imputed)")
        ]
        numbers = numbers[list(dict.fromkeys([slots.LABEL, *wanted, *imputed]))]
    return numbers.astype(np.float64)


def _features(
    outlines: list[tuple[int, list[Part]]],
    measured: pd.DataFrame,
    classes: Classes,
    kind: str,
) -> Iterator[dict[str, Any]]:
    colors = {name: list(rgb(color)) for name, color in classes.colors.items()}
    values = measured.to_numpy()
    names = [str(name) for name in measured]
    for i, ((label, parts), of_class) in enumerate(zip(outlines, classes.names, strict=True)):
        properties: dict[str, Any] = {"objectType": kind, "label": label}
        if of_class:
            properties["classification"] = {"name": of_class, "color": colors[of_class]}
        finite = np.isfinite(values[i])  # JSON has no NaN; QuPath shows a missing one as NaN
        properties["measurements"] = {
            name: _short(value)
            for name, value, known in zip(names, values[i].tolist(), finite, strict=True)
            if known
        }
        properties["metadata"] = {"label": str(label)}
        yield {"type": "Feature", "geometry": geometry_of(parts), "properties": properties}


def _short(value: float) -> float | int:
    return int(value) if value.is_integer() else float(f"{value:.6g}")


def geometry_of(parts: list[Part]) -> dict[str, Any]:
    """A polygon, or several, in x and y from the corner of the first pixel; rings are closed."""
    polygons = [[_closed(ring) for ring in (part.outer, *part.holes)] for part in parts]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _closed(ring: NDArray[np.int32]) -> list[list[int]]:
    points: list[list[int]] = ring[:, ::-1].tolist()
    return [*points, points[0]]
