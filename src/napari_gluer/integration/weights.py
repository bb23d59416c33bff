"""How much each reference cell says about a cell, and how well a cell is supported."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.errors import InputError
from napari_gluer.integration.params import WeightParams
from napari_gluer.neighbours import nearest_by_distance
from napari_gluer.track import Track, silently

_SUPPORT_NEIGHBORS = 10


def neighbour_weights(
    reference: NDArray[np.floating],
    cells: NDArray[np.floating],
    usable: NDArray[np.bool_],
    params: WeightParams = WeightParams(),  # noqa: B008 - frozen
    *,
    track: Track = silently,
) -> sparse.csr_matrix:
    """Weights of each cell's nearest reference cells, softmax(−distance / temperature).

    Parameters
    ----------
    reference, cells
        ``(n_reference, k)`` and ``(n_cells, k)`` of one co-embedding.
    usable
        bool ``(n_reference,)``: reference cells that may be drawn on.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32 ``(n_cells, n_reference)``; every row sums to 1.
    """
    rows = np.flatnonzero(usable)
    if not len(rows):
        raise InputError("No reference cell expresses any linked feature.")
    indices, distances = nearest_by_distance(
        cells, reference[rows], params.n_neighbors, track=track, desc="Weights"
    )
    # the nearest at exponent 0: no overflow, no row of zeros however far the reference is
    raw = np.exp((distances[:, :1] - distances) / np.float32(params.temperature))
    weights = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    n, k = indices.shape
    csr = sparse.csr_matrix(
        (weights.ravel(), rows[indices].ravel(), np.arange(n + 1) * k), (n, len(reference))
    )
    csr.sort_indices()
    return csr


def support(
    reference: NDArray[np.floating],
    cells: NDArray[np.floating],
    usable: NDArray[np.bool_],
    *,
    track: Track = silently,
) -> NDArray[np.float32]:
    """How ordinary a cell's distance to the reference is, on [0, 1].

    The share of reference cells that lie at least as far from the rest of the reference (mean
    distance to 10 neighbours) as the cell lies from it: near 0 means outside the reference.
    """
    points = reference[usable]
    k = min(_SUPPORT_NEIGHBORS, len(points) - 1)
    if k < 1:
        return np.zeros(len(cells), np.float32)
    _, inside = nearest_by_distance(points, points, k + 1, track=track, desc="Confidence")
    _, outside = nearest_by_distance(cells, points, k, track=track, desc="Confidence")
    usual = np.sort(inside[:, 1:].mean(axis=1))
    nearer = np.searchsorted(usual, outside.mean(axis=1), side="left")
    return np.asarray(1 - nearer / len(usual), np.float32)
