"""Named selections of cells as columns of their table."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed

Named = Mapping[str, ArrayLike]
_SAVED = "selections"
COLUMN = "selection"


def with_selections(cells: AnnData, named: Named) -> tuple[AnnData, list[str]]:
    """A copy of the table with the named selections in ``obs``; cells are joined by label.

    Parameters
    ----------
    cells
        Reads ``obs["label"]``.
    named
        Labels of every selection.

    Returns
    -------
    cells
        With one categorical column ``selection``, missing where a cell is in none; or, where
        selections overlap, one column of yes or no for each, ``selection_<name>``. Columns of an
        earlier call are replaced. ``uns["gluer"]["selections"]`` names the columns.
    columns
        Their names.

    Raises
    ------
    InputError
        If there is no selection, or a column of that name is somebody's own.
    """
    if not named:
        raise InputError("No selection has a name yet. Choose cells and name them first.")
    labels = slots.cell_labels(cells)
    members = {name: np.isin(labels, np.asarray(chosen)) for name, chosen in named.items()}
    ours = json.loads(slots.info(cells).get(_SAVED, "[]"))
    columns = _columns(members)
    taken = [name for name in columns if name in cells.obs and name not in ours]
    if taken:
        raise InputError(
            f"The table has a column {listed(taken)} already, which is not ours. Rename the "
            "selection, or that column."
        )
    saved = cells.copy()
    saved.obs = saved.obs.drop(columns=ours, errors="ignore").assign(**columns)
    slots.note(saved, **{_SAVED: json.dumps(list(columns))})
    return saved, list(columns)


def _columns(members: dict[str, NDArray[np.bool_]]) -> dict[str, Any]:
    if np.sum(list(members.values()), axis=0).max(initial=0) > 1:
        return {f"{COLUMN}_{name}": inside for name, inside in members.items()}
    codes = np.full(len(next(iter(members.values()))), -1, np.int64)
    for i, inside in enumerate(members.values()):
        codes[inside] = i
    return {COLUMN: pd.Categorical.from_codes(codes, pd.Index(list(members)))}
