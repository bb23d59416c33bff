"""Uncompressed TIFF planes, of which only the bytes asked for are read.

tifffile's zarr view reads whole strips: a window of a plane stored in one strip would cost the
plane, and thousands of short strips a slow call each.
"""

import math
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WIDE = 4  # rows are read whole where at least this share (1/4) of them is wanted


class PlainPlanes:
    """Planes that lie in a file byte by byte, sliced like an array.

    Parameters
    ----------
    places
        File handle and first byte of every plane, in the order of the leading axes.
    shape
        Leading axes, y and x.
    dtype
        As stored, byte order included.
    """

    def __init__(
        self, places: list[tuple[Any, int]], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self._places = places
        self.shape = shape
        self._dtype = dtype

    def __getitem__(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        chosen = [
            range(length)[part] if isinstance(part, slice) else range(part, part + 1)
            for part, length in zip(key, self.shape, strict=True)
        ]
        *leading, rows, columns = chosen
        block = np.empty([len(one) for one in chosen], self._dtype)
        for place, plane in zip(np.ndindex(*block.shape[:-2]), product(*leading), strict=True):
            number = int(np.ravel_multi_index(plane, self.shape[:-2])) if plane else 0
            self._read(block[place], number, rows, columns)
        return block[tuple(slice(None) if isinstance(part, slice) else 0 for part in key)]

    def _read(self, out: NDArray[Any], number: int, rows: range, columns: range) -> None:
        """Fill ``out`` with rows and columns of a plane."""
        if not len(rows) or not len(columns):
            return
        width = self.shape[-1]
        across = columns[-1] - columns[0] + 1
        if rows.step == 1 and across * _WIDE >= width:
            band = self._bytes(number, rows[0] * width, len(rows) * width)
            out[...] = band.reshape(len(rows), width)[
                :, columns.start : columns.stop : columns.step
            ]
            return
        for i, row in enumerate(rows):
            out[i] = self._bytes(number, row * width + columns[0], across)[:: columns.step]

    def _bytes(self, number: int, first: int, count: int) -> NDArray[Any]:
        """`count` pixels of a plane from the `first` on."""
        file, start = self._places[number]
        size = self._dtype.itemsize
        with file.lock:
            file.seek(start + first * size)
            data = file.read(count * size)
        return np.frombuffer(data, self._dtype, count)


def plain_planes(series: Any) -> PlainPlanes | None:
    """The planes of a TIFF series (or level), None where they are not stored plainly."""
    page = series.keyframe
    shape = tuple(int(length) for length in series.shape)
    if not page.is_final or page.shape != shape[-2:] or page.samplesperpixel != 1:
        return None
    dtype = np.dtype(page.parent.byteorder + page.dtype.char)
    planes = math.prod(shape[:-2])
    if series.dataoffset is not None:
        size = page.nbytes
        starts = [(page.parent.filehandle, series.dataoffset + i * size) for i in range(planes)]
    else:
        pages = list(series.pages)
        if len(pages) != planes or not all(one is not None and _in_one(one) for one in pages):
            return None
        starts = [(one.parent.filehandle, one.dataoffsets[0]) for one in pages]
    files = {id(file): file for file, _ in starts}
    if len(files) != 1 or starts[0][0].closed:  # tifffile opens and closes the others by itself
        return None
    starts[0][0].set_lock(True)
    return PlainPlanes(starts, shape, dtype)


def _in_one(page: Any) -> bool:
    """Whether the strips of a page follow one another."""
    offsets, counts = page.dataoffsets, page.databytecounts
    ends = [offset + count for offset, count in zip(offsets, counts, strict=True)]
    return bool(offsets) and list(offsets[1:]) == ends[:-1] and sum(counts) == page.nbytes
