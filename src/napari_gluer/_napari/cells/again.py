"""Measure only the cells whose labels were edited; all others keep what they have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.layers import Labels
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import (
    full_resolution,
    measured_of,
    needed_cells,
    stale_of,
)
from napari_gluer._napari.cells.work import Found, Plan
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.measurement.changes import OnlyThese, with_rows_of
from napari_gluer.measurement.spots import AssignParams
from napari_gluer.painting import LabelIndex
from napari_gluer.track import Track

Measuring = Callable[[Any, NDArray[np.int64], Plan, Track], AnnData | None]
"""Measures some cells of labels; None where all of them lie outside the regions."""


@dataclass(frozen=True, eq=False)
class Edited:
    """A labels image that was edited, and its tables from before.

    Attributes
    ----------
    labels
        As they are now.
    changed
        The labels that were edited.
    measured, cells
        The table before and after cleaning.
    """

    labels: Any
    changed: NDArray[np.int64]
    measured: AnnData
    cells: AnnData


def edited_of(layer: Labels) -> Edited:
    """What is to be measured again in a layer.

    Raises
    ------
    InputError
        If nothing was edited, or nothing measured.
    """
    cells, changed = needed_cells(layer), stale_of(layer)
    if not changed.size:
        raise InputError(f"No cell of “{layer.name}” was edited since it was measured.")
    measured = measured_of(layer)
    return Edited(full_resolution(layer), changed, cells if measured is None else measured, cells)


def from_image(
    image: MultiplexImage, labels: Any, some: NDArray[np.int64], plan: Plan, track: Track
) -> AnnData | None:
    """Measure some of the labels in an image, as the step does."""
    fresh = ng.measure(
        image,
        OnlyThese(labels, some),
        plan.measure,
        nuclei=plan.nuclei,
        tiles=plan.tiles,
        track=track,
    )
    if plan.regions is None:
        return fresh
    places = np.asarray(fresh.obsm[slots.SPATIAL])[:, 1::-1]
    inside = plan.regions.contains(places / np.array(image.spacing_um or (1.0, 1.0))[-2:])
    return fresh[inside].copy() if inside.any() else None


def from_spots(
    spots: pd.DataFrame,
    params: AssignParams,
    labels: Any,
    _some: NDArray[np.int64],
    plan: Plan,
    track: Track,
) -> AnnData:
    """Count the spots of all labels: how they lie on the labels shows in all of them only."""
    return ng.assign_spots(
        spots, labels, params, regions=plan.regions, tiles=plan.tiles, track=track
    )


def measure_again(edited: Edited, measure: Measuring, plan: Plan, track: Track) -> Found:
    """The tables with new rows for what was edited; erased cells drop out.

    Others keep their values and results. New rows have no result of an integration. The whole
    table is cleaned anew, but only what was edited takes its cleaned values from it.
    """
    for _ in track(["labels"], "Looking at the edited labels"):
        index = LabelIndex(np.asarray(edited.labels))
    there = np.intersect1d(edited.changed, index.ids)
    fresh = measure(edited.labels, there, plan, track) if there.size else None
    measured = with_rows_of(edited.measured, fresh, edited.changed)
    cells = measured
    if edited.cells is not edited.measured:
        cells = with_rows_of(edited.cells, _cleaned(edited, measured, plan, track), edited.changed)
    _ = index.levels  # not in the window's thread
    missing = np.setdiff1d(there, slots.cell_labels(measured))
    return Found(edited.labels, index, measured, cells, missing)


def _cleaned(edited: Edited, measured: AnnData, plan: Plan, track: Track) -> AnnData:
    if slots.CLEAN not in slots.info(edited.cells):
        return measured
    return ng.clean(measured, plan.clean, track=track)
