"""Plots: genes and groups as violins, dots, heat maps, or along a line; saved as they are drawn."""

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton

from napari_gluer import slots
from napari_gluer._napari.asking.card import selectable
from napari_gluer._napari.attached import (
    cells_of,
    edits,
    full_resolution,
    needed_cells,
    reference_of,
    stale_of,
)
from napari_gluer._napari.folding import Section, is_open, no_stray_wheel
from napari_gluer._napari.forms import form, read
from napari_gluer._napari.jobs import while_waiting
from napari_gluer._napari.linked import LinkedView, linked_of
from napari_gluer._napari.paintables import Paintable, paintables
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.plots.canvas import FigureView, Picture, pictured
from napari_gluer._napari.plots.drawing import (
    Drawn,
    Kind,
    LineParams,
    MapParams,
    Request,
    drawn,
)
from napari_gluer._napari.plots.genes import GeneList
from napari_gluer._napari.plots.grouping import By, Way, grouped, ways
from napari_gluer._napari.plots.line import (
    Places,
    corners_of,
    draw_line,
    line_layer,
    line_of,
    unit_of,
)
from napari_gluer._napari.plots.save_view import ask_and_write
from napari_gluer._napari.plots.saving import FIGURES, TABLES, asked_path, write_csv
from napari_gluer._napari.steps.base import Outcome, Step, side_by_side
from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import one_at_a_time
from napari_gluer.figures.files import save_figure
from napari_gluer.figures.params import SINGLE_COLUMN, FigureParams
from napari_gluer.palette import colors_of
from napari_gluer.track import Track

_SOON = 250  # ms after the last change


