"""Sums over runs of pixels of 1 and 2 bytes, four channels at once, by vector instructions.

Left to itself the compiler adds every run of every channel up to one number, which takes longer
than its twenty pixels do. Here four channels are folded together, to a vector of their four sums.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from napari_gluer.measurement.runs import Whole

CHANNELS = 4
_WIDE = 32  # pixels added at a time
_LONG, _WORD, _HALF = ir.IntType(64), ir.IntType(32), ir.IntType(16)
_FIRST = np.arange(_WIDE) < np.arange(_WIDE + 1)[:, np.newaxis]
_MASKS = {  # row n keeps the first n of 32 pixels, by bytes of a pixel
    size: (_FIRST * np.iinfo(f"u{size}").max).astype(f"u{size}") for size in (1, 2)
}


def narrow_sums(
    flat: NDArray[Any], step: int, number: int, where: tuple[Any, ...], n: int
) -> Whole:
    """Sums of uint8 or uint16 over runs, exact.

    Parameters
    ----------
    flat
        The memory of the channels, in one row.
    step, number
        From one channel to the next; how many channels there are.
    where
        Of every run: its start in the first channel, its length (at most 65,536), its group.
    n
        Number of groups.

    Returns
    -------
    numpy.ndarray
        int64 ``(n, number)``.
    """
    parts = [
        _four_sums(flat[first * step :], step, min(CHANNELS, number - first), where, n)
        for first in range(0, number, CHANNELS)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _four_sums(flat: NDArray[Any], step: int, number: int, where: tuple[Any, ...], n: int) -> Whole:
    total = np.zeros((n, CHANNELS), np.int64)
    # channels that are not there repeat the first one; what they add up to is not used
    offsets = tuple(np.uint64(step * place if place < number else 0) for place in range(CHANNELS))
    _add(flat, offsets, where, total, _MASKS[flat.dtype.itemsize])
    return total[:, :number]


@intrinsic  # type: ignore[untyped-decorator]
def _add_wide(  # noqa: PLR0913, PLR0917 - as the compiler wants it
    typing: Any, flat: Any, at: Any, offsets: Any, masks: Any, left: Any, total: Any, row: Any
) -> Any:
    """``total[row] += flat[at + offsets[c] : … + left].sum()`` for four channels, left ≤ 32.

    It reads 32 pixels of each, whatever `left` is.
    """
    del typing
    whole = types.uint64
    signature = types.void(flat, whole, offsets, masks, whole, total, whole)
    del at, left, row

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        places = (0, 3, 5)
        pixels, kept, sums = (
            context.make_array(signature.args[i])(context, builder, given[i]).data for i in places
        )
        mask = _load(builder, kept, builder.mul(given[4], ir.Constant(_LONG, _WIDE)))
        folded = []
        for channel in range(CHANNELS):
            first = builder.add(given[1], builder.extract_value(given[2], channel))
            folded.append(_folded(builder, builder.and_(_load(builder, pixels, first), mask)))
        four = builder.zext(_transposed(builder, folded), ir.VectorType(_LONG, CHANNELS))
        place = builder.gep(sums, [builder.mul(given[6], ir.Constant(_LONG, CHANNELS))])
        place = builder.bitcast(place, four.type.as_pointer())
        before = builder.load(place, align=8)
        builder.store(builder.add(before, four), place, align=8)
        return context.get_dummy_value()

    return signature, generate


def _load(builder: Any, memory: Any, first: Any) -> Any:
    """32 pixels from `first` on."""
    item = memory.type.pointee
    place = builder.bitcast(builder.gep(memory, [first]), ir.VectorType(item, _WIDE).as_pointer())
    return builder.load(place, align=item.width // 8)


def _folded(builder: Any, pixels: Any) -> Any:
    """32 pixels as four 32-bit numbers of the same sum."""
    if pixels.type.element.width < _HALF.width:
        pixels = builder.zext(pixels, ir.VectorType(_HALF, _WIDE))
    pairs = builder.bitcast(pixels, ir.VectorType(_WORD, _WIDE // 2))
    low = builder.and_(pairs, _all(pairs.type, 0xFFFF))
    found = builder.add(low, builder.lshr(pairs, _all(pairs.type, 16)))
    size = _WIDE // 2
    while size > CHANNELS:
        size //= 2
        halves = (_taken(builder, found, found, [*range(at, at + size)]) for at in (0, size))
        found = builder.add(*halves)
    return found


def _transposed(builder: Any, folded: list[Any]) -> Any:
    """The sums of four vectors of four, as one vector."""

    def added(one: Any, other: Any, these: list[int], those: list[int]) -> Any:
        return builder.add(_taken(builder, one, other, these), _taken(builder, one, other, those))

    first, second = (added(folded[at], folded[at + 1], [0, 4, 1, 5], [2, 6, 3, 7]) for at in (0, 2))
    return added(first, second, [0, 1, 4, 5], [2, 3, 6, 7])


def _taken(builder: Any, one: Any, other: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(_WORD, len(lanes)), lanes))


def _all(kind: Any, value: int) -> Any:
    return ir.Constant(kind, [value] * kind.count)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add(flat: Any, offsets: Any, where: Any, total: Any, masks: Any) -> None:
    at, lengths, group = where
    wide = np.uint64(_WIDE)
    # beyond the last 32 pixels of the memory nothing may be read; pixels there are added singly
    end = np.uint64(flat.size) - max(offsets)
    for run in range(at.size):
        pixel, left, row = np.uint64(at[run]), np.uint64(lengths[run]), np.uint64(group[run])
        while left > wide and pixel + wide <= end:
            _add_wide(flat, pixel, offsets, masks, wide, total, row)
            pixel += wide
            left -= wide
        if pixel + wide <= end:
            _add_wide(flat, pixel, offsets, masks, left, total, row)
        else:
            for channel in range(CHANNELS):
                first = pixel + offsets[channel]
                for lane in range(left):
                    total[row, channel] += np.int64(flat[first + np.uint64(lane)])
