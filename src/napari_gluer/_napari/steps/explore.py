"""Explore: search a gene, a marker or a column, and paint it."""

from typing import Any

from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.utils.events import Event
from qtpy.QtWidgets import QCheckBox, QPushButton

from napari_gluer import slots
from napari_gluer._napari.attached import (
    cells_of,
    measured_of,
    needed_cells,
    reference_of,
    unmeasured,
)
from napari_gluer._napari.exporting import SaveImputed, integrated_tables
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.found_list import FoundList, Legend, SearchBox
from napari_gluer._napari.images import dim_tissue
from napari_gluer._napari.layers import LegendEntry, keep, show_categories, show_values
from napari_gluer._napari.paintables import (
    Origin,
    Paintable,
    Search,
    categories,
    numbers,
    paintables,
)
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.steps.base import Outcome, Step
from napari_gluer.errors import InputError
from napari_gluer.track import Track


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
        self.legend = Legend()
        self.legend.hide()
        self.dim = QCheckBox("Dim the tissue image")
        self.dim.setChecked(True)
        self.keep = QPushButton("Keep this layer")
        self.keep.setToolTip("Leave the painted layer as it is; the next one gets its own.")
        self.keep.setEnabled(False)
        self.rows.addRow("Cells", self.labels)
        self.rows.addRow("Search", self.search_box)
        self.add(self.list, 3)
        self.add(self.legend, 2)
        self.footer.insertWidget(0, self.dim)
        self.footer.insertWidget(1, self.keep)
        self.save = SaveImputed(self._integrated, self.say)
        self.footer.insertWidget(2, self.save)
        self.run.hide()
        self.cancel.hide()
        self._followed: Labels | None = None
        self._listed: tuple[int, int] = (0, 0)
        self._search = Search([])
        self._layer: Layer | None = None
        self.labels.currentIndexChanged.connect(self._follow)
        self.search_box.textChanged.connect(self._narrow)
        self.search_box.returnPressed.connect(self.list.pick_first)
        self.search_box.left.connect(self.list.enter)
        self.list.picked.connect(self.pick)
        self.keep.clicked.connect(self._keep)
        self.dim.toggled.connect(self._dim)
        self._follow()

    def pick(self, what: Paintable) -> None:
        """Paint `what` on the cells of the chosen labels layer."""
        self.guarded(lambda: self._paint(what))

    def _paint(self, what: Paintable) -> None:
        layer = self.labels.value
        cells, reference = needed_cells(layer), reference_of(layer)
        self._running.cancel()
        self._set_busy(busy=False)
        if what.origin is Origin.GENE:

            def work(track: Track) -> Any:
                return next(iter([numbers(what, cells, reference) for _ in track([0], what.name)]))

            self.run_job(work, lambda values: self._shown(what, layer, cells, values))
        else:
            found = categories(what, cells) if what.is_categorical else numbers(what, cells, None)
            self.say(*self._shown(what, layer, cells, found))

    def _integrated(self) -> tuple[AnnData, AnnData]:
        layer = self.labels.value
        return integrated_tables(needed_cells(layer), reference_of(layer))

    def _shown(self, what: Paintable, layer: Labels, cells: AnnData, values: Any) -> Outcome:
        if layer not in self.viewer.layers:
            raise InputError(f"The layer “{layer.name}” is gone; there is nothing to paint on.")
        entries: list[LegendEntry] = []
        if what.is_categorical:
            self._layer, entries = show_categories(
                self.viewer, layer, cells, values, **_names(what, cells)
            )
        else:
            self._layer = show_values(self.viewer, layer, cells, values, **_names(what, cells))
        self._dim()
        self.legend.show_entries(entries)
        self.legend.setVisible(bool(entries))
        self.keep.setEnabled(True)
        return Outcome(" ".join([_said(what, cells), *_left_empty(what, layer, cells)]))

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
        self._narrow(self.search_box.text())
        if cells is None:
            self.say("Measure cells first: Plugins ▸ GLUER ▸ Cells." if layer else self.hint)

    def _narrow(self, text: str) -> None:
        self.list.show_found(self._search(text))


_UNITS = {
    Origin.GENE: "imputed, log1p of counts per 10,000",
    Origin.TYPE: "transferred from the reference",
    Origin.MARKER: "measured",
}


def _names(what: Paintable, cells: AnnData) -> dict[str, str]:
    """Name of the layer, and title on the canvas with origin and unit."""
    unit = _unit(what, cells)
    return {"name": what.layer_name, "title": f"{what.label}: {unit}" if unit else what.label}


def _unit(what: Paintable, cells: AnnData) -> str:
    report = slots.info(cells).get(slots.CLEAN)
    cleaned = isinstance(report, dict) and "signal" not in report["skipped"]
    suffix = ", cleaned" if cleaned and what.origin is Origin.MARKER else ""
    return _UNITS.get(what.origin, "") + suffix


def _said(what: Paintable, cells: AnnData) -> str:
    unit = _unit(what, cells)
    if what.is_categorical:
        words = {Origin.CLUSTER: "clusters", Origin.TYPE: "types"}
        n = cells.obs[what.name].nunique()
        return f"{what.label}: {n} {words.get(what.origin, 'categories')}{unit and ', '}{unit}."
    return f"{what.label}: {unit or what.origin.value}."


def _left_empty(what: Paintable, layer: Labels, cells: AnnData) -> list[str]:
    """Cells that have no colour, and why."""
    said, empty = [], []
    if without := int(slots.unmatched(cells).sum()):
        if what.origin in (Origin.TYPE, Origin.CLUSTER):
            said.append(f"{without:,} unmatched cells are grey.")
        elif what.origin is Origin.GENE:
            empty.append(f"{without:,} unmatched cells")
    measured = measured_of(layer)
    if measured is not None and measured.n_obs > cells.n_obs:
        empty.append(f"{measured.n_obs - cells.n_obs:,} cells dropped by cleaning")
    if empty:
        said.append(f"Left empty: {', '.join(empty)}.")
    if new := unmeasured(layer):
        said.append(f"{new:,} labels were drawn after measuring: run Cells again.")
    return said
