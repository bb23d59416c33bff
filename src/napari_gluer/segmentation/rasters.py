"""Discs and reserved pixels on a grid. Compiled; arrays only."""

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def draw_discs(at: Any, radius: float, labels: Any, best: Any) -> None:
    """Write ``i + 1`` to the pixels of `labels` that are within `radius` of ``at[i]``, (x, y).

    Where discs meet, the nearest centre has the pixel. `best` starts at infinity.
    """
    height, width = labels.shape
    for cell in range(len(at)):
        x, y = at[cell]
        for row in range(max(0, int(y - radius)), min(height, int(y + radius) + 2)):
            for column in range(max(0, int(x - radius)), min(width, int(x + radius) + 2)):
                distance = (row - y) ** 2 + (column - x) ** 2
                if distance <= radius * radius and distance < best[row, column]:
                    best[row, column] = distance
                    labels[row, column] = cell + 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _free_on_ring(row: int, column: int, ring: int, taken: Any) -> int:
    """Position of the first free pixel at Chebyshev distance `ring`, -1 where there is none."""
    height, width = taken.shape
    for r in range(max(0, row - ring), min(height, row + ring + 1)):
        edge = abs(r - row) == ring
        step = 1 if edge or ring == 0 else 2 * ring
        for c in range(column - ring, column + ring + 1, step):
            if 0 <= c < width and not taken[r, c]:
                return int(r * width + c)
    return -1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def reserve_pixels(rows: Any, columns: Any, taken: Any, pixels: Any) -> None:
    """Give every cell a pixel of its own, the nearest free one to its centre."""
    rings = np.zeros(taken.shape, np.int32)  # where the last search around a pixel ended
    for cell in range(len(rows)):
        row, column = rows[cell], columns[cell]
        found = _free_on_ring(row, column, rings[row, column], taken)
        while found < 0:
            rings[row, column] += 1
            found = _free_on_ring(row, column, rings[row, column], taken)
        pixels[cell] = found
        taken[found // taken.shape[1], found % taken.shape[1]] = True
