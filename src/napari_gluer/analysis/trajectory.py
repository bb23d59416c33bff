"""Order of cells along a process: diffusion pseudotime and PAGA on the co-embedding."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from napari_gluer import slots
from napari_gluer.analysis.grouping import typed_column
from napari_gluer.analysis.partitions import group_connectivities, strongest_tree
from napari_gluer.analysis.roots import Root, root_row
from napari_gluer.errors import InputError
from napari_gluer.neighbours import nearest_by_distance
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

_FEWEST = 5
_COMPONENTS = 15  # computed by scanpy's diffmap when it is not told how many
_REMEDY = "Integrate the cells first: ng.integrate(cells, reference); then, if wanted, ng.coembed."


class TrajectoryParams(Params):
    """Diffusion pseudotime, and how groups are connected."""

    n_neighbors: Annotated[int, Ge(3), Le(500)] = 15
    """Neighbours that a cell is linked to."""

    n_components: Annotated[int, Ge(2), Le(100)] = 10
    """Diffusion components that distances are taken in."""

    groups: str = "cluster"
    """Column of groups whose connections are told (PAGA); empty for none."""

    root_rule: Literal["central", "extreme"] = "central"
    """Which cell of a root group is the root: that nearest to the group's centre, or that farthest
    from the centre of all other cells."""

    max_cells: Annotated[int, Ge(100)] = 20_000
    """With more cells, pseudotime is computed on so many drawn ones, and interpolated."""


def trajectory(
    table: AnnData,
    root: Root,
    *,
    params: TrajectoryParams = TrajectoryParams(),  # noqa: B008 - frozen
    seed: int = 0,
    track: Track = silently,
) -> AnnData:
    """Order cells by diffusion pseudotime from a root, and connect their groups by PAGA.

    Pseudotime is scanpy's ``neighbors``, ``diffmap`` and ``dpt`` on the co-embedding (Haghverdi et
    al. 2016, doi:10.1038/nmeth.3971), within the cells that the root is connected to. It orders
    cells by likeness; whether they pass through it in time, only other evidence can tell. Above
    `max_cells` it is computed on cells drawn at random and every other cell takes the mean of its
    nearest drawn cells, weighted by 1 / distance.

    Parameters
    ----------
    table
        Cells and reference together (of `coembed`), or a table of integrated cells; reads
        ``obsm["X_gluer"]``, ``obs["gluer_unmatched"]`` and the column of groups.
    root
        Where to start: a cell by its label (a whole number) or its name in ``obs_names`` (text),
        or a group as ``(column, group)``, in which a cell is taken by `root_rule`.
    params
        Neighbours, components, groups.
    seed
        Of the draw and of scanpy's random numbers.

    Returns
    -------
    AnnData
        A copy with ``obs["pseudotime"]`` (float32 on [0, 1], 0 at the root; NaN for unmatched cells
        and those that are not connected with it), the column of groups as categories,
        ``uns["paga"]`` (``connectivities``, ``connectivities_tree``, ``groups``, as scanpy's) and
        ``uns["gluer"]["trajectory"]``. `pseudotime_of` brings it from the joint table to cells.

    Raises
    ------
    InputError
        If the co-embedding or the column of groups is missing, the root is not there, is unmatched
        or is connected with nothing, or there are fewer than five cells.
    """
    embedding = np.asarray(slots.require(table, "obsm", slots.EMBEDDING, _REMEDY), np.float32)
    start = root_row(table, root, embedding, params.root_rule)
    coded = _groups(table, params.groups)
    placed = np.flatnonzero(~slots.unmatched(table))
    if len(placed) < _FEWEST:
        raise InputError(f"{len(placed)} cells are too few for a trajectory; {_FEWEST} are needed.")
    drawn = _drawn(placed, start, params.max_cells, seed)
    graph = _Graph.of(embedding[drawn], params, seed, track)
    times = np.full(table.n_obs, np.nan)
    times[drawn] = graph.pseudotime(int(np.searchsorted(drawn, start)), params, seed, track)
    others = np.setdiff1d(placed, drawn)
    if len(others):
        times[others] = _interpolated(embedding, others, drawn, times, params, track)
    result = table.copy()
    result.obs[slots.PSEUDOTIME] = times.astype(np.float32)
    if coded is not None:
        result.obs[params.groups] = coded
        result.uns["paga"] = _paga(graph.distances, coded, drawn, params.groups)
    counts = {
        "n_cells": len(placed),
        "n_drawn": len(drawn),
        "n_unreached": int(np.isnan(times[placed]).sum()),
    }
    made = {"params": params.model_dump_json(), "seed": seed, **counts}
    root_name = str(table.obs_names[start])
    outcome = _outcome(root_name, **counts)
    slots.note(result, **{slots.TRAJECTORY: {**made, "root": root_name, "outcome": outcome}})
    return result


def pseudotime_of(cells: AnnData, joint: AnnData, name: str = "cells") -> pd.Series:
    """Pseudotime of a table of cells, from the joint table that it is part of.

    Parameters
    ----------
    cells
        The cells; their ``obs_names`` and ``obs["label"]`` are the key.
    joint
        Of `trajectory`, on the result of `coembed`.
    name
        What `coembed` called the table (``obs["source"]``).

    Returns
    -------
    pandas.Series
        float32, in the order of the cells, indexed by ``cells.obs_names``.

    Raises
    ------
    InputError
        If the joint table has no pseudotime, or its cells are not these, one for one.
    """
    times = slots.require(joint, "obs", slots.PSEUDOTIME, "Call ng.trajectory on it first.")
    sources = slots.require(joint, "obs", "source", "Give the joint table of ng.coembed.")
    own = (sources.astype(str) == name).to_numpy()
    if not own.any():
        raise InputError(f"No row of the joint table is called {name!r} in obs['source'].")
    word = "cell" if name == "cells" else name
    wanted = pd.Index([f"{word}_{one}" for one in cells.obs_names])
    there = joint.obs_names[own]
    same = len(there) == len(wanted) and wanted.is_unique and there.is_unique
    rows = there.get_indexer(wanted) if same else np.array([-1])
    if (rows < 0).any():
        raise InputError(
            f"The joint table has {len(there):,} {name} and they are not these {cells.n_obs:,} "
            "cells, one for one. Give the table that it was made of."
        )
    if slots.LABEL in cells.obs and slots.LABEL in joint.obs:
        labels = joint.obs[slots.LABEL].to_numpy()[own][rows]
        if not np.array_equal(labels.astype(np.float64), slots.cell_labels(cells).astype(float)):
            raise InputError("Cells of the same names have other labels in the joint table.")
    values = times.to_numpy()[own][rows].astype(np.float32)
    return pd.Series(values, cells.obs_names, name=slots.PSEUDOTIME)


@dataclass(frozen=True, eq=False)
class _Graph:
    """Cells linked by scanpy to their neighbours in the co-embedding."""

    table: AnnData
    component: NDArray[np.integer]

    @classmethod
    def of(
        cls, points: NDArray[np.float32], params: TrajectoryParams, seed: int, track: Track
    ) -> "_Graph":
        table = AnnData(sparse.csr_matrix((len(points), 0), dtype=np.float32))
        table.obsm[slots.EMBEDDING] = points
        k = params.n_neighbors if params.n_neighbors <= len(points) else 1 + len(points) // 2
        with _scanpy() as sc:
            for _ in track(range(1), "Neighbours of the trajectory"):
                sc.pp.neighbors(
                    table, k, use_rep=slots.EMBEDDING, transformer="sklearn", random_state=seed
                )
        _, component = connected_components(table.obsp["connectivities"], directed=False)
        return cls(table, component)

    @property
    def distances(self) -> sparse.csr_matrix:
        return self.table.obsp["distances"]

    def pseudotime(
        self, start: int, params: TrajectoryParams, seed: int, track: Track
    ) -> NDArray[np.float64]:
        """Of every cell, ``(n_cells,)``; NaN where the root is not connected with it."""
        reached = np.flatnonzero(self.component == self.component[start])
        if len(reached) < _FEWEST:
            raise InputError(
                f"The root is connected with {len(reached) - 1} other cells only. Choose another "
                "root, or more neighbours (n_neighbors)."
            )
        part = self.table[reached].copy()
        part.uns["iroot"] = int(np.searchsorted(reached, start))
        n_kept = min(max(_COMPONENTS, params.n_components), len(reached) - 1)
        with _scanpy() as sc:
            for _ in track(range(1), "Diffusion pseudotime"):
                sc.tl.diffmap(part, n_comps=n_kept, random_state=seed)
                sc.tl.dpt(part, n_dcs=min(params.n_components, n_kept))
        times = np.full(len(self.component), np.nan)
        times[reached] = part.obs["dpt_pseudotime"].to_numpy()
        return times


@contextmanager
def _scanpy() -> Iterator[Any]:
    import scanpy  # noqa: PLC0415 - slow to import

    with warnings.catch_warnings():
        # what scanpy and its libraries will change some day is not for our user
        for kind in (FutureWarning, DeprecationWarning, PendingDeprecationWarning, UserWarning):
            warnings.simplefilter("ignore", kind)
        yield scanpy


def _groups(table: AnnData, column: str) -> pd.Categorical | None:
    return typed_column(table, column) if column else None


def _drawn(placed: NDArray[np.intp], start: int, most: int, seed: int) -> NDArray[np.intp]:
    """Rows that pseudotime is computed on, in order; the root is one of them."""
    if len(placed) <= most:
        return placed
    others = placed[placed != start]
    chosen = np.random.default_rng(seed).choice(others, most - 1, replace=False)
    return np.sort(np.r_[start, chosen])


def _interpolated(
    embedding: NDArray[np.float32],
    others: NDArray[np.intp],
    drawn: NDArray[np.intp],
    times: NDArray[np.float64],
    params: TrajectoryParams,
    track: Track,
) -> NDArray[np.float64]:
    """Mean over the nearest drawn cells; NaN where the nearest is not connected with the root."""
    near, distances = nearest_by_distance(
        embedding[others], embedding[drawn], params.n_neighbors, track=track, desc="Other cells"
    )
    known = times[drawn][near]
    reached = ~np.isnan(known)
    smallest = max(float(distances.max(initial=0.0)), 1.0) * 1e-9
    weights = reached / np.maximum(distances.astype(np.float64), smallest)
    total = weights.sum(axis=1)
    mean = np.divide(
        (weights * np.where(reached, known, 0)).sum(axis=1),
        total,
        out=np.full(len(others), np.nan),
        where=total > 0,
    )
    return np.where(reached[:, 0], mean, np.nan)


def _paga(
    distances: sparse.csr_matrix, coded: pd.Categorical, drawn: NDArray[np.intp], column: str
) -> dict[str, Any]:
    found = group_connectivities(distances, coded.codes[drawn], len(coded.categories))
    return {
        "connectivities": found,
        "connectivities_tree": strongest_tree(found),
        "groups": column,
    }


def _outcome(root: str, n_cells: int, n_drawn: int, n_unreached: int) -> str:
    apart = f"; {n_unreached:,} cells are not connected with it" if n_unreached else ""
    drawn = f", computed on {n_drawn:,} of them" if n_drawn < n_cells else ""
    return f"Pseudotime of {n_cells:,} cells from {root}{drawn}{apart}."
