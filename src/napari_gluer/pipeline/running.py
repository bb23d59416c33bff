"""A whole run, into a folder."""

import shutil
import tempfile
from pathlib import Path

from napari_gluer.pipeline.model import Inputs, PipelineParams, Result
from napari_gluer.pipeline.steps import compute
from napari_gluer.pipeline.writing import write_record, write_results
from napari_gluer.track import Track, silently


def run(
    inputs: Inputs,
    out: Path | str,
    params: PipelineParams = PipelineParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    track: Track = silently,
) -> Result:
    """Run all steps and write ``cells.h5ad``, ``labels.ome.tif``, PNGs and ``run.json``.

    Nothing appears in `out` before everything is computed; then files are moved there one by one,
    ``run.json`` last.

    Raises
    ------
    InputError
        If an input cannot be used; `out` is then as it was.
    """
    result = compute(inputs, params, seed=seed, track=track)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    try:
        result.log.seconds.timed("write", lambda: write_results(result, params, aside, track))
        write_record(inputs, params, seed, result, aside)
        for path in sorted(aside.iterdir(), key=lambda path: path.name == "run.json"):
            result.files.append(path.replace(folder / path.name))
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return result
