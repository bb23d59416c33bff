"""What a table of cells must have, filled in where the file lacks it. In place."""

from pathlib import Path

import numpy as np
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.markers import annotate

CELL_ID = slots.CELL_ID
"""``obs`` column that keeps the names of cells which we numbered."""

_NAME_IN_FILE = "name_in_file"
_SIZE_COLUMNS = ("area", "cell_area", "size", "cell_size", "volume")
_POSITION_COLUMNS = (("x", "y"), ("x_centroid", "y_centroid"), ("x_location", "y_location"))


def number_cells(cells: AnnData, source: Path) -> None:
    """Give every cell its label: check ``obs["label"]``, or take the cells' names, or number 1…n.

    Names that are unique positive whole numbers are labels, as we write them. Numbers that we give
    match no masks: ``uns["gluer"]["numbered"]`` says so.

    Raises
    ------
    InputError
        If ``obs["label"]`` is there and does not hold labels.
    """
    if slots.LABEL in cells.obs:
        try:
            cells.obs[slots.LABEL] = slots.cell_labels(cells)
        except InputError as error:
            raise InputError(f"{source.name}: {error}") from error
        return
    cells.obs[slots.LABEL] = cells.obs_names.astype(str)
    try:
        cells.obs[slots.LABEL] = slots.cell_labels(cells)
    except InputError:  # the names are no labels
        kept = CELL_ID if CELL_ID not in cells.obs else _NAME_IN_FILE
        cells.obs[kept] = cells.obs_names.astype(str)
        cells.obs[slots.LABEL] = np.arange(1, cells.n_obs + 1)
        slots.note(cells, **{slots.NUMBERED: True})
    cells.obs_names = cells.obs[slots.LABEL].astype(str).to_numpy()


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
