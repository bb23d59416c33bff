"""The pieces of all tiles as one table of cells."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.image import MultiplexImage
from napari_gluer.markers import annotate
from napari_gluer.measurement.limits import cells_inside, measured
from napari_gluer.measurement.nuclei import Compartments, compartments
from napari_gluer.measurement.outlines import Outlines, added, shape_columns
from napari_gluer.measurement.params import MeasureParams
from napari_gluer.measurement.pieces import Piece, Sums, added_up, deviations
from napari_gluer.measurement.runs import Floats, Whole, numbered

_AXES = ("z", "y", "x")


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells of an image; every array has a row for each.

    Attributes
    ----------
    image
        The image.
    ids
        Labels, ascending.
    outlines, sums
        Place and intensities.
    std, perimeters, parts
        None where they were not measured.
    """

    image: MultiplexImage
    ids: Whole
    outlines: Outlines
    sums: Sums
    std: Floats | None
    perimeters: Floats | None
    parts: Compartments | None


def put_together(pieces: list[Piece], image: MultiplexImage, *, paired: bool) -> Cells:
    """Cells from the pieces of all tiles.

    Raises
    ------
    InputError
        If there is no cell.
    """
    ids, _ = numbered(np.concatenate([piece.keys[:, 0] for piece in pieces]))
    if not ids.size:
        raise InputError("The labels hold no cell: every pixel is 0. Segment the image first.")
    pieces = [piece for piece in pieces if len(piece.keys)]
    rows = [np.searchsorted(ids, piece.keys[:, 0]) for piece in pieces]
    sums = added_up(pieces, rows, len(ids))
    every = np.concatenate(rows)
    lengths = [piece.perimeters for piece in pieces if len(piece.perimeters)]
    return Cells(
        image,
        ids,
        _joined([piece.outlines for piece in pieces]).merged(every, len(ids)),
        sums,
        deviations(pieces, rows, sums) if len(pieces[0].squares) else None,
        added(np.concatenate(lengths), every, len(ids)) if lengths else None,
        compartments(pieces, ids, sums) if paired else None,
    )


def _joined(outlines: list[Outlines]) -> Outlines:
    names = ("sizes", "low", "high", "firsts", "seconds")
    parts = (np.concatenate([getattr(one, name) for one in outlines]) for name in names)
    return Outlines(*parts)


def as_table(cells: Cells, medians: Floats | None, params: MeasureParams, regions: Any) -> AnnData:
    """The table that `measure` returns."""
    image = cells.image
    means = cells.sums.means
    table = AnnData(
        _single(means, image), obs=_columns(cells, params), var=annotate(image.channels)
    )
    layers = {
        "median": medians,
        "sum": cells.sums.totals if params.sum else None,
        "std": cells.std,
        slots.NUCLEUS: cells.parts.nucleus.means if cells.parts else None,
        slots.CYTOPLASM: cells.parts.cytoplasm.means if cells.parts else None,
    }
    for name, values in layers.items():
        if values is not None:
            table.layers[name] = _single(values, image)
    axes = len(image.spatial_shape)
    centroids = cells.outlines.centroids[:, 3 - axes :]
    spacing = image.spacing_um
    table.obsm[slots.SPATIAL] = np.ascontiguousarray((centroids * (spacing or 1.0))[:, ::-1])
    unit = "px" if spacing is None else "um"
    slots.note(table, **{slots.KIND: slots.INTENSITY, slots.SPATIAL_UNIT: unit})
    inside = cells_inside(regions, centroids)
    slots.note(table, **{slots.MEASURE: _report(cells, params, inside)})
    return table if inside.all() else table[inside].copy()


def _columns(cells: Cells, params: MeasureParams) -> pd.DataFrame:
    outlines, spacing = cells.outlines, cells.image.spacing_um
    shape = cells.image.spatial_shape
    obs = pd.DataFrame(
        {slots.LABEL: cells.ids, slots.VOLUME: outlines.sizes}, index=cells.ids.astype(str)
    )
    if spacing is not None:
        column = slots.AREA_UM2 if len(spacing) == 2 else slots.VOLUME_UM3
        obs[column] = outlines.sizes * float(np.prod(spacing))
    last = outlines.high[:, 1:] == np.array(shape[-2:])
    obs[slots.TOUCHES_BORDER] = ((outlines.low[:, 1:] == 0) | last).any(axis=1)
    if cells.parts is not None:
        obs[slots.NUCLEUS_PX] = cells.parts.pixels
        obs[slots.NUMBER_OF_NUCLEI] = cells.parts.nuclei
    if params.bounding_box:
        for axis, name in enumerate(_AXES[-len(shape) :], 3 - len(shape)):
            obs[f"{name}_first"] = outlines.low[:, axis]
            obs[f"{name}_last"] = outlines.high[:, axis] - 1
    if params.shape:
        pixel = spacing or (1.0,) * len(shape)
        for name, values in shape_columns(outlines, len(shape), pixel).items():
            obs[name] = values
        if cells.perimeters is not None:
            obs["perimeter"] = cells.perimeters * pixel[0]
    return obs


def _single(values: Floats, image: MultiplexImage) -> Any:
    largest = np.fmax(np.fmax.reduce(values), -np.fmin.reduce(values))  # passes over NaN
    large = largest > np.finfo(np.float32).max
    if large.any():
        names = np.array(image.channels)[large]
        raise InputError(
            f"Intensities too large for 32-bit numbers in {listed(names)}. Divide the channels by "
            "a constant first."
        )
    return values.astype(np.float32)


def _report(cells: Cells, params: MeasureParams, inside: Any) -> dict[str, Any]:
    """What was measured and what was left out, of JSON types."""
    lost = (cells.outlines.sizes[:, np.newaxis] - cells.sums.numbers).sum(axis=0)
    names = cells.image.channels
    lost = np.broadcast_to(lost, len(names))
    not_finite = {name: int(n) for name, n in zip(names, lost, strict=True) if n}
    report: dict[str, Any] = {
        "params": params.model_dump(),
        "outside_regions": int((~inside).sum()),
        "not_finite": not_finite,
    }
    if cells.parts is not None:
        report["cells_without_nucleus"] = int((cells.parts.nuclei == 0)[inside].sum())
    return {**report, "outcome": measured(report, int(inside.sum()), len(names))}
