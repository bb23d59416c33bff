"""Cells: find them, choose masks or spots, measure, clean, and look at the markers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points
from napari.utils.events import Event

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import (
    attach,
    cells_of,
    edits,
    left_out_of,
    measured_of,
    stale_of,
    watch,
)
from napari_gluer._napari.cells import work
from napari_gluer._napari.cells.again import (
    Measuring,
    edited_of,
    from_image,
    from_spots,
    measure_again,
)
from napari_gluer._napari.cells.editing import edit_markers
from napari_gluer._napari.cells.marker_table import MarkerDialog
from napari_gluer._napari.cells.mixtures import MixtureWindow
from napari_gluer._napari.cells.options import labels_of
from napari_gluer._napari.cells.outcome import outcome
from napari_gluer._napari.cells.panel import CellsPanel, Instead
from napari_gluer._napari.cells.placing import earlier_layer, place_on, put_labels
from napari_gluer._napari.cells.preview import View, in_view, remove_preview, show_preview
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.forms import read
from napari_gluer._napari.images import Source
from napari_gluer._napari.layers import warm_up
from napari_gluer._napari.processes import warm
from napari_gluer._napari.recording import Begun, record_cells, record_replaced
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
        self._pixels: Any = None
        self.waiting += [self.finding.preview, self.again]
        self._followed: Labels | None = None
        self.finding.preview.clicked.connect(self._preview)
        self.look.clicked.connect(self._look)
        self.edit.clicked.connect(self._edit)
        self.again.clicked.connect(self._measure_again)
        self.cells_from.currentIndexChanged.connect(self._follow)
        self._follow()
        warm()

    def prepare(self) -> Callable[[Track], work.Found]:
        """Read the choices; segmenting and measuring happen in the thread."""
        return partial(_and_warm_up, self._prepared())

    def _prepared(self) -> Callable[[Track], work.Found]:
        self.image.refresh()  # layers may have been moved or scaled since they were listed
        source, chosen = self.image.value, self.cells_from.value
        if source is None:
            raise InputError("There is no image yet. Open one, or File ▸ Open Sample ▸ GLUER.")
        self._for = (source, chosen, _watched(chosen))
        self._pixels = _pixels_of(source)
        if chosen is Instead.FIND:
            if not isinstance(source, Source):
                raise InputError(
                    "Cells cannot be found in spots. Choose a labels layer under Cells."
                )
            plan, params = self._plan(source), self.finding.params(source)
            self._begun = Begun(source, plan, segment=params)
            return work.apart(work.find, source.image, params, plan)
        labels = labels_of(chosen)
        if source is Instead.TABLE:
            plan = self._plan(None)
            self._begun = Begun(None, plan)
            return partial(work.cleaned, measured_of(chosen), labels, plan)
        plan = self._plan(source)
        if isinstance(source, Points):
            assign = read(AssignParams, self.placing)
            self._begun = Begun(source, plan, assign=assign)
            return partial(work.assign, spots_of(source), labels, assign, plan)
        self._begun = Begun(source, plan)
        return work.apart(work.measure, source.image, labels, plan)

    def finish(self, result: work.Found) -> Outcome:
        """Attach the table to its labels layer, a new one where cells were found."""
        source, chosen, edited = self._for
        layer = chosen
        self._refuse_replaced(source)
        if chosen is Instead.FIND:
            layer = put_labels(self.viewer, result.labels, source)
        else:
            self._refuse_moved(layer, edited)
            if isinstance(source, Source):
                place_on(layer, source)
        remove_preview(self.viewer)
        attach(
            layer,
            cells=result.cells,
            measured=result.measured,
            index=None if source is Instead.TABLE else result.index,
            left_out=result.left_out,
        )
        record_cells(layer, self._begun, result.measured, result.cells)
        if isinstance(source, Points) and source in self.viewer.layers:
            assigned(source, layer, result.measured)
        self.cells_from.choose(layer)
        self.image.refresh()  # the values of the new table can be chosen, too
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
        job = work.apart(work.preview, source.image, params, view.window, plan)
        return job, source, view

    def _show_preview(self, found: work.Previewed, source: Source, view: View) -> Outcome:
        if source.like not in self.viewer.layers:
            raise InputError("The image is gone; there is nothing to preview.")
        show_preview(self.viewer, found.labels, source, view.window)
        place = "in view"
        if view.limited:
            high, wide = (part.stop - part.start for part in view.window[-2:])
            place = f"in the middle of the view ({wide:,} × {high:,} pixels)"
        return Outcome(f"{found.number:,} {'cell' if found.number == 1 else 'cells'} {place}.")

    def _measure_again(self) -> None:
        wanted = self.guarded(self._prepare_again)
        if wanted is not None:
            layer, source, job = wanted
            edited = _watched(layer)

            def finish(found: work.Found) -> Outcome:
                self._refuse_replaced(source)
                return self._finish_again(found, layer, edited)

            self.run_job(job, finish)

    def _prepare_again(self) -> tuple[Labels, Source | Points, Callable[[Track], work.Found]]:
        self.image.refresh()
        layer, source = self.cells_from.value, self.image.value
        if not isinstance(layer, Labels):
            raise InputError("Choose the labels layer that was edited under Cells.")
        if not isinstance(source, Source | Points):
            raise InputError(
                "Choose the image under Image in which the cells were measured; a table alone does "
                "not tell what the edited cells hold."
            )
        edited, plan = edited_of(layer), self._plan(source)
        if isinstance(source, Points):
            assign = read(AssignParams, self.placing)
            measure: Measuring = partial(from_spots, spots_of(source), assign)
        else:
            measure = partial(from_image, source.image)
        self._pixels = _pixels_of(source)
        return layer, source, partial(measure_again, edited, measure, plan)

    def _finish_again(self, result: work.Found, layer: Labels, edited: int) -> Outcome:
        self._refuse_moved(layer, edited)
        number = len(stale_of(layer))
        attach(
            layer,
            cells=result.cells,
            measured=result.measured,
            index=result.index,
            left_out=np.union1d(left_out_of(layer), result.left_out),
        )
        record_replaced(layer, "edited cells measured again", result.measured, result.cells)
        said = f"{number:,} changed {'cell' if number == 1 else 'cells'} measured again"
        then = "Integrate" if slots.WEIGHTS in result.cells.obsm else "Next: Reference"
        also = f"; {then} again for their genes." if then == "Integrate" else f". {then}."
        return Outcome(f"{said}; all others are as they were ({result.cells.n_obs:,} cells){also}")

    def _refuse_replaced(self, source: Any) -> None:
        """Refuse a result of an image that has other pixels by now."""
        now, self._pixels, then = _pixels_of(source), None, self._pixels
        if now is not then:
            raise InputError(
                f"The image “{source.name}” was replaced meanwhile; the result was discarded. "
                "Measure again."
            )

    def _refuse_moved(self, layer: Labels, edited: int) -> None:
        """Refuse a result for labels that are gone or others by now."""
        if layer not in self.viewer.layers:
            raise InputError(f"The layer “{layer.name}” is gone; the result was discarded.")
        if edits(layer) != edited:
            raise InputError(
                f"“{layer.name}” was edited meanwhile; the result was discarded. Measure again."
            )

    def _follow(self) -> None:
        """Offer to measure edited cells again, now and whenever there are others."""
        if self._followed is not None:
            self._followed.events.metadata.disconnect(self._offer)
        chosen = self.cells_from.value
        self._followed = chosen if isinstance(chosen, Labels) else None
        if self._followed is not None:
            self._followed.events.metadata.connect(self._offer)
        self.offer_again()

    def _offer(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        if is_open(self):
            self.offer_again()

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


def _and_warm_up(job: Callable[[Track], work.Found], track: Track) -> work.Found:
    """What napari compiles for the first labels layer is compiled here, too."""
    found = job(track)
    warm_up()
    return found


def _pixels_of(source: Any) -> Any:
    """The data of an image's layer or of spots: another object where they were replaced."""
    layer = source.like if isinstance(source, Source) else source
    return layer.data if isinstance(layer, Image | Points) else None


def _watched(chosen: Any) -> int:
    """How often the chosen labels were edited so far."""
    if not isinstance(chosen, Labels):
        return 0
    watch(chosen)
    return edits(chosen)
