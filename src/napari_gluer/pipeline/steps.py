"""The steps of a run, in order, without writing anything."""

from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.analysis.clustering import cluster
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.image import MultiplexImage
from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.imputation import membership, transfer_labels
from napari_gluer.io.cells import read_cells
from napari_gluer.io.images import read_image, read_labels
from napari_gluer.io.references import read_reference
from napari_gluer.measurement.clean import clean
from napari_gluer.measurement.intensities import measure
from napari_gluer.painting import LabelIndex
from napari_gluer.pipeline.model import Found, Inputs, PipelineParams, Result, RunLog
from napari_gluer.segmentation.discs import draw_cells
from napari_gluer.segmentation.nuclei import segment
from napari_gluer.track import Track, silently

_TYPE_COLUMNS = ("cell_type", "celltype", "CellType", "cell_type_l1", "annotation", "cell_label")


def compute(
    inputs: Inputs,
    params: PipelineParams = PipelineParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    track: Track = silently,
) -> Result:
    """All steps of `run` without writing."""
    log = RunLog()
    timed = log.seconds.timed
    reference = timed("read reference", lambda: _reference(inputs))
    log.say("read reference", f"{reference.n_obs:,} cells, {reference.n_vars:,} genes")
    _check_wishes(params, reference)
    found = find_cells(inputs, params, log, track)
    cells = timed("clean", lambda: clean(found.cells, params.clean, track=track))
    log.say("clean", slots.info(cells)[slots.CLEAN]["outcome"])
    cells = timed(
        "integrate", lambda: integrate(cells, reference, params.integrate, seed=seed, track=track)
    )
    log.say("integrate", slots.info(cells)["outcome"])
    cells = timed("cluster", lambda: cluster(cells, params.cluster, seed=seed, track=track))
    log.say("cluster", f"{cells.obs[slots.CLUSTER].cat.categories.size} clusters")
    column = params.label_column or _type_column(reference)
    if column:
        cells = timed("transfer", lambda: _with_types(cells, reference, column))
        log.say("transfer", f"labels of {column!r} in obs[{slots.transferred(column)!r}]")
    return Result(found, cells, reference, log)


def _reference(inputs: Inputs) -> AnnData:
    given = inputs.reference
    return given if isinstance(given, AnnData) else read_reference(given)


def _check_wishes(params: PipelineParams, reference: AnnData) -> None:
    """Refuse names that the reference lacks before the long work."""
    expression(reference).require(list(params.genes))
    if params.label_column:
        membership(reference, params.label_column)


def _type_column(reference: AnnData) -> str:
    return next((name for name in _TYPE_COLUMNS if name in reference.obs), "")


def find_cells(inputs: Inputs, params: PipelineParams, log: RunLog, track: Track) -> Found:
    """Labels and measured cells, from an image or a table."""
    if _is_table(inputs.source):
        return _cells_of_table(inputs, params, log)
    image = _image(inputs, log)
    labels: NDArray[np.integer]
    if inputs.masks is None:
        labels = log.seconds.timed("segment", lambda: segment(image, params.segment, track=track))
        log.say("segment", f"{int(labels.max()):,} cells")
    else:
        labels = log.seconds.timed("read masks", lambda: _masks(inputs.masks))
    cells = log.seconds.timed("measure", lambda: measure(image, labels, track=track))
    log.say("measure", f"{cells.n_obs:,} cells × {cells.n_vars} channels")
    return Found(labels, cells, image.spacing_um)


def _is_table(source: object) -> bool:
    if isinstance(source, AnnData):
        return True
    return isinstance(source, str | Path) and Path(source).suffix == ".h5ad"


def _image(inputs: Inputs, log: RunLog) -> MultiplexImage:
    source = inputs.source
    if isinstance(source, MultiplexImage):
        return source
    if not isinstance(source, str | Path):
        raise InputError(f"A run starts from a file, an image or a table, not {type(source)}.")
    image = log.seconds.timed("read image", lambda: read_image(source))
    shape = " × ".join(str(size) for size in image.spatial_shape)
    log.say("read image", f"{len(image.channels)} channels, {shape} pixels")
    return image


def _masks(masks: Any) -> NDArray[np.integer]:
    return read_labels(masks) if isinstance(masks, str | Path) else np.asarray(masks)


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
    labels = log.seconds.timed("read masks", lambda: _masks(inputs.masks))
    LabelIndex(labels).positions(cells)  # refuses masks that are not this table's
    return Found(labels, cells, None)


def _drawn_spacing(cells: AnnData) -> tuple[float, ...] | None:
    """Pixel size of drawn discs in µm, None where the table's positions have no unit."""
    known = slots.info(cells)
    size = float(known[slots.DRAWN]["pixel_size"])
    return (size, size) if known.get(slots.SPATIAL_UNIT) == "um" else None


def _with_types(cells: AnnData, reference: AnnData, column: str) -> AnnData:
    types = transfer_labels(cells, reference, column)
    result = cells.copy()
    for name in types:
        result.obs[name] = types[name]
    return result
