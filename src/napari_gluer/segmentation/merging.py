"""From the basins of all tiles to nuclei: shallow passes are opened, deep ones part nuclei."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_gluer.segmentation.basins import Basins

_NONE = np.zeros(1, np.int32)
_DOUBLINGS = 64  # each follows ways twice as far as the one before: none is longer


@dataclass(frozen=True)
class Nuclei:
    """Nuclei put together from basins, in the order of their first pixels.

    Attributes
    ----------
    sizes
        Pixels of every nucleus.
    centres
        ``(n, ndim)`` mean pixel coordinates.
    numbers
        For every tile, what nucleus a basin belongs to: index 0 is background, value 0 no nucleus.
    """

    sizes: NDArray[np.int64]
    centres: NDArray[np.float64]
    numbers: list[NDArray[np.int32]]

    def keeping(self, kept: NDArray[np.bool_]) -> "Nuclei":
        """These nuclei without those where `kept` is False, numbered anew without gaps."""
        number = np.zeros(len(kept) + 1, np.int32)
        number[1:][kept] = np.arange(1, kept.sum() + 1, dtype=np.int32)
        numbers = [number[part] for part in self.numbers]
        return Nuclei(self.sizes[kept], self.centres[kept], numbers)


def merged(tiles: Sequence[Basins], depth: float) -> Nuclei:
    """Put basins together, over the borders of tiles too.

    From the highest pass down, the two sides of a pass become one where the lower of their tops
    stands out from it by less than `depth`.

    Parameters
    ----------
    tiles
        Basins of tiles that cover the image.
    depth
        Of the notch that parts two nuclei.
    """
    pixels = np.concatenate([tile.pixels for tile in tiles])
    ways = np.concatenate([tile.ring for tile in tiles]).astype(np.int64)
    ways = ways[np.argsort(ways[:, 0])]
    passes = np.concatenate([tile.passes for tile in tiles])
    ends = followed(pixels[:, 0].astype(np.int64), ways)
    if not len(ends):
        return Nuclei(
            np.empty(0, np.int64), np.empty((0, pixels.shape[1] - 4)), [_NONE] * len(tiles)
        )
    tops, place = np.unique(ends, return_inverse=True)
    own = pixels[:, 0] == ends
    heights = np.zeros(len(tops))
    heights[place[own]] = pixels[own, 1]
    group = _opened(heights, *_falling(tops, passes, ways), depth)[place]
    roots, group = np.unique(group, return_inverse=True)
    begins = np.full(len(roots), np.inf)
    np.minimum.at(begins, group, pixels[:, 3])
    rank = np.empty(len(roots), np.int64)
    rank[np.argsort(begins)] = np.arange(len(roots))
    group = rank[group]
    sizes = np.bincount(group, pixels[:, 2], len(roots))
    sums = [np.bincount(group, column, len(roots)) / sizes for column in pixels[:, 4:].T]
    bounds = np.cumsum([len(tile.pixels) for tile in tiles])[:-1]
    numbers = [np.concatenate([[0], part + 1]).astype(np.int32) for part in np.split(group, bounds)]
    return Nuclei(sizes.astype(np.int64), np.column_stack(sums), numbers)


def followed(ends: NDArray[np.int64], ways: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where ways end in the whole image.

    Parameters
    ----------
    ends
        Pixels where ways end as far as one tile sees.
    ways
        ``(k, 2)``, sorted: pixels on borders of tiles, and where the way goes on to.
    """
    if not len(ways):
        return ends
    target = ways[:, 1]
    for _ in range(_DOUBLINGS):
        further = _one_step(target, ways[:, 0], target)
        if np.array_equal(further, target):
            return _one_step(ends, ways[:, 0], target)
        target = further
    raise RuntimeError("Tiles disagree on the heights at their borders.")


def _one_step(ends: Any, starts: Any, target: Any) -> NDArray[np.int64]:
    """Where ends lead, by the targets of the pixels `starts`; to themselves elsewhere."""
    at = np.minimum(np.searchsorted(starts, ends), len(starts) - 1)
    return np.asarray(np.where(starts[at] == ends, target[at], ends), np.int64)


def _falling(tops: Any, passes: Any, ways: Any) -> tuple[Any, Any, Any]:
    """Passes between different basins, the highest first; equal ones by the basins they join.

    Those to pixels that no tile holds, beyond the part that is looked at, are left out.
    """
    ends = [followed(passes[:, side].astype(np.int64), ways) for side in (0, 1)]
    places = [np.minimum(np.searchsorted(tops, end), len(tops) - 1) for end in ends]
    low, high = np.minimum(*places), np.maximum(*places)
    between = low != high
    for end, place in zip(ends, places, strict=True):
        between &= tops[place] == end
    low, high, level = low[between], high[between], passes[between, 2]
    order = np.lexsort((high, low, -level))
    return low[order], high[order], level[order]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _opened(tops: Any, first: Any, second: Any, level: Any, depth: float) -> Any:
    """The basin that stands for every basin's nucleus."""
    group = np.arange(len(tops))
    for n in range(len(level)):
        a, b = first[n], second[n]
        while group[a] != a:
            group[a] = group[group[a]]
            a = group[a]
        while group[b] != b:
            group[b] = group[group[b]]
            b = group[b]
        if tops[a] < tops[b] or (tops[a] == tops[b] and b < a):
            a, b = b, a
        if a != b and tops[b] - level[n] < depth:
            group[b] = a
    for n in range(len(tops)):
        root = n
        while group[root] != root:
            root = group[root]
        group[n] = root
    return group
