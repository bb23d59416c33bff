"""Pixels that are read when they are asked for, sliced like an array."""

import weakref
from collections.abc import Sequence
from pathlib import Path
from types import EllipsisType
from typing import Any

import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

Key = int | slice | EllipsisType
"""One axis of an index. Lists and masks are not taken: read the block, then index it."""


class OpenTiff:
    """An open TIFF file that closes when nothing refers to it any more."""

    def __init__(self, path: Path) -> None:
        self.tif = tifffile.TiffFile(path)
        weakref.finalize(self, self.tif.close)


class LazyPixels:
    """A level of a TIFF series as ``(c, y, x)`` or ``(c, z, y, x)``.

    Parameters
    ----------
    file
        The open file; kept open as long as a view of it lives.
    level
        A series or one of its resolution levels.
    stored
        The level's axes as stored, one letter each; letters that are not in `axes` have length 1.
    axes
        The axes to show, ``CYX`` or ``CZYX``. A missing C is added with length 1.
    """

    def __init__(self, file: OpenTiff, level: Any, stored: str, axes: str) -> None:
        self._file = file
        self._array: Any = zarr.open_array(level.aszarr(level=0), mode="r")
        self._stored = stored
        self._axes = axes
        lengths = dict(zip(stored, level.shape, strict=True))
        self.shape = tuple(int(lengths.get(axis, 1)) for axis in axes)
        self.dtype = np.dtype(level.dtype).newbyteorder("=")
        self.ndim = len(axes)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: Key | tuple[Key, ...]) -> NDArray[Any]:
        keys = full_key(key, self.shape)
        at = dict(zip(self._axes, keys, strict=True))
        block = np.asarray(self._array[tuple(at.get(axis, 0) for axis in self._stored)])
        kept = [axis for axis in self._stored if isinstance(at.get(axis, 0), slice)]
        wanted = [axis for axis in self._axes if axis in kept]
        block = block.transpose([kept.index(axis) for axis in wanted])
        if "C" not in self._stored and isinstance(keys[0], slice):
            block = block[np.newaxis][keys[0]]
        return block.astype(self.dtype, copy=False)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype)


class StackedPixels:
    """Images of one channel each, shown as the channels of one."""

    def __init__(self, channels: Sequence[Any]) -> None:
        self._channels = channels
        self.shape = (len(channels), *channels[0].shape[1:])
        self.dtype = np.result_type(*(channel.dtype for channel in channels))
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: Key | tuple[Key, ...]) -> NDArray[Any]:
        first, *rest = full_key(key, self.shape)
        if isinstance(first, int):
            return np.asarray(self._channels[first][(0, *rest)], self.dtype)
        blocks = [channel[(0, *rest)] for channel in self._channels[first]]
        if blocks:
            return np.stack(blocks).astype(self.dtype, copy=False)
        return np.empty((0, *self.shape[1:]), self.dtype)[(slice(None), *rest)]

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype)


def full_key(key: Key | tuple[Key, ...], shape: tuple[int, ...]) -> tuple[int | slice, ...]:
    """`key` with one entry an axis: non-negative integers and slices."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(shape) - len(parts) + 1)
    parts += [slice(None)] * (len(shape) - len(parts))
    if len(parts) > len(shape):
        raise IndexError(f"{len(parts)} indices for {len(shape)} axes.")
    return tuple(_axis_key(part, length) for part, length in zip(parts, shape, strict=True))


def _axis_key(part: Any, length: int) -> int | slice:
    if isinstance(part, slice):
        return part
    if not isinstance(part, int | np.integer) or isinstance(part, bool):
        raise IndexError(f"Only integers, slices and ... index these pixels, not {part!r}.")
    at = int(part) + (length if part < 0 else 0)
    if not 0 <= at < length:
        raise IndexError(f"Index {part} is out of bounds for an axis of length {length}.")
    return at
