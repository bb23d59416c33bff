"""What is painted, in the status bar under the mouse."""

from typing import Any

import numpy as np
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer._napari.attached import KEY, held, hover_table

_HOVERED = "hovered"


def let_hover(
    viewer: ViewerModel, labels: Any, cells: AnnData, name: str, values: NDArray[Any]
) -> None:
    """Let the mouse ask the labels beneath a painting for what is painted.

    The table of a layer is changed in place, one column of it: to replace it takes longer than to
    paint.

    Parameters
    ----------
    labels
        Nothing is done where it is no layer.
    name, values
        Of what is painted, ``(n_cells,)`` in the order of `cells`.
    """
    if not isinstance(labels, Labels):
        return
    if not _is_of(labels, cells):
        labels.features = hover_table(cells)
        held(labels).pop(_HOVERED, None)
    table = labels.features
    before, column = held(labels).get(_HOVERED, (None, None))
    if column is not None:
        table[before] = column
    elif before in table:
        table.drop(columns=before, inplace=True)
    entries = labels.metadata.setdefault(KEY, {})
    entries[_HOVERED] = (name, table[name].copy() if name in table else None)
    nothing = np.array([np.nan], object if values.dtype.kind not in "fiu" else float)
    table[name] = np.concatenate([nothing, values])
    viewer.layers.selection.active = labels


def _is_of(labels: Labels, cells: AnnData) -> bool:
    """Whether the layer's table has a row for each of these cells, in their order, and all columns.

    To replace it costs more than to paint, and makes napari draw the labels anew.
    """
    table = labels.features
    if "index" not in table or len(table) != cells.n_obs + 1:
        return False
    few = hover_table(AnnData(obs=cells.obs.iloc[:1]))
    wanted = set(few.columns) - set(table.columns)
    unmatched = slots.unmatched(cells).any()
    if wanted or unmatched != ("reference" in table.columns):
        return False
    return np.array_equal(table["index"].to_numpy()[1:], slots.cell_labels(cells))
