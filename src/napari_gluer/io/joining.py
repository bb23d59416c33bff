"""Cells and labels that are written together belong together."""

from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.labels import checked_labels, compact


def joined_labels(cells: AnnData, labels: Any) -> NDArray[np.integer]:
    """`labels`, checked, and refused where a cell of the table has no pixel in them.

    Labels without a row in the table are let pass: cells are dropped by cleaning.

    Raises
    ------
    InputError
        If `labels` are none, or cells are not in them.
    """
    array = checked_labels(labels)
    keys = slots.cell_labels(cells)
    _, present = compact(array)
    missing = keys[~np.isin(keys, present)]
    if len(missing):
        raise InputError(
            f"{len(missing):,} of {cells.n_obs:,} cells of the table are not in the labels image, "
            f"label {listed(missing, 5)} for instance; the image has {len(present):,} cells. The "
            "table belongs to other labels: measure these again."
        )
    return array
