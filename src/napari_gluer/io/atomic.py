"""Files are written whole or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its suffix.

    It takes the place of `path`, also of a folder, on success and is removed on any failure.
    Missing parent folders are made.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
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


def _swap(partial: Path, target: Path) -> None:
    """Put a folder in another's place; the old one goes when the new one is there."""
    old = target.with_name(f".{uuid.uuid4().hex[:12]}-{target.name}")
    target.rename(old)
    try:
        partial.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)
