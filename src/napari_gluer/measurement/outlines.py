"""Where cells lie and how they are shaped, from runs. Arrays only.

All of it is whole numbers until the end, so that pieces of a cell from several tiles add up to
exactly what the whole cell gives.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_gluer.measurement.runs import Floats, Runs, Whole

_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_EDGES = ((-1, 0), (1, 0), (0, -1), (0, 1))
_DIAGONALS = ((-1, -1), (-1, 1), (1, -1), (1, 1))
REACH = 2
"""Pixels around a block that decide the perimeter inside it."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Extent and moments of groups of pixels, axes z, y, x; a row for every group.

    Attributes
    ----------
    sizes
        Pixels.
    low, high
        ``(n, 3)`` first pixel, and the one after the last, along every axis.
    firsts
        ``(n, 3)`` sums of positions counted from `low`.
    seconds
        ``(n, 6)`` sums of their products zz, yy, xx, zy, zx, yx.
    """

    sizes: Whole
    low: Whole
    high: Whole
    firsts: Whole
    seconds: Whole

    @staticmethod
    def of(runs: Runs, offset: tuple[int, ...]) -> "Outlines":
        """Those of `runs`, whose block begins at `offset` ``(z, y, x)`` of the whole."""
        number = len(runs.keys)
        low = np.full((number, 3), np.iinfo(np.int64).max)
        high, firsts = np.zeros((number, 3), np.int64), np.zeros((number, 3), np.int64)
        seconds = np.zeros((number, 6), np.int64)
        _, height, width = runs.shape
        where = (runs.starts, runs.stops, runs.group)
        _find_extent(where, height, width, low, high)
        _add_positions(where, height, width, low, firsts, seconds)
        corner = np.array(offset, np.int64)
        return Outlines(runs.sizes, low + corner, high + corner, firsts, seconds)

    def counted_from(self, origin: Whole) -> tuple[Whole, Whole]:
        """`firsts` and `seconds` with positions counted from `origin` ``(n, 3)``."""
        shift, size = self.low - origin, self.sizes
        seconds = self.seconds.copy()
        for column, (i, j) in enumerate(_PAIRS):
            seconds[:, column] += (
                shift[:, i] * self.firsts[:, j]
                + shift[:, j] * self.firsts[:, i]
                + size * shift[:, i] * shift[:, j]
            )
        return self.firsts + size[:, np.newaxis] * shift, seconds

    def merged(self, rows: NDArray[np.integer], number: int) -> "Outlines":
        """Groups put together: group i goes to row ``rows[i]`` of `number`."""
        low = np.full((number, 3), np.iinfo(np.int64).max)
        high = np.full((number, 3), np.iinfo(np.int64).min)
        _stretch(self.low, self.high, rows, low, high)
        firsts, seconds = self.counted_from(low[rows])
        return Outlines(
            added(self.sizes, rows, number),
            low,
            high,
            added(firsts, rows, number),
            added(seconds, rows, number),
        )

    @property
    def centroids(self) -> Floats:
        """``(n, 3)``, in pixels."""
        return self.low + self.firsts / self.sizes[:, np.newaxis]

    def covariances(self, spacing: tuple[float, ...]) -> Floats:
        """Second central moments of the pixels' centres, ``(n, 3, 3)``, in squared `spacing`."""
        mean = self.firsts / self.sizes[:, np.newaxis]
        result = np.empty((len(self.sizes), 3, 3))
        for column, (i, j) in enumerate(_PAIRS):
            value = self.seconds[:, column] / self.sizes - mean[:, i] * mean[:, j]
            result[:, i, j] = result[:, j, i] = value * spacing[i] * spacing[j]
        return result


def add_rows(total: NDArray[Any], values: NDArray[Any], rows: NDArray[np.integer]) -> None:
    """Add row i of `values` to row ``rows[i]`` of `total`."""
    _add_rows(values, rows, total)


def added(values: NDArray[Any], rows: NDArray[np.integer], number: int) -> NDArray[Any]:
    """Rows of `values` added up: row i goes to row ``rows[i]`` of `number`."""
    total = np.zeros((number, *values.shape[1:]), values.dtype)
    wide = (len(values), -1) if len(values) else (0, 1)
    _add_rows(values.reshape(wide), rows, total.reshape(number, -1))
    return total


def shape_columns(outlines: Outlines, axes: int, spacing: tuple[float, ...]) -> dict[str, Floats]:
    """Shape as scikit-image's ``regionprops`` defines it, with these names.

    Parameters
    ----------
    outlines
        Of the cells.
    axes
        2 or 3.
    spacing
        Size of a pixel along every one of them.
    """
    used = slice(3 - axes, 3)
    full = (1.0,) * (3 - axes) + spacing
    spread = outlines.covariances(full)[:, used, used]
    spread = spread.reshape(-1, axes, axes)
    trace = np.trace(spread, axis1=1, axis2=2)[:, np.newaxis, np.newaxis]
    values = np.clip(np.linalg.eigvalsh(trace * np.eye(axes) - spread), 0, None)[:, ::-1]
    size = outlines.sizes * float(np.prod(spacing))
    box = np.prod((outlines.high - outlines.low)[:, used], axis=1)
    columns = {
        "equivalent_diameter_area": (2 * axes * size / np.pi) ** (1 / axes),
        "extent": outlines.sizes / box,
    }
    if axes == 3:
        long, short = (
            values[:, 0] + values[:, 1] - values[:, 2],
            values[:, 1:].sum(1) - values[:, 0],
        )
        lengths = (np.sqrt(np.maximum(0, 10 * part)) for part in (long, short))
        return {
            **columns,
            **dict(zip(("axis_major_length", "axis_minor_length"), lengths, strict=True)),
        }
    ratio = np.divide(values[:, 1], values[:, 0], out=np.ones(len(size)), where=values[:, 0] > 0)
    return {
        **columns,
        "axis_major_length": 4 * np.sqrt(values[:, 0]),
        "axis_minor_length": 4 * np.sqrt(values[:, 1]),
        "eccentricity": np.sqrt(np.clip(1 - ratio, 0, 1)),
        "orientation": _orientation(spread),
    }


