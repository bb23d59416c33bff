"""Where the cells of a run come from: an image, spots, or a table."""

from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.image import MultiplexImage
from napari_gluer.io.cells import read_cells
from napari_gluer.io.cells_zarr import is_zarr_table
from napari_gluer.io.geojson import read_regions
from napari_gluer.io.images import read_image
from napari_gluer.io.labels_files import open_labels
from napari_gluer.io.spot_tables import COMPRESSED, PARQUET_SUFFIXES, TEXT_SUFFIXES
from napari_gluer.io.spots import read_spots
from napari_gluer.io.zarr_stores import is_address
from napari_gluer.measurement.intensities import measure
from napari_gluer.measurement.limits import count_outside
from napari_gluer.measurement.spots import assign_spots
from napari_gluer.painting import LabelIndex
from napari_gluer.pipeline.model import Found, Inputs, PipelineParams, RunLog
from napari_gluer.polygons import Regions
from napari_gluer.segmentation.discs import draw_cells
from napari_gluer.segmentation.nuclei import find_cells as find_cells_in
from napari_gluer.tiles import TileParams
from napari_gluer.track import Track

_SPOTS = (
    *PARQUET_SUFFIXES,
    *(text + packed for text in TEXT_SUFFIXES for packed in ("", *COMPRESSED)),
)


def find_cells(
    inputs: Inputs,
    params: PipelineParams,
    log: RunLog,
    tiles: TileParams | None,
    track: Track,
) -> Found:
    """Labels and measured cells, from an image, spots or a table."""
    if is_table(inputs.source):
        _refuse_unused(inputs, "a table of cells")
        return _cells_of_table(inputs, params, log)
    if is_spots(inputs.source):
        return _cells_of_spots(inputs, params, log, tiles, track)
    return _cells_of_image(inputs, params, log, tiles, track)


def _cells_of_image(
    inputs: Inputs,
    params: PipelineParams,
    log: RunLog,
    tiles: TileParams | None,
    track: Track,
) -> Found:
    image = _image(inputs, log)
    regions = _regions(inputs)
    outside = 0
    if inputs.masks is None:
        found = log.seconds.timed(
            "segment",
            lambda: find_cells_in(image, params.segment, regions=regions, tiles=tiles, track=track),
        )
        labels, outside = found.cells, found.outside_regions
        log.say("segment", f"{int(labels.max()):,} cells; nuclei in {listed(found.channels)}")
    else:
        labels = log.seconds.timed("read masks", lambda: _masks(inputs, log, image))
    cells = log.seconds.timed(
        "measure",
        lambda: measure(image, labels, params.measure, regions=regions, tiles=tiles, track=track),
    )
    count_outside(cells, outside)
    log.say("measure", slots.info(cells)[slots.MEASURE]["outcome"])
    return Found(labels, cells, image.spacing_um)


def _cells_of_spots(
    inputs: Inputs,
    params: PipelineParams,
    log: RunLog,
    tiles: TileParams | None,
    track: Track,
) -> Found:
    source = Path(str(inputs.source))
    _refuse_unused(inputs, "spots")
    if inputs.masks is None:
        raise InputError(
            f"{source.name} holds spots, and spots need cells: give a labels image as masks. Cells "
            "can be found in an image of the same tissue first (napari-gluer segment)."
        )
    spots = log.seconds.timed("read spots", lambda: read_spots(source, params.spots, track=track))
    log.say("read spots", spots.attrs["outcome"])
    labels = log.seconds.timed("read masks", lambda: _masks(inputs, log, None))
    regions = _regions(inputs)
    cells = log.seconds.timed(
        "assign spots",
        lambda: assign_spots(
            spots, labels, params.assign, regions=regions, tiles=tiles, track=track
        ),
    )
    log.say("assign spots", slots.info(cells)[slots.SPOTS]["outcome"])
    size = spots.attrs.get("pixel_size_um") or None
    return Found(labels, cells, None if size is None else (float(size),) * labels.ndim)


def is_table(source: object) -> bool:
    """Whether a source is a table of cells: in memory, h5ad or zarr (which may be an image)."""
    if isinstance(source, AnnData):
        return True
    if not isinstance(source, str | Path) or is_address(source):
        return False
    return Path(source).suffix.casefold() == ".h5ad" or is_zarr_table(source)


def is_spots(source: object) -> bool:
    """Whether a source is a table of spots."""
    name = Path(source).name.casefold() if isinstance(source, str | Path) else ""
    return name.endswith(_SPOTS)


def _refuse_unused(inputs: Inputs, what: str) -> None:
    """Refuse what is given and would not be used."""
    if inputs.regions is not None and what == "a table of cells":
        raise InputError(
            "Regions limit the cells of an image or of spots, in pixels; this run starts from "
            f"{what}. Drop the cells outside from the table instead."
        )
    given = inputs.reading.model_dump(exclude_defaults=True)
    if given:
        raise InputError(
            f"{listed(given)} are of a file with an image; this run starts from {what}."
        )


def _image(inputs: Inputs, log: RunLog) -> MultiplexImage:
    source = inputs.source
    if isinstance(source, MultiplexImage):
        _refuse_unused(inputs, "an image that is read already")
        return source
    if not isinstance(source, str | Path):
        raise InputError(f"A run starts from a file, an image or a table, not {type(source)}.")
    image = log.seconds.timed(
        "read image", lambda: read_image(source, **inputs.reading.model_dump())
    )
    shape = " × ".join(str(size) for size in image.spatial_shape)
    log.say(
        "read image",
        " ".join([f"{len(image.channels)} channels, {shape} pixels", *image.notes]),
    )
    return image


def _regions(inputs: Inputs) -> Regions | None:
    given = inputs.regions
    return given if given is None or isinstance(given, Regions) else read_regions(Path(given))


def _masks(inputs: Inputs, log: RunLog, like: MultiplexImage | None) -> NDArray[np.integer]:
    masks: Any = inputs.masks
    if not isinstance(masks, str | Path):
        return np.asarray(masks)
    opened = open_labels(masks, like=like)
    if opened.notes:
        log.say("read masks", " ".join(opened.notes))
    return np.asarray(opened.data)


def _cells_of_table(inputs: Inputs, params: PipelineParams, log: RunLog) -> Found:
    source = inputs.source
    cells: AnnData = (
        source
        if isinstance(source, AnnData)
        else log.seconds.timed("read cells", lambda: read_cells(Path(str(source)), params.kind))
    )
    kind = slots.info(cells).get(slots.KIND, "kind not said")
    log.say("read cells", f"{cells.n_obs:,} cells × {cells.n_vars} features ({kind})")
    labels: NDArray[np.integer]
    if inputs.masks is None:
        labels, drawn = log.seconds.timed("draw", lambda: draw_cells(cells, params.discs))
        flipped = slots.info(drawn)[slots.DRAWN]["y_flipped"]
        log.say(
            "draw",
            f"no image: cells drawn as discs, {labels.shape[1]} × {labels.shape[0]} pixels"
            + (", y counted downwards from its negative values" if flipped else ""),
        )
        return Found(labels, drawn, _drawn_spacing(drawn))
    labels = log.seconds.timed("read masks", lambda: _masks(inputs, log, None))
    LabelIndex(labels).positions(cells)  # refuses masks that are not this table's
    return Found(labels, cells, None)


def _drawn_spacing(cells: AnnData) -> tuple[float, ...] | None:
    """Pixel size of drawn discs in µm, None where the table's positions have no unit."""
    known = slots.info(cells)
    size = float(known[slots.DRAWN]["pixel_size"])
    return (size, size) if known.get(slots.SPATIAL_UNIT) == "um" else None
