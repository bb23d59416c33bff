"""Cells of a block as runs: pixels of one cell side by side in a row. Arrays only.

Every statistic goes over runs, which skip the background and are a twentieth of the pixels.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
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
_FIRST = np.arange(32) < np.arange(33)[:, np.newaxis]
_MASKS = {  # row n keeps the first n of 32 pixels, by bytes of a pixel
    size: (_FIRST * np.iinfo(f"u{size}").max).astype(f"u{size}") for size in (1, 2)
}


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of a block ``(z, y, x)``, in raster order, and the groups that they belong to.

    Attributes
    ----------
    shape
        Of the block.
    starts, stops
        ``(n_runs,)``: first pixel of a run and the one after its last, counted in raster order.
    keys
        int64 ``(n_groups, 2)``, ascending: a label, and the nucleus that covers the pixels
        (0 where none does, or nuclei were not given).
    group
        int32 ``(n_runs,)``: row of `keys`.
    """

    shape: tuple[int, int, int]
    starts: Whole
    stops: Whole
    keys: Whole
    group: NDArray[np.int32]

    @cached_property
    def lengths(self) -> Whole:
        """Pixels of every run."""
        return self.stops - self.starts

    @property
    def sizes(self) -> Whole:
        """Pixels of every group."""
        return np.bincount(self.group, self.lengths.astype(np.float64), len(self.keys)).astype(
            np.int64
        )


