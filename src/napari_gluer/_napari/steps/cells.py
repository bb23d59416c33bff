"""Cells: find them, choose masks or spots, measure, clean, and look at the markers."""

from collections.abc import Callable
from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels, Points

import napari_gluer as ng
from napari_gluer._napari.attached import attach, cells_of, edits, measured_of, watch
from napari_gluer._napari.cells import work
from napari_gluer._napari.cells.editing import edit_markers
from napari_gluer._napari.cells.marker_table import MarkerDialog
from napari_gluer._napari.cells.mixtures import MixtureWindow
from napari_gluer._napari.cells.options import labels_of
from napari_gluer._napari.cells.outcome import outcome
from napari_gluer._napari.cells.panel import CellsPanel, Instead
from napari_gluer._napari.cells.placing import earlier_layer, place_on, put_labels
from napari_gluer._napari.cells.preview import View, in_view, remove_preview, show_preview
from napari_gluer._napari.forms import read
from napari_gluer._napari.images import Source
from napari_gluer._napari.spots import assigned, spots_of
from napari_gluer._napari.steps.base import Outcome
from napari_gluer.errors import InputError
from napari_gluer.measurement.spots import AssignParams
from napari_gluer.track import Track


class CellsStep(CellsPanel):
    """From an image or spots to a table of clean measurements, one row per cell."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.plots: MixtureWindow | None = None
        self.markers: MarkerDialog | None = None
        self._for: tuple[Any, Any, int] = (None, None, 0)
        self._ignored = ""
        self.waiting.append(self.finding.preview)
        self.finding.preview.clicked.connect(self._preview)
        self.look.clicked.connect(self._look)
        self.edit.clicked.connect(self._edit)

    def prepare(self) -> Callable[[Track], work.Found]:
        """Read the choices; segmenting and measuring happen in the thread."""
        self.image.refresh()  # layers may have been moved or scaled since they were listed
        source, chosen = self.image.value, self.cells_from.value
        if source is None:
            raise InputError("There is no image yet. Open one, or File ▸ Open Sample ▸ GLUER.")
        self._for = (source, chosen, _watched(chosen))
        if chosen is Instead.FIND:
            if not isinstance(source, Source):
                raise InputError(
                    "Cells cannot be found in spots. Choose a labels layer under Cells."
                )
            plan = self._plan(source)
            return partial(work.find, source.image, self.finding.params(source), plan)
        labels = labels_of(chosen)
        if source is Instead.TABLE:
            return partial(work.cleaned, measured_of(chosen), labels, self._plan(None))
        plan = self._plan(source)
        if isinstance(source, Points):
            return partial(
                work.assign, spots_of(source), labels, read(AssignParams, self.placing), plan
            )
        return partial(work.measure, source.image, labels, plan)

    def finish(self, result: work.Found) -> Outcome:
        """Attach the table to its labels layer, a new one where cells were found."""
        source, chosen, edited = self._for
        layer = chosen
        if chosen is Instead.FIND:
            layer = put_labels(self.viewer, result.labels, source)
        elif layer not in self.viewer.layers:
            raise InputError(f"The layer “{layer.name}” is gone; the result was discarded.")
        elif edits(layer) != edited:
            raise InputError(
                f"“{layer.name}” was edited meanwhile; the result was discarded. Measure again."
            )
        elif isinstance(source, Source):
            place_on(layer, source)
        remove_preview(self.viewer)
        attach(
            layer,
            cells=result.cells,
            measured=result.measured,
            index=result.index,
            left_out=result.left_out,
        )
        if isinstance(source, Points) and source in self.viewer.layers:
            assigned(source, layer, result.measured)
        self.cells_from.choose(layer)
        self.show_what_applies()
        note = source.note if isinstance(source, Source) else ""
        return outcome(result.cells, result.note, note, self._ignored)

    def _preview(self) -> None:
        wanted = self.guarded(self._prepare_preview)
        if wanted is not None:
            job, source, view = wanted
            self.run_job(job, lambda found: self._show_preview(found, source, view))

    def _prepare_preview(self) -> tuple[Callable[[Track], Any], Source, View]:
        self.image.refresh()
        source = self.image.value
        if not isinstance(source, Source):
            raise InputError("There is no image to find cells in. Choose one under Image.")
        view = in_view(self.viewer, source)
        params, plan = self.finding.params(source), self._plan(source)
        return partial(work.preview, source.image, params, view.window, plan), source, view

    def _show_preview(self, found: work.Previewed, source: Source, view: View) -> Outcome:
        if source.like not in self.viewer.layers:
            raise InputError("The image is gone; there is nothing to preview.")
        show_preview(self.viewer, found.labels, source, view.window)
        place = "in view"
        if view.limited:
            high, wide = (part.stop - part.start for part in view.window[-2:])
            place = f"in the middle of the view ({wide:,} × {high:,} pixels)"
        return Outcome(f"{found.number:,} {'cell' if found.number == 1 else 'cells'} {place}.")

    def _plan(self, source: Source | Points | None) -> work.Plan:
        """The choices that apply to a source."""
        regions, self._ignored = None, ""
        place = self.image_layer() if source is not None else None
        if place is not None:
            regions, self._ignored = self.regions.regions(place)
        from_image = isinstance(source, Source)
        return work.Plan(
            clean=read(ng.CleanParams, self.cleaning) if self.clean.isChecked() else None,
            measure=self.measuring.params,
            nuclei=self.measuring.nuclei_labels if from_image else None,
            regions=regions,
            tiles=self.big.params,
            folder=self.big.folder.text().strip() if from_image else "",
            edited=self._former(source),
        )

    def _former(self, source: Source | Points | None) -> Any:
        """The table whose edited markers go over to the new one."""
        chosen = self.cells_from.value
        if source is None:
            return None
        if isinstance(chosen, Labels):
            return measured_of(chosen)
        earlier = earlier_layer(self.viewer, source) if isinstance(source, Source) else None
        return None if earlier is None else measured_of(earlier)

    def _look(self) -> None:
        layer = self.cells_from.value
        cells = cells_of(layer) if isinstance(layer, Labels) else None
        if cells is not None:
            self.plots = self.guarded(lambda: MixtureWindow(cells, self.window()))
            if self.plots is not None:
                self.plots.show()

    def _edit(self) -> None:
        layer = self.cells_from.value
        if isinstance(layer, Labels):
            self.markers = self.guarded(lambda: edit_markers(layer, self, self.say))


def _watched(chosen: Any) -> int:
    """How often the chosen labels were edited so far."""
    if not isinstance(chosen, Labels):
        return 0
    watch(chosen)
    return edits(chosen)
