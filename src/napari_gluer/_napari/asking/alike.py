"""Where a cell lies in the co-embedding, and which cells lie near it."""

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError

UMAP = "X_umap"
_REMEDY = "Integrate the cells first: Plugins ▸ GLUER ▸ Integrate."


def most_alike(cells: AnnData, row: int, n: int) -> NDArray[np.int64]:
    """Labels of the `n` cells nearest to a cell in the co-embedding, and its own, ascending.

    Unmatched cells are not among them. Of equal distances the lower row comes first.

    Parameters
    ----------
    cells
        Reads ``obsm["X_gluer"]``, ``obs["label"]`` and ``obs["gluer_unmatched"]``.
    row
        Of the cell in the table.
    n
        How many; fewer where there are fewer.

    Raises
    ------
    InputError
        If the cells are not integrated, or this one is unmatched.
    """
    points = np.asarray(slots.require(cells, "obsm", slots.EMBEDDING, _REMEDY), np.float64)
    unmatched = slots.unmatched(cells)
    labels = slots.cell_labels(cells)
    if unmatched[row]:
        raise InputError(
            f"Cell {labels[row]} is unmatched: its place in the co-embedding says nothing, so no "
            "cells are like it."
        )
    distance = ((points - points[row]) ** 2).sum(axis=1)
    distance[unmatched | ~np.isfinite(distance)] = np.inf
    distance[row] = -1
    order = np.argsort(distance, kind="stable")[: n + 1]
    return np.sort(labels[order[np.isfinite(distance[order])]])


def flat_map(cells: AnnData) -> tuple[NDArray[np.float32], str] | None:
    """A map of the cells ``(n, 2)`` and what it is; None before the integration.

    The UMAP where the table holds one, else the first two principal components of the
    co-embedding.
    """
    if UMAP in cells.obsm:
        found = np.asarray(cells.obsm[UMAP])[:, :2]
        if found.shape[1] == 2:
            return np.asarray(found, np.float32), "UMAP"
    if slots.EMBEDDING not in cells.obsm:
        return None
    points = np.asarray(cells.obsm[slots.EMBEDDING], np.float64)
    known = ~slots.unmatched(cells) & np.isfinite(points).all(axis=1)
    if known.sum() < 3 or points.shape[1] < 2:
        return None
    centred = points - points[known].mean(axis=0)
    _, axes = np.linalg.eigh(centred[known].T @ centred[known])
    first = axes[:, [-1, -2]]
    # a component's sign is arbitrary: its largest part is made positive
    first = first * np.sign(first[np.abs(first).argmax(axis=0), [0, 1]])
    return np.asarray(centred @ first, np.float32), "principal components of the co-embedding"
