"""What a zarr array claims, against what its folder holds: before any pixel is read."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zarr.storage import LocalStore, ZipStore

from napari_gluer.errors import InputError

_LARGEST_CHUNK = 2**32
_LARGE = 2**29  # bytes; smaller claims do no harm
_MOST_COMPRESSED = 10_000  # pixels' bytes for one stored byte, over a whole image
_MANY = 5_000  # blocks; fewer are read in a second or two even where they are missing
_SPARSEST = 100  # blocks of which one is stored at least


def refuse_impossible(name: str, array: Any) -> None:
    """Refuse an array of no numbers, in blocks beyond memory, or that is all claim.

    A damaged description may claim any shape; blocks that are not stored read as zeros, so that
    nothing else would show it.

    Raises
    ------
    InputError
        If the array cannot be read as an image.
    """
    if array.dtype.kind not in "buif" or not array.size:
        raise InputError(
            f"{name} holds {array.dtype}, shape {array.shape}; an image of numbers is needed."
        )
    blocks = tuple(array.shards or array.chunks)
    chunk = math.prod(array.chunks) * array.dtype.itemsize
    if chunk > _LARGEST_CHUNK:
        raise InputError(
            f"{name} is stored in blocks of {chunk / 2**30:.0f} GB, {array.chunks}, which cannot "
            "be read. Save it in smaller chunks."
        )
    claimed = math.prod(array.shape) * array.dtype.itemsize
    count = math.prod(-(-side // step) for side, step in zip(array.shape, blocks, strict=True))
    needed_bytes = claimed // _MOST_COMPRESSED if claimed > _LARGE else 0
    needed_files = count // _SPARSEST if count > _MANY else 0
    if (needed_bytes or needed_files) and not _holds(array, needed_bytes, needed_files):
        raise InputError(
            f"{name} claims {claimed / 2**30:.1f} GB of pixels, shape {array.shape}, and next to "
            "none of them are stored. Its description is damaged, or its copy is not complete."
        )


def _holds(array: Any, needed_bytes: int, needed_files: int) -> bool:
    """Whether so much is stored; it is counted only as far as needed."""
    store = array.store
    if isinstance(store, ZipStore):
        return Path(store.path).stat().st_size >= needed_bytes
    if not isinstance(store, LocalStore):
        return True
    size = files = 0
    for entry in _files(Path(store.root) / array.path):
        size, files = size + entry.stat().st_size, files + 1
        if size >= needed_bytes and files >= needed_files:
            return True
    return False


def _files(folder: Path) -> Iterator["os.DirEntry[str]"]:
    folders = [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(Path(entry.path))
                else:
                    yield entry
