"""Clusters of cells in the co-embedding."""

from collections.abc import Sequence
from typing import Annotated, Any

import graspologic_native
import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.neighbours import nearest_by_distance, neighbour_matrix
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

_SAME_IN_ALL = (slots.FINGERPRINT, "linked_values_sha256", "params", "seed")
"""What ``uns["gluer"]`` says alike of sections that were integrated together."""


class ClusterParams(Params):
    """Leiden clusters of cells in the co-embedding."""

    n_neighbors: Annotated[int, Ge(2), Le(500)] = 15
    """Neighbours that a cell is linked to."""

    resolution: Annotated[float, Gt(0), Le(100)] = 1.0
    """Higher values give more and smaller clusters."""


def cluster(
    cells: AnnData | Sequence[AnnData],
    params: ClusterParams = ClusterParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    track: Track = silently,
) -> Any:
    """Cluster integrated cells: Leiden (doi:10.1038/s41598-019-41695-z) on shared neighbours.

    Two cells are linked by the Jaccard index of their neighbours, as in PhenoGraph
    (doi:10.1016/j.cell.2015.05.047).

    Parameters
    ----------
    cells
        Reads ``obsm["X_gluer"]`` and, where it is there, ``obs["gluer_unmatched"]``. Several
        tables (tissue sections that were integrated together) are clustered as one, so that a
        cluster is the same in each.
    params
        Neighbours and resolution.
    seed
        Of the search for communities.

    Returns
    -------
    AnnData
        A copy with ``obs["cluster"]``: categorical ``"1"``, ``"2"``, … from the largest cluster
        down, missing for unmatched cells. A list of copies where several tables were given.

    Raises
    ------
    InputError
        If the cells are not integrated, or several tables not together.
    """
    several = [cells] if isinstance(cells, AnnData) else list(cells)
    remedy = "Integrate the cells first: ng.integrate(cells, reference)."
    parts = [np.asarray(slots.require(one, "obsm", slots.EMBEDDING, remedy)) for one in several]
    _refuse_apart(several, parts)
    embedding = np.concatenate(parts)
    placed = ~np.concatenate([slots.unmatched(one) for one in several])
    numbers = np.full(len(placed), -1)
    numbers[placed] = leiden(embedding[placed], params, seed=seed, track=track)
    names = pd.Index([str(i + 1) for i in range(numbers.max(initial=-1) + 1)])
    ends = np.cumsum([one.n_obs for one in several])[:-1]
    results = []
    for one, own in zip(several, np.split(numbers, ends), strict=True):
        result = one.copy()
        result.obs[slots.CLUSTER] = pd.Categorical.from_codes(own, names)
        slots.note(result, cluster_params=params.model_dump_json(), cluster_seed=seed)
        results.append(result)
    return results[0] if isinstance(cells, AnnData) else results


def _refuse_apart(several: Sequence[AnnData], parts: Sequence[NDArray[np.floating]]) -> None:
    """Factors of one integration mean nothing in another."""
    if not several:
        raise InputError("There is no table to cluster.")
    marks = [
        (part.shape[1], *(slots.info(one).get(key) for key in _SAME_IN_ALL))
        for one, part in zip(several, parts, strict=True)
    ]
    apart = [i for i, mark in enumerate(marks, start=1) if mark != marks[0]]
    if apart:
        raise InputError(
            f"Table {apart[0]} of {len(several)} was not integrated together with the first, so "
            "their clusters cannot be compared. Integrate them together: "
            "ng.integrate([first, second], reference)."
        )


def leiden(
    embedding: NDArray[np.floating], params: ClusterParams, *, seed: int, track: Track = silently
) -> NDArray[np.int64]:
    """Cluster numbers ``(n_cells,)`` of the rows of `embedding`, 0 the largest cluster."""
    if len(embedding) < 3:
        return np.zeros(len(embedding), np.int64)
    graph = shared_neighbours(embedding, params.n_neighbors, track)
    return communities(graph, params.resolution, seed)


def communities(graph: sparse.csr_matrix, resolution: float, seed: int) -> NDArray[np.int64]:
    """Cluster numbers of the cells of a graph by Leiden, 0 the largest cluster."""
    n = graph.shape[0]
    links = sparse.triu(graph, k=1).tocoo()
    rows, columns = links.row.astype(str).tolist(), links.col.astype(str).tolist()
    edges = list(zip(rows, columns, links.data.astype(float).tolist(), strict=True))
    _, found = graspologic_native.leiden(edges, resolution=resolution, seed=seed)
    # a cell that shares no neighbour with any other is a cluster of its own
    community = np.array([found.get(str(i), n + i) for i in range(n)])
    _, numbers, sizes = np.unique(community, return_inverse=True, return_counts=True)
    return np.asarray(np.argsort(np.argsort(-sizes, kind="stable"))[numbers], np.int64)


def shared_neighbours(
    embedding: NDArray[np.floating], n_neighbors: int, track: Track
) -> sparse.csr_matrix:
    """Jaccard index of the neighbourhoods of linked cells, each cell in its own."""
    n = len(embedding)
    k = min(n_neighbors + 1, n)
    indices, _ = nearest_by_distance(embedding, embedding, k, track=track, desc="Clusters")
    near = neighbour_matrix(indices, n)
    linked = near.maximum(near.T)
    shared = sparse.csr_matrix(linked.multiply(near @ near.T))
    shared.data /= 2 * k - shared.data
    return shared
