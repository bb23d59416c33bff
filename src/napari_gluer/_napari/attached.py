"""What belongs to a labels layer, kept in its metadata: cells, reference, what was edited."""

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.layers import Labels
from napari.utils.events import Event
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer._napari.changes import LabelChanges
from napari_gluer._napari.paintables import plain_name
from napari_gluer.errors import InputError
from napari_gluer.painting import LabelIndex
from napari_gluer.palette import UNMATCHED

KEY = "gluer"
_CELLS, _MEASURED, _REFERENCE = "cells", "measured", "reference"
_CHANGES, _OWNER, _STALE = "changes", "changes of", "stale"
_OTHER, _EDITS, _LEFT_OUT = "other index", "edits", "left out"
_NONE = np.zeros(0, np.int64)
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
        Of the labels, where the cells were measured just now: from here on it is watched which
        labels change.
    left_out
        Labels that were not measured on purpose, because they lie outside the regions.
    """
    given = {_CELLS: cells, _MEASURED: measured, _REFERENCE: reference, _LEFT_OUT: left_out}
    entries = {**held(layer), **{name: one for name, one in given.items() if one is not None}}
    if index is not None:
        entries |= {_CHANGES: LabelChanges(full_resolution(layer), index), _STALE: _NONE}
        entries[_OWNER] = str(layer.unique_id)
    if cells is not None:
        layer.features = hover_table(cells)
    layer.metadata = {**layer.metadata, KEY: entries}
    watch(layer)


def table_metadata(cells: AnnData) -> dict[str, Any]:
    """Metadata of a new labels layer whose table is known."""
    return {KEY: {_CELLS: cells, _MEASURED: cells}}


def reference_metadata(reference: AnnData) -> dict[str, Any]:
    """Metadata of a new labels layer whose reference is known."""
    return {KEY: {_REFERENCE: reference}}


def cells_of(layer: Labels) -> AnnData | None:
    """The table of a labels layer's cells, None where there is none."""
    found: AnnData | None = held(layer).get(_CELLS)
    if found is not None and held(layer).get(_OWNER) != str(layer.unique_id):
        watch(layer)  # it came with its table from a file, or is a duplicate
    return found


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
    """The index of the layer's labels as they were measured; of those `stale_of` names, it lies.

    Where another image's labels took their place, of another shape, the index of these.
    """
    changes, labels = _changes(layer), full_resolution(layer)
    index = changes.index
    if index.levels[0].shape == tuple(labels.shape):
        return index
    entries = held(layer)
    if entries.get(_OTHER, (None, None))[0] is not labels:
        entries[_OTHER] = (labels, LabelIndex(np.asarray(labels)))
    other: LabelIndex = entries[_OTHER][1]
    return other


def stale_of(layer: Labels) -> NDArray[np.int64]:
    """Labels that are not what was measured any more: int64, ascending.

    Painted on, erased from, merged, new or gone since their cells were measured; each of them, if
    other labels took their place. Neither values nor results of such a cell may be shown. The
    layer's ``metadata`` event tells that there are others.
    """
    if cells_of(layer) is None:
        return _NONE
    changes = _changes(layer)
    found = changes.look(full_resolution(layer), closely=True)
    held(layer)[_STALE] = found
    return found


def unmeasured(layer: Labels) -> int:
    """How many labels the table lacks that was measured, because they were drawn later."""
    measured = measured_of(layer)
    if measured is None or slots.LABEL not in measured.obs:
        return 0
    there = np.union1d(index_of(layer).ids, present(layer, stale_of(layer)))
    later = np.setdiff1d(there, np.asarray(measured.obs[slots.LABEL]))
    return len(np.setdiff1d(later, left_out_of(layer)))


def left_out_of(layer: Labels) -> NDArray[np.int64]:
    """Labels that were not measured on purpose."""
    return np.asarray(held(layer).get(_LEFT_OUT, _NONE), np.int64)


def present(layer: Labels, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of `labels` that the layer has now."""
    if not labels.size:
        return labels
    return np.intersect1d(labels, np.unique(np.asarray(full_resolution(layer))))


def watch(layer: Labels) -> None:
    """Follow edits of the labels by hand from now on."""
    layer.metadata.setdefault(KEY, {}).setdefault(_EDITS, 0)
    _changes(layer)
    layer.events.paint.connect(_on_paint)
    layer.events.labels_update.connect(_on_update)
    layer.events.data.connect(_on_data)
    layer.events.set_data.connect(_on_redrawn)


def edits(layer: Labels) -> int:
    """How often the labels were edited since they were watched first."""
    return int(held(layer).get(_EDITS, 0))


def _changes(layer: Labels) -> LabelChanges:
    """What follows the edits of this layer; a duplicate of a layer gets its own."""
    entries, owner = held(layer), str(layer.unique_id)
    if entries.get(_OWNER) != owner:
        labels, others = full_resolution(layer), entries.get(_CHANGES)
        own = LabelChanges(labels) if others is None else others.copied(labels)
        # no event, since no table changed; a dictionary of its own, since duplicates share one
        layer.metadata[KEY] = {**entries, _CHANGES: own, _OWNER: owner}
        watch(layer)
    found: LabelChanges = held(layer)[_CHANGES]
    return found


def _on_paint(event: Event) -> None:
    layer = event.source
    _changes(layer).painted(full_resolution(layer), event.value)
    _tell_edits(layer)  # after a stroke; of a single stamp the event comes before its pixels


def _on_update(event: Event) -> None:
    _tell_edits(event.source)


def _on_redrawn(event: Event) -> None:
    """Undo and scripts say no more than that the labels are drawn anew, as scrolling does."""
    _changes(event.source).doubt()
    _tell_edits(event.source)


def _on_data(event: Event) -> None:
    layer = event.source
    _changes(layer).doubt()
    _tell_edits(layer)
    if cells_of(layer) is not None:
        layer.events.metadata()


def _tell_edits(layer: Labels) -> None:
    entries, labels = held(layer), full_resolution(layer)
    changes = _changes(layer)
    if not changes.moved(labels):
        return
    entries[_EDITS] = entries.get(_EDITS, 0) + 1
    before, now = entries.get(_STALE, _NONE), changes.look(labels, closely=False)
    entries[_STALE] = now
    if entries.get(_CELLS) is not None and not np.array_equal(before, now):
        layer.events.metadata()


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
