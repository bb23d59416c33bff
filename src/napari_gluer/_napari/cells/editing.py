"""Open the table of channels for the cells of a labels layer, and keep what was changed."""

from collections.abc import Callable

import pandas as pd
from anndata import AnnData
from napari.layers import Labels
from qtpy.QtWidgets import QWidget

from napari_gluer import slots
from napari_gluer._napari.attached import (
    attach,
    measured_of,
    needed_cells,
    reference_of,
)
from napari_gluer._napari.cells.edits import edited_table, with_links
from napari_gluer._napari.cells.marker_rows import Row, rows_of
from napari_gluer._napari.cells.marker_table import MarkerDialog
from napari_gluer._napari.recording import record_edit
from napari_gluer.expression import expression
from napari_gluer.integration.linking import LINKED, SILENT, marker_links


def edit_markers(layer: Labels, parent: QWidget, say: Callable[[str], None]) -> MarkerDialog:
    """Show the channels of a layer's cells in a table that can be edited.

    Parameters
    ----------
    layer
        Its cells, measured and cleaned, take what is changed.
    parent
        The widget that the table belongs to.
    say
        Called with one line when something was changed.

    Raises
    ------
    InputError
        If the layer has no cells.
    """
    cells = needed_cells(layer)
    reference = reference_of(layer)
    links = None if reference is None else _links_in_words(cells, reference)
    dialog = MarkerDialog(rows_of(cells, links), lambda rows: _keep(layer, rows, say), parent)
    dialog.open()
    return dialog


def link_words(link: pd.Series) -> str:
    """What became of a marker: how its genes were found and how many cells have them, or why not.

    Parameters
    ----------
    link
        A row of `marker_links`.
    """
    if link["state"] not in (LINKED, SILENT):
        return str(link["state"])
    silent = "" if link["state"] == LINKED else "silent: "
    return f"{silent}in {link['detected']:.1%} of cells ({link['found']})"


def _links_in_words(cells: AnnData, reference: AnnData) -> dict[str, str]:
    links = marker_links(cells, reference)
    named = cells.var[slots.GENES] if slots.GENES in cells.var else cells.var_names.to_series()
    words = {}
    for name, link in links.iterrows():
        as_named = ";".join(link["genes"]) == named[name] or not link["genes"]
        words[str(name)] = link_words(link)
        words[str(name)] += "" if as_named else f" as {', '.join(link['genes'])}"
    return words


def _keep(layer: Labels, rows: list[Row], say: Callable[[str], None]) -> None:
    """Raises an `InputError` before anything is changed."""
    if not rows:
        return
    cells, measured, reference = needed_cells(layer), measured_of(layer), reference_of(layer)
    were = {row.channel: row for row in rows_of(cells)}
    genes = {row.channel: row.genes for row in rows if row.genes != were[row.channel].genes}
    roles = {row.channel: row.role for row in rows if row.role != were[row.channel].role}
    links = {row.channel: row.links for row in rows if row.links != were[row.channel].links}
    known = None if reference is None else expression(reference).genes
    changed = with_links(edited_table(cells, genes, roles, known), links)
    same = measured is None or measured is cells
    before = changed if same else with_links(edited_table(measured, genes, roles), links)
    attach(layer, cells=changed, measured=before)
    record_edit(layer, changed)
    word = "1 channel" if len(rows) == 1 else f"{len(rows)} channels"
    say(f"{word} changed. {'Clean' if roles else 'Integrate'} again for it to take effect.")


def keep_links(layer: Labels, links: dict[str, bool]) -> None:
    """Let markers of a layer's cells, measured and cleaned, link to the reference, or not."""
    cells, measured = needed_cells(layer), measured_of(layer)
    changed = with_links(cells, links)
    same = measured is None or measured is cells
    attach(layer, cells=changed, measured=changed if same else with_links(measured, links))
    record_edit(layer, changed)
