"""What a run takes and gives."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from anndata import AnnData
from cyclopts import Parameter
from numpy.typing import NDArray
from pydantic import model_validator

from napari_gluer import slots
from napari_gluer.analysis.clustering import ClusterParams
from napari_gluer.image import MultiplexImage
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.io.cells import Kind
from napari_gluer.io.images import ImageParams
from napari_gluer.io.spot_columns import SpotParams
from napari_gluer.measurement.clean import CleanParams
from napari_gluer.measurement.params import MeasureParams
from napari_gluer.measurement.signal import MixtureCumulative
from napari_gluer.measurement.spots import AssignParams
from napari_gluer.params import Params
from napari_gluer.polygons import Regions
from napari_gluer.segmentation.discs import DiscParams
from napari_gluer.segmentation.nuclei import SegmentParams
from napari_gluer.track import Timings


class PipelineParams(Params):
    """Everything that decides a run."""

    segment: SegmentParams = SegmentParams()
    """How cells are found; not used where masks or a table of cells are given."""

    measure: MeasureParams = MeasureParams()
    """What is measured of every cell of an image."""

    spots: SpotParams = SpotParams()
    """How a table of decoded spots is read."""

    assign: AssignParams = AssignParams()
    """How spots are laid on the masks."""

    kind: Kind = "detect"
    """What a table of cells holds. "detect" takes whole numbers for counts."""

    discs: DiscParams = DiscParams()
    """How a table of cells without masks is drawn."""

    clean: CleanParams = CleanParams()
    """How cells are cleaned. With the paper's preset zero intensity is not stretched to 0."""

    # a part's own defaults are the published ones, the preset lays others over them
    integrate: Annotated[IntegrateParams, Parameter(show_default=False)] = IntegrateParams()
    """How cells and reference are integrated."""

    cluster: ClusterParams = ClusterParams()
    """How cells are clustered."""

    @model_validator(mode="before")
    @classmethod
    def _clean_as_published(cls, given: Any) -> Any:
        """The paper's cleaning goes with the paper's preset, unless it is given."""
        wanted = given.get("integrate") if isinstance(given, dict) else None
        preset = wanted.get("preset") if isinstance(wanted, dict) else getattr(wanted, "preset", "")
        if preset != "paper" or "clean" in given:
            return given
        return {**given, "clean": CleanParams(signal=MixtureCumulative(zero_at_zero=False))}

    label_column: str = ""
    """Labels of the reference to transfer; empty takes a column named like cell_type, if any."""

    genes: tuple[str, ...] = ()
    """Genes to paint; empty takes two that were not measured and differ most between cells."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a run starts from.

    Attributes
    ----------
    source
        A multiplexed image (file, folder or address, or already read); decoded spots (``.csv``,
        ``.parquet``), which need masks; or a table of cells with positions (``.h5ad``, AnnData as
        ``.zarr``, or already read).
    reference
        Single-cell RNA-seq: an ``.h5ad``, or already read.
    masks
        Labels image, or outlines, to use in place of segmenting (or of drawing a table's cells as
        discs).
    regions
        Outlines (GeoJSON), in pixels, of what to use of an image or of the masks of spots, and
        what to leave out.
    reading
        Which image of a file, and its pixel size where the file says none.
    """

    source: Path | str | MultiplexImage | AnnData
    reference: Path | str | AnnData
    masks: Path | str | NDArray[np.integer] | None = None
    regions: Path | str | Regions | None = None
    reading: ImageParams = field(default_factory=ImageParams)


@dataclass(frozen=True, eq=False)
class Found:
    """Labels ``(y, x)`` or ``(z, y, x)``, their cells, and the labels' pixel size where known."""

    labels: NDArray[np.integer]
    cells: AnnData
    spacing_um: tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class Result:
    """What a run made.

    Attributes
    ----------
    found
        Labels and cells as measured.
    cells
        Cleaned and integrated.
    reference
        As read.
    log
        What every step took and gave.
    painted
        The painted genes and their pictures.
    files
        What was written.
    """

    found: "Found"
    cells: AnnData
    reference: AnnData
    log: "RunLog"
    painted: dict[str, Path] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)

    @property
    def numbers(self) -> dict[str, int]:
        """Cells, those that match no reference cell, and clusters."""
        return {
            "cells": self.cells.n_obs,
            "unmatched": int(slots.unmatched(self.cells).sum()),
            "clusters": len(self.cells.obs[slots.CLUSTER].cat.categories),
        }


class RunLog:
    """Seconds and a one-line outcome of every step."""

    def __init__(self) -> None:
        self.seconds = Timings()
        self.outcomes: dict[str, str] = {}

    def say(self, step: str, outcome: str) -> None:
        """Keep what came of a step."""
        self.outcomes[step] = outcome
