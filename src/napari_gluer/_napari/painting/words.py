"""What is said of a painting: its unit, its title on the canvas, and which cells stay empty."""

from collections.abc import Sequence

import numpy as np
from anndata import AnnData
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import measured_of, stale_of, unmeasured
from napari_gluer._napari.paintables import Origin, Paintable, needs_reference

_ORIGINS = {
    Origin.GENE: "imputed",
    Origin.TYPE: "transferred from the reference",
    Origin.MARKER: "measured",
}
_UNITS = {
    slots.AREA_UM2: "µm²",
    slots.VOLUME_UM3: "µm³",
    slots.VOLUME: "pixels",
    slots.CONFIDENCE: "confidence",
    slots.PSEUDOTIME: "pseudotime",
}
_KINDS = {
    slots.INTENSITY: "mean intensity",
    slots.COUNTS: "counts",
    slots.LOG1P: "log1p of counts",
    slots.ACTIVITY: "activity",
}
IMPUTED_UNIT = "log1p of counts per 10,000"
CHANCE = "imputed no better than chance"


def unit(what: Paintable, cells: AnnData) -> str:
    """Unit of the values, for the colour bar; "" where it is not known."""
    if what.origin is Origin.GENE:
        return IMPUTED_UNIT
    if what.origin is Origin.MARKER:
        if _is_cleaned(cells):
            return "cleaned signal"
        return _KINDS.get(str(slots.info(cells).get(slots.KIND)), "")
    if what.name.endswith(slots.probability("")):
        return "probability"
    return "" if what.is_categorical else _UNITS.get(what.name, "")


def origin(what: Paintable, cells: AnnData) -> str:
    """Where the values come from, with the unit of imputed ones; "" for columns."""
    known = _ORIGINS.get(what.origin, "")
    if what.origin is Origin.GENE:
        return f"{known}, {IMPUTED_UNIT}"
    return f"{known}, cleaned" if what.origin is Origin.MARKER and _is_cleaned(cells) else known


def title(what: Paintable, cells: AnnData, *, chance: bool = False) -> str:
    """Written on the canvas: name, origin, and a warning where it means nothing."""
    known, measure = origin(what, cells), unit(what, cells)
    told = measure in f"{what.label} {known}" or _is_cleaned(cells)
    parts = [part for part in (known, "" if told else measure) if part]
    text = f"{what.label}: {', '.join(parts)}" if parts else what.label
    return f"{text}\nBEWARE: {CHANCE}" if chance else text


def said(what: Paintable, cells: AnnData) -> str:
    """The line of outcome."""
    known = origin(what, cells)
    if what.is_categorical:
        words = {Origin.CLUSTER: "clusters", Origin.TYPE: "types"}
        n = cells.obs[what.name].nunique()
        return f"{what.label}: {n} {words.get(what.origin, 'categories')}{known and ', '}{known}."
    return f"{what.label}: {known or what.origin.value}."


def left_empty(what: Paintable, layers: Sequence[Labels], tables: Sequence[AnnData]) -> list[str]:
    """Cells that have no colour of their own, and why."""
    told, empty = [], []
    if needs_reference(what) and (n := sum(int(slots.unmatched(one).sum()) for one in tables)):
        told.append(f"{n:,} unmatched cells are grey.")
    dropped, changed = 0, 0
    for layer, cells in zip(layers, tables, strict=True):
        measured = measured_of(layer)
        dropped += 0 if measured is None else max(measured.n_obs - cells.n_obs, 0)
        changed += n_stale(layer, cells)
    if dropped:
        empty.append(f"{dropped:,} cells dropped by cleaning")
    if changed:
        empty.append(f"{changed:,} cells edited since they were measured")
    if empty:
        told.append(f"Left empty: {', '.join(empty)}.")
    if new := sum(unmeasured(layer) for layer in layers):
        told.append(f"{new:,} labels were drawn after measuring: run Cells again.")
    return told


def n_stale(layer: Labels, cells: AnnData) -> int:
    """How many cells of the table are not what was measured any more."""
    stale = stale_of(layer)
    return int(np.isin(slots.cell_labels(cells), stale).sum()) if stale.size else 0


def _is_cleaned(cells: AnnData) -> bool:
    report = slots.info(cells).get(slots.CLEAN)
    return isinstance(report, dict) and "signal" not in report["skipped"]
