"""How well an integration did, where the truth is known."""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.neighbours import nearest_by_distance

_BLOCK = 1024


def integration_accuracy(
    reference_embedding: NDArray[np.floating],
    query_embedding: NDArray[np.floating],
    pairs: NDArray[np.integer],
) -> float:
    """How near true partners are in the co-embedding.

    For a cell a with true partner a', 1 − the share of all other cells, of both data sets, that are
    nearer to a than a' is (Euclidean); in both directions, averaged. 1 is perfect, 0.5 is chance.
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
        On [0, 1].
    """
    rows = np.asarray(pairs)
    if rows.ndim != 2 or rows.shape[1] != 2 or not len(rows):
        raise InputError(f"Pairs must be (n, 2): reference and query rows; these are {rows.shape}.")
    n_reference = len(reference_embedding)
    joint = torch.from_numpy(
        np.concatenate([reference_embedding, query_embedding]).astype(np.float64)
    )
    there = np.column_stack([rows[:, 0], rows[:, 1] + n_reference]).astype(np.int64)
    both_ways = torch.from_numpy(np.concatenate([there, there[:, ::-1]]))
    nearer = sum(_n_nearer(joint, block) for block in torch.split(both_ways, _BLOCK))
    return 1 - nearer / (len(both_ways) * (len(joint) - 2))


def _n_nearer(joint: torch.Tensor, pairs: torch.Tensor) -> float:
    """Over the block, how many other cells are nearer to a than its partner."""
    distances = torch.cdist(joint[pairs[:, 0]], joint, compute_mode="donot_use_mm_for_euclid_dist")
    to_partner = distances.gather(1, pairs[:, 1:])
    distances.scatter_(1, pairs[:, :1], torch.inf)  # a itself is no other cell
    return float((distances < to_partner).sum())


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
