"""Cell: a click on a cell, or its label, opens a card of what is known of it."""

from typing import Any
from weakref import finalize

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from qtpy.QtCore import QTimer
from qtpy.QtGui import QIntValidator
from qtpy.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton

from napari_gluer import slots
from napari_gluer._napari.asking.alike import flat_map, most_alike
from napari_gluer._napari.asking.card import Card, RowTable, copy
from napari_gluer._napari.asking.clicking import Clicks
from napari_gluer._napari.asking.explained import Explaining
from napari_gluer._napari.asking.facts import CellFacts, facts_of, table_rows
from napari_gluer._napari.asking.near_plot import NearPlot
from napari_gluer._napari.asking.places import CellPlace, cell_under, place_of, show_place
from napari_gluer._napari.asking.ring import hide_ring, ring, turn_ring
from napari_gluer._napari.attached import (
    cells_of,
    measured_of,
    needed_cells,
    reference_of,
    stale_of,
)
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.linked import LinkedView, linked_of
from napari_gluer._napari.paintables import Origin
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.plots.theming import screen_colors
from napari_gluer._napari.steps.base import Outcome, Step, side_by_side
from napari_gluer.errors import InputError
from napari_gluer.track import Track
from napari_gluer.trust.explaining import CellExplanation

N_ALIKE = 50
"""Cells that “Select its like” chooses."""

_LARGEST = 2**31 - 1  # what Qt's validator holds


