"""What belongs to a labels layer, kept in its metadata: cells, reference, index."""

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.layers import Labels
from napari.utils.events import Event
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer._napari.paintables import plain_name
from napari_gluer.errors import InputError
from napari_gluer.painting import LabelIndex
from napari_gluer.palette import UNMATCHED

KEY = "gluer"
_CELLS, _MEASURED, _REFERENCE = "cells", "measured", "reference"
_INDEX, _INDEXED, _EDITS, _LEFT_OUT = "index", "indexed", "edits", "left out"
_HOVER_SUFFIXES = (slots.transferred(""), slots.probability(""))


def held(layer: Any) -> dict[str, Any]:
    """Our entries in a layer's metadata; empty where there are none."""
    found = layer.metadata.get(KEY, {})
    return found if isinstance(found, dict) else {}


def attach(
    layer: Labels,
    *,
    cells: AnnData | None = None,
    measured: AnnData | None = None,
    reference: AnnData | None = None,
    index: LabelIndex | None = None,
    left_out: NDArray[np.int64] | None = None,
) -> None:
    """Keep tables with a labels layer; what is not given stays as it was.

    Parameters
    ----------
    layer
        The labels whose values are in ``cells.obs["label"]``.
    cells
        What the next step works on.
    measured
        The same before cleaning, where cleaning starts again.
    reference
        The single-cell reference.
    index
        The labels' index, where it was computed already.
    left_out
        Labels that were not measured on purpose, because they lie outside the regions.
    """
    given = {_CELLS: cells, _MEASURED: measured, _REFERENCE: reference, _LEFT_OUT: left_out}
    entries = {**held(layer), **{name: one for name, one in given.items() if one is not None}}
    if index is not None:
        entries |= {_INDEX: index, _INDEXED: full_resolution(layer)}
    if cells is not None:
        layer.features = hover_table(cells)
    layer.metadata = {**layer.metadata, KEY: entries}
    if index is not None:
        watch(layer)


def table_metadata(cells: AnnData) -> dict[str, Any]:
    """Metadata of a new labels layer whose table is known."""
    return {KEY: {_CELLS: cells, _MEASURED: cells}}


def reference_metadata(reference: AnnData) -> dict[str, Any]:
    """Metadata of a new labels layer whose reference is known."""
    return {KEY: {_REFERENCE: reference}}


def cells_of(layer: Labels) -> AnnData | None:
    """The table of a labels layer's cells, None where there is none."""
    return held(layer).get(_CELLS)


def measured_of(layer: Labels) -> AnnData | None:
    """The table before cleaning: measured here, or read from a file; None where there is none."""
    return held(layer).get(_MEASURED)


def reference_of(layer: Labels) -> AnnData | None:
    """The reference opened for a labels layer, None where there is none."""
    return held(layer).get(_REFERENCE)


def needed_cells(layer: Labels | None) -> AnnData:
    """`cells_of`, or an `InputError` that says which step comes first."""
    if layer is None:
        raise InputError("There is no labels layer yet. Start with Plugins ▸ GLUER ▸ Cells.")
    cells = cells_of(layer)
    if cells is None:
        raise InputError(
            f"The cells of “{layer.name}” are not measured yet. Do Plugins ▸ GLUER ▸ Cells first."
        )
    return cells


def needed_reference(layer: Labels) -> AnnData:
    """`reference_of`, or an `InputError` that says which step comes first."""
    reference = reference_of(layer)
    if reference is None:
        raise InputError(
            f"“{layer.name}” has no reference yet. Open one in Plugins ▸ GLUER ▸ Reference first."
        )
    return reference


def full_resolution(layer: Any) -> Any:
    """The layer's data at full resolution."""
    return layer.data[0] if layer.multiscale else layer.data


def index_of(layer: Labels) -> LabelIndex:
    """The index of the layer's labels, made again when they were edited or replaced."""
    entries = held(layer)
    labels = full_resolution(layer)
    if _INDEX in entries and entries.get(_INDEXED) is labels:
        index: LabelIndex = entries[_INDEX]
        return index
    index = LabelIndex(np.asarray(labels))
    layer.metadata.setdefault(KEY, {}).update({_INDEX: index, _INDEXED: labels})
    watch(layer)
    return index


def unmeasured(layer: Labels) -> int:
    """How many labels the table lacks that was measured, because they were drawn later."""
    measured = measured_of(layer)
    if measured is None or slots.LABEL not in measured.obs:
        return 0
    later = np.setdiff1d(index_of(layer).ids, np.asarray(measured.obs[slots.LABEL]))
    return len(np.setdiff1d(later, held(layer).get(_LEFT_OUT, ())))


def watch(layer: Labels) -> None:
    """Count edits of the labels by hand from now on, and forget their index with each."""
    layer.metadata.setdefault(KEY, {}).setdefault(_EDITS, 0)
    for event in (layer.events.paint, layer.events.labels_update, layer.events.data):
        event.connect(_count_edit)


def edits(layer: Labels) -> int:
    """How often the labels were edited since they were watched first."""
    return int(held(layer).get(_EDITS, 0))


def _count_edit(event: Event) -> None:
    entries = held(event.source)
    entries.pop(_INDEX, None)
    entries[_EDITS] = entries.get(_EDITS, 0) + 1


def hover_table(cells: AnnData, **shown: Any) -> pd.DataFrame:
    """What the status bar says about the cell under the mouse.

    Parameters
    ----------
    cells
        Types, clusters and confidence are taken from ``obs``.
    shown
        Further columns, one value per cell.
    """
    if slots.LABEL not in cells.obs:
        return pd.DataFrame()
    table = pd.DataFrame(index=range(cells.n_obs))
    unmatched = slots.unmatched(cells)
    if unmatched.any():
        table["reference"] = pd.Series(UNMATCHED, index=table.index).where(unmatched)
    for name in cells.obs:
        if name in (slots.CLUSTER, slots.CONFIDENCE) or str(name).endswith(_HOVER_SUFFIXES):
            values = cells.obs[name].to_numpy()
            table[plain_name(str(name))] = pd.Series(values).mask(unmatched)
    for name, values in shown.items():
        table[name] = np.asarray(values)
    table.insert(0, "index", np.asarray(cells.obs[slots.LABEL]))
    # napari says "[No Properties]" over labels without a row: give the background an empty one
    background = pd.DataFrame({"index": [0]}).reindex(columns=table.columns)
    background["index"] = 0
    return _stacked(background, table)


def _stacked(background: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    columns = {
        name: [background[name].iloc[0], *table[name].astype(object)]
        if table[name].dtype.kind not in "if"
        else np.concatenate([background[name].to_numpy(), table[name].to_numpy()])
        for name in table
    }
    return pd.DataFrame(columns)
