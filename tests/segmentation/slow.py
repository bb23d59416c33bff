"""References that are slow, literal, and written without the code they are compared with."""

import itertools

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

Pixel = tuple[int, ...]


def around(at: Pixel, shape: tuple[int, ...]) -> list[Pixel]:
    """The pixel and those that touch it, corners too, in the order of the raster."""
    keys = [range(max(0, n - 1), min(side, n + 2)) for n, side in zip(at, shape, strict=True)]
    return list(itertools.product(*keys))


def tops_of(height: np.ndarray) -> dict[Pixel, Pixel]:
    """The top on which the steepest way up from every pixel of the foreground ends."""

    def up(at: Pixel) -> Pixel:
        # max takes the first in the raster of those equally high
        return max(around(at, height.shape), key=lambda other: height[other])

    tops = {}
    for start in map(tuple, np.argwhere(height > 0).tolist()):
        at = start
        while up(at) != at:
            at = up(at)
        tops[start] = at
    return tops


def passes_of(height: np.ndarray, tops: dict[Pixel, Pixel]) -> dict[tuple[Pixel, Pixel], float]:
    """The highest way between any two basins that touch."""
    passes: dict[tuple[Pixel, Pixel], float] = {}
    for at, top in tops.items():
        for other in around(at, height.shape):
            if other in tops and tops[other] > top:
                level = float(min(height[at], height[other]))
                pair = (top, tops[other])
                passes[pair] = max(level, passes.get(pair, 0.0))
    return passes


def nuclei_of(height: np.ndarray, depth: float) -> np.ndarray:
    """Labels: from the highest pass down, two sides are one where the lower stands out too little.

    Tops and pixels are compared as tuples, which is the order of the raster.
    """
    tops = tops_of(height)
    members = {top: {top} for top in tops.values()}
    stands_for = {top: top for top in members}
    falling = sorted(passes_of(height, tops).items(), key=lambda item: (-item[1], item[0]))
    for pair, level in falling:
        sides = {stands_for[top] for top in pair}
        if len(sides) == 1:
            continue
        higher, lower = sorted(sides, key=lambda top: (-height[top], top))
        if float(height[lower]) - level < depth:
            members[higher] |= members.pop(lower)
            for top in members[higher]:
                stands_for[top] = higher
    labels = np.zeros(height.shape, np.int32)
    numbers: dict[Pixel, int] = {}
    for at in sorted(tops):
        labels[at] = numbers.setdefault(stands_for[tops[at]], len(numbers) + 1)
    return labels


def cheapest_label(
    labels: np.ndarray, slow: np.ndarray, steps: tuple[float, ...], reach: float
) -> np.ndarray:
    """The label with the shortest way to every pixel, by SciPy's graphs; 0 beyond `reach`.

    A step costs its length times the mean of `slow` at its two ends.
    """
    raster = np.arange(labels.size).reshape(labels.shape)
    rows, columns, costs = [], [], []
    for at in np.ndindex(labels.shape):
        for other in around(at, labels.shape):
            if other != at:
                length = np.linalg.norm((np.array(other) - at) * steps)
                rows.append(raster[at])
                columns.append(raster[other])
                costs.append(length * (slow[at] + slow[other]) / 2)
    graph = coo_array((costs, (rows, columns)), (labels.size, labels.size)).tocsr()
    # SciPy's shortest paths took no wider ones for long
    graph.indices, graph.indptr = (one.astype(np.int32) for one in (graph.indices, graph.indptr))
    best = np.full(labels.size, reach)
    found = np.zeros(labels.size, np.int32)
    for name in np.unique(labels[labels > 0]):
        starts = np.flatnonzero(labels.ravel() == name)
        cost = dijkstra(graph, indices=starts, min_only=True, limit=reach * 1.01)
        nearer = cost <= best if name == labels[labels > 0].min() else cost < best - 1e-9
        best, found = np.where(nearer, cost, best), np.where(nearer, name, found)
    return found.reshape(labels.shape)


def nearest_by_hand(
    labels: np.ndarray, steps: tuple[float, ...], reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the nearest labelled pixel (inf without one), and the lowest label there."""
    at, names = np.argwhere(labels > 0), labels[labels > 0]
    if not len(at):
        return np.full(labels.shape, np.inf), np.zeros(labels.shape, np.int32)
    pixels = np.argwhere(np.ones(labels.shape, bool))
    squared = (((pixels[:, np.newaxis] - at) * steps) ** 2).sum(2)
    nearest = squared.min(1)
    lowest = np.where(squared == nearest[:, np.newaxis], names, names.max()).min(1)
    found = np.where(nearest <= reach**2, lowest, 0)
    return np.sqrt(nearest).reshape(labels.shape), found.reshape(labels.shape)
