"""A whole run, into a folder."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from napari_gluer.errors import InputError
from napari_gluer.pipeline.model import Inputs, PipelineParams, Result
from napari_gluer.pipeline.records import RECORD, read_record
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
    file, removed.

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
    with _aside(folder) as aside:
        result = compute(read, params, seed=how.seed, tiles=how.tiles, track=track)
        try:
            result.log.seconds.timed("write", lambda: write_results(result, params, aside, track))
            write_record(inputs, params, how.seed, result, aside)
            result.files.extend(_moved(aside, folder))
            result.painted.update({g: folder / path.name for g, path in result.painted.items()})
        except OSError as error:
            raise InputError(f"Writing to {folder} failed: {error}.") from error
    return result


def _moved(aside: Path, folder: Path) -> list[Path]:
    """Move the files of `aside`, the record last, and remove those of an earlier run."""
    earlier = _files_of_record(folder)
    (folder / RECORD).unlink(missing_ok=True)  # a folder that is half moved has no record
    paths = sorted(aside.iterdir(), key=lambda path: path.name == RECORD)
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
    names = read_record(folder).get("files", [])
    return {str(name) for name in names if Path(str(name)).name == name}
