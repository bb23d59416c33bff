"""The steps of a run, in order, without writing anything."""

from anndata import AnnData

from napari_gluer import slots
from napari_gluer.analysis.clustering import cluster
from napari_gluer.expression import expression
from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.transfer import membership, transfer_labels, usual_type_column
from napari_gluer.io.references import read_reference
from napari_gluer.measurement.clean import clean
from napari_gluer.pipeline.finding import find_cells
from napari_gluer.pipeline.model import Inputs, PipelineParams, Result, RunLog
from napari_gluer.tiles import TileParams
from napari_gluer.track import Track, silently


def compute(
    inputs: Inputs,
    params: PipelineParams = PipelineParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    tiles: TileParams | None = None,
    track: Track = silently,
) -> Result:
    """All steps of `run` without writing."""
    log = RunLog()
    timed = log.seconds.timed
    reference = timed("read reference", lambda: _reference(inputs))
    log.say("read reference", f"{reference.n_obs:,} cells, {reference.n_vars:,} genes")
    check_wishes(params, reference)
    found = find_cells(inputs, params, log, tiles, track)
    cells = timed("clean", lambda: clean(found.cells, params.clean, track=track))
    log.say("clean", slots.info(cells)[slots.CLEAN]["outcome"])
    cells = timed(
        "integrate", lambda: integrate(cells, reference, params.integrate, seed=seed, track=track)
    )
    log.say("integrate", slots.info(cells)["outcome"])
    cells = timed("cluster", lambda: cluster(cells, params.cluster, seed=seed, track=track))
    log.say("cluster", f"{cells.obs[slots.CLUSTER].cat.categories.size} clusters")
    column = params.label_column or usual_type_column(reference)
    if column:
        cells = timed("transfer", lambda: _with_types(cells, reference, column))
        log.say("transfer", f"labels of {column!r} in obs[{slots.transferred(column)!r}]")
    return Result(found, cells, reference, log)


def _reference(inputs: Inputs) -> AnnData:
    given = inputs.reference
    return given if isinstance(given, AnnData) else read_reference(given)


def check_wishes(params: PipelineParams, reference: AnnData) -> None:
    """Refuse names that the reference lacks before the long work."""
    expression(reference).require(list(params.genes))
    if params.label_column:
        membership(reference, params.label_column)


def _with_types(cells: AnnData, reference: AnnData, column: str) -> AnnData:
    types = transfer_labels(cells, reference, column)
    result = cells.copy()
    for name in types:
        result.obs[name] = types[name]
    return result
