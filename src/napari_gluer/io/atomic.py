"""Files are written whole or not at all, also where the process is killed meanwhile."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_gluer.errors import InputError
from napari_gluer.io.exchange import exchanged

_REPLACED = "replaced"


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its suffix.

    It takes the place of `path`, also of a folder, on success and is removed on any failure.
    Missing parent folders are made. A process that is killed leaves `path` as it was or the new
    one, and perhaps a temporary one, whose name begins with a dot.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    restore(target)
    partial = target.with_name(f".{uuid.uuid4().hex[:12]}-{target.name}")
    try:
        yield partial
        if target.is_dir() and partial.is_dir():
            _swap(partial, target)
        else:
            partial.replace(target)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def refuse_unwritable(path: str | os.PathLike[str]) -> None:
    """Refuse a name in a folder that cannot be made or written to; before long work, too.

    Raises
    ------
    InputError
        If a part of the path is a file, or the folder may not be written to.
    """
    folder = Path(path).absolute().parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise InputError(f"Cannot write {path}: {folder} is a file, not a folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"Cannot write {path}: writing in {folder} is not permitted.")


def restore(path: str | os.PathLike[str]) -> None:
    """Put a folder back that a killed process moved aside and did not replace.

    Needed only where folders cannot change places at once; called before a folder is read.
    """
    target = Path(path)
    if target.exists() or not target.parent.is_dir():
        return
    aside = sorted(
        (one for one in target.parent.glob(f".{_REPLACED}-*") if _name_of(one) == target.name),
        key=lambda one: one.stat().st_mtime,
    )
    if aside:
        aside[-1].rename(target)


def _name_of(aside: Path) -> str:
    """What a folder that was moved aside was called."""
    return aside.name.split("-", 2)[-1]


def _swap(partial: Path, target: Path) -> None:
    """Put a folder in another's place; the old one goes when the new one is there."""
    if exchanged(partial, target):
        return  # the old one is now the temporary one
    old = target.with_name(f".{_REPLACED}-{uuid.uuid4().hex[:12]}-{target.name}")
    target.rename(old)
    try:
        partial.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)
