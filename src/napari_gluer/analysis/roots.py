"""The cell that a trajectory starts from."""

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.analysis.grouping import typed_column
from napari_gluer.errors import InputError, listed

Root = int | str | tuple[str, str]
"""A label, a name in ``obs_names``, or a column and one of its groups."""


def root_row(table: AnnData, root: Root, embedding: NDArray[np.float32], rule: str) -> int:
    """Row of the root.

    Parameters
    ----------
    table
        Reads ``obs["label"]`` for a whole number, ``obs_names`` for text, the column for a pair.
    root
        As for `trajectory`.
    embedding
        ``(n_cells, k)``.
    rule
        ``central`` or ``extreme``, for groups.

    Raises
    ------
    InputError
        If the root is not there, is there several times, or is unmatched.
    """
    free = ~slots.unmatched(table)
    if isinstance(root, tuple):
        return _of_group(table, root, embedding, free, rule)
    rows = np.flatnonzero(_is_root(table, root))
    what = f"label {root}" if _is_label(root) else f"cell {root!r}"
    if not len(rows):
        near = listed(table.obs_names[:5])
        raise InputError(f"The root, {what}, is not in the table; its cells are called {near}, ….")
    if len(rows) > 1:
        raise InputError(
            f"The root, {what}, is there {len(rows)} times (in several tables of cells, perhaps). "
            "Give its name in obs_names."
        )
    if not free[rows[0]]:
        raise InputError(f"The root, {what}, is unmatched: the reference says nothing about it.")
    return int(rows[0])


def _is_label(root: object) -> bool:
    return isinstance(root, int | np.integer) and not isinstance(root, bool)


def _is_root(table: AnnData, root: int | str) -> NDArray[np.bool_]:
    if not _is_label(root):
        return np.asarray(table.obs_names == root)
    labels = slots.require(table, "obs", slots.LABEL, "Name the cell as in obs_names.")
    return np.asarray(labels == root, np.bool_)


def _of_group(
    table: AnnData,
    root: tuple[str, str],
    embedding: NDArray[np.float32],
    free: NDArray[np.bool_],
    rule: str,
) -> int:
    column, group = root
    coded = typed_column(table, column)
    own = np.asarray(coded == str(group)) & free
    if not own.any():
        raise InputError(
            f"No cell of group {group!r} in obs[{column!r}] (it has {listed(coded.categories)}) "
            "that is not unmatched."
        )
    rows = np.flatnonzero(own)
    points = embedding[rows].astype(np.float64)
    if rule == "central" or not (free & ~own).any():
        return int(rows[_squares(points, points.mean(axis=0)).argmin()])
    centre = embedding[free & ~own].mean(axis=0, dtype=np.float64)
    return int(rows[_squares(points, centre).argmax()])


def _squares(points: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(((points - centre) ** 2).sum(axis=1))
