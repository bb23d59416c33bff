"""Named selections as a file."""

import os
from pathlib import Path

import pandas as pd

from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path
from napari_gluer.selecting import Named


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
