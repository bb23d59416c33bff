"""Anchors: pairs of a reference cell and a cell that are each other's nearest neighbours."""

import numpy as np
from numpy.typing import NDArray

from napari_gluer.integration.params import AnchorParams
from napari_gluer.neighbours import nearest_by_cosine, neighbour_matrix
from napari_gluer.track import Track, silently

Pairs = NDArray[np.int64]

_LEAST = 10


def find_anchors(
    factors: tuple[NDArray[np.floating], NDArray[np.floating]],
    features: tuple[NDArray[np.floating], NDArray[np.floating]],
    params: AnchorParams = AnchorParams(),  # noqa: B008 - frozen
    *,
    device: str = "cpu",
    track: Track = silently,
) -> tuple[Pairs, NDArray[np.float32]]:
    """Mutual nearest neighbours in factor space, confirmed in feature space, capped per cell.

    Peng et al., bioRxiv 2021.01.25.427845, "Joint mutual nearest neighbors".

    Parameters
    ----------
    factors
        ``(n_reference, k)`` and ``(n_cells, k)``. Rows of zeros take no part.
    features
        ``(n_reference, g)`` and ``(n_cells, g)``: the normalised linked features, dense.
    params
        Neighbours searched, neighbours that confirm, partners kept.
    track
        Wraps the loops over blocks of cells.

    Returns
    -------
    pairs
        int64 ``(n_pairs, 2)``: rows of reference and cells, ordered by both.
    similarity
        float32 ``(n_pairs,)``: cosine in factor space.
    """
    smaller = min(len(side) for side in factors)
    n_neighbors = min(params.n_neighbors, max(_LEAST, round(params.largest_share * smaller)))
    pairs, similarity = mutual_pairs(*factors, n_neighbors, device=device, track=track)
    if params.confirm_neighbors:
        confirmed, _ = mutual_pairs(*features, params.confirm_neighbors, device=device, track=track)
        width = len(factors[1])
        kept = np.isin(pairs @ [width, 1], confirmed @ [width, 1])
        pairs, similarity = pairs[kept], similarity[kept]
    kept = np.ones(len(pairs), bool)
    for side in (0, 1):
        kept &= _rank_within(pairs[:, side], similarity) < params.max_partners
    return pairs[kept], similarity[kept]


def sampled(usable: NDArray[np.bool_], limit: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Rows that may be anchors, at most `limit` of them drawn at random; 0 sets no limit."""
    rows = np.flatnonzero(usable)
    if not limit or len(rows) <= limit:
        return rows
    return np.sort(random.choice(rows, limit, replace=False))


def mutual_pairs(
    reference: NDArray[np.floating],
    cells: NDArray[np.floating],
    n_neighbors: int,
    *,
    device: str = "cpu",
    track: Track = silently,
) -> tuple[Pairs, NDArray[np.float32]]:
    """All pairs that are each among the other's `n_neighbors` nearest by cosine.

    Rows of zeros point nowhere: they are neither paired nor anyone's neighbour.
    """
    rows, columns = (np.flatnonzero((side != 0).any(axis=1)) for side in (reference, cells))
    if not len(rows) or not len(columns):
        return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    of_cells, similarity = nearest_by_cosine(
        cells[columns],
        reference[rows],
        n_neighbors,
        device=device,
        track=track,
        desc="Neighbours in the reference",
    )
    of_reference, _ = nearest_by_cosine(
        reference[rows],
        cells[columns],
        n_neighbors,
        device=device,
        track=track,
        desc="Neighbours among the cells",
    )
    stored = (similarity + 2).astype(np.float64)  # + 2: no stored zeros
    forward = neighbour_matrix(of_cells, len(rows), stored).T.tocsr()
    mutual = forward.multiply(neighbour_matrix(of_reference, len(columns))).tocsr()
    mutual.sort_indices()
    found = mutual.tocoo()
    pairs = np.column_stack([rows[found.row], columns[found.col]]).astype(np.int64)
    return pairs, (found.data - 2).astype(np.float32)


def _rank_within(group: NDArray[np.int64], similarity: NDArray[np.float32]) -> NDArray[np.int64]:
    """Rank of each pair among the pairs of its cell, 0 the most similar."""
    order = np.lexsort((-similarity, group))
    starts = np.r_[True, np.diff(group[order]) != 0] if len(group) else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(starts, np.arange(len(group)), 0))
    ranks = np.empty(len(group), np.int64)
    ranks[order] = np.arange(len(group)) - first
    return ranks
