"""Integrate: GLUER between cells and a reference, of one tissue section or of several at once."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from anndata import AnnData
from magicgui.widgets import SpinBox
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from qtpy.QtWidgets import QCheckBox, QFormLayout, QLabel, QVBoxLayout, QWidget

import napari_gluer as ng
from napari_gluer._napari.attached import attach, cells_of, reference_of
from napari_gluer._napari.folding import Section, boxed, is_open, no_stray_wheel
from napari_gluer._napari.forms import Form, Row, form, read
from napari_gluer._napari.integrating import (
    is_same_reference,
    is_unchanged,
    needed_sections,
    outcome,
    run_plan,
)
from napari_gluer._napari.integration_plan import Plan
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.recording import record_integration
from napari_gluer._napari.references.batch_picker import BatchPicker
from napari_gluer._napari.section_list import SectionList
from napari_gluer._napari.steps.base import Outcome, Step
from napari_gluer.errors import InputError
from napari_gluer.track import Track

_LARGEST_SEED = 2**31 - 1
_ELSEWHERE = ("reference_batch", "features.only", "features.without")
_SECTIONS, _BATCHES = "More tissue sections", "Batches in the reference"


class IntegrateStep(Step):
    """Runs the integration of the cells of labels layers with their reference."""

    title = "Integrate"
    run_text = "Integrate"
    hint = "Places the cells among the reference's cells; takes seconds to minutes."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.labels = labels_picker(self.viewer)
        self.others = SectionList(self.viewer, lambda: self.labels.value)
        self.sections = Section(_SECTIONS, boxed(self.others), self.others.toolTip())
        self.batch = BatchPicker()
        self.seed: Any = SpinBox(value=0, min=0, max=_LARGEST_SEED)
        no_stray_wheel(self.seed.native)
        self.cluster = QCheckBox("Cluster the cells too")
        self.cluster.setChecked(True)
        self._followed: Labels | None = None
        self._batch_place: QFormLayout | None = None
        self._lay_out_rows()
        self._show(ng.IntegrateParams())
        self.labels.currentIndexChanged.connect(self._follow)
        self.others.changed.connect(self._show_sections)
        self._follow()

    def show_preset(self, preset: Literal["default", "paper"]) -> None:
        """Fill the form with a preset's values; the device stays as chosen."""
        device = self.form.rows["device"].read()
        self._show(ng.IntegrateParams(preset=preset, device=device))

    def _show(self, params: ng.IntegrateParams) -> None:
        while (item := self._place.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.deleteLater()
        self.form: Form = form(params, hide=_ELSEWHERE)
        self.form.rows["reference_batch"] = Row(None, lambda: self.batch.column)
        self.form.rows["preset"].widget.changed.connect(self.show_preset)
        self._place.addWidget(self.form.native)
        for widget in (self._batch_label, self.batch):  # the paper's method knows no batches
            widget.setEnabled(params.features.standardize)

    def prepare(self) -> Callable[[Track], list[AnnData]]:
        """Read parameters and tables; the integration runs in the thread."""
        layers = [self.labels.value, *self.others.ticked]
        tables, reference = needed_sections(layers)
        params = read(ng.IntegrateParams, self.form)
        plan = Plan(tables, reference, params, self.seed.value, self.cluster.isChecked())
        self._begun = list(zip(layers, tables, strict=True))
        self._reference = reference
        return partial(run_plan, plan)

    def finish(self, result: list[AnnData]) -> Outcome:
        """Attach the integrated cells to their labels, those that are still what they were."""
        kept: dict[str, AnnData] = {}
        dropped: list[str] = []
        for (layer, before), cells in zip(self._begun, result, strict=True):
            now = cells_of(layer)
            if layer not in self.viewer.layers:
                dropped.append(f"The layer “{layer.name}” is gone; the result was discarded.")
            elif now is None or not is_unchanged(before, now):
                dropped.append(
                    f"The cells of “{layer.name}” changed meanwhile; the result was discarded. "
                    "Integrate again."
                )
            elif not is_same_reference(reference_of(layer), self._reference):
                dropped.append(
                    f"The reference of “{layer.name}” was replaced meanwhile; the result was "
                    "discarded. Integrate again."
                )
            else:
                cells.var = now.var.copy()  # with what was edited meanwhile
                attach(layer, cells=cells)
                kept[layer.name] = cells
        if not kept:
            raise InputError(" ".join(dropped))
        record_integration([one for one, _ in self._begun], result, self._reference, kept)
        said = outcome(kept)
        return Outcome(" ".join([*dropped, said.text]), said.details)

    def _follow(self) -> None:
        """Offer what belongs to the chosen layer, now and whenever its tables change."""
        if self._followed is not None:
            self._followed.events.metadata.disconnect(self._offer)
        self._followed = self.labels.value
        if self._followed is not None:
            self._followed.events.metadata.connect(self._offer)
        self.others.refresh()
        self._offer()

    def _offer(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        if not is_open(self):
            return
        layer = self.labels.value
        self.batch.show_reference(None if layer is None else reference_of(layer))
        above, there = self.batch.has_likely, self.batch.count() > 1
        place = self.rows if above else self._folded_rows
        if place is not self._batch_place:
            if self._batch_place is not None:
                self._batch_place.takeRow(self.batch)
            place.addRow(self._batch_label, self.batch)
            self._batch_place = place
            self._batch_label.show()
            self.batch.show()
        self._batch_label.setText("Batches" if above else "Column")
        self.batches.visible = there and not above

    def _show_sections(self) -> None:
        self.sections.visible = self.others.count() > 0
        number = len(self.others.ticked)
        self.sections.retitle(f"{_SECTIONS} ({number})" if number else _SECTIONS)

    def _lay_out_rows(self) -> None:
        self.rows.addRow("Cells", self.labels)
        self._batch_label = QLabel()
        self._batch_label.setToolTip(self.batch.toolTip())
        self._folded_rows = QFormLayout()
        folded = QWidget()
        folded.setLayout(self._folded_rows)
        self._folded_rows.setContentsMargins(0, 0, 0, 0)
        self.batches = Section(_BATCHES, boxed(folded), self.batch.toolTip())
        self._place = QVBoxLayout()
        self._place.setContentsMargins(0, 0, 0, 0)
        box = QWidget()
        box.setLayout(self._place)
        last = QFormLayout()
        last.addRow("Seed", self.seed.native)
        for widget in (self.sections, box, self.batches, self.cluster):
            self.add(widget)
        self.body.addLayout(last)
        self.fill_up()
