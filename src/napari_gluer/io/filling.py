"""What a table of cells must have, filled in where the file lacks it. In place."""

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.markers import annotate

CELL_ID = "cell_id"
"""``obs`` column that keeps the names of cells which we numbered."""

_SIZE_COLUMNS = ("area", "cell_area", "size", "cell_size", "volume")
_POSITION_COLUMNS = (("x", "y"), ("x_centroid", "y_centroid"), ("x_location", "y_location"))


def number_cells(cells: AnnData, source: Path) -> None:
    """Give every cell its label: check ``obs["label"]``, or number the cells 1…n.

    Raises
    ------
    InputError
        If the labels are not unique positive whole numbers.
    """
    if slots.LABEL not in cells.obs:
        cells.obs[CELL_ID] = cells.obs_names.astype(str)
        cells.obs[slots.LABEL] = np.arange(1, cells.n_obs + 1)
        cells.obs_names = cells.obs[slots.LABEL].astype(str).to_numpy()
        return
    labels = pd.to_numeric(cells.obs[slots.LABEL].astype(object), errors="coerce").to_numpy(float)
    whole = (labels >= 1) & (labels == np.floor(labels))
    if not whole.all() or len(np.unique(labels)) < len(labels):
        found = listed(cells.obs[slots.LABEL].unique(), 5)
        raise InputError(
            f"{source.name}: obs['label'] must give every cell its own positive whole number, its "
            f"value in the labels image; it holds {found}. Rename the column if it is another."
        )
    cells.obs[slots.LABEL] = labels.astype(np.int64)


def fill_positions(cells: AnnData) -> None:
    """Sizes and positions from columns of ``obs``, where they are missing."""
    lower = {str(column).casefold(): column for column in cells.obs}
    size = next((lower[name] for name in _SIZE_COLUMNS if name in lower), None)
    if slots.VOLUME not in cells.obs and size is not None:
        cells.obs[slots.VOLUME] = cells.obs[size]
    pair = next((pair for pair in _POSITION_COLUMNS if set(pair) <= lower.keys()), None)
    if slots.SPATIAL not in cells.obsm and pair is not None:
        columns = [lower[name] for name in pair]
        cells.obsm[slots.SPATIAL] = cells.obs[columns].to_numpy(np.float64)


def fill_markers(cells: AnnData, kind: str) -> None:
    """``var["genes"]`` and ``var["role"]`` by name, where they are missing."""
    known = annotate(cells.var_names, kind)
    for column in (slots.GENES, slots.ROLE):
        if column not in cells.var:
            cells.var[column] = known[column]