def _orientation(spread: Floats) -> Floats:
    """Angle from the y axis to the long axis, −π/2 to π/2; ±π/4 where no axis is longer."""
    yy, xx, yx = spread[:, 0, 0], spread[:, 1, 1], spread[:, 0, 1]
    round_ = np.isclose(yy, xx, rtol=1e-12, atol=0)
    turned = 0.5 * np.arctan2(2 * yx, yy - xx)
    return np.where(round_, np.where(yx > 0, np.pi / 4, -np.pi / 4), turned)


def perimeters(labels: NDArray[Any], inner: tuple[slice, ...], ids: Whole) -> Floats:
    """Perimeter inside a block, by 4-connected border pixels as scikit-image counts it.

    Parameters
    ----------
    labels
        ``(y, x)``, the block and `REACH` pixels around it, as far as the image goes.
    inner
        Where the block lies in it.
    ids
        Ascending: the cells of the block.

    Returns
    -------
    Length in pixels that the block adds to every one of `ids`.
    """
    border = np.zeros(labels.shape, np.bool_)
    _mark_border(labels, border)
    weights = np.zeros(50)
    weights[[5, 7, 15, 17, 25, 27]] = 1
    weights[[21, 33]] = np.sqrt(2)
    weights[[13, 23]] = (1 + np.sqrt(2)) / 2
    length = np.zeros(len(ids))
    corner = (inner[0].start, inner[0].stop, inner[1].start, inner[1].stop)
    _add_border(labels, border, corner, ids, weights, length)
    return length


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _find_extent(where: Any, height: Any, width: Any, low: Any, high: Any) -> None:
    starts, stops, group = where
    z, y, begin = 0, 0, 0
    for run in range(starts.size):
        cell, number = group[run], stops[run] - starts[run]
        while starts[run] >= begin + width:  # runs are in raster order
            y, begin = y + 1, begin + width
            if y == height:
                z, y = z + 1, 0
        x = starts[run] - begin
        low[cell, 0] = min(low[cell, 0], z)
        low[cell, 1] = min(low[cell, 1], y)
        low[cell, 2] = min(low[cell, 2], x)
        high[cell, 0] = max(high[cell, 0], z + 1)
        high[cell, 1] = max(high[cell, 1], y + 1)
        high[cell, 2] = max(high[cell, 2], x + number)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_positions(
    where: Any, height: Any, width: Any, low: Any, firsts: Any, seconds: Any
) -> None:
    starts, stops, group = where
    plane, row, begin = 0, 0, 0
    for run in range(starts.size):
        cell, n = group[run], stops[run] - starts[run]
        while starts[run] >= begin + width:
            row, begin = row + 1, begin + width
            if row == height:
                plane, row = plane + 1, 0
        z, y, x = plane - low[cell, 0], row - low[cell, 1], starts[run] - begin - low[cell, 2]
        along = n * x + n * (n - 1) // 2
        firsts[cell, 0] += n * z
        firsts[cell, 1] += n * y
        firsts[cell, 2] += along
        seconds[cell, 0] += n * z * z
        seconds[cell, 1] += n * y * y
        seconds[cell, 2] += n * x * x + x * n * (n - 1) + (n - 1) * n * (2 * n - 1) // 6
        seconds[cell, 3] += n * z * y
        seconds[cell, 4] += z * along
        seconds[cell, 5] += y * along


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _mark_border(labels: Any, border: Any) -> None:
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            cell = labels[y, x]
            for dy, dx in _EDGES:
                outside = not (0 <= y + dy < height and 0 <= x + dx < width)
                if cell != 0 and (outside or labels[y + dy, x + dx] != cell):
                    border[y, x] = True


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_border(labels: Any, border: Any, corner: Any, ids: Any, weights: Any, length: Any) -> None:
    height, width = labels.shape
    for y in range(corner[0], corner[1]):
        for x in range(corner[2], corner[3]):
            if not border[y, x]:
                continue
            cell, code = labels[y, x], 1
            for v, u in _EDGES:
                if 0 <= y + v < height and 0 <= x + u < width:
                    code += 2 * (border[y + v, x + u] and labels[y + v, x + u] == cell)
            for v, u in _DIAGONALS:
                if 0 <= y + v < height and 0 <= x + u < width:
                    code += 10 * (border[y + v, x + u] and labels[y + v, x + u] == cell)
            length[np.searchsorted(ids, cell)] += weights[code]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_rows(values: Any, rows: Any, total: Any) -> None:
    for row in range(rows.size):
        for column in range(values.shape[1]):
            total[rows[row], column] += values[row, column]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _stretch(lows: Any, highs: Any, rows: Any, low: Any, high: Any) -> None:
    for row in range(rows.size):
        for axis in range(3):
            low[rows[row], axis] = min(low[rows[row], axis], lows[row, axis])
            high[rows[row], axis] = max(high[rows[row], axis], highs[row, axis])
