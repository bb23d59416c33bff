"""Mean and share above zero of every feature in every group: what dot plots show."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer.errors import InputError, listed
from napari_gluer.figures.groups import Grouping, aligned, groups_of

COLUMNS = ("group", "feature", "mean", "share", "n")
"""Columns of what `dot_plot` returns."""


def dot_plot(
    values: AnnData | pd.DataFrame,
    groups: str | Grouping,
    features: Sequence[str] | None = None,
    *,
    above: float = 0.0,
) -> pd.DataFrame:
    """Mean and share above zero of every feature in every group.

    Parameters
    ----------
    values
        Cells × features: a table of which ``X`` is read, or a frame. Missing values are left out.
    groups
        Column of ``obs``, or one group for every cell: a series is joined by its index, others by
        position. Cells without a group are left out.
    features
        Which, in this order; all when None.
    above
        What a value must exceed to be counted, in place of zero.

    Returns
    -------
    pandas.DataFrame
        A row for every group and feature: ``group``, ``feature``, ``mean``, ``share`` (on [0, 1]),
        ``n`` (cells with a value). Mean and share are NaN where n is 0.

    Raises
    ------
    InputError
        If groups do not fit the cells, or a feature is not there.
    """
    frame = _frame(values, features)
    if isinstance(groups, str):
        groups = _column(values, groups)
    found = groups_of(aligned(groups, frame.index, "The grouping"), "the grouping")
    held = frame.to_numpy(np.float64)
    rows = []
    for code, name in enumerate(found.names):
        own = held[found.codes == code]
        n = np.isfinite(own).sum(axis=0)
        total = np.where(np.isfinite(own), own, 0).sum(axis=0)
        over = (own > above).sum(axis=0)
        size = np.where(n > 0, n, np.nan)
        rows += list(zip([name] * len(n), frame.columns, total / size, over / size, n, strict=True))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["group"] = pd.Categorical(table["group"], categories=found.names)
    return table


def _frame(values: AnnData | pd.DataFrame, features: Sequence[str] | None) -> pd.DataFrame:
    names = values.var_names if isinstance(values, AnnData) else values.columns
    chosen = list(names if features is None else features)
    missing = [name for name in chosen if name not in names]
    if missing or not chosen:
        raise InputError(f"Not among the features: {listed(missing)}. There are {listed(names)}.")
    if not names.is_unique:
        raise InputError("Two features have the same name; make names unique first.")
    if isinstance(values, pd.DataFrame):
        return values[chosen]
    if values.X is None:
        raise InputError("The table has no X, so that there is nothing to average.")
    matrix: Any = values[:, chosen].X
    dense = matrix.toarray() if hasattr(matrix, "toarray") else matrix
    return pd.DataFrame(np.asarray(dense), index=values.obs_names, columns=chosen)


def _column(values: AnnData | pd.DataFrame, name: str) -> Grouping:
    if isinstance(values, AnnData) and name in values.obs:
        column: pd.Series = values.obs[name]
        return column
    known = listed(values.obs.columns) if isinstance(values, AnnData) else "none"
    raise InputError(f"There is no column {name!r} of groups; obs has: {known}.")
