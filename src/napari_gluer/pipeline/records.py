"""What a run was made from, as ``run.json`` holds it, and whether a folder holds that very run."""

import json
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from napari_gluer.io.hashing import sha256
from napari_gluer.io.zarr_stores import is_address
from napari_gluer.pipeline.model import Inputs, PipelineParams

RECORD = "run.json"
UNFINISHED = "run.unfinished.json"
"""In place of the record while files are moved: those of two runs may lie beside each other."""
ASIDE = ".writing-"
"""How the names of folders begin in which a run writes before it moves its files."""
PACKAGE = "napari-gluer"


def identities(inputs: Inputs) -> dict[str, Any]:
    """What every input is: path and SHA-256 of a file, address, or only its kind in memory.

    Choices of reading that are not the default stand beside them.
    """
    given = {
        "source": inputs.source,
        "reference": inputs.reference,
        "masks": inputs.masks,
        "regions": inputs.regions,
    }
    choice = inputs.reading.model_dump(mode="json", exclude_defaults=True)
    return {name: _identity(value) for name, value in given.items() if value is not None} | choice


def read_record(folder: Path, name: str = RECORD) -> dict[str, Any]:
    """``run.json`` of a folder; empty where there is none that can be read."""
    try:
        record = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def why_unfinished(folder: Path) -> str:
    """Why a folder that a run has worked in holds no finished one, for a person; else empty."""
    if (folder / RECORD).is_file():
        return ""
    again = "Wait for it, or run it again"
    if (folder / UNFINISHED).is_file():
        return (
            f"{folder} is not finished: a run was stopped while it put its files there, or is at "
            f"it, and files of two runs may be mixed. {again}; it then replaces them all."
        )
    if folder.is_dir() and any(folder.glob(f"{ASIDE}*")):
        return f"{folder} holds no finished run: it was stopped, or is still at work. {again}."
    return ""


def finished(
    folder: Path, inputs: Inputs, params: PipelineParams, seed: int, *, by_content: bool = True
) -> dict[str, Any] | None:
    """The record of `folder`, if it is of this very run and all its files are there.

    Parameters
    ----------
    folder
        Where the run would be written.
    inputs, params, seed
        Of the run.
    by_content
        Compare the contents of files (SHA-256); else take a file for the same if it lies at the
        same place and has not changed since the run, which needs no reading.

    Returns
    -------
    The record, or None where inputs, parameters, seed or version differ, a file is missing, or an
    input is no file, so that nobody can tell.
    """
    record = read_record(folder)
    same = (
        record.get("params") == params.model_dump(mode="json")
        and record.get("seed") == seed
        and record.get("versions", {}).get(PACKAGE) == version(PACKAGE)
        and all((folder / str(name)).is_file() for name in record.get("files", ["none"]))
    )
    if not same or not _on_disk(inputs):
        return None
    if by_content:
        alike = _contents(identities(inputs)) == _contents(record.get("inputs", {}))
    else:
        alike = _unchanged(inputs, record, (folder / RECORD).stat().st_mtime)
    return record if alike else None


def of_another_source(folder: Path, inputs: Inputs) -> str:
    """The source of the results in `folder`, where it is not the one of `inputs`; else empty."""
    record = read_record(folder) or read_record(folder, UNFINISHED)
    known = record.get("inputs", {}).get("source", {})
    place = str(known.get("path", known.get("address", "")))
    source = inputs.source
    if not place or not isinstance(source, str | Path):
        return ""
    here = str(source) if is_address(source) else str(Path(source).resolve())
    return "" if place == here else place


def _on_disk(inputs: Inputs) -> bool:
    given = (inputs.source, inputs.reference, inputs.masks, inputs.regions)
    return all(one is None or isinstance(one, str | Path) for one in given)


def _contents(known: dict[str, Any]) -> dict[str, Any]:
    """Inputs without their places: a file that was moved is the same file."""
    return {
        name: value.get("sha256", value) if isinstance(value, dict) else value
        for name, value in known.items()
    }


def _unchanged(inputs: Inputs, record: dict[str, Any], when: float) -> bool:
    known = record.get("inputs", {})
    choice = inputs.reading.model_dump(mode="json", exclude_defaults=True)
    given = {
        "source": inputs.source,
        "reference": inputs.reference,
        "masks": inputs.masks,
        "regions": inputs.regions,
    }
    files = {name: Path(str(one)) for name, one in given.items() if one is not None}
    if {*known} != {*files, *choice} or any(known[name] != choice[name] for name in choice):
        return False
    for name, path in files.items():
        if "address" in known[name]:
            if known[name]["address"] != str(given[name]):
                return False
        elif str(path.resolve()) != known[name]["path"] or path.stat().st_mtime > when:
            return False
    return True


def _identity(value: Any) -> dict[str, Any]:
    if isinstance(value, str | Path) and is_address(value):
        return {"address": str(value)}
    if isinstance(value, str | Path):
        return {"path": str(Path(value).resolve()), "sha256": _hash_of(Path(value))}
    return {
        "in_memory": type(value).__name__,
        "shape": list(np.shape(getattr(value, "data", value))),
    }


def _hash_of(path: Path) -> str:
    """SHA-256; of a file that has not changed since it was last asked for, it is remembered."""
    if path.is_dir():
        return sha256(path)
    facts = path.stat()
    return _hash_as_it_is(path.resolve(), facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=256)
def _hash_as_it_is(path: Path, _size: int, _changed: int) -> str:
    return sha256(path)
