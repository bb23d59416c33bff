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
    array = np.asarray(pairs)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise InputError(f"Pairs must be (n, 2): reference and cell; these are {array.shape}.")
    sides = (("reference", reference), ("cells", cells))
    return np.column_stack(
        [_rows(array[:, side], names, what) for side, (what, names) in enumerate(sides)]
    )


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
