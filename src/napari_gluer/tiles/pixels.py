"""Parts of arrays that are read where they are needed."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import MemoryStore

_WINDOWS, _SIDE = 8, 64  # a fingerprint reads at most this many windows an axis, this wide


class Cut:
    """``array[key]``, read where it is asked for.

    Sent to another process it carries the pixels, unless the array can be opened there again.

    Parameters
    ----------
    array
        Sliced like a NumPy array. Arrays that open again in another process say so by an attribute
        ``reopens = True``; zarr arrays outside memory do too.
    key
        Index; None takes the whole.
    """

    def __init__(self, array: Any, key: Any = None) -> None:
        self._array = array
        self._key = key

    def read(self) -> NDArray[Any]:
        """The pixels."""
        return np.asarray(self._array[... if self._key is None else self._key])

    def __reduce__(self) -> tuple[Any, ...]:
        if _reopens(self._array):
            return Cut, (self._array, self._key)
        return Cut, (self.read(), None)


def _reopens(array: Any) -> bool:
    if isinstance(array, zarr.Array):
        return not isinstance(array.store, MemoryStore)
    return bool(getattr(array, "reopens", False))


def pixels_print(array: Any) -> str:
    """Fingerprint of an array: its shape, type and evenly spread windows of its pixels, SHA-256.

    A handful of windows is read whatever the size, the first and last rows and columns among them;
    a change elsewhere goes unseen.
    """
    digest = hashlib.sha256(f"{tuple(array.shape)} {np.dtype(array.dtype).str}".encode())
    *leading, height, width = (int(size) for size in array.shape)
    for plane in np.ndindex(*leading):
        for row in _starts(height):
            for part in _windows(array, plane, row, width):
                digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _windows(array: Any, plane: tuple[int, ...], row: int, width: int) -> Iterator[Any]:
    """The windows of a band of rows; strips, which are read whole, are read once."""
    rows, columns = slice(row, row + _SIDE), _starts(width)
    chunks = getattr(array, "chunks", None)
    if chunks and isinstance(chunks[-1], int) and chunks[-1] >= width:
        band = np.asarray(array[(*plane, rows, slice(None))])
        yield from (band[:, column : column + _SIDE] for column in columns)
    else:
        for column in columns:
            yield array[(*plane, rows, slice(column, column + _SIDE))]


def _starts(size: int) -> list[int]:
    last = max(0, size - _SIDE)
    return sorted({round(at) for at in np.linspace(0, last, min(_WINDOWS, last // _SIDE + 2))})
