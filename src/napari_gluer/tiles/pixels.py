"""Parts of arrays that are read where they are needed."""

import hashlib
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
            for column in _starts(width):
                part = array[(*plane, slice(row, row + _SIDE), slice(column, column + _SIDE))]
                digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _starts(size: int) -> list[int]:
    last = max(0, size - _SIDE)
    return sorted({round(at) for at in np.linspace(0, last, min(_WINDOWS, last // _SIDE + 2))})
