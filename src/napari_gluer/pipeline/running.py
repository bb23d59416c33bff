"""A whole run, into a folder."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_gluer.errors import InputError
from napari_gluer.pipeline.model import Inputs, PipelineParams, Result
from napari_gluer.pipeline.steps import compute
from napari_gluer.pipeline.writing import write_record, write_results
from napari_gluer.tiles import TileParams
from napari_gluer.track import Track, silently

_RECORD = "run.json"


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
    file, removed.

    Raises
    ------
    InputError
        If an input cannot be used; `out` is then as it was.
    """
    folder = Path(out)
    with _aside(folder) as aside:
        result = compute(inputs, params, seed=seed, tiles=tiles, track=track)
        try:
            result.log.seconds.timed("write", lambda: write_results(result, params, aside, track))
            write_record(inputs, params, seed, result, aside)
            result.files.extend(_moved(aside, folder))
            result.painted.update({g: folder / path.name for g, path in result.painted.items()})
        except OSError as error:
            raise InputError(f"Writing to {folder} failed: {error}.") from error
    return result


def _moved(aside: Path, folder: Path) -> list[Path]:
    """Move the files of `aside`, the record last, and remove those of an earlier run."""
    earlier = _files_of_record(folder)
    (folder / _RECORD).unlink(missing_ok=True)  # a folder that is half moved has no record
    paths = sorted(aside.iterdir(), key=lambda path: path.name == _RECORD)
    moved = [path.replace(folder / path.name) for path in paths]
    for name in earlier - {path.name for path in moved}:
        (folder / name).unlink(missing_ok=True)
    return moved


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """A hidden folder in `folder` to write into, removed at the end, with `folder` if it is new.

    Raises
    ------
    InputError
        If `folder` cannot be written to.
    """
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    except OSError as error:
        raise InputError(f"Cannot write to {folder}: {error.strerror}.") from error
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if new and not any(folder.iterdir()):
            folder.rmdir()


def _files_of_record(folder: Path) -> set[str]:
    """What an earlier run left in `folder`, by its record: pictures of its genes are not ours."""
    try:
        names = json.loads((folder / _RECORD).read_text(encoding="utf-8"))["files"]
        return {str(name) for name in names if Path(str(name)).name == name}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
