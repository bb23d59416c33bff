"""Exact nearest neighbours in blocks: memory linear in cells, no n × n matrix.

Exact up to a million cells and beyond, rather than approximate: an approximate search is no longer
the same on every machine, and the maps are learnt from samples (`AnchorParams.max_cells`).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.devices import pick_device
from napari_gluer.errors import InputError
from napari_gluer.ranking import best_points, exact_products, exact_squares, padded, tiled
from napari_gluer.track import Track, silently

_BLOCK_ELEMENTS = 16_000_000  # products between two questions whether to stop: about 40 ms
_FEWEST_ROWS, _MOST_ROWS = 32, 256
_GPU_ELEMENTS = 256_000_000  # 1 GB of float32 products at a time
_SPARE = 8  # found beyond k, for the products in single precision may misplace the last ones

Rows = NDArray[np.float32]
_Exact = Callable[[Rows, Rows, NDArray[np.int64]], NDArray[np.float64]]
_Find = Callable[[slice], NDArray[np.int64]]


def unit_rows(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows divided by their length; rows of zeros stay zeros."""
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    units = np.divide(points, norms, out=np.zeros_like(points), where=norms > 0)
    return np.asarray(units, np.float32)


def nearest_by_cosine(
    query: NDArray[np.floating],
    points: NDArray[np.floating],
    n_neighbors: int,
    *,
    device: str = "cpu",
    track: Track = silently,
    desc: str = "Nearest neighbours",
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each row of `query` the `n_neighbors` rows of `points` of greatest cosine.

    Of equal cosines the lower row comes first. The same on any number of threads; on another
    device or processor, neighbours whose cosines differ by less than 1e-6 may change places.

    Parameters
    ----------
    query, points
        ``(n_query, d)`` and ``(n_points, d)``. A row of zeros has cosine 0 with every row.
    n_neighbors
        How many.
    device
        ``cpu``, ``cuda``, ``mps``, or ``auto`` for a GPU where there is one.
    track
        Wraps the loop over blocks of rows.

    Returns
    -------
    indices
        int64 ``(n_query, k)``, nearest first; k is less than asked where there are fewer points.
    similarities
        float32 ``(n_query, k)``: the cosines.

    Raises
    ------
    InputError
        If a value is NaN or infinite.
    """
    _require_finite(query, points)
    source, target = unit_rows(query), unit_rows(points)
    search = _Search(source, target, source, target, exact_products)
    return search.run(n_neighbors, device, track, desc)


def nearest_by_distance(
    query: NDArray[np.floating],
    points: NDArray[np.floating],
    n_neighbors: int,
    *,
    device: str = "cpu",
    track: Track = silently,
    desc: str = "Nearest neighbours",
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each row of `query` the `n_neighbors` rows of `points` at smallest Euclidean distance.

    Parameters, order, precision and errors as in `nearest_by_cosine`; differences are those
    relative to the largest distance from the points' centre.

    Returns
    -------
    indices
        int64 ``(n_query, k)``, nearest first.
    distances
        float32 ``(n_query, k)``.
    """
    _require_finite(query, points)
    # about a common centre, so that float32 squares lose no digits far from the origin
    centre = points.mean(axis=0, keepdims=True)
    source, target = ((side - centre).astype(np.float32) for side in (query, points))
    # |q - p|² grows as |p|²/2 - q·p, which is one product with one more dimension
    half = (np.square(target, dtype=np.float64).sum(axis=1, keepdims=True) / 2).astype(np.float32)
    longer = np.concatenate([source, np.full((len(source), 1), -1, np.float32)], axis=1)
    search = _Search(longer, np.concatenate([target, half], axis=1), source, target, exact_squares)
    indices, squares = search.run(n_neighbors, device, track, desc)
    return indices, np.sqrt(squares)


def neighbour_matrix(
    indices: NDArray[np.int64], n_points: int, values: NDArray[np.floating] | None = None
) -> sparse.csr_matrix:
    """Neighbours as a matrix.

    Parameters
    ----------
    indices
        ``(n_query, k)``, as the searches here give them.
    n_points
        How many points there are.
    values
        ``(n_query, k)`` to store; None stores 1.

    Returns
    -------
    scipy.sparse.csr_matrix
        ``(n_query, n_points)``, in the order of the neighbours.
    """
    n, k = indices.shape
    data = np.ones(n * k, np.float32) if values is None else values.ravel()
    return sparse.csr_matrix((data, indices.ravel(), np.arange(n + 1) * k), (n, n_points))


def _require_finite(*sides: NDArray[np.floating]) -> None:
    if not all(np.isfinite(side).all() for side in sides):
        raise InputError("Neighbours cannot be sought among NaN or infinite values.")


@dataclass(frozen=True, eq=False)
class _Search:
    """Rows and points whose products rank them, and how those found are then judged exactly."""

    rows: Rows
    points: Rows
    exact_rows: Rows
    exact_points: Rows
    exact: _Exact

    def run(
        self, n_neighbors: int, device: str, track: Track, desc: str
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Neighbours, nearest first, and their exact values."""
        k = min(n_neighbors, len(self.points))
        indices = np.empty((len(self.rows), k), np.int64)
        values = np.empty((len(self.rows), k), np.float32)
        if not indices.size:
            return indices, values
        find, height, workers = self._finder(min(k + _SPARE, len(self.points)), device)
        blocks = [slice(i, i + height) for i in range(0, len(self.rows), height)]

        def fill(block: slice) -> None:
            indices[block], values[block] = self._ordered(find(block), block, k)

        with ThreadPoolExecutor(workers) as pool:
            coming = [pool.submit(fill, block) for block in blocks]
            try:
                for done in track(coming, desc):
                    done.result()
            finally:
                for waiting in coming:
                    waiting.cancel()
        return indices, values

    def _finder(self, n_best: int, device: str) -> tuple[_Find, int, int]:
        """What finds the best points of a block of rows, rows of a block, blocks at a time."""
        picked = pick_device(device)
        n_points = len(self.points)
        if not _compiled_on(picked):
            target = torch.from_numpy(self.points).to(picked).T

            def find_there(block: slice) -> NDArray[np.int64]:
                rows = torch.from_numpy(self.rows[block]).to(picked)
                return torch.topk(rows @ target, n_best, dim=1).indices.cpu().numpy()

            return find_there, max(1, _GPU_ELEMENTS // n_points), 1
        # any order will do, but one by type would let thousands of points be the best so far
        order = np.random.default_rng(0).permutation(n_points).astype(np.uint32)
        rows, tiles = padded(self.rows), tiled(padded(self.points), order)

        def find(block: slice) -> NDArray[np.int64]:
            return best_points(rows[block], tiles, order, n_best)  # type: ignore[no-any-return]

        height = int(np.clip(_BLOCK_ELEMENTS // n_points, _FEWEST_ROWS, _MOST_ROWS))
        return find, height, torch.get_num_threads()

    def _ordered(
        self, found: NDArray[np.int64], block: slice, k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The `k` nearest of those found, and their exact values."""
        found = np.sort(found, axis=1)  # so that of equals the lower comes first
        values = self.exact(self.exact_rows[block], self.exact_points, found)
        sign = -1 if self.exact is exact_products else 1
        order = np.argsort(sign * values, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(found, order, axis=1), np.take_along_axis(values, order, axis=1)


def _compiled_on(device: torch.device) -> bool:
    return device.type == "cpu"
