"""For every row the points of greatest inner product, tile by tile: compiled, arrays only.

A tile holds 256 points by dimension, so that products run over neighbours in memory and stay in
the processor's first cache. Every product is added up in one order, whatever the blocks and
threads, and a row remembers its best points as whole numbers that order score and position at once.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

TILE = 256
_STEP = 8  # dimensions that are added up at once; rows are padded to whole steps
_SLAB = 32  # dimensions of a tile that fit the first cache
_CHUNK = 64


def padded(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows with zeros behind, up to whole steps of dimensions, contiguous."""
    width = max(_STEP, -(-rows.shape[1] // _STEP) * _STEP)
    whole = np.zeros((len(rows), width), np.float32)
    whole[:, : rows.shape[1]] = rows
    return whole


def tiled(points: NDArray[np.float32], order: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Points in `order`, in tiles: ``(n_tiles, n_dimensions · 256)``, dimension by dimension.

    The last tile is filled up with NaN, which is never among the best.
    """
    n_points, width = points.shape
    n_tiles = -(-n_points // TILE)
    tiles = np.full((n_tiles, width, TILE), np.nan, np.float32)
    for i in range(n_tiles):
        part = points[order[i * TILE : (i + 1) * TILE]]
        tiles[i, :, : len(part)] = part.T
    return tiles.reshape(n_tiles, width * TILE)


@njit(nogil=True, cache=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def best_points(
    rows: NDArray[np.float32],
    tiles: NDArray[np.float32],
    order: NDArray[np.uint32],
    n_best: int,
) -> NDArray[np.int64]:  # pragma: no cover - compiled
    """Positions of the `n_best` points of greatest inner product with each row, in no order.

    Of equal products those of lower position. `rows` are `padded`, `tiles` and `order` as
    `tiled` has them; there are at least `n_best` points.

    Returns
    -------
    numpy.ndarray
        int64 ``(n_rows, n_best)``.
    """
    n_rows = len(rows)
    room = 2 * n_best + _CHUNK
    keys = np.empty((n_rows, room), np.uint64)
    counts = np.zeros(n_rows, np.int64)
    least = np.full(n_rows, -np.inf, np.float32)
    least_key = np.zeros(n_rows, np.uint64)
    scores = np.empty((n_rows, TILE), np.float32)
    for i in range(len(tiles)):
        _products(rows, tiles[i], scores)
        of_tile = order[i * TILE : (i + 1) * TILE]
        for row in range(n_rows):
            for first in range(0, TILE, _CHUNK):
                chunk = scores[row, first : first + _CHUNK]
                if not _any_above(chunk, least[row]):
                    continue
                counts[row] = _take(
                    chunk, of_tile[first:], least[row], least_key[row], keys[row], counts[row]
                )
                if counts[row] > room - _CHUNK:
                    _keep_best(keys[row], counts[row], n_best)
                    counts[row] = n_best
                    least_key[row] = keys[row, :n_best].min()
                    least[row] = _score(least_key[row])
    found = np.empty((n_rows, n_best), np.int64)
    for row in range(n_rows):
        _keep_best(keys[row], counts[row], n_best)
        for place in range(n_best):
            found[row, place] = np.int64(~keys[row, place] & np.uint64(0xFFFFFFFF))
    return found


@njit(nogil=True, cache=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def _products(rows: Any, tile: Any, scores: Any) -> None:  # pragma: no cover - compiled
    scores[:] = np.float32(0)
    for slab in range(0, rows.shape[1], _SLAB):
        stop = min(slab + _SLAB, rows.shape[1])
        part = tile[slab * TILE : stop * TILE]
        for row in range(len(rows)):
            _add_products(rows[row, slab:stop], part, scores[row])


@njit(nogil=True, cache=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def _add_products(row: Any, tile: Any, out: Any) -> None:  # pragma: no cover - compiled
    """Eight dimensions at once; slices of known length let the compiler use vectors."""
    for j in range(0, len(row), _STEP):
        a0, a1, a2, a3 = row[j], row[j + 1], row[j + 2], row[j + 3]
        a4, a5, a6, a7 = row[j + 4], row[j + 5], row[j + 6], row[j + 7]
        t0 = tile[j * TILE : (j + 1) * TILE]
        t1 = tile[(j + 1) * TILE : (j + 2) * TILE]
        t2 = tile[(j + 2) * TILE : (j + 3) * TILE]
        t3 = tile[(j + 3) * TILE : (j + 4) * TILE]
        t4 = tile[(j + 4) * TILE : (j + 5) * TILE]
        t5 = tile[(j + 5) * TILE : (j + 6) * TILE]
        t6 = tile[(j + 6) * TILE : (j + 7) * TILE]
        t7 = tile[(j + 7) * TILE : (j + 8) * TILE]
        for i in range(TILE):
            near = a0 * t0[i] + a1 * t1[i] + a2 * t2[i] + a3 * t3[i]
            out[i] += near + (a4 * t4[i] + a5 * t5[i] + a6 * t6[i] + a7 * t7[i])


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _any_above(scores: Any, least: Any) -> Any:  # pragma: no cover - compiled
    above = np.int32(0)
    for i in range(_CHUNK):
        above += np.int32(scores[i] >= least)
    return above > 0


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _take(
    scores: Any, positions: Any, least: Any, least_key: Any, keys: Any, count: Any
) -> Any:  # pragma: no cover - compiled
    """Append the keys of scores above the least; returns how many keys there are."""
    bits = scores.view(np.uint32)
    for i in range(len(scores)):
        if scores[i] >= least:
            key = _key(bits[i], positions[i])
            if key > least_key:
                keys[count] = key
                count += 1
    return count


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _key(bits: Any, position: Any) -> Any:  # pragma: no cover - compiled
    """A whole number that is greater for greater scores, then for lower positions."""
    sign = np.uint32(0x80000000)
    ordered = ~bits if bits & sign else bits | sign
    return (np.uint64(ordered) << np.uint64(32)) | np.uint64(~position & np.uint32(0xFFFFFFFF))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _score(key: Any) -> Any:  # pragma: no cover - compiled
    """The score that a key was made of."""
    ordered = np.uint32(key >> np.uint64(32))
    sign = np.uint32(0x80000000)
    bits = np.empty(1, np.uint32)
    bits[0] = ordered & ~sign if ordered & sign else ~ordered
    return bits.view(np.float32)[0]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _keep_best(keys: Any, count: Any, n_best: Any) -> None:  # pragma: no cover - compiled
    """The greatest `n_best` of `count` keys to the front, in no order (Hoare's selection)."""
    low, high = 0, count - 1
    while low < high:
        pivot = keys[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while keys[i] > pivot:
                i += 1
            while keys[j] < pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                i += 1
                j -= 1
        if n_best - 1 <= j:
            high = j
        elif n_best - 1 >= i:
            low = i
        else:
            return


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def exact_products(
    rows: NDArray[np.float32], points: NDArray[np.float32], found: NDArray[np.int64]
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    """Inner product of each row with the points found for it, summed in double precision."""
    values = np.empty(found.shape)
    for row in range(len(rows)):
        for place in range(found.shape[1]):
            point = points[found[row, place]]
            total = 0.0
            for j in range(rows.shape[1]):
                total += np.float64(rows[row, j]) * np.float64(point[j])
            values[row, place] = total
    return values


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def exact_squares(
    rows: NDArray[np.float32], points: NDArray[np.float32], found: NDArray[np.int64]
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    """Squared distance of each row to the points found for it, summed in double precision."""
    values = np.empty(found.shape)
    for row in range(len(rows)):
        for place in range(found.shape[1]):
            point = points[found[row, place]]
            total = 0.0
            for j in range(rows.shape[1]):
                step = np.float64(rows[row, j]) - np.float64(point[j])
                total += step * step
            values[row, place] = total
    return values