class PlotsStep(Step):
    """Draws chosen genes in chosen groups of cells."""

    title = "Plots"
    run_text = "Draw"
    hint = "Choose genes and groups; the plot follows."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.labels = labels_picker(self.viewer)
        self.kind, self.by = _combo(), _combo()
        for kind in Kind:
            self.kind.addItem(kind.value, kind)
        self.genes = GeneList()
        self.add_painted = QPushButton("Add what is painted")
        self.line = QPushButton("Draw a line")
        self.line.setToolTip("Click along the tissue; a double click ends the line.")
        self.look, self.along = form(MapParams()), form(LineParams())
        self.print_form = form(SINGLE_COLUMN, hide=("colors",))
        self.look_section = Section("Options", self.look)
        self.print_section = Section("Figure in print", self.print_form)
        self.figure = FigureView(self.viewer)
        self.caption = selectable("")
        self.save_figure = QPushButton("Save figure…")
        self.save_data = QPushButton("Save data…")
        self.save_view = QPushButton("Save this view")
        self.save_view.setToolTip(
            "The tissue as it is on the canvas, with scale bar, colours and a caption."
        )
        self._drawn: Drawn | None = None
        self._places = Places()
        self._followed: tuple[Labels, LinkedView] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._arrange()
        self._connect()
        self._follow()

    @property
    def plot(self) -> Drawn | None:
        """What is drawn now."""
        return self._drawn

    def prepare(self) -> Callable[[Track], tuple[Drawn, Picture]]:
        """Read everything that the plot depends on."""
        sheet = self.figure.sheet(read(FigureParams, self.print_form))
        numbers = self._numbers()

        def work(track: Track) -> tuple[Drawn, Picture]:
            plot = numbers(track)
            return plot, _in_steps(track, lambda: pictured(plot.figure, sheet))

        return work

    def _numbers(self) -> Callable[[Track], Drawn]:
        layer: Labels = self.labels.value
        cells, kind = needed_cells(layer), self.kind.currentData()
        by: By = self.by.currentData() if kind.has_groups else Way.NONE
        linked = linked_of(layer)
        groups = grouped(
            cells,
            by,
            current=linked.selections.current,
            named=linked.selections.named,
            stale=stale_of(layer),
        )
        given: dict[str, Any] = {
            "kind": kind,
            "look": read(MapParams, self.look),
            "along": read(LineParams, self.along),
            "cells": cells,
            "reference": reference_of(layer),
            "genes": self.genes.chosen,
            "groups": groups,
            "grouped_by": by.label if isinstance(by, Paintable) else by.value,
            "colors": _colors(cells, by, linked),
        }
        if kind is not Kind.PROFILE:
            return lambda _: drawn(Request(**given))
        corners, (size, unit) = corners_of(self.viewer, layer), unit_of(layer)
        data, n_edits, places = full_resolution(layer), edits(layer), self._places

        def work(track: Track) -> Drawn:
            centres = places(data, n_edits, cells, track)
            return drawn(Request(**given, line=line_of(corners, centres, size, unit)))

        return work

    def finish(self, result: tuple[Drawn, Picture]) -> Outcome:
        """Show the figure."""
        plot, picture = result
        self.figure.show_picture(picture, plot.figure, read(FigureParams, self.print_form))
        self._drawn = plot
        self.caption.setText(plot.caption)
        self._enable()
        n = len(self.genes.chosen)
        return Outcome(f"{self.kind.currentText().capitalize()} of {n} gene{'s' * (n != 1)}.")

    def _soon(self) -> None:
        """Draw in a moment, where there is something to draw."""
        layer = self.labels.value
        kind = self.kind.currentData()
        no_line = layer is None or line_layer(self.viewer, layer) is None
        if self.genes.chosen and not (kind is Kind.PROFILE and no_line):
            self._timer.start(_SOON)

    def _redraw(self) -> None:
        if self.busy:
            self._running.cancel()
            self._set_busy(busy=False)
        self._start()

    def _shape_up(self) -> None:
        """Show what the kind of plot asks for."""
        kind = self.kind.currentData()
        self.by.setEnabled(kind.has_groups)
        self.line.setVisible(kind is Kind.PROFILE)
        self.along.visible = kind is Kind.PROFILE
        self.look_section.visible = kind in (Kind.DOTS, Kind.HEAT, Kind.CELLS)
        self._soon()

    def _draw_line(self) -> None:
        layer = self.labels.value
        needed_cells(layer)
        shapes = draw_line(self.viewer, layer)
        shapes.events.data.disconnect(self._line_drawn)
        shapes.events.data.connect(self._line_drawn)
        self.say("Click along the tissue; a double click ends the line.")

    def _line_drawn(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        if is_open(self) and self.kind.currentData() is Kind.PROFILE:
            self._soon()

    def _follow(self) -> None:
        """Offer what the chosen labels layer has, now and whenever its tables change."""
        if self._followed is not None:
            layer, linked = self._followed
            layer.events.metadata.disconnect(self._offer)
            linked.selections.changed.disconnect(self._selected)
            linked.selections.named_changed.disconnect(self._named)
        layer = self.labels.value
        self._followed = None if layer is None else (layer, linked_of(layer))
        if self._followed is not None:
            layer, linked = self._followed
            layer.events.metadata.connect(self._offer)
            linked.selections.changed.connect(self._selected)
            linked.selections.named_changed.connect(self._named)
        self._clear()
        self._offer()

    def _clear(self) -> None:
        """Forget the plot of another layer."""
        self._drawn = None
        self.figure.clear()
        self.caption.setText("")
        self._enable()

    def _offer(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        if not is_open(self):
            return
        layer = self.labels.value
        cells = None if layer is None else cells_of(layer)
        reference = None if layer is None else reference_of(layer)
        found = [] if cells is None else paintables(cells, reference)
        self.genes.offer([one for one in found if not one.is_categorical])
        chosen = self.by.currentText()
        self.by.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.by.clear()
        for text, way in [] if cells is None else ways(cells):
            self.by.addItem(text, way)
        self.by.setCurrentIndex(max(self.by.findText(chosen), 0))
        self.by.blockSignals(False)  # noqa: FBT003
        self.run.setEnabled(cells is not None and slots.LABEL in cells.obs)

    def _selected(self) -> None:
        if is_open(self) and self.by.currentData() is Way.SELECTION and self._drawn is not None:
            self._soon()

    def _named(self) -> None:
        if is_open(self) and self.by.currentData() is Way.NAMED and self._drawn is not None:
            self._soon()

    def _take_painted(self) -> None:
        layer = self.labels.value
        shown = None if layer is None else linked_of(layer).shown
        if shown is None or shown.what.is_categorical:
            raise InputError("No gene is painted now; type a name instead.")
        self.genes.add(shown.what)

    def _save_figure(self) -> None:
        plot = self._needed()
        path = asked_path(self, "Save figure", "plot", FIGURES)
        if path is None:
            return
        params = read(FigureParams, self.print_form)

        def write() -> Figure:
            with one_at_a_time():
                made = plot.figure(params)
                save_figure(made, path)
            return made

        try:
            figure = while_waiting("Saving the figure …", write)
        except OSError as error:
            raise InputError(f"{path} could not be written: {error.strerror or error}.") from error
        width, height = figure.get_size_inches() * 25.4
        self.say(f"Saved {path.name}: {width:.0f} × {height:.0f} mm.")

    def _save_data(self) -> None:
        plot = self._needed()
        path = asked_path(self, "Save data", "plot", TABLES)
        if path is not None:
            while_waiting("Saving the data …", lambda: write_csv(plot.data, path))
            self.say(f"Saved {len(plot.data):,} rows to {path.name}.")

    def _save_view(self) -> None:
        layer = self.labels.value
        if layer is None:
            raise InputError("There is no labels layer yet. Start with Plugins ▸ GLUER ▸ Cells.")
        params = read(FigureParams, self.print_form)
        if said := ask_and_write(self.viewer, layer, self, params):
            self.say(said)

    def _needed(self) -> Drawn:
        if self._drawn is None:
            raise InputError("There is no plot yet: choose genes first.")
        return self._drawn

    def _enable(self) -> None:
        for button in (self.save_figure, self.save_data):
            button.setEnabled(self._drawn is not None)

    def _connect(self) -> None:
        self._timer.timeout.connect(self._redraw)
        self.labels.currentIndexChanged.connect(self._follow)
        self.kind.currentIndexChanged.connect(self._shape_up)
        self.by.currentIndexChanged.connect(self._soon)
        self.genes.changed.connect(self._soon)
        self.add_painted.clicked.connect(lambda: self.guarded(self._take_painted))
        self.line.clicked.connect(lambda: self.guarded(self._draw_line))
        self.save_figure.clicked.connect(lambda: self.guarded(self._save_figure))
        self.save_data.clicked.connect(lambda: self.guarded(self._save_data))
        self.save_view.clicked.connect(lambda: self.guarded(self._save_view))

    def _arrange(self) -> None:
        genes = QLabel("Genes")
        genes.setBuddy(self.genes.line)
        for name, widget in (("Cells", self.labels), ("Plot", self.kind), ("Groups", self.by)):
            self.rows.addRow(name, widget)
        self.rows.addRow(genes, self.genes)
        self.add(side_by_side(self.add_painted, self.line))
        self.add(self.along)
        self.add(self.look_section)
        self.add(self.figure, 1)
        self.add(self.caption)
        self.add(self.print_section)
        self.line.hide()
        self.along.visible = self.look_section.visible = False
        saves = side_by_side(self.save_figure, self.save_data, self.save_view)
        self.footer.insertWidget(1, saves)
        self._enable()


def _combo() -> QComboBox:
    box = QComboBox()
    no_stray_wheel(box)
    return box


def _in_steps(track: Track, act: Callable[[], Picture]) -> Picture:
    """`act` as the one step of a job."""
    for _ in track([0], "Drawing"):
        found = act()
    return found


def _colors(cells: Any, by: By, linked: LinkedView) -> dict[str, str]:
    """Colours of the groups, as they are painted on the tissue."""
    if not isinstance(by, Paintable):
        return {}
    column = cells.obs[by.name].astype("category")
    names = [str(name) for name in column.cat.categories]
    own = dict(zip(names, colors_of(names), strict=True))
    return {**own, **linked.colors.get(by.name, {})}