def runs_of(labels: NDArray[Any], nuclei: NDArray[Any] | None = None) -> Runs:
    """The runs of `labels` ``(z, y, x)``, whole numbers; cut where `nuclei` change, if given.

    A row is at most 65,536 pixels long.
    """
    paired = nuclei is not None
    cells = _plain(labels)
    inner = _plain(nuclei) if nuclei is not None else cells[:0]
    number = _count_runs(cells, inner, paired)
    starts, stops, cell, nucleus = (np.empty(number, np.int64) for _ in range(4))
    _fill_runs(cells, inner, paired, (starts, stops, cell, nucleus))
    ids, row = numbered(cell)
    keys = np.column_stack([ids, np.zeros_like(ids)])
    if paired:
        inner_ids, inner_row = numbered(nucleus)
        codes, row = numbered(row.astype(np.int64) * len(inner_ids) + inner_row)
        keys = np.column_stack([ids[codes // len(inner_ids)], inner_ids[codes % len(inner_ids)]])
    depth, height, width = labels.shape
    return Runs((depth, height, width), starts, stops, keys, row)


def numbered(values: Whole) -> tuple[Whole, NDArray[np.int32]]:
    """The different `values` (none negative), ascending, and for each value its place there."""
    if not values.size:
        return values, np.empty(0, np.int32)
    low, high = int(values.min()), int(values.max())
    if high - low > 8 * values.size + 1024:
        ids, row = np.unique(values, return_inverse=True)
        return ids, row.astype(np.int32)
    present = np.zeros(high - low + 1, bool)
    present[values - low] = True
    places = np.cumsum(present, dtype=np.int32) - 1
    return np.flatnonzero(present) + low, places[values - low]


class Places:
    """Where the runs of a block lie in the memory of its channels."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._known: dict[tuple[int, ...], Whole] = {}

    def of(self, block: NDArray[Any]) -> tuple[NDArray[Any], Whole]:
        """The memory of `block` ``(z, y, x)``, in one row, and where in it every run starts.

        Nothing is copied where the type is one that the kernels know and rows are contiguous.
        """
        values = _supported(block)
        item = values.itemsize
        if values.strides[-1] != item or any(step < 0 or step % item for step in values.strides):
            values = np.ascontiguousarray(values)
        steps = tuple(step // item for step in values.strides)
        span = 1 + sum((size - 1) * step for size, step in zip(values.shape, steps, strict=True))
        flat = np.lib.stride_tricks.as_strided(values, (span,), (item,), writeable=False)
        if steps not in self._known:
            z, y, x = np.unravel_index(self._runs.starts, self._runs.shape)
            self._known[steps] = z * steps[0] + y * steps[1] + x
        return flat, self._known[steps]


def sums(runs: Runs, flat: NDArray[Any], at: Whole) -> tuple[Floats, Whole | None]:
    """Sum over every group; and the number of pixels summed, where some are NaN or infinite.

    Sums of whole numbers are exact below 2⁵³.
    """
    lengths = runs.lengths
    whole = flat.dtype.kind != "f"
    total = np.zeros(len(runs.keys), np.int64 if whole else np.float64)
    if flat.dtype.kind == "u":
        _add_narrow(flat, at, lengths, runs.group, total, _MASKS[flat.dtype.itemsize])
    else:
        _add(flat, at, lengths, runs.group, total)
    if whole or np.isfinite(total).all():
        return total.astype(np.float64), None
    total[:] = 0
    counted = np.zeros(len(runs.keys), np.int64)
    _add_finite(flat, at, lengths, runs.group, total, counted)
    return total.astype(np.float64), counted


def squares(runs: Runs, flat: NDArray[Any], at: Whole, means: Floats) -> Floats:
    """Sum of squared differences from `means` over every group's finite pixels."""
    total = np.zeros(len(runs.keys))
    _add_squares(flat, at, runs.lengths, runs.group, means, total)
    return total


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


def _plain(labels: NDArray[Any]) -> NDArray[Any]:
    """int32 or int64, contiguous: two kernels in place of eight."""
    narrow = labels.dtype.kind == "i" and labels.dtype.itemsize <= 4
    narrow |= labels.dtype.kind == "u" and labels.dtype.itemsize <= 2
    plain = np.ascontiguousarray(labels, np.int32 if narrow else np.int64).view()
    plain.flags.writeable = False
    return plain


def _supported(block: NDArray[Any]) -> NDArray[Any]:
    """`block` in one of the types that kernels exist for; the values stay what they are."""
    if block.dtype.kind == "b":
        return block.view(np.uint8)
    plain = np.asarray(block, _TYPES[block.dtype.kind + str(block.dtype.itemsize)])
    return plain if plain.flags.aligned else plain.copy()


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _count_runs(cells: Any, inner: Any, paired: Any) -> Any:
    number = 0
    for z in range(cells.shape[0]):
        for y in range(cells.shape[1]):
            before, before_inner = 0, 0
            for x in range(cells.shape[2]):
                cell = cells[z, y, x]
                if paired:
                    nucleus = inner[z, y, x]
                    if cell != 0 and (cell != before or nucleus != before_inner):
                        number += 1
                    before_inner = nucleus
                elif cell not in (0, before):
                    number += 1
                before = cell
    return number


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _fill_runs(cells: Any, inner: Any, paired: Any, runs: Any) -> None:
    starts, stops, cell_of, nucleus_of = runs
    run, pixel = -1, -1
    for z in range(cells.shape[0]):
        for y in range(cells.shape[1]):
            before, before_inner = 0, 0
            for x in range(cells.shape[2]):
                pixel += 1
                cell = cells[z, y, x]
                nucleus = inner[z, y, x] if paired else 0
                if cell != before or (cell != 0 and nucleus != before_inner):
                    if before != 0:
                        stops[run] = pixel
                    if cell != 0:
                        run += 1
                        starts[run] = pixel
                        cell_of[run] = cell
                        nucleus_of[run] = nucleus
                before, before_inner = cell, nucleus
            if before != 0:
                stops[run] = pixel + 1


@njit(nogil=True, cache=True, fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _add(flat: Any, at: Any, lengths: Any, group: Any, total: Any) -> None:
    for run in range(at.size):
        part = total.dtype.type(0)
        for pixel in range(at[run], at[run] + lengths[run]):
            part += flat[pixel]
        total[group[run]] += part


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_narrow(flat: Any, at: Any, lengths: Any, group: Any, total: Any, masks: Any) -> None:
    """`_add` for uint8 and uint16, by 32-bit sums, which 65,536 pixels fit in.

    The last pixels of a run are read 32 at a time too, those beyond it masked: loops of one length
    need no guess of the processor where they end.
    """
    wide = np.uint64(32)
    for run in range(at.size):
        pixel, left = np.uint64(at[run]), np.uint64(lengths[run])
        part = np.uint32(0)
        while left > wide:
            for lane in range(wide):
                part += np.uint32(flat[pixel + lane])
            pixel += wide
            left -= wide
        if pixel + wide <= np.uint64(flat.size):
            for lane in range(wide):
                part += np.uint32(flat[pixel + lane] & masks[left, lane])
        else:
            for lane in range(left):
                part += np.uint32(flat[pixel + lane])
        total[group[run]] += np.int64(part)


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
