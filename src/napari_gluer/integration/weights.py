"""How much each reference cell says about a cell, and how well a cell is supported."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.errors import InputError
from napari_gluer.integration.params import WeightParams
from napari_gluer.neighbours import nearest_by_distance, neighbour_matrix
from napari_gluer.track import Track, silently

_SUPPORT_NEIGHBORS, _SUPPORT_SAMPLE = 10, 20_000
_FEWEST = 10
_EPSILON = np.finfo(np.float32).eps


@dataclass(frozen=True, eq=False)
class Weighed:
    """Result of `neighbour_weights`.

    Attributes
    ----------
    weights
        CSR float32 ``(n_cells, n_reference)``; every row sums to 1.
    distances
        float32 ``(n_cells, k)``: to the reference cells drawn on, nearest first.
    """

    weights: sparse.csr_matrix
    distances: NDArray[np.float32]


def neighbour_weights(
    reference: NDArray[np.floating],
    cells: NDArray[np.floating],
    usable: NDArray[np.bool_],
    params: WeightParams = WeightParams(),  # noqa: B008 - frozen
    *,
    device: str = "cpu",
    track: Track = silently,
) -> Weighed:
    """Weights of each cell's nearest reference cells.

    softmax(−distance / temperature), or at temperature 0 exp(−(distance / median)²) with the
    median over the cell's own neighbours.

    Parameters
    ----------
    reference, cells
        ``(n_reference, k)`` and ``(n_cells, k)`` of one co-embedding.
    usable
        bool ``(n_reference,)``: reference cells that may be drawn on.
    """
    rows = np.flatnonzero(usable)
    if not len(rows):
        raise InputError("No reference cell expresses any linked feature.")
    wanted = min(params.n_neighbors, max(_FEWEST, round(params.largest_share * len(rows))))
    indices, distances = nearest_by_distance(
        cells, reference[rows], wanted, device=device, track=track, desc="Weights"
    )
    raw = _kernel(distances, params.temperature)
    weights = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    csr = neighbour_matrix(rows[indices], len(reference), weights)
    csr.sort_indices()
    return Weighed(csr, distances)


def _kernel(distances: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Unscaled weights; the nearest never underflows, however far the reference is."""
    if temperature:
        return np.asarray(np.exp((distances[:, :1] - distances) / np.float32(temperature)))
    median = np.median(distances, axis=1, keepdims=True)
    # half of the neighbours may lie at the very place of the cell
    least = np.maximum(_EPSILON * distances[:, -1:], np.finfo(np.float32).tiny)
    median = np.maximum(median, least)
    relative = np.square(distances / median)
    return np.asarray(np.exp(relative[:, :1] - relative))


def support(
    reference: NDArray[np.floating],
    distances: NDArray[np.float32],
    usable: NDArray[np.bool_],
    *,
    device: str = "cpu",
    track: Track = silently,
) -> NDArray[np.float32]:
    """How ordinary a cell's distance to the reference is, on [0, 1].

    The share of reference cells (of at most 20,000, evenly taken) that lie at least as far from the
    rest of the reference (mean distance to 10 neighbours) as the cell lies from it: near 0 means
    outside the reference.

    Parameters
    ----------
    distances
        ``(n_cells, k)``, of `Weighed`.
    """
    points = reference[usable]
    k = min(_SUPPORT_NEIGHBORS, len(points) - 1, distances.shape[1])
    if k < 1:
        return np.zeros(len(distances), np.float32)
    step = -(-len(points) // _SUPPORT_SAMPLE)
    _, inside = nearest_by_distance(
        points[::step], points, k + 1, device=device, track=track, desc="Confidence"
    )
    usual = np.sort(inside[:, 1:].mean(axis=1))
    nearer = np.searchsorted(usual, distances[:, :k].mean(axis=1), side="left")
    return np.asarray(1 - nearer / len(usual), np.float32)
