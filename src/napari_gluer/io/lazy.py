"""Pixels that are read when they are asked for, sliced like an array.

All of these can be sliced by several threads at once, and pickled: another process opens the file
again (`reopens` says so to the tile engine).
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.io.damage import refuse_beyond_memory, refusing

Key = int | slice | EllipsisType
"""One axis of an index. Lists and masks are not taken: read the block, then index it."""

_DAMAGED = "It is damaged, or stored in a way that is not understood; copy it again or export anew."


class _Lazy:
    """What all lazily read pixels share."""

    reopens = True
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: Key | tuple[Key, ...]) -> NDArray[Any]:
        raise NotImplementedError

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype)


class LazyPixels(_Lazy):
    """A stored array as ``(c, y, x)`` or ``(c, z, y, x)``, read block by block.

    Parameters
    ----------
    source
        What is sliced: a `TiffLevel` or a zarr array, with shape and dtype. It pickles as its
        address.
    stored
        Its axes, one letter each; letters that are not in `axes` are read at 0.
    axes
        The axes to show, ``CYX`` or ``CZYX``. A missing one is added with length 1.
    at
        Where to read axes that are not shown, ``{"T": 3}``.
    name
        Of the file, for errors.

    Attributes
    ----------
    chunks
        Pixels along every axis that are read together at least; None where any can be.
    """

    def __init__(
        self, source: Any, stored: str, axes: str, at: Mapping[str, int] | None = None, *, name: str
    ) -> None:
        self._source = source
        self._stored = stored
        self._axes = axes
        self._at = dict(at or {})
        self._name = name
        lengths = dict(zip(stored, source.shape, strict=True))
        self.shape = tuple(int(lengths.get(axis, 1)) for axis in axes)
        self.dtype = np.dtype(source.dtype).newbyteorder("=")
        blocks = getattr(source, "chunks", None)
        known = dict(zip(stored, blocks or (), strict=bool(blocks)))
        self.chunks = tuple(int(known.get(axis, 1)) for axis in axes) if blocks else None

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self._source, self._stored, self._axes, self._at, self._name)

    def __getitem__(self, key: Key | tuple[Key, ...]) -> NDArray[Any]:
        keys = full_key(key, self.shape)
        refuse_beyond_memory(self._name, block_shape(keys, self.shape), self.dtype)
        at = {**self._at, **dict(zip(self._axes, keys, strict=True))}
        with refusing(f"Pixels of {self._name}", _DAMAGED):
            block = np.asarray(self._source[tuple(at.get(axis, 0) for axis in self._stored)])
        kept = [axis for axis in self._stored if isinstance(at.get(axis, 0), slice)]
        wanted = [axis for axis in self._axes if axis in kept]
        block = block.transpose([kept.index(axis) for axis in wanted])
        for axis, part in zip(self._axes, keys, strict=True):
            if axis not in self._stored and isinstance(part, slice):
                before = sum(isinstance(k, slice) for k in keys[: self._axes.index(axis)])
                block = np.expand_dims(block, before)[(slice(None),) * before + (part,)]
        return block.astype(self.dtype, copy=False)


def _reopened(source: Any, stored: str, axes: str, at: dict[str, int], name: str) -> LazyPixels:
    return LazyPixels(source, stored, axes, at, name=name)


class StackedPixels(_Lazy):
    """Images one after the other, along channels (0) or, for images of one channel, along z (1).

    Parameters
    ----------
    parts
        Lazy pixels whose shapes differ in the first axis only.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = list(parts)
        self._ends = list(accumulate(part.shape[0] for part in self._parts))
        self.shape = (self._ends[-1], *self._parts[0].shape[1:])
        self.dtype = np.result_type(*(part.dtype for part in self._parts))
        self.reopens = all(getattr(part, "reopens", False) for part in self._parts)
        blocks = {getattr(part, "chunks", None) for part in self._parts}
        known = next(iter(blocks)) if len(blocks) == 1 else None
        self.chunks = None if known is None else (1, *known[1:])
        if any(tuple(part.shape[1:]) != self.shape[1:] for part in self._parts):
            raise InputError(
                f"Images of shapes {[part.shape for part in self._parts]} do not stack."
            )

    def __getitem__(self, key: Key | tuple[Key, ...]) -> NDArray[Any]:
        first, *rest = full_key(key, self.shape)
        if isinstance(first, int):
            return self._channel(first, rest)
        channels = range(self.shape[0])[first]
        kept = block_shape(tuple(rest), self.shape[1:])
        refuse_beyond_memory("The stack", (len(channels), *kept), self.dtype)
        stack = np.empty((len(channels), *kept), self.dtype)
        for i, channel in enumerate(channels):
            stack[i] = self._channel(channel, rest)
        return stack

    def _channel(self, number: int, rest: Sequence[int | slice]) -> NDArray[Any]:
        part = next(i for i, end in enumerate(self._ends) if number < end)
        inside = number - (self._ends[part] - self._parts[part].shape[0])
        return np.asarray(self._parts[part][(inside, *rest)], self.dtype)


class ChannelView(_Lazy):
    """One channel of a lazy image, sliced like an array.

    Parameters
    ----------
    pixels
        ``(c, y, x)`` or ``(c, z, y, x)``.
    channel
        Its position on the first axis.
    """

    def __init__(self, pixels: Any, channel: int) -> None:
        self._pixels = pixels
        self._channel = channel
        self.shape = tuple(pixels.shape[1:])
        self.dtype = pixels.dtype
        self.reopens = bool(getattr(pixels, "reopens", False))

    def __getitem__(self, key: Key | tuple[Key, ...]) -> NDArray[Any]:
        rest = key if isinstance(key, tuple) else (key,)
        return np.asarray(self._pixels[(self._channel, *rest)])


class PlanePixels(_Lazy):
    """Images ``(1, y, x)`` as the planes of one, ``(1, z, y, x)``."""

    def __init__(self, planes: Sequence[Any]) -> None:
        self._stack = StackedPixels(planes)
        self.shape = (1, *self._stack.shape)
        self.reopens = self._stack.reopens
        self.dtype = self._stack.dtype

    def __getitem__(self, key: Key | tuple[Key, ...]) -> NDArray[Any]:
        first, *rest = full_key(key, self.shape)
        block = self._stack[tuple(rest)]
        return block if isinstance(first, int) else block[np.newaxis][first]


def full_key(key: Key | tuple[Key, ...], shape: tuple[int, ...]) -> tuple[int | slice, ...]:
    """`key` with one entry an axis: non-negative integers and slices."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(part is Ellipsis for part in parts):
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(shape) - len(parts) + 1)
    parts += [slice(None)] * (len(shape) - len(parts))
    if len(parts) > len(shape):
        raise IndexError(f"{len(parts)} indices for {len(shape)} axes.")
    return tuple(_axis_key(part, length) for part, length in zip(parts, shape, strict=True))


def block_shape(keys: tuple[int | slice, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of what `full_key`'s keys choose."""
    pairs = zip(keys, shape, strict=True)
    return tuple(len(range(length)[part]) for part, length in pairs if isinstance(part, slice))


def _axis_key(part: Any, length: int) -> int | slice:
    if isinstance(part, slice):
        if part.step is not None and part.step < 1:
            raise IndexError(f"Pixels are read forwards; the step {part.step} is not.")
        return part
    if not isinstance(part, int | np.integer) or isinstance(part, bool):
        raise IndexError(f"Only integers, slices and ... index these pixels, not {part!r}.")
    at = int(part) + (length if part < 0 else 0)
    if not 0 <= at < length:
        raise IndexError(f"Index {part} is out of bounds for an axis of length {length}.")
    return at
