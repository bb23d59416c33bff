"""Memory and time that a run may take, from the sizes of its inputs.

The rates are those of docs/benchmarks.md: two cores, no GPU, nothing else running. They tell
minutes from hours and whether an image fits, no more.
"""

from dataclasses import dataclass

from napari_gluer.pipeline.headers import Size
from napari_gluer.pipeline.model import PipelineParams
from napari_gluer.segmentation.params import Watershed

BASIS = "measured on 2 cores without a GPU (docs/benchmarks.md); expect two or three times off"

_START = 6.0  # s: imports, compiled functions, pictures
_SEGMENT = 0.45e-6  # s a pixel
_MEASURE = 6e-9  # s a pixel and channel, reading a compressed file included
_WRITE = 0.08e-6  # s a pixel: labels, pyramid, pictures
_INTEGRATE = (3.5, 0.18e-3)  # s; s a cell or reference cell
_AFTER = 0.7e-3  # s a cell: cleaning, clusters, types
_VALUE = 25e-9  # s a stored value of a table that is read
_SPOT = 1.4e-6  # s a spot, read and assigned
_PUBLISHED = 2.3  # times as long as the default

_PROGRAM = 0.7e9  # bytes
_PER_PIXEL = 14  # bytes: labels, their pyramid and the picture of a gene
_PER_TILE = 0.35e9
_PER_CELL = 12_000  # bytes: integration, clusters, tables
_PER_REFERENCE = 4_200  # bytes a reference cell
_PER_VALUE = 20  # bytes a stored value: the table, and its normalised copy
_PER_SPOT = 150

_CELLS_PER_MM2 = 4_000
_CELLS_PER_PIXEL = 500e-6


@dataclass(frozen=True)
class Estimate:
    """What a run may take.

    Attributes
    ----------
    cells
        Of a table as it says; of an image by its area: 4,000 a square millimetre where the pixel
        size is known, else 500 in a million pixels.
    seconds
        Of the whole run.
    bytes
        Largest at any time.
    """

    cells: int
    seconds: float
    bytes: float


def estimate(source: Size, reference: Size, params: PipelineParams, *, masks: bool) -> Estimate:
    """Memory and time of a run.

    Parameters
    ----------
    source, reference
        What is run, and with what.
    params
        Of the run: a trained model has no estimate and is counted as the watershed.
    masks
        Whether cells are given.
    """
    cells = cells_in(source)
    seconds = _START + source.stored * _VALUE + reference.stored * _VALUE + source.spots * _SPOT
    pixels = source.pixels or (0 if not source.spots else int(cells / _CELLS_PER_PIXEL))
    if source.pixels and not masks:
        seconds += pixels * _SEGMENT
    seconds += pixels * (_MEASURE * source.channels + _WRITE)
    slower = _PUBLISHED if params.integrate.preset == "paper" else 1.0
    seconds += slower * (_INTEGRATE[0] + _INTEGRATE[1] * (cells + reference.rows))
    seconds += cells * _AFTER
    memory = _PROGRAM + (source.stored + reference.stored) * _PER_VALUE
    memory += pixels * _PER_PIXEL + (_PER_TILE if pixels else 0) + source.spots * _PER_SPOT
    memory += cells * _PER_CELL + reference.rows * _PER_REFERENCE
    return Estimate(cells, seconds, memory)


def cells_in(source: Size) -> int:
    """Cells of a table, or about how many an image or a table of spots may show."""
    if source.rows:
        return source.rows
    if source.area_mm2:
        return int(source.area_mm2 * _CELLS_PER_MM2)
    return int(source.pixels * _CELLS_PER_PIXEL) if source.pixels else source.spots // 500


def unknown_parts(params: PipelineParams, *, masks: bool) -> str:
    """What has no estimate, for a person; empty where all has."""
    if masks or isinstance(params.segment.method, Watershed):
        return ""
    return f"{params.segment.method.kind} was not timed: it is counted as the watershed"
