"""Sums, squared differences and medians over runs, channel by channel. Arrays only."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_gluer.measurement.narrow_sums import CHANNELS, narrow_sums
from napari_gluer.measurement.runs import Floats, Runs, Whole

_TYPES = {
    "u1": "u1",
    "u2": "u2",
    "i1": "i2",
    "i2": "i2",
    "u4": "i8",
    "i4": "i8",
    "u8": "f8",  # sums of 8 bytes would run over
    "i8": "f8",
    "f2": "f4",
    "f4": "f4",
    "f8": "f8",
}


@dataclass(frozen=True, eq=False)
class Laid:
    """Channels of a block in memory, and where the runs lie in it.

    Attributes
    ----------
    flat
        The memory, in one row.
    step, number
        From one channel to the next; how many there are.
    at
        ``(n_runs,)``: where in the first channel every run starts.
    """

    flat: NDArray[Any]
    step: int
    number: int
    at: Whole

    def channel(self, place: int) -> NDArray[Any]:
        """The memory from the channel at `place` on; `at` counts from its start."""
        return self.flat[place * self.step :]


class Places:
    """Where the runs of a block lie in the memory of its channels."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        _, height, width = runs.shape
        self._known = {self._used((height * width, width, 1)): runs.starts}

    def of(self, block: NDArray[Any]) -> Laid:
        """`block` ``(c, z, y, x)``, laid out for the kernels.

        Nothing is copied where the type is one that the kernels know and rows are contiguous.
        """
        values = _supported(block)
        item = values.itemsize
        if values.strides[-1] != item or any(step < 0 or step % item for step in values.strides):
            values = np.ascontiguousarray(values)
        step, *steps = (stride // item for stride in values.strides)
        sides = zip(values.shape, (step, *steps), strict=True)
        span = 1 + sum((size - 1) * apart for size, apart in sides)
        flat = np.lib.stride_tricks.as_strided(values, (span,), (item,), writeable=False)
        return Laid(flat, step, len(values), self._starts(tuple(steps)))

    def _starts(self, steps: tuple[int, ...]) -> Whole:
        used = self._used(steps)
        if used not in self._known:
            z, y, x = np.unravel_index(self._runs.starts, self._runs.shape)
            self._known[used] = z * used[0] + y * used[1] + x
        return self._known[used]

    def _used(self, steps: tuple[int, ...]) -> tuple[int, ...]:
        """`steps` without those that are never taken."""
        sides = zip(steps, self._runs.shape, strict=True)
        return tuple(step if size > 1 else 0 for step, size in sides)


def together(dtype: np.dtype[Any]) -> int:
    """How many channels `sums` takes best at once: of pixels of 1 and 2 bytes four, else one."""
    return CHANNELS if dtype.kind in "bu" and dtype.itemsize <= 2 else 1


def sums(runs: Runs, laid: Laid) -> tuple[Floats, Whole | None]:
    """Sum over every group ``(n, c)``, and pixels summed where some are NaN or infinite.

    Sums of whole numbers are exact below 2⁵³.
    """
    if laid.flat.dtype.kind == "u":
        where = (laid.at, runs.lengths, runs.group)
        whole = narrow_sums(laid.flat, laid.step, laid.number, where, len(runs.keys))
        return whole.astype(np.float64), None
    found = [_sums_of(runs, laid.channel(place), laid.at) for place in range(laid.number)]
    total = np.stack([sums for sums, _ in found], axis=1)
    if all(counted is None for _, counted in found):
        return total, None
    numbers = (runs.sizes if counted is None else counted for _, counted in found)
    return total, np.stack([*numbers], axis=1)


def _sums_of(runs: Runs, flat: NDArray[Any], at: Whole) -> tuple[Floats, Whole | None]:
    whole = flat.dtype.kind != "f"
    total = np.zeros(len(runs.keys), np.int64 if whole else np.float64)
    _add(flat, at, runs.lengths, runs.group, total)
    if whole or np.isfinite(total).all():
        return total.astype(np.float64), None
    total[:] = 0
    counted = np.zeros(len(runs.keys), np.int64)
    _add_finite(flat, at, runs.lengths, runs.group, total, counted)
    return total.astype(np.float64), counted


def squares(runs: Runs, laid: Laid, means: Floats) -> Floats:
    """Sums of squared differences from `means` ``(n, c)`` over every group's finite pixels."""
    total = np.zeros((laid.number, len(runs.keys)))
    for channel, of in enumerate(total):
        mean = np.ascontiguousarray(means[:, channel])
        _add_squares(laid.channel(channel), laid.at, runs.lengths, runs.group, mean, of)
    return total.T


def grouped(runs: Runs, flat: NDArray[Any], at: Whole, sizes: Whole) -> tuple[Floats, Whole]:
    """Finite pixels of group after group, float64, and where each begins ``(n_groups + 1,)``."""
    room = np.r_[0, np.cumsum(sizes)]
    values = np.empty(room[-1])
    counted = np.zeros(len(sizes), np.int64)
    _gather(flat, (at, runs.lengths, runs.group), room, values, counted)
    if (counted == sizes).all():
        return values, room
    kept = np.arange(len(values)) - np.repeat(room[:-1], sizes) < np.repeat(counted, sizes)
    return values[kept], np.r_[0, np.cumsum(counted)]


def medians(values: Floats, begins: Whole) -> Floats:
    """Median of every piece of `values`; NaN of an empty one."""
    result = np.empty(len(begins) - 1)
    _take_medians(values, begins, result)
    return result


def _supported(block: NDArray[Any]) -> NDArray[Any]:
    """`block` in one of the types that kernels exist for; the values stay what they are."""
    if block.dtype.kind == "b":
        return block.view(np.uint8)
    plain = np.asarray(block, _TYPES[block.dtype.kind + str(block.dtype.itemsize)])
    return plain if plain.flags.aligned else plain.copy()


@njit(nogil=True, cache=True, fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _add(flat: Any, at: Any, lengths: Any, group: Any, total: Any) -> None:
    for run in range(at.size):
        part = total.dtype.type(0)
        for pixel in range(at[run], at[run] + lengths[run]):
            part += flat[pixel]
        total[group[run]] += part


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_finite(flat: Any, at: Any, lengths: Any, group: Any, total: Any, counted: Any) -> None:
    for run in range(at.size):
        for pixel in range(at[run], at[run] + lengths[run]):
            if math.isfinite(flat[pixel]):
                total[group[run]] += flat[pixel]
                counted[group[run]] += 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_squares(flat: Any, at: Any, lengths: Any, group: Any, means: Any, total: Any) -> None:
    for run in range(at.size):
        mean, part = means[group[run]], 0.0
        for pixel in range(at[run], at[run] + lengths[run]):
            difference = float(flat[pixel]) - mean
            if math.isfinite(difference):
                part += difference * difference
        total[group[run]] += part


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _gather(flat: Any, where: Any, room: Any, values: Any, counted: Any) -> None:
    at, lengths, group = where
    for run in range(at.size):
        for pixel in range(at[run], at[run] + lengths[run]):
            value = float(flat[pixel])
            if math.isfinite(value):
                row = group[run]
                values[room[row] + counted[row]] = value
                counted[row] += 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _take_medians(values: Any, begins: Any, result: Any) -> None:
    for row in range(result.size):
        piece = values[begins[row] : begins[row + 1]]
        result[row] = np.median(piece) if piece.size else np.nan
