"""A whole run, into a folder."""

from dataclasses import dataclass
from pathlib import Path

from napari_gluer.errors import InputError
from napari_gluer.pipeline.model import Inputs, PipelineParams, Result
from napari_gluer.pipeline.placing import aside_in, placed
from napari_gluer.pipeline.records import why_unfinished
from napari_gluer.pipeline.steps import compute
from napari_gluer.pipeline.writing import write_record, write_results
from napari_gluer.tiles import TileParams
from napari_gluer.track import Track, silently


def run(
    inputs: Inputs,
    out: Path | str,
    params: PipelineParams = PipelineParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    tiles: TileParams | None = None,
    track: Track = silently,
) -> Result:
    """Run all steps and write ``cells.h5ad``, ``labels.ome.tif``, PNGs and ``run.json``.

    Nothing appears in `out` before everything is computed; then files are moved there one by one,
    ``run.json`` last. Files of an earlier run there are replaced or, where this run has no such
    file, removed. A kill while they are moved leaves ``run.unfinished.json`` in place of
    ``run.json``; the next run replaces them all.

    Raises
    ------
    InputError
        If an input cannot be used; `out` is then as it was.
    """
    return run_read(inputs, inputs, Path(out), How(params, seed, tiles, track))


@dataclass(frozen=True)
class How:
    """The parameters of a run, its seed, its tiles, and who is told of its progress."""

    params: PipelineParams
    seed: int
    tiles: TileParams | None
    track: Track


def run_read(inputs: Inputs, read: Inputs, folder: Path, how: How) -> Result:
    """`run`, where some inputs are read already: `read` is worked on, `inputs` recorded."""
    params, track = how.params, how.track
    stopped = bool(why_unfinished(folder))
    with aside_in(folder) as aside:
        result = compute(read, params, seed=how.seed, tiles=how.tiles, track=track)
        try:
            result.log.seconds.timed("write", lambda: write_results(result, params, aside, track))
            if stopped:
                result.log.say("write", "replaces a run that was stopped before it was finished")
            write_record(inputs, params, how.seed, result, aside)
            result.files.extend(placed(aside, folder))
            result.painted.update({g: folder / path.name for g, path in result.painted.items()})
        except OSError as error:
            raise InputError(f"Writing to {folder} failed: {error}.") from error
    return result
