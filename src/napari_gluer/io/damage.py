"""What libraries raise over damaged files, turned into one `InputError`."""

import lzma
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from napari_gluer.errors import InputError

UNREADABLE: tuple[type[Exception], ...] = (
    ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, ImportError,
    LookupError, MemoryError, OSError, RuntimeError, SyntaxError, SystemError, TypeError,
    ValueError, lzma.LZMAError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What tifffile, imagecodecs, zarr, its codecs and the XML parser were seen to raise."""

_OF_PACKAGES = {  # what packages raise that are loaded only where they are needed
    "aiohttp": ("ClientError",),
    "pyarrow.lib": ("ArrowException",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "gcsfs.retry": ("HttpError",),
}
_LARGEST_BLOCK = 2**40  # where the computer does not tell its memory


@contextmanager
def refusing(what: str, advice: str) -> Iterator[None]:
    """Turn what a library raises over a file into an `InputError`.

    Parameters
    ----------
    what
        The file, or the part of it that is read.
    advice
        What would do.
    """
    try:
        yield
    except InputError:
        raise
    except PermissionError as error:
        raise InputError(f"{what} may not be read: permission denied. Ask its owner.") from error
    except MemoryError as error:
        raise InputError(f"{what} does not fit in memory. {advice}") from error
    except _unreadable() as error:
        said = " ".join(str(error).split())[:200]
        found = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise InputError(f"{what} cannot be read ({found}). {advice}") from error


def _unreadable() -> tuple[type[Exception], ...]:
    loaded = [
        getattr(sys.modules[package], name)
        for package, names in _OF_PACKAGES.items()
        for name in names
        if package in sys.modules
    ]
    return (*UNREADABLE, *loaded)


def refuse_beyond_memory(what: str, shape: Sequence[int], dtype: np.dtype[Any]) -> None:
    """Refuse to read a block that the computer's memory cannot hold.

    Parameters
    ----------
    what
        Named in the error.
    shape, dtype
        Of the block.
    """
    needed = int(np.prod([float(length) for length in shape])) * dtype.itemsize
    if needed > _memory():
        raise InputError(
            f"{what}: a block of shape {tuple(shape)}, {needed / 2**30:.0f} GB, does not fit in "
            "memory. Read it in parts; or the file is damaged and claims too much."
        )


def _memory() -> int:
    """Bytes that this process may use at most: of the computer, or what it was allowed."""
    try:
        installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        limits = import_module("resource")
        allowed = limits.getrlimit(limits.RLIMIT_AS)[0]
    except (AttributeError, ValueError, OSError, ImportError):  # Windows
        return _LARGEST_BLOCK
    return int(installed if allowed == limits.RLIM_INFINITY else min(installed, allowed))
