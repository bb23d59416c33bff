"""Look spots up in labels tile by tile, and count them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.labels import checked_labels
from napari_gluer.measurement.agreement import Sample
from napari_gluer.measurement.orientation import Placement
from napari_gluer.tiles import Cut, Tile, TileParams, run_tiles, tiles_of
from napari_gluer.track import Track, silently

_PART = 500_000  # spots whose pixels are worked out at once


def labels_under(
    spots: Sample,
    placement: Placement,
    labels: Any,
    tiles: TileParams | None = None,
    track: Track = silently,
) -> NDArray[np.int64]:
    """Label under every spot, int64: 0 in the background, -1 beside the labels.

    Parameters
    ----------
    spots
        What is looked up.
    placement
        How they lie.
    labels
        ``(y, x)`` or ``(z, y, x)``, a NumPy array or anything sliced like one. Of the latter only
        tiles that hold spots are read.
    """
    shape = tuple(int(size) for size in labels.shape)
    found = np.full(len(spots), -1, np.int64)
    if isinstance(labels, np.ndarray):
        for part in _parts(len(spots)):
            place, inside = _indices(spots.part(part), placement, shape)
            found[part][inside] = labels[tuple(index[inside] for index in place)]
        return found
    grid = tiles_of(shape, tiles)
    numbers = _tile_numbers(spots, placement, shape, grid)
    order = np.argsort(numbers, kind="stable")
    bounds = np.searchsorted(numbers, np.arange(len(grid) + 1), sorter=order)
    own = {tile.number: order[bounds[tile.number] : bounds[tile.number + 1]] for tile in grid}

    def feed(tile: Tile) -> tuple[Any, ...]:
        place, _ = _indices(spots.part(own[tile.number]), placement, shape)
        corner = [part.start for part in tile.core]
        return Cut(labels, tile.core), [
            index - start for index, start in zip(place, corner, strict=True)
        ]

    held = [tile for tile in grid if own[tile.number].size]
    for tile, values in run_tiles(_look_up, held, feed, tiles, track, "Looking up spots"):
        found[own[tile.number]] = values
    return found


def count_spots(
    under: NDArray[np.int64], genes: NDArray[Any], ids: NDArray[np.int64], n_genes: int
) -> Any:
    """Counts per cell and gene, CSR float32 ``(len(ids), n_genes)``.

    Parameters
    ----------
    under
        Label under every spot; spots at 0 and below are not counted.
    genes
        Number of every spot's gene, from 0.
    ids
        Labels of the rows, ascending.
    n_genes
        Number of columns.
    """
    held = under > 0
    rows = np.searchsorted(ids, under[held]).astype(np.int32)
    columns = genes[held].astype(np.int32)
    ones = np.ones(len(rows), np.float32)
    counts = sparse.coo_matrix((ones, (rows, columns)), shape=(len(ids), n_genes)).tocsr()
    counts.sort_indices()
    return counts


def _parts(count: int) -> list[slice]:
    return [slice(start, start + _PART) for start in range(0, count, _PART)]


def _indices(
    spots: Sample, placement: Placement, shape: tuple[int, ...]
) -> tuple[list[NDArray[np.int64]], NDArray[np.bool_]]:
    """Indices of the spots in the labels, axis by axis, and which lie on them."""
    rows, columns = placement.pixels(spots.x, spots.y, shape[-2:])
    place = [rows, columns] if spots.planes is None else [spots.planes, rows, columns]
    inside = np.ones(len(spots), np.bool_)
    for index, size in zip(place, shape, strict=True):
        inside &= (index >= 0) & (index < size)
    return place, inside


def _tile_numbers(
    spots: Sample, placement: Placement, shape: tuple[int, ...], grid: list[Tile]
) -> NDArray[np.int32]:
    """Number of the tile that every spot lies in, -1 beside the labels."""
    numbers = np.full(len(spots), -1, np.int32)
    sides = [part.stop - part.start for part in grid[0].core]
    counts = [-(-size // side) for size, side in zip(shape, sides, strict=True)]
    for part in _parts(len(spots)):
        place, inside = _indices(spots.part(part), placement, shape)
        corners = [index[inside] // side for index, side in zip(place, sides, strict=True)]
        numbers[part][inside] = np.ravel_multi_index(corners, counts)
    return numbers


def _look_up(_tile: Tile, cut: Cut, place: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return checked_labels(cut.read())[tuple(place)].astype(np.int64)