class AskStep(Step):
    """Tells of one cell: what it is, how sure that is, and why."""

    title = "Cell"
    hint = "Click a cell, or type its label and press Enter."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.labels = labels_picker(self.viewer)
        self.number = QLineEdit()
        self.number.setPlaceholderText("Label of a cell, then Enter")
        self.number.setValidator(QIntValidator(1, _LARGEST, self.number))
        self.clicks = QCheckBox("A click asks the cell")
        self.clicks.setToolTip("While no tool paints, draws or picks in the active layer.")
        self.card = Card()
        self.why = QLabel()
        self.near = RowTable(["Closest reference cells"])
        self.features = RowTable(["Features", "spoke for it"])
        self.map_title = QLabel()
        self.map_title.setWordWrap(True)
        self.map = NearPlot()
        self.like = QPushButton("Select its like")
        self.like.setToolTip(f"Choose the {N_ALIKE} cells nearest to it in the co-embedding.")
        self.copy = QPushButton("Copy")
        self.copy.setToolTip("Copy the whole card as text.")
        self._explaining = Explaining()
        self._asked: tuple[Labels, CellFacts] | None = None
        self._place: CellPlace | None = None
        self._explained = ""
        self._refreshing = False
        self._arrange()
        self._listen = Clicks(self.viewer, self._clicked)
        self.number.returnPressed.connect(self._go)
        self.clicks.toggled.connect(lambda on: self._listen.switch(on=on))
        self.like.clicked.connect(lambda: self.guarded(self._select_like))
        self.copy.clicked.connect(lambda: copy(self.text))
        self.labels.currentIndexChanged.connect(self._forget)
        self._followed: tuple[Labels, LinkedView] | None = None
        self.clicks.setChecked(True)
        for turned in (self.viewer.dims.events.ndisplay, self.viewer.dims.events.order):
            turned.connect(self._turn)
        hear = self._listen
        self.destroyed.connect(lambda: hear.switch(on=False))
        finalize(self, hear.switch, on=False)  # where Python lets go of it first

    @property
    def asked(self) -> CellFacts | None:
        """The card that is shown."""
        return None if self._asked is None else self._asked[1]

    @property
    def text(self) -> str:
        """The whole card, as it is copied."""
        if self._asked is None:
            return ""
        tables = [one.text for one in (self.near, self.features) if one.topLevelItemCount()]
        return "\n\n".join(filter(None, [self._asked[1].text, self._explained, *tables]))

    def ask(self, label: int, layer: Labels | None = None, *, go: bool = False) -> None:
        """Show the card of a cell of the chosen labels layer, or of `layer`.

        Parameters
        ----------
        label
            Its value in the labels image.
        layer
            Becomes the chosen one.
        go
            Whether to bring the cell into the middle of the view.
        """
        if layer is not None:
            self.labels.choose(layer)
        self.guarded(lambda: self._ask(label, go=go))

    def _ask(self, label: int, *, go: bool) -> None:
        layer: Labels = self.labels.value
        cells = needed_cells(layer)
        place = place_of(layer, label)
        self._running.cancel()
        self._set_busy(busy=False)
        facts = facts_of(label, cells, linked_of(layer).shown, reason=_reason(layer, cells, label))
        self._asked, self._explained = (layer, facts), ""
        self._follow(layer)
        self.number.setText(str(label))
        self.card.show_facts(facts)
        self._place = place
        ring(self.viewer, layer, place)
        if go:
            show_place(self.viewer, layer, place)
        self._show_explanation(None)
        self._show_map(cells, facts, layer)
        self.say(f"Cell {label} of “{layer.name}”.")
        reference = reference_of(layer)
        if facts.row is not None and reference is not None and slots.WEIGHTS in cells.obsm:
            self._explain(layer, cells, reference, facts)

    def _explain(self, layer: Labels, cells: AnnData, reference: AnnData, facts: CellFacts) -> None:
        explaining = self._explaining

        def work(track: Track) -> CellExplanation:
            for _ in track([0], "Why"):
                found = explaining.explain(cells, reference, facts.label)
            return found

        def finish(found: CellExplanation) -> Outcome:
            self._show_explanation(found)
            self._find_interval(layer, cells, reference, facts)
            return Outcome(f"Cell {facts.label} of “{layer.name}”.")

        self.run_job(work, finish)

    def _find_interval(
        self, layer: Labels, cells: AnnData, reference: AnnData, facts: CellFacts
    ) -> None:
        """Add the interval of the painted gene, where one is painted."""
        shown, row = linked_of(layer).shown, facts.row
        if shown is None or shown.what.origin is not Origin.GENE or row is None:
            return
        if slots.unmatched(cells)[row]:
            return
        gene, explaining = shown.what.name, self._explaining

        def work(track: Track) -> tuple[float, float] | str:
            for _ in track([0], f"Interval of {gene}"):
                try:
                    return explaining.interval(cells, reference, gene, row)
                except InputError as error:
                    return str(error)
            return ""

        def finish(found: tuple[float, float] | str) -> Outcome:
            told = found if isinstance(found, str) else f"{found[0]:.3g} to {found[1]:.3g}"
            self.card.add_line(f"{gene}, 90 % interval", told)
            return Outcome(f"Cell {facts.label} of “{layer.name}”.")

        # after `finish` of the job that called this has let go of the buttons
        self._later(lambda: self.run_job(work, finish))

    def _show_explanation(self, found: CellExplanation | None) -> None:
        for widget in (self.why, self.near, self.features):
            widget.setVisible(found is not None)
        if found is None:
            self.near.show_rows([])
            self.features.show_rows([])
            return
        self._explained = found.text
        self.why.setText(found.text)
        column = self._explaining.column
        named = {column: ""} if column else {}
        self.near.show_rows(
            table_rows(found.neighbours, {**named, "weight": ".3f"}),
            ["Closest reference cells", *([column] if column else []), "weight"],
        )
        self.features.show_rows(table_rows(found.features, {"spoke_for": "+.3f"}))

    def _show_map(self, cells: AnnData, facts: CellFacts, layer: Labels) -> None:
        found = None if facts.row is None else flat_map(cells)
        for widget in (self.map, self.map_title):
            widget.setVisible(found is not None)
        self.like.setEnabled(found is not None)
        if found is None or facts.row is None:
            self.map.clear()
            return
        points, what = found
        self.map_title.setText(f"Its place among the cells ({what})")
        shown = linked_of(layer).shown
        colors = None if shown is None else shown.rgba(slots.cell_labels(cells))
        self.map.show_cell(points, facts.row, colors, screen_colors(self.viewer)[0])

    def _select_like(self) -> None:
        if self._asked is None or self._asked[1].row is None:
            raise InputError("Ask a cell first: click it, or type its label.")
        layer, facts = self._asked
        row = int(np.flatnonzero(slots.cell_labels(needed_cells(layer)) == facts.label)[0])
        found = most_alike(needed_cells(layer), row, N_ALIKE)
        linked_of(layer).selections.choose(found)
        self.say(f"{len(found) - 1} cells like cell {facts.label} are selected, and itself.")

    def _clicked(self, event: Any) -> None:
        if not is_open(self) or not self.isVisible():
            return
        layer, label = cell_under(self.viewer, self.labels.value, event)
        if layer is not None and label:
            self.ask(label, layer)
        elif layer is not None:
            self.say("There is no cell at this place.")

    def _go(self) -> None:
        self.ask(int(self.number.text()), go=True)

    def _forget(self) -> None:
        """Another labels layer was chosen: the card was of the old one's cell."""
        if self._asked is not None and self._asked[0] is not self.labels.value:
            self._running.cancel()
            self._set_busy(busy=False)
            self._asked = None
            self.card.show_facts(CellFacts(0, None, ()))
            self.card.title.setText("")
            self._show_explanation(None)
            for widget in (self.map, self.map_title):
                widget.hide()
            hide_ring(self.viewer)
            self.say(self.hint)

    def _follow(self, layer: Labels) -> None:
        """Hear of other paintings and tables of the layer whose cell is shown."""
        if self._followed is not None and self._followed[0] is layer:
            return
        if self._followed is not None:
            before, linked = self._followed
            before.events.metadata.disconnect(self._refresh)
            linked.shown_changed.disconnect(self._refresh)
        self._followed = (layer, linked_of(layer))
        layer.events.metadata.connect(self._refresh)
        self._followed[1].shown_changed.connect(self._refresh)

    def _turn(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        """Other axes are displayed: the ring for the slices that are seen now."""
        if self._asked is None or self._place is None or not is_open(self):
            return
        if self._asked[0] in self.viewer.layers:
            turn_ring(self.viewer, self._asked[0], self._place)

    def _refresh(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        """The same cell, as it is now; asked once, after all that happens at the same time."""
        if is_open(self) and self._asked is not None and not self._refreshing:
            self._refreshing = True
            self._later(self._ask_again)

    def _ask_again(self) -> None:
        self._refreshing = False
        if self._asked is None or self._asked[0] not in self.viewer.layers:
            return
        layer, facts = self._asked
        if not self.busy and self.labels.value is layer and cells_of(layer) is not None:
            self.guarded(lambda: self._ask(facts.label, go=False))

    def _later(self, act: Any) -> None:
        QTimer.singleShot(0, self._while_open(act))

    def _arrange(self) -> None:
        self.rows.addRow("Cells", self.labels)
        self.rows.addRow("Label", self.number)
        self.why.setWordWrap(True)
        self.why.setTextInteractionFlags(self.card.title.textInteractionFlags())
        for widget in (self.clicks, self.card, self.why, self.map_title, self.map, self.near):
            self.add(widget)
        self.add(self.features)
        self.fill_up()
        self.footer.insertWidget(0, side_by_side(self.like, self.copy))
        self.run.hide()
        self.cancel.hide()
        self.like.setEnabled(False)
        self._show_explanation(None)
        for hidden in (self.map, self.map_title):
            hidden.hide()


def _reason(layer: Labels, cells: AnnData, label: int) -> str:
    """Why the table has nothing to say of a cell, "" where it has."""
    if label in stale_of(layer):
        return (
            "This cell was drawn or changed after it was measured, so that nothing is known of it "
            "as it is now. Measure the changed cells again, in Cells."
        )
    if label in slots.cell_labels(cells):
        return ""
    measured = measured_of(layer)
    if measured is not None and label in set(pd.Series(measured.obs[slots.LABEL]).tolist()):
        return "This cell was measured, but dropped by cleaning (for its size, for instance)."
    return "This cell is not in the table. Measure the cells again, in Cells."
