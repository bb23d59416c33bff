"""Integrate: GLUER between the cells and the reference, types and clusters with it."""

import json
from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
from anndata import AnnData
from magicgui.widgets import SpinBox
from napari.components import ViewerModel
from qtpy.QtWidgets import QCheckBox, QFormLayout, QVBoxLayout, QWidget

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach, needed_cells, needed_reference
from napari_gluer._napari.folding import no_stray_wheel
from napari_gluer._napari.forms import Form, form, read
from napari_gluer._napari.layers import warm_up
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.steps.base import Outcome, Step
from napari_gluer._napari.steps.reference import label_columns
from napari_gluer.errors import InputError
from napari_gluer.track import Track

_LARGEST_SEED = 2**31 - 1


class IntegrateStep(Step):
    """Runs the integration of a labels layer's cells with their reference."""

    title = "Integrate"
    run_text = "Integrate"
    hint = "Places the cells among the reference's cells; takes seconds to minutes."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.labels = labels_picker(self.viewer)
        self.seed: Any = SpinBox(value=0, min=0, max=_LARGEST_SEED)
        no_stray_wheel(self.seed.native)
        self.cluster = QCheckBox("Cluster the cells too")
        self.cluster.setChecked(True)
        self.rows.addRow("Cells", self.labels)
        self._place = QVBoxLayout()
        self._place.setContentsMargins(0, 0, 0, 0)
        box = QWidget()
        box.setLayout(self._place)
        last = QFormLayout()
        last.addRow("Seed", self.seed.native)
        self.add(box)
        self.add(self.cluster)
        self.body.addLayout(last)
        self.fill_up()
        self.show_preset("default")

    def show_preset(self, preset: Literal["default", "paper"]) -> None:
        """Fill the form with a preset's values."""
        while (item := self._place.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.deleteLater()
        self.form: Form = form(ng.IntegrateParams(preset=preset))
        self.form.rows["preset"].widget.changed.connect(self.show_preset)
        self._place.addWidget(self.form.native)

    def prepare(self) -> Callable[[Track], AnnData]:
        """Read parameters and tables; the integration runs in the thread."""
        layer = self.labels.value
        cells, reference = needed_cells(layer), needed_reference(layer)
        params, seed = read(ng.IntegrateParams, self.form), self.seed.value
        cluster = self.cluster.isChecked()
        self._layer = layer

        def work(track: Track) -> AnnData:
            result = ng.integrate(cells, reference, params, seed=seed, track=track)
            with_types(result, reference)
            warm_up()
            return ng.cluster(result, ng.ClusterParams(), seed=seed) if cluster else result

        return work

    def finish(self, result: AnnData) -> Outcome:
        """Attach the integrated cells to their labels."""
        if self._layer not in self.viewer.layers:
            raise InputError(f"The layer “{self._layer.name}” is gone; the result was discarded.")
        attach(self._layer, cells=result)
        return outcome(result)


def outcome(cells: AnnData) -> Outcome:
    """How many cells were integrated with how many, and how many found no match."""
    known = slots.info(cells)
    n_reference, n_links = len(known[slots.REFERENCE_NAMES]), len(json.loads(known["links"]))
    text = (
        f"{cells.n_obs:,} cells integrated with {n_reference:,} reference cells over "
        f"{n_links:,} linked features."
    )
    if without := int(slots.unmatched(cells).sum()):
        text += f" {without:,} cells have no signal and stay unmatched."
    return Outcome(f"{text} Next: Explore.", f"{known['outcome']}.")


def with_types(cells: AnnData, reference: AnnData) -> None:
    """Add the reference's label columns, transferred, to the ``obs`` of cells just integrated."""
    for column in label_columns(reference):
        transferred: pd.DataFrame = ng.transfer_labels(cells, reference, column)
        for name, values in transferred.items():
            cells.obs[name] = values


__all__: list[Any] = ["IntegrateStep", "with_types"]
