"""Groups of cells: types, clusters, sources."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_gluer.errors import InputError

Grouping = pd.Series | NDArray[Any] | Sequence[Any]
"""One group for every cell."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Which group every cell belongs to.

    Attributes
    ----------
    codes
        int64 ``(n_cells,)``: place in `names`; -1 where missing.
    names
        Groups that hold cells, in the order of the categories, else sorted.
    """

    codes: NDArray[np.int64]
    names: list[str]

    def counts(self) -> NDArray[np.int64]:
        """Cells of every group, ``(n_groups,)``."""
        known = self.codes[self.codes >= 0]
        return np.bincount(known, minlength=len(self.names)).astype(np.int64)


def groups_of(values: Grouping, what: str) -> Groups:
    """Read groups; missing are None and NaN.

    Parameters
    ----------
    values
        Categories, text, numbers or flags, one a cell.
    what
        Their name in messages.

    Raises
    ------
    InputError
        If no cell has a group.
    """
    series = pd.Series(values)
    if series.dtype == bool:
        series = series.map({True: "yes", False: "no"})
    if not isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype("category")
    categories = series.cat.categories
    codes = np.asarray(series.cat.codes, np.int64)
    held = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(categories)))
    if not len(held):
        raise InputError(f"No cell has a value in {what}, so that there are no groups to show.")
    place = np.full(len(categories) + 1, -1, np.int64)  # the last is where -1 points
    place[held] = np.arange(len(held))
    names = [str(name) for name in categories[held]]
    if len(set(names)) != len(names):
        raise InputError(f"Groups of {what} have the same name; names must differ as text.")
    return Groups(place[codes], names)


def aligned(values: Grouping, index: pd.Index, what: str) -> Grouping:
    """`values` in the order of `index`: a series is joined by its names, others by position.

    Raises
    ------
    InputError
        If there is not exactly one value for every name.
    """
    if len(values) != len(index):
        raise InputError(f"{what} has {len(values):,} values for {len(index):,} cells.")
    if not isinstance(values, pd.Series) or values.index.equals(index):
        return values
    if not values.index.is_unique or not index.is_unique or set(values.index) != set(index):
        raise InputError(
            f"{what} names other cells than the values do. Give a series with the same index, or "
            "an array in the same order."
        )
    return values.reindex(index)
