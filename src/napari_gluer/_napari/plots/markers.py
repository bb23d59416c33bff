"""Markers: what tells the selected cells from the rest, as a table to sort, paint from and save."""

from collections.abc import Callable

from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import QComboBox, QLineEdit, QPushButton

from napari_gluer._napari.asking.card import selectable
from napari_gluer._napari.attached import needed_cells, reference_of, stale_of
from napari_gluer._napari.folding import is_open, no_stray_wheel
from napari_gluer._napari.linked import LinkedView, linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.plots.comparing import HONEST, Compared, compared
from napari_gluer._napari.plots.marker_rows import MarkerTable
from napari_gluer._napari.plots.painting_through import paint_in_explore
from napari_gluer._napari.plots.saving import TABLES, asked_path, write_csv
from napari_gluer._napari.steps.base import Outcome, Step
from napari_gluer.analysis.gene_values import IMPUTED
from napari_gluer.errors import InputError
from napari_gluer.track import Track

_CURRENT = "current selection"


class MarkersStep(Step):
    """Compares a selection with the rest, gene by gene."""

    title = "Markers"
    run_text = "Compare with the rest"
    hint = "Select cells, in the embedding or on the tissue, and compare them with the rest."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.labels = labels_picker(self.viewer)
        self.selection = QComboBox()
        no_stray_wheel(self.selection)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Show genes that contain …")
        self.filter.setClearButtonEnabled(True)
        self.table = MarkerTable()
        self.table.setToolTip("Click a row to paint the gene, a column's title to sort.")
        self.note = selectable("")
        self.save = QPushButton("Save table…")
        self._compared: Compared | None = None
        self._of: Labels | None = None
        self._followed: LinkedView | None = None
        self.rows.addRow("Cells", self.labels)
        self.rows.addRow("Selection", self.selection)
        self.rows.addRow("Find", self.filter)
        self.add(self.table, 1)
        self.add(self.note)
        self.footer.insertWidget(1, self.save)
        self.save.setEnabled(False)
        self.labels.currentIndexChanged.connect(self._follow)
        self.filter.textChanged.connect(self.table.narrow)
        self.table.picked.connect(self._paint)
        self.save.clicked.connect(lambda: self.guarded(self._save))
        self._follow()

    @property
    def found(self) -> Compared | None:
        """What the table shows."""
        return self._compared

    def prepare(self) -> Callable[[Track], tuple[Labels, Compared]]:
        """Read the selection and the tables."""
        layer: Labels = self.labels.value
        cells, reference = needed_cells(layer), reference_of(layer)
        selections, name = linked_of(layer).selections, self.selection.currentData()
        chosen = selections.current if name is None else selections.named[name]
        stale = stale_of(layer)
        if not chosen.size:
            raise InputError(
                "No cells are selected. Draw around some, in the embedding or on the tissue."
            )
        return lambda track: (layer, compared(cells, reference, chosen, stale, track))

    def finish(self, result: tuple[Labels, Compared]) -> Outcome:
        """Show the table."""
        self._of, self._compared = result
        found = self._compared
        self.table.show_table(found.table)
        is_imputed = bool((found.table["values"] == IMPUTED).any())
        self.note.setText(HONEST if is_imputed else "")
        self.save.setEnabled(True)
        left = f" Left out: {found.left_out}." if found.left_out else ""
        return Outcome(
            f"{found.n_selected:,} cells against {found.n_rest:,}, {len(found.table):,} genes."
            f"{left}"
        )

    def _paint(self, gene: str, values: str) -> None:
        origin = Origin.GENE if values == IMPUTED else Origin.MARKER
        layer = self._of
        if layer is None or layer not in self.viewer.layers:
            self.guarded(_gone)
            return
        self.guarded(lambda: paint_in_explore(self.viewer, layer, Paintable(gene, origin)))

    def _save(self) -> None:
        if self._compared is None:
            raise InputError("There is no table yet: compare a selection first.")
        path = asked_path(self, "Save markers", "markers", TABLES)
        if path is not None:
            write_csv(self._compared.table, path)
            self.say(f"Saved {len(self._compared.table):,} rows to {path.name}.")

    def _follow(self) -> None:
        if self._followed is not None:
            self._followed.selections.named_changed.disconnect(self._list)
            self._followed.selections.changed.disconnect(self._list)
        layer = self.labels.value
        self._followed = None if layer is None else linked_of(layer)
        if self._followed is not None:
            self._followed.selections.named_changed.connect(self._list)
            self._followed.selections.changed.connect(self._list)
        self._list()

    def _list(self) -> None:
        """The selections that there are now, with their numbers of cells."""
        if not is_open(self):
            return
        chosen = self.selection.currentData()
        self.selection.clear()
        if self._followed is None:
            return
        selections = self._followed.selections
        self.selection.addItem(f"{_CURRENT} ({selections.current.size:,})", None)
        for name, cells in selections.named.items():
            self.selection.addItem(f"{name} ({cells.size:,})", name)
        self.selection.setCurrentIndex(max(self.selection.findData(chosen), 0) if chosen else 0)


def _gone() -> None:
    raise InputError("The labels layer of this table is gone; there is nothing to paint on.")
