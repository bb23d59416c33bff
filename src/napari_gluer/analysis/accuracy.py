"""How well an integration did, where the truth is known."""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.neighbours import nearest_by_distance
from napari_gluer.track import Track, silently

_BLOCK = 1024
_FEWEST = 3


def integration_accuracy(
    reference_embedding: NDArray[np.floating],
    query_embedding: NDArray[np.floating],
    pairs: NDArray[np.integer],
) -> float:
    """How near true partners are in the co-embedding: the mean of `integration_accuracies`.

    Peng et al., bioRxiv 2021.01.25.427845, "Integration accuracy".

    Parameters
    ----------
    reference_embedding, query_embedding
        ``(n_reference, k)`` and ``(n_query, k)``.
    pairs
        ``(n_pairs, 2)``: rows of reference and query.

    Returns
    -------
    float
        On [0, 1]; 1 is perfect, 0.5 is chance.
    """
    return float(integration_accuracies(reference_embedding, query_embedding, pairs).mean())


def integration_accuracies(
    reference_embedding: NDArray[np.floating],
    query_embedding: NDArray[np.floating],
    pairs: NDArray[np.integer],
    *,
    track: Track = silently,
) -> NDArray[np.float64]:
    """How near the two cells of every true pair are in the co-embedding.

    For a cell a with true partner a', 1 − the share of all other cells, of both data sets, that are
    nearer to a than a' is (Euclidean; those as near count half, so that a co-embedding in which all
    cells are one point is no better than chance); the mean of both directions.

    Parameters
    ----------
    reference_embedding, query_embedding
        ``(n_reference, k)`` and ``(n_query, k)``.
    pairs
        ``(n_pairs, 2)``: rows of reference and query.
    track
        Wraps the loop over blocks of pairs.

    Returns
    -------
    numpy.ndarray
        float64 ``(n_pairs,)`` on [0, 1]; compare methods on them with `compare_accuracies`.
    """
    rows = _checked(pairs, len(reference_embedding), len(query_embedding))
    if not (np.isfinite(reference_embedding).all() and np.isfinite(query_embedding).all()):
        raise InputError("Accuracy cannot be told: the co-embedding holds NaN or infinite values.")
    n_reference = len(reference_embedding)
    joint = torch.from_numpy(
        np.concatenate([reference_embedding, query_embedding]).astype(np.float64)
    )
    there = torch.from_numpy(np.column_stack([rows[:, 0], rows[:, 1] + n_reference]))
    nearer = [
        _nearer(joint, block) + _nearer(joint, block.flip(1))
        for block in track(torch.split(there, _BLOCK), "Integration accuracy")
    ]
    return np.asarray(1 - torch.cat(nearer).numpy() / (2 * (len(joint) - 2)), np.float64)


def _checked(pairs: NDArray[np.integer], n_reference: int, n_query: int) -> NDArray[np.int64]:
    rows = np.asarray(pairs)
    if rows.ndim != 2 or rows.shape[1] != 2 or not len(rows):
        raise InputError(f"Pairs must be (n, 2): reference and query rows; these are {rows.shape}.")
    outside = (rows < 0) | (rows >= [n_reference, n_query])
    if outside.any():
        raise InputError(
            f"Pairs name rows {listed(rows[outside], 3)}; there are {n_reference:,} reference and "
            f"{n_query:,} query cells."
        )
    if n_reference + n_query < _FEWEST:
        raise InputError("Accuracy needs three cells or more: a pair and another cell.")
    return rows.astype(np.int64)


def _nearer(joint: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
    """For each pair how many other cells are nearer to the first than the second is, ties half."""
    distances = torch.cdist(joint[pairs[:, 0]], joint, compute_mode="donot_use_mm_for_euclid_dist")
    to_partner = distances.gather(1, pairs[:, 1:])
    distances.scatter_(1, pairs[:, :1], torch.inf)  # a itself is no other cell
    nearer = (distances < to_partner).sum(dim=1).double()
    as_near = (distances == to_partner).sum(dim=1).double() - 1  # the partner itself
    return nearer + as_near / 2


def mixed_neighbours(
    reference_embedding: NDArray[np.floating],
    query_embedding: NDArray[np.floating],
    n_neighbors: int = 20,
) -> float:
    """How well two data sets mix: 1 where neighbours are as mixed as chance would have them.

    For each cell the share of its nearest cells that come from the other data set, divided by that
    data set's share of all cells; averaged within each data set, then over both, at most 1 each.
    """
    joint = np.concatenate([reference_embedding, query_embedding])
    source = np.repeat([0, 1], [len(reference_embedding), len(query_embedding)])
    neighbours = _others(nearest_by_distance(joint, joint, n_neighbors + 1)[0])
    foreign = (source[neighbours] != source[:, None]).mean(axis=1)
    expected = np.array([(source == 1).mean(), (source == 0).mean()])
    return float(np.mean([min(1, foreign[source == s].mean() / expected[s]) for s in (0, 1)]))


def _others(neighbours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Neighbours ``(n, k - 1)`` without the cell itself; a twin may have come before it."""
    n, k = neighbours.shape
    own = neighbours == np.arange(n)[:, None]
    own[~own.any(axis=1), -1] = True  # more twins than places: any one of them goes
    return np.asarray(neighbours[~own].reshape(n, k - 1))
