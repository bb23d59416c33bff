"""Look an HDF5 file over in a process of its own: a damaged one can crash its library, or hang it.

Run as a script this file walks through one HDF5 file, reading names, attributes and texts but no
numbers. It imports only what that takes, so that the process starts in a fraction of a second.
"""

import faulthandler
import functools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np

_STARTS_IN = 60.0  # seconds; on a busy computer Python and its packages take long to load
_PATIENCE = 3.0  # seconds from then on, and more for large files, whose texts take long to read
_BYTES_A_SECOND = 20e6
_SPARE, _COMPRESSED = 64e6, 1100  # gzip packs zeros 1,032 to 1
_BROKEN = 3
_GAVE_UP = "Timeout ("  # what faulthandler writes first


def damage(path: Path) -> str:
    """What is wrong with an HDF5 file, in words; "" where nothing was found.

    Finds what would crash or hang the library, and arrays that claim far more than the file holds.
    Other damage is left to the reader, which raises.
    """
    patience = _PATIENCE + path.stat().st_size / _BYTES_A_SECOND
    try:
        done = subprocess.run(  # noqa: S603 - this file, on a path given as an argument
            [sys.executable, "-I", __file__, str(path), str(patience)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_STARTS_IN + patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _endless(patience)
    if done.returncode == 1 and done.stderr.startswith(_GAVE_UP):
        return _endless(patience)
    if done.returncode == _BROKEN:
        return done.stdout.strip()
    return "the HDF5 library crashes on it" if done.returncode not in (0, 1) else ""


def _endless(patience: float) -> str:
    return f"reading its structure does not end within {patience:.0f} s"


def _look_over(path: str) -> int:
    with h5py.File(path) as file:
        found = next(_faults(file, set()), "")
    if found:
        print(found)  # noqa: T201 - how the child answers
        return _BROKEN
    return 0


def _faults(group: h5py.Group, seen: set[int]) -> Iterator[str]:
    """What is wrong below `group`, one sentence at a time."""
    yield from _unreadable(group.name, lambda: dict(group.attrs))
    for name in group:
        node = group[name]
        place = h5py.h5o.get_info(node.id).addr
        if place in seen:  # damaged links may go round in circles
            continue
        seen.add(place)
        if isinstance(node, h5py.Group):
            yield from _faults(node, seen)
        elif isinstance(node, h5py.Dataset):
            yield from _unreadable(node.name, functools.partial(dict, node.attrs))
            yield from _excess(node)


def _unreadable(name: str, read: Callable[[], object]) -> Iterator[str]:
    try:
        read()
    except (OSError, RuntimeError) as error:  # the reader would fail too, after gigabytes
        yield f"{name} cannot be read ({error})"


def _excess(dataset: h5py.Dataset) -> Iterator[str]:
    claimed = float(np.prod(dataset.shape or (0,), dtype=float)) * dataset.dtype.itemsize
    stored = min(dataset.id.get_storage_size(), Path(dataset.file.filename).stat().st_size)
    if claimed > _SPARE + _COMPRESSED * stored:
        yield f"{dataset.name} claims {claimed:.3g} bytes and stores {stored}"
    elif dataset.dtype.kind == "O":
        yield from _unreadable(dataset.name, lambda: dataset[()])


if __name__ == "__main__":
    # ends the process also where the library never comes back
    faulthandler.dump_traceback_later(float(sys.argv[2]), exit=True)
    sys.exit(_look_over(sys.argv[1]))
