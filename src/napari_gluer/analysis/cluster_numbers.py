"""How many clusters: which resolution fits known types, and which is stable."""

from itertools import combinations
from typing import Annotated

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Gt, Le, MinLen
from numpy.typing import NDArray
from scipy import sparse
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from napari_gluer import slots
from napari_gluer.analysis.clustering import communities, shared_neighbours
from napari_gluer.analysis.grouping import typed_column
from napari_gluer.errors import InputError
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

_REMEDY = "Integrate the cells first: ng.integrate(cells, reference)."
_FEWEST = 5
Numbers = NDArray[np.int64]


class ClusterNumberParams(Params):
    """Numbers of clusters against known types."""

    resolutions: Annotated[tuple[Annotated[float, Gt(0), Le(100)], ...], MinLen(1)] = (
        *(0.1, 0.2, 0.3, 0.5, 0.7),
        *(1.0, 1.5, 2.0, 3.0),
    )
    """Resolutions to try."""

    n_seeds: Annotated[int, Ge(2), Le(100)] = 5
    """Seeds to cluster with at each resolution."""

    n_neighbors: Annotated[int, Ge(2), Le(500)] = 15
    """Neighbours that a cell is linked to."""


def cluster_numbers(
    table: AnnData,
    known: str,
    *,
    params: ClusterNumberParams = ClusterNumberParams(),  # noqa: B008 - frozen
    seed: int = 0,
    track: Track = silently,
) -> pd.DataFrame:
    """Cluster at several resolutions, and compare the clusters with known types.

    Clusters are those of `cluster`. Types that were transferred through the same co-embedding fit
    its clusters better than independent ones would.

    Parameters
    ----------
    table
        Integrated cells, or cells and reference together (of `coembed`); reads
        ``obsm["X_gluer"]``, ``obs["gluer_unmatched"]`` and the column of types.
    known
        Column of types; cells without one are clustered, and do not count for the fit.
    params
        Resolutions and seeds.
    seed
        The first seed; the others follow it.

    Returns
    -------
    pandas.DataFrame
        One row per resolution: ``resolution``; ``n_clusters`` (median over seeds),
        ``n_clusters_min``, ``n_clusters_max``; ``adjusted_rand`` and ``mutual_information``
        (normalised, arithmetic mean) against the types, means over seeds; ``stability``, the mean
        adjusted Rand index of every two seeds (always 1 where there is one cluster).
        ``attrs``: ``n_types``, ``n_cells``, ``n_typed``, ``best_fit`` and ``most_stable``
        (resolutions; the latter of those with several clusters, of equals the better fit; None
        where there is none), ``outcome``.

    Raises
    ------
    InputError
        If cells are not integrated, are fewer than five, or have fewer than two types.
    """
    embedding = np.asarray(slots.require(table, "obsm", slots.EMBEDDING, _REMEDY))
    coded = typed_column(table, known)
    placed = np.flatnonzero(~slots.unmatched(table))
    if len(placed) < _FEWEST:
        raise InputError(f"{len(placed)} cells are too few to cluster; {_FEWEST} are needed.")
    codes = np.asarray(coded.codes[placed], np.int64)
    typed = codes >= 0
    n_types = len(np.unique(codes[typed]))
    if n_types < 2:
        raise InputError(
            f"The matched cells have {n_types} types in obs[{known!r}]; two are needed to tell "
            "which clusters fit them."
        )
    graph = shared_neighbours(embedding[placed], params.n_neighbors, track)
    seeds = range(seed, seed + params.n_seeds)
    rows = [
        _row(graph, resolution, seeds, codes)
        for resolution in track(sorted(set(params.resolutions)), "Numbers of clusters")
    ]
    found = pd.DataFrame(rows)
    found.attrs |= _summary(found, n_types, len(placed), int(typed.sum()))
    return found


def _row(
    graph: sparse.csr_matrix, resolution: float, seeds: range, codes: Numbers
) -> dict[str, float]:
    found = [communities(graph, resolution, one) for one in seeds]
    counts = [len(np.unique(numbers)) for numbers in found]
    typed = codes >= 0
    truth = codes[typed]
    pairs = [adjusted_rand_score(one, other) for one, other in combinations(found, 2)]
    fits = [adjusted_rand_score(truth, numbers[typed]) for numbers in found]
    shared = [normalized_mutual_info_score(truth, numbers[typed]) for numbers in found]
    return {
        "resolution": resolution,
        "n_clusters": float(np.median(counts)),
        "n_clusters_min": min(counts),
        "n_clusters_max": max(counts),
        "adjusted_rand": float(np.mean(fits)),
        "mutual_information": float(np.mean(shared)),
        "stability": float(np.mean(pairs)),
    }


def _summary(found: pd.DataFrame, n_types: int, n_cells: int, n_typed: int) -> dict[str, object]:
    best = found.iloc[int(found["adjusted_rand"].argmax())]
    several = found[found["n_clusters_max"] > 1].round({"stability": 6})
    ordered = several.sort_values(["stability", "adjusted_rand"], ascending=False, kind="stable")
    stable = ordered.iloc[0] if len(ordered) else None
    words = (
        f"{n_types} known types of {n_typed:,} of {n_cells:,} cells are fitted best by "
        f"{best['n_clusters']:g} clusters (resolution {best['resolution']:g}, adjusted Rand index "
        f"{best['adjusted_rand']:.2f})"
    )
    steady = (
        f"most stable are {stable['n_clusters']:g} (resolution {stable['resolution']:g}, "
        f"{stable['stability']:.2f} between seeds)"
        if stable is not None
        else "no resolution gave several clusters"
    )
    return {
        "n_types": n_types,
        "n_cells": n_cells,
        "n_typed": n_typed,
        "best_fit": float(best["resolution"]),
        "most_stable": None if stable is None else float(stable["resolution"]),
        "outcome": f"{words}; {steady}.",
    }
