"""What the Cells step computes, off the window's thread: no layer is touched here."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.cells.edits import with_edits
from napari_gluer._napari.processes import in_process
from napari_gluer.image import MultiplexImage
from napari_gluer.measurement.changes import changed_labels
from napari_gluer.measurement.limits import count_outside
from napari_gluer.measurement.params import MeasureParams
from napari_gluer.measurement.spots import AssignParams
from napari_gluer.painting import LabelIndex
from napari_gluer.polygons import Regions
from napari_gluer.segmentation.nuclei import find_cells
from napari_gluer.tiles import TileParams
from napari_gluer.track import Track

T = TypeVar("T")

_NO_MARKER = "Not cleaned: no channel is a marker (Genes… shows what each is)."
_IN_MEMORY = 2**28  # pixels of labels that are not left on disk
_SENT = 2**30  # bytes of an image in memory that are copied for a process of its own


@dataclass(frozen=True, eq=False)
class Plan:
    """The choices for a run.

    Attributes
    ----------
    clean
        How the measurements are cleaned, None: not at all.
    measure
        What is measured.
    nuclei
        Labels of nuclei within the cells, None without.
    regions
        Where cells count, None: everywhere.
    tiles, folder
        How big images are worked through, and where finished tiles are kept ("": nowhere).
    edited
        A former table, whose genes and roles set by hand are kept.
    """

    clean: ng.CleanParams | None = None
    measure: MeasureParams = field(default_factory=MeasureParams)
    nuclei: Any = None
    regions: Regions | None = None
    tiles: TileParams = field(default_factory=TileParams)
    folder: str = ""
    edited: AnnData | None = None

    def store(self, stage: str) -> Path | None:
        """Where the finished tiles of a stage are kept."""
        return Path(self.folder).expanduser() / stage if self.folder else None


@dataclass(frozen=True, eq=False)
class Found:
    """What the step computed.

    Attributes
    ----------
    labels, index
        The cells' labels, and their index.
    measured, cells
        The table before and after cleaning.
    left_out
        Labels that were not measured because they lie outside the regions.
    note
        What was not done, for the person; mostly "".
    """

    labels: Any
    index: LabelIndex
    measured: AnnData
    cells: AnnData
    left_out: NDArray[np.int64]
    note: str = ""


def apart(function: Callable[..., T], image: MultiplexImage, *args: Any) -> Callable[[Track], T]:
    """The work ``function(image, *args, track=…)``, in its own process where that costs little.

    There it holds up no window, also while it is compiled for the first time. Large images in
    memory would be copied, and labels too large for memory lie in files of the process that made
    them: these are worked on here.
    """
    plain = replace(image, pyramid=())
    small = math.prod(image.spatial_shape) <= _IN_MEMORY
    light = getattr(image.data, "reopens", False) or (
        isinstance(image.data, np.ndarray) and image.data.nbytes <= _SENT
    )

    def work(track: Track) -> T:
        if small and light:
            return in_process(function, plain, *args, track=track)
        return function(image, *args, track=track)

    return work


class Previewed(NamedTuple):
    """Cells of a window: their labels, and how many there are."""

    labels: NDArray[np.integer]
    number: int


def preview(
    image: MultiplexImage,
    params: ng.SegmentParams,
    window: tuple[slice, ...],
    plan: Plan,
    track: Track,
) -> Previewed:
    """Find the cells in a window as a full run would."""
    labels = ng.segment(
        image, params, window=window, regions=plan.regions, tiles=plan.tiles, track=track
    )
    return Previewed(labels, int(np.count_nonzero(np.unique(labels))))


def find(image: MultiplexImage, params: ng.SegmentParams, plan: Plan, track: Track) -> Found:
    """Find the cells of an image, measure and clean them."""
    found = find_cells(
        image,
        params,
        regions=plan.regions,
        tiles=plan.tiles,
        store=plan.store("cells"),
        track=track,
    )
    labels = found.cells
    if math.prod(labels.shape) <= _IN_MEMORY:  # so that painting does not change the folder
        labels = np.asarray(labels)
    return measure(image, labels, plan, track, outside=found.outside_regions)


def measure(
    image: MultiplexImage, labels: Any, plan: Plan, track: Track, *, outside: int = 0
) -> Found:
    """Measure and clean the cells of given labels; `outside` the regions others were found."""
    measured = ng.measure(
        image,
        labels,
        plan.measure,
        nuclei=plan.nuclei,
        regions=plan.regions,
        tiles=plan.tiles,
        store=plan.store("values"),
        track=track,
    )
    count_outside(measured, outside)
    return cleaned(with_edits(measured, plan.edited), labels, plan, track)


def assign(
    spots: pd.DataFrame, labels: Any, params: AssignParams, plan: Plan, track: Track
) -> Found:
    """Count every cell's spots, by gene, and clean the table."""
    counted = ng.assign_spots(
        spots, labels, params, regions=plan.regions, tiles=plan.tiles, track=track
    )
    return cleaned(with_edits(counted, plan.edited), labels, plan, track)


def cleaned(measured: AnnData, labels: Any, plan: Plan, track: Track) -> Found:
    """Clean a table, and make ready what painting its cells needs."""
    cleans = plan.clean is not None and _has_markers(measured)
    cells = ng.clean(measured, plan.clean, track=track) if cleans else measured
    index = LabelIndex(labels)
    index.positions(cells)  # refuses a table that belongs to other labels
    first = index.levels[0][:1]  # built here rather than in the window's thread, as is what follows
    changed_labels(first, index.ids, np.asarray(labels[:1]))  # compiles
    there = slots.cell_labels(measured) if plan.regions else index.ids
    note = "" if cleans or plan.clean is None else _NO_MARKER
    return Found(labels, index, measured, cells, np.setdiff1d(index.ids, there), note)


def _has_markers(cells: AnnData) -> bool:
    roles = cells.var.get(slots.ROLE)
    return roles is None or bool((roles.astype(str) == slots.MARKER).any())
