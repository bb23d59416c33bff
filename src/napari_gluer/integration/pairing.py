"""True pairs as the caller knows them, checked and turned into rows."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed


def given_pairs(pairs: Any, reference: pd.Index, cells: pd.Index) -> NDArray[np.int64]:
    """Rows ``(n_pairs, 2)`` of reference and cells.

    Parameters
    ----------
    pairs
        ``(n, 2)`` of reference and cell: names, or whole-number positions.
    reference, cells
        Names of the reference cells and of the cells.

    Raises
    ------
    InputError
        If the shape is another, a name is unknown or a position is out of range.
    """
    own, other = _sides(pairs)
    return np.column_stack([_rows(own, reference, "reference"), _rows(other, cells, "cells")])


def _sides(pairs: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Reference and cells, each with its own type: names on one side leave positions positions."""
    if isinstance(pairs, pd.DataFrame):
        columns = [pairs.iloc[:, i].to_numpy() for i in range(pairs.shape[1])]
    elif isinstance(pairs, np.ndarray):
        columns = list(pairs.T) if pairs.ndim == 2 else []
    elif all(np.ndim(pair) == 1 for pair in pairs):
        columns = [np.asarray(side) for side in zip(*pairs, strict=True)]
    else:
        columns = []
    if len(columns) != 2 or not len(columns[0]):
        raise InputError(f"Pairs must be (n, 2): reference and cell; these are {np.shape(pairs)}.")
    return columns[0], columns[1]


def _rows(wanted: NDArray[Any], names: pd.Index, what: str) -> NDArray[np.int64]:
    if np.issubdtype(wanted.dtype, np.integer):
        outside = (wanted < 0) | (wanted >= len(names))
        if outside.any():
            raise InputError(
                f"Pairs name positions {listed(wanted[outside], 3)} of the {what}; "
                f"there are {len(names)}."
            )
        return wanted.astype(np.int64)
    if not names.is_unique:
        raise InputError(f"Pairs by name need unique names; those of the {what} repeat.")
    rows = names.get_indexer(pd.Index(wanted.astype(str)))
    if (rows < 0).any():
        raise InputError(f"Pairs name {what} that do not exist: {listed(wanted[rows < 0], 3)}.")
    return rows.astype(np.int64)
