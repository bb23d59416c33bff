"""Cells of a block as runs: pixels of one cell side by side in a row. Arrays only.

Every statistic goes over runs, which skip the background and are a twentieth of the pixels.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]


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


def _plain(labels: NDArray[Any]) -> NDArray[Any]:
    """int32 or int64, contiguous: two kernels in place of eight."""
    narrow = labels.dtype.kind == "i" and labels.dtype.itemsize <= 4
    narrow |= labels.dtype.kind == "u" and labels.dtype.itemsize <= 2
    plain = np.ascontiguousarray(labels, np.int32 if narrow else np.int64).view()
    plain.flags.writeable = False
    return plain


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _count_runs(cells: Any, inner: Any, paired: Any) -> Any:
    number = 0
    for z in range(cells.shape[0]):
        for y in range(cells.shape[1]):
            cell = cells[z, y]
            number += cell[0] != 0
            if paired:
                nucleus = inner[z, y]
                for x in range(1, cell.size):
                    changed = (cell[x] != cell[x - 1]) | (nucleus[x] != nucleus[x - 1])
                    number += changed & (cell[x] != 0)
            else:
                for x in range(1, cell.size):
                    number += (cell[x] != cell[x - 1]) & (cell[x] != 0)
    return number


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _fill_runs(cells: Any, inner: Any, paired: Any, runs: Any) -> None:
    """Row by row: where anything changes, without a branch a pixel; then the runs between."""
    starts, stops, cell_of, nucleus_of = runs
    width = cells.shape[2]
    at = np.zeros(width + 1, np.int64)
    run, before = 0, 0
    for z in range(cells.shape[0]):
        for y in range(cells.shape[1]):
            cell, number = cells[z, y], 1
            if paired:
                nucleus = inner[z, y]
                for x in range(1, width):
                    at[number] = x
                    number += (cell[x] != cell[x - 1]) | (nucleus[x] != nucleus[x - 1])
            else:
                for x in range(1, width):
                    at[number] = x
                    number += cell[x] != cell[x - 1]
            at[number] = width
            for part in range(number):
                first = at[part]
                if cell[first] != 0:
                    starts[run], stops[run] = before + first, before + at[part + 1]
                    cell_of[run] = cell[first]
                    nucleus_of[run] = inner[z, y, first] if paired else 0
                    run += 1
            before += width
