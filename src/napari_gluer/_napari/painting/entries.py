"""Rows of the legend: categories, and cells that look otherwise for want of a value."""

from collections.abc import Sequence

import numpy as np
from napari.layers import Labels

from napari_gluer._napari.attached import cells_of
from napari_gluer._napari.layers import LegendEntry
from napari_gluer._napari.linked import LinkedView, Shown, linked_of
from napari_gluer._napari.paintables import plain_name
from napari_gluer._napari.painting.looks import below, category_colors, unmatched_of
from napari_gluer._napari.painting.painter import certainty
from napari_gluer._napari.painting.style import Uncertain
from napari_gluer._napari.painting.words import n_stale
from napari_gluer.palette import GREY, UNMATCHED


def entries_of(layers: Sequence[Labels]) -> list[LegendEntry]:
    """What the legend lists for sections that are painted alike; nothing where nothing is."""
    several = [one for layer in layers if (one := linked_of(layer).shown) is not None]
    if not several:
        return []
    leader = linked_of(layers[0])
    rows = [*_categories(several, leader), *_others(several, leader, below_bound(layers)[1])]
    tables = [(layer, cells) for layer in layers if (cells := cells_of(layer)) is not None]
    changed = sum(n_stale(layer, cells) for layer, cells in tables)
    note = "Their labels were edited: measure them again in the Cells step."
    return [*rows, LegendEntry("edited since measured: empty", "", changed, note)]


def below_bound(layers: Sequence[Labels]) -> tuple[str, int, int]:
    """What tells how sure cells are, how many are below the bound, and how many there are.

    The first is "" where nothing tells.
    """
    column, n_below, n_cells = "", 0, 0
    for layer in layers:
        shown = linked_of(layer).shown
        sure = None if shown is None else certainty(layer, shown)
        if shown is not None and sure is not None:
            column = plain_name(sure[0])
            n_below += int(below(shown, linked_of(layers[0]).style, sure[1]).sum())
            n_cells += len(shown.labels)
    return column, n_below, n_cells


def _categories(several: Sequence[Shown], leader: LinkedView) -> list[LegendEntry]:
    first = several[0]
    if first.codes is None:
        return []
    colors = category_colors(first.names, leader.colors.get(first.what.name))
    counts = np.zeros(len(first.names), int)
    for shown in several:
        codes = np.zeros(0, np.intp) if shown.codes is None else shown.codes
        counts += np.bincount(codes[codes >= 0], minlength=len(counts))
    rows = zip(first.names, colors, counts, strict=True)
    return [LegendEntry(name, color, int(count)) for name, color, count in rows]


def _others(several: Sequence[Shown], leader: LinkedView, n_below: int) -> list[LegendEntry]:
    found = []
    unmatched = sum(int(unmatched_of(one).sum()) for one in several)
    if several[0].codes is None:
        note = "The reference says nothing about these cells."
        found.append(LegendEntry(UNMATCHED, GREY, unmatched, note))
    style = leader.style
    if style.uncertain is not Uncertain.SHOW:
        name = f"below {style.bound:g}: {style.uncertain.value}"
        found.append(LegendEntry(name, "", n_below, "Less sure than the bound under Confidence."))
    without = sum(_without(one) for one in several)
    found.append(LegendEntry("no value: left empty", "", without, "Nothing is known of them."))
    return found


def _without(shown: Shown) -> int:
    """Cells that have neither a value nor a category, and are not unmatched."""
    if shown.codes is not None:
        return int((shown.codes < 0).sum())
    return int((~np.isfinite(np.asarray(shown.values)) & ~unmatched_of(shown)).sum())
