"""Values per cell as a CSV that any program opens."""

import os
from collections.abc import Mapping

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.io.atomic import atomic_path


def write_values(
    cells: AnnData, values: Mapping[str, NDArray[np.floating]], path: str | os.PathLike[str]
) -> None:
    """Write one row per cell, whole or not at all.

    Parameters
    ----------
    cells
        Reads ``obs["label"]`` and ``obs["gluer_unmatched"]``.
    values
        Name and ``(n_cells,)`` values in the order of `cells`.
    path
        CSV with ``label``, ``unmatched`` and a column for each name; the values of unmatched cells
        are left empty.
    """
    labels = slots.cell_labels(cells)
    unmatched = slots.unmatched(cells)
    columns = {name: np.where(unmatched, np.nan, column) for name, column in values.items()}
    table = pd.DataFrame({"label": labels, "unmatched": unmatched, **columns})
    with atomic_path(path) as partial:
        table.to_csv(partial, index=False, float_format="%.5g")


def write_reference_values(
    reference: AnnData, values: Mapping[str, NDArray[np.floating]], path: str | os.PathLike[str]
) -> None:
    """Write one row per reference cell, whole or not at all.

    Parameters
    ----------
    reference
        Reads ``obs_names``.
    values
        Name and ``(n_reference,)`` values in the reference's order.
    path
        CSV with ``reference_cell`` and a column for each name.
    """
    table = pd.DataFrame({"reference_cell": reference.obs_names.astype(str), **values})
    with atomic_path(path) as partial:
        table.to_csv(partial, index=False, float_format="%.5g")
