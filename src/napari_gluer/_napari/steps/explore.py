"""Explore: search a gene, a marker or a column, and paint it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.utils.events import Event
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QPushButton

from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, needed_cells, reference_of, stale_of
from napari_gluer._napari.exporting import SaveImputed, integrated_tables
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.found_list import FoundList, SearchBox
from napari_gluer._napari.images import dim_tissue
from napari_gluer._napari.jobs import start
from napari_gluer._napari.layers import keep
from napari_gluer._napari.paintables import Paintable, Search, paintables
from napari_gluer._napari.painting.grades import Grades, grades_of
from napari_gluer._napari.painting.grading import GradeGenes
from napari_gluer._napari.painting.looking import Looking
from napari_gluer._napari.painting.painter import Canvas, paint
from napari_gluer._napari.painting.picking import Picked, found_for, is_quick, shown_of
from napari_gluer._napari.painting.sections import siblings
from napari_gluer._napari.painting.warning import ChanceWarning
from napari_gluer._napari.painting.words import left_empty, said
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.recording import record_export
from napari_gluer._napari.steps.base import Outcome, Step, side_by_side
from napari_gluer.errors import InputError
from napari_gluer.track import Track

_SHOWN_AFTER = 200  # ms


class ExploreStep(Step):
    """Paints what is picked from a list that a search box narrows."""

    title = "Explore"
    run_text = "Paint"
    hint = "Type a name, then click it or press Enter."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.labels = labels_picker(self.viewer)
        self.search_box = SearchBox()
        self.search_box.setPlaceholderText("Gene, marker, cluster, type …")
        self.search_box.setClearButtonEnabled(True)
        self.list = FoundList()
        self.warning = ChanceWarning()
        self.looking = Looking(self.viewer, self)
        self.legend = self.looking.legend
        self.dim = QCheckBox("Dim the image")
        self.dim.setToolTip("Dim the tissue image under a painting.")
        self.dim.setChecked(True)
        self.keep = QPushButton("Keep this layer")
        self.keep.setToolTip("Leave the painted layer as it is; the next one gets its own.")
        self.keep.setEnabled(False)
        self.save = SaveImputed(self._integrated, self.say)
        self.save.exported.connect(lambda *what: record_export(self.labels.value, *what))
        self.grading = GradeGenes(self._integrated, self._graded, self.say)
        self._fill()
        self._followed: Labels | None = None
        self._search = Search([])
        self._grades = Grades()
        self._layer: Layer | None = None
        self._painted_of: AnnData | None = None
        self._connect()
        self._follow()

    def _fill(self) -> None:
        self.rows.addRow("Cells", self.labels)
        self.rows.addRow("Search", self.search_box)
        self.add(self.list, 3)
        self.add(self.warning)
        self.looking.add_to(self)
        self.footer.insertWidget(0, side_by_side(self.dim, self.keep))
        self.footer.insertWidget(1, side_by_side(self.grading, self.save))
        self.run.hide()
        self.cancel.hide()

    def _connect(self) -> None:
        self.labels.currentIndexChanged.connect(self._follow)
        self.search_box.textChanged.connect(self._narrow)
        self.search_box.returnPressed.connect(self.list.pick_first)
        self.search_box.left.connect(self.list.enter)
        self.list.picked.connect(self.pick)
        self.warning.confirmed.connect(self.pick)
        self.keep.clicked.connect(self._keep)
        self.dim.toggled.connect(self._dim)
        self.looking.sections.changed.connect(self._repick)

    def pick(self, what: Paintable) -> None:
        """Paint `what` on the cells of the chosen labels layer.

        A gene that is imputed no better than chance is painted when it is picked a second time, or
        at “Paint it anyway”.
        """
        if self._grades.is_chance(what) and not self.warning.warned_of(what):
            self.warning.warn(what, self._grades.explained(what))
            return
        self.warning.clear()
        self.guarded(lambda: self._paint(what))

    def _paint(self, what: Paintable) -> None:
        needed_cells(self.labels.value)
        layers = [self.labels.value, *self._together()]
        sources = [(layer, needed_cells(layer), reference_of(layer)) for layer in layers]
        self._running.cancel()
        self._set_busy(busy=False)
        if all(is_quick(what, *source[1:]) for source in sources):
            self.say(*self._painted(what, [found_for(what, *source) for source in sources]))
            return

        def work(track: Track) -> list[Picked]:
            return [found_for(what, *source) for source in track(sources, what.name)]

        self._run_quietly(what.name, work, lambda found: self._painted(what, found))

    def _run_quietly(
        self, name: str, work: Callable[[Track], Any], finish: Callable[[Any], Outcome]
    ) -> None:
        """Run a job that mostly ends before a progress bar could be seen; else show one."""
        job = start(
            f"GLUER: {name}",
            work,
            done=self._while_open(lambda found: self._done(finish, found)),
            failed=self._while_open(self._failed),
            progressed=lambda *_: None,
        )
        self._running.job = job

        def show_progress() -> None:
            if self._running.job is job:
                self._set_busy(busy=True)
                self.say(f"Imputing {name} …")

        QTimer.singleShot(_SHOWN_AFTER, self._while_open(show_progress))

    def _painted(self, what: Paintable, found: Sequence[Picked]) -> Outcome:
        known = [one for one in found if one.values is not None]
        if not known:
            raise InputError(f"There is no “{what.label}” any more; choose something else.")
        chance = self._grades.is_chance(what)
        canvases = [Canvas(one.layer, shown_of(what, one, chance=chance)) for one in known]
        self.looking.begin(what)
        self._layer = paint(self.viewer, canvases, what.layer_name)[0]
        self._dim()
        self.looking.show_painted([one.layer for one in known])
        self.keep.setEnabled(True)
        told = left_empty(what, [one.layer for one in known], [one.cells for one in known])
        without = [one.layer.name for one in found if one.values is None]
        told += [f"Not in {', '.join(without)}."] if without else []
        return Outcome(" ".join([said(what, known[0].cells), *told]))

    def _together(self) -> list[Labels]:
        wanted = self.looking.sections.together.isChecked()
        return siblings(self.viewer, self.labels.value) if wanted else []

    def _repick(self) -> None:
        """Paint the same on other sections."""
        self._paint_again()
        if self.labels.value is not None:
            self.guarded(lambda: self.looking.place([self.labels.value, *self._together()]))

    def _paint_again(self) -> None:
        """Paint the same after the tables changed."""
        shown = self.looking.shown
        if shown is not None and shown.blend is None:
            self.guarded(lambda: self._paint(shown.what))

    def _integrated(self) -> tuple[AnnData, AnnData]:
        layer = self.labels.value
        return integrated_tables(needed_cells(layer), reference_of(layer))

    def _graded(self, cells: AnnData) -> None:
        if self.labels.value is not None and cells_of(self.labels.value) is cells:
            self._show_grades(cells)

    def _show_grades(self, cells: AnnData | None) -> None:
        self._grades = grades_of(cells)
        self.list.grade(self._grades)

    def _dim(self) -> None:
        """Dim the image under a painting, or give it its old opacity back."""
        if self._layer is not None:
            dim_tissue(self.viewer, dim=self.dim.isChecked())

    def _keep(self) -> None:
        if self._layer is not None:
            keep(self._layer)
            self.keep.setEnabled(False)
            self.say(f"“{self._layer.name}” stays; the next painting gets its own layer.")

    def _follow(self) -> None:
        """List what the chosen labels layer offers, now and whenever its tables change."""
        if self._followed is not None:
            self._followed.events.metadata.disconnect(self._relist)
        self._followed = self.labels.value
        if self._followed is not None:
            self._followed.events.metadata.connect(self._relist)
        self.warning.clear()
        self.looking.follow(self._followed)
        self._relist()

    def _relist(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        if not is_open(self):
            return
        layer = self.labels.value
        cells = None if layer is None else cells_of(layer)
        reference = None if layer is None else reference_of(layer)
        self._search = Search([] if cells is None else paintables(cells, reference))
        can_impute = cells is not None and reference is not None and slots.WEIGHTS in cells.obsm
        self.save.button.setEnabled(can_impute)
        self.grading.button.setEnabled(can_impute)
        self._show_grades(cells)
        self._narrow(self.search_box.text())
        self.looking.offer_sections()
        self._follow_edits(layer, cells)
        if cells is None:
            self.say("Measure cells first: Plugins ▸ GLUER ▸ Cells." if layer else self.hint)

    def _follow_edits(self, layer: Labels | None, cells: AnnData | None) -> None:
        """Paint anew where cells were edited, measured or integrated since."""
        before, self._painted_of = self._painted_of, cells
        shown = self.looking.shown
        if layer is None or cells is None or shown is None:
            return
        valid = np.setdiff1d(slots.cell_labels(cells), stale_of(layer), assume_unique=True)
        if before is not cells or not np.array_equal(np.sort(valid), np.sort(shown.labels)):
            self._paint_again()

    def _narrow(self, text: str) -> None:
        self.list.show_found(self._search(text))
