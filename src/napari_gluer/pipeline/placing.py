"""Files of a run come into its folder; a kill meanwhile leaves a folder that says so."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_gluer.errors import InputError
from napari_gluer.io.zarr_stores import is_zarr
from napari_gluer.pipeline.records import ASIDE, RECORD, UNFINISHED, read_record


@contextmanager
def aside_in(folder: Path) -> Iterator[Path]:
    """A hidden folder in `folder` to write into, removed at the end, with `folder` if it is new.

    Raises
    ------
    InputError
        If `folder` cannot be written to, or is a zarr, whose files would be mixed with these.
    """
    if folder.is_dir() and is_zarr(folder):
        raise InputError(
            f"{folder} is a zarr; the files of a run would be mixed with it. Choose another folder."
        )
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=folder))
    except OSError as error:
        raise InputError(f"Cannot write to {folder}: {error.strerror}.") from error
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if new and not any(folder.iterdir()):
            folder.rmdir()


def placed(aside: Path, folder: Path) -> list[Path]:
    """Move the files of `aside` into `folder`, and remove those of an earlier run.

    Several files cannot be replaced at once. So ``run.unfinished.json`` comes first and names all
    files of both runs; then the old record goes; the new one comes last, and the mark goes. Where
    there is a record, all files are of its run.

    Returns
    -------
    The files in `folder`, the record last.
    """
    paths = sorted(aside.iterdir(), key=lambda path: path.name == RECORD)
    new, earlier = {path.name for path in paths}, _files_of_earlier(folder)
    _mark(aside, folder, new | earlier)
    (folder / RECORD).unlink(missing_ok=True)
    moved = [path.replace(folder / path.name) for path in paths[:-1]]
    for name in earlier - new:
        (folder / name).unlink(missing_ok=True)
    moved.append(paths[-1].replace(folder / RECORD))
    (folder / UNFINISHED).unlink()
    return moved


def _mark(aside: Path, folder: Path, files: set[str]) -> None:
    """Say in `folder`, by a file that is whole or not there, which files are no longer certain."""
    mark = {
        "what": "A run is putting its files here, or was stopped at it: some may be of an earlier "
        "run. Run it again; it then replaces them all.",
        "inputs": read_record(aside).get("inputs", {}),
        "files": sorted(files - {RECORD}),
    }
    partial = aside / UNFINISHED
    partial.write_text(json.dumps(mark, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(folder / UNFINISHED)


def _files_of_earlier(folder: Path) -> set[str]:
    """What earlier runs left in `folder`, by their records."""
    records = (read_record(folder), read_record(folder, UNFINISHED))
    names = [str(name) for record in records for name in record.get("files", [])]
    return {name for name in names if Path(name).name == name and name != RECORD}
