"""Inner loops over the edges of polygons, compiled (see `napari_gluer.polygons`)."""

import math
from typing import Any

import numpy as np
from numba import njit

_AT_ONCE = 4  # edges a band of y, before those that span several


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _edges(points: Any, rings: Any) -> Any:
    """Edges ``(n, 4)`` as y, x, y, x, from the smaller y: one edge has one set of numbers."""
    count = 0
    edges = np.empty((rings[-1] - rings[0], 4))
    for ring in range(len(rings) - 1):
        first, last = rings[ring], rings[ring + 1] - 1
        for i in range(first, last + 1):
            j = i + 1 if i < last else first
            a, b = (i, j) if points[i, 0] < points[j, 0] else (j, i)
            if points[i, 0] != points[j, 0]:
                edges[count] = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
                count += 1
    return edges[:count]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _crossing(edge: Any, y: float) -> float:
    return edge[1] + (y - edge[0]) * ((edge[3] - edge[1]) / (edge[2] - edge[0]))  # type: ignore[no-any-return]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _crossings(edges: Any, top: int, height: int) -> Any:
    """Where edges cross the rows from `top`: sorted x, and the first of every row."""
    starts = np.zeros(height + 1, np.int64)
    first, last = np.empty(len(edges), np.int64), np.empty(len(edges), np.int64)
    for e in range(len(edges)):
        first[e] = min(max(math.ceil(edges[e, 0]) - top, 0), height)
        last[e] = max(min(math.ceil(edges[e, 2]) - top, height), first[e])
        for row in range(first[e], last[e]):
            starts[row + 1] += 1
    starts = np.cumsum(starts)
    xs = np.empty(starts[-1])
    filled = starts[:-1].copy()
    for e in range(len(edges)):
        for row in range(first[e], last[e]):
            xs[filled[row]] = _crossing(edges[e], float(row + top))
            filled[row] += 1
    for row in range(height):
        xs[starts[row] : starts[row + 1]].sort()
    return xs, starts


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def draw_polygons(labels: Any, corner: Any, packed: Any, numbers: Any, counts: Any) -> None:
    """Write `numbers` into the pixels of polygons that hold 0; count them.

    Parameters
    ----------
    labels
        int32 ``(y, x)``, changed; its first pixel is `corner` of the whole image.
    packed
        Points, the first point of every ring, the first ring of every polygon.
    numbers
        One a polygon.
    counts
        Two int64 arrays, one number a polygon, changed: pixels written, pixels found taken.
    """
    points, rings, polygons = packed
    top, left = corner
    drawn, covered = counts
    for p in range(len(polygons) - 1):
        edges = _edges(points, rings[polygons[p] : polygons[p + 1] + 1])
        if not len(edges):
            continue
        first = max(math.ceil(edges[:, 0].min()), top)
        height = min(math.ceil(edges[:, 2].max()), top + labels.shape[0]) - first
        if height <= 0:
            continue
        xs, starts = _crossings(edges, first, height)
        for row in range(height):
            for i in range(starts[row], starts[row + 1] - 1, 2):
                x0 = min(max(math.ceil(xs[i]) - left, 0), labels.shape[1])
                x1 = min(max(math.ceil(xs[i + 1]) - left, 0), labels.shape[1])
                for x in range(x0, x1):
                    if labels[first - top + row, x] == 0:
                        labels[first - top + row, x] = numbers[p]
                        drawn[p] += 1
                    else:
                        covered[p] += 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _bins(edges: Any, low: float, height: float, count: int) -> Any:
    """The edges that meet each of `count` bands of y: their numbers, and the first of each band."""
    starts = np.zeros(count + 1, np.int64)
    spans = np.empty((len(edges), 2), np.int64)
    for e in range(len(edges)):
        spans[e, 0] = min(int((edges[e, 0] - low) / height * count), count - 1)
        spans[e, 1] = min(int((edges[e, 2] - low) / height * count), count - 1) + 1
        for band in range(spans[e, 0], spans[e, 1]):
            starts[band + 1] += 1
    starts = np.cumsum(starts)
    members = np.empty(starts[-1], np.int64)
    filled = starts[:-1].copy()
    for e in range(len(edges)):
        for band in range(spans[e, 0], spans[e, 1]):
            members[filled[band]] = e
            filled[band] += 1
    return members, starts


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def mark_covered(found: Any, places: Any, packed: Any) -> None:
    """Set `found` where a place lies in a polygon.

    Parameters
    ----------
    found
        bool ``(n,)``, changed.
    places
        ``(n, 2)``, y and x, by rising y.
    packed
        Points, the first point of every ring, the first ring of every polygon.
    """
    points, rings, polygons = packed
    for p in range(len(polygons) - 1):
        edges = _edges(points, rings[polygons[p] : polygons[p + 1] + 1])
        if not len(edges):
            continue
        low, high = edges[:, 0].min(), edges[:, 2].max()
        bands = 1 + len(edges) // _AT_ONCE
        members, starts = _bins(edges, low, high - low, bands)
        begin = np.searchsorted(places[:, 0], low)
        for i in range(begin, len(places)):
            y, x = places[i]
            if y >= high:
                break
            if found[i]:
                continue
            band = min(int((y - low) / (high - low) * bands), bands - 1)
            odd = False
            for m in range(starts[band], starts[band + 1]):
                edge = edges[members[m]]
                if edge[0] <= y < edge[2] and _crossing(edge, y) <= x:
                    odd = not odd
            found[i] = odd


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _side(a: Any, b: Any, y: float, x: float) -> float:
    return (b[1] - a[1]) * (y - a[0]) - (b[0] - a[0]) * (x - a[1])  # type: ignore[no-any-return]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def any_crossing(points: Any, rings: Any) -> bool:
    """Whether two edges of the rings cross in their inside."""
    segments = np.empty((len(points), 4))
    for ring in range(len(rings) - 1):
        first, last = rings[ring], rings[ring + 1] - 1
        for i in range(first, last + 1):
            j = i + 1 if i < last else first
            a, b = (i, j) if points[i, 0] <= points[j, 0] else (j, i)
            segments[i] = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
    segments = segments[np.argsort(segments[:, 0])]
    for i in range(len(segments)):
        a, b = segments[i, :2], segments[i, 2:]
        for j in range(i + 1, len(segments)):
            c, d = segments[j, :2], segments[j, 2:]
            if c[0] > b[0]:
                break
            apart = _side(a, b, c[0], c[1]) * _side(a, b, d[0], d[1]) < 0
            if apart and _side(c, d, a[0], a[1]) * _side(c, d, b[0], b[1]) < 0:
                return True
    return False
