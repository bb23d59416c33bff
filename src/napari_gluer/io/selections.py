"""Named selections as a file."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.io.atomic import atomic_path
from napari_gluer.selecting import Named

_COLUMNS = ("label", "selection")


def write_selections(path: str | os.PathLike[str], named: Named) -> int:
    """Write a CSV with the columns ``label`` and ``selection``, one row a cell and selection.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    InputError
        If there is no selection.
    """
    if not named:
        raise InputError("No selection has a name yet. Choose cells and name them first.")
    parts = [pd.DataFrame({"label": chosen, "selection": name}) for name, chosen in named.items()]
    table = pd.concat(parts, ignore_index=True)
    with atomic_path(Path(path)) as partial:
        table.to_csv(partial, index=False)
    return len(table)


def read_selections(path: str | os.PathLike[str]) -> dict[str, NDArray[np.int64]]:
    """Labels of every selection, in the order of a file that `write_selections` wrote.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or a label is no whole number above 0.
    """
    name = Path(path).name
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read as a table of selections: {error}") from error
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise InputError(
            f"{name} has no column {listed(missing)}; it has {listed(table.columns, 6)}. One row "
            "names a cell by its label, and a selection that it is in."
        )
    labels = pd.to_numeric(table["label"], errors="coerce")
    wrong = ~(labels.gt(0) & labels.mod(1).eq(0))
    if wrong.any():
        raise InputError(f"{name}: “{table['label'][wrong].iloc[0]}” is no label of a cell.")
    groups = labels.astype(np.int64).groupby(table["selection"], sort=False)
    return {str(one): np.unique(part.to_numpy()) for one, part in groups}
