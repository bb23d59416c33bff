"""Where on a map the number of a group is written."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BINS = 24
_ROUNDS = 200
_RELAX = 0.5


def densest(positions: Array) -> Array:
    """Mean of a group's cells where most of them are, ``(2,)``.

    That is the fullest block of 3 × 3 squares, of 24 × 24 over the group. The median of a group in
    two places would lie between them, where none of its cells are.
    """
    low = positions.min(axis=0)
    span = float((positions.max(axis=0) - low).max()) or 1.0
    square = np.minimum(((positions - low) / span * _BINS).astype(np.int64), _BINS - 1)
    counts = np.zeros((_BINS + 2, _BINS + 2), np.int64)
    np.add.at(counts, (square[:, 0] + 1, square[:, 1] + 1), 1)
    blocks = np.lib.stride_tricks.sliding_window_view(counts, (3, 3)).sum(axis=(2, 3))
    middle = np.array(np.unravel_index(blocks.argmax(), blocks.shape))
    near = (np.abs(square - middle) <= 1).all(axis=1)
    return np.asarray(positions[near].mean(axis=0), np.float64)


def apart(places: Array, sizes: Array) -> Array:
    """Move boxes until none covers another, or 200 rounds are over.

    Parameters
    ----------
    places
        Middles of the boxes, ``(n, 2)``.
    sizes
        Widths and heights, ``(n, 2)``.

    Returns
    -------
    numpy.ndarray
        New middles, ``(n, 2)``. Those that cover none stay where they are.
    """
    moved = np.array(places, np.float64)
    first, second = np.triu_indices(len(moved), 1)
    reach = (sizes[first] + sizes[second]) / 2
    for _ in range(_ROUNDS):
        gap = moved[second] - moved[first]
        over = reach - np.abs(gap)
        touching = np.flatnonzero((over > 1e-9 * reach).all(axis=1))
        if not len(touching):
            break
        # along the axis in which they overlap less; ties and equal places are pushed upwards
        across = over[touching].argmin(axis=1)
        sign = np.where(gap[touching, across] < 0, -1.0, 1.0)
        push = np.zeros((len(touching), 2))
        push[np.arange(len(touching)), across] = (
            sign * (over[touching, across] + 1e-6 * reach[touching, across]) * _RELAX
        )
        np.subtract.at(moved, first[touching], push)
        np.add.at(moved, second[touching], push)
    return moved
