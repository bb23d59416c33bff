"""Selections: choose cells on the tissue, name, combine, save and export what is chosen."""

from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from qtpy.QtWidgets import QComboBox, QFileDialog, QLineEdit, QPushButton

from napari_gluer._napari.attached import attach, cells_of, needed_cells
from napari_gluer._napari.embedding.lasso import HELP, asked
from napari_gluer._napari.folding import is_open, no_stray_wheel
from napari_gluer._napari.linked import LinkedView, linked_of
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.recording import record_selections
from napari_gluer._napari.selecting.how import HowBar
from napari_gluer._napari.selecting.inside import Rule
from napari_gluer._napari.selecting.named_list import NamedList
from napari_gluer._napari.selecting.on_tissue import TissueDrawing, Tool
from napari_gluer._napari.selection_layer import show_selection
from napari_gluer._napari.selections import How
from napari_gluer._napari.steps.base import Step, side_by_side
from napari_gluer.io.selections import write_selections
from napari_gluer.selecting import with_selections

_RULES: dict[str, Rule] = {"mostly inside the outline": "most", "touched by the outline": "any"}
_JOINED: dict[How, str] = {"add": "or", "remove": "without", "common": "and"}


class SelectionsStep(Step):
    """Cells drawn around on the tissue or in the embedding, and the selections that have names."""

    title = "Selections"
    hint = "Draw around cells here or in the Embedding."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.run.hide()
        self.cancel.hide()
        self.labels = labels_picker(self.viewer)
        self.tools: dict[Tool, QPushButton] = {
            "add_polygon_lasso": _toggle("Lasso", f"Draw around cells on the tissue. {HELP}"),
            "add_rectangle": _toggle("Rectangle", f"Drag a rectangle on the tissue. {HELP}"),
        }
        self.how = HowBar()
        self.rule = QComboBox()
        self.rule.addItems(list(_RULES))
        self.rule.setToolTip("Which cells an outline chooses.")
        no_stray_wheel(self.rule)
        self.name = QLineEdit()
        self.name.setPlaceholderText("Name of the chosen cells")
        self.keep = _button("Keep", "Give the chosen cells this name.")
        self.clear = _button("None", "Choose no cells; selections that have a name stay.")
        self.list = NamedList()
        self.combine: dict[How, QPushButton] = {
            "add": _button("Unite", "Cells in any of the marked selections."),
            "remove": _button(
                "Subtract", "Cells of the first marked selection, not in the others."
            ),
            "common": _button("Intersect", "Cells in all of the marked selections."),
        }
        self.delete = _button("Delete", "Forget the marked selections (Del).")
        self.undo = _button("Undo", "")
        self.redo = _button("Redo", "")
        self.save = _button("Save to table", "Write the named selections to the cells' table.")
        self.export = _button("Export CSV…", "Write label and selection of every cell to a file.")
        self.drawing = TissueDrawing(self.viewer, self)
        self._followed: Labels | None = None
        self._fill()
        self._connect()
        self._follow()

    @property
    def linked(self) -> LinkedView | None:
        """What the panels of the chosen labels layer share; None without a layer."""
        return None if self._followed is None else linked_of(self._followed)

    def _fill(self) -> None:
        self.rows.addRow("Cells", self.labels)
        self.rows.addRow("Draw", side_by_side(*self.tools.values()))
        self.rows.addRow("Choose", self.how)
        self.rows.addRow("Which", self.rule)
        self.add(side_by_side(self.name, self.keep, self.clear))
        self.add(self.list, 1)
        self.add(side_by_side(*self.combine.values(), self.delete))
        self.add(side_by_side(self.undo, self.redo))
        self.add(side_by_side(self.save, self.export))

    def _connect(self) -> None:
        self.labels.currentIndexChanged.connect(self._follow)
        for tool, button in self.tools.items():
            button.clicked.connect(lambda on, tool=tool: self._draw(tool, on=on))
        self.drawing.enclosed.connect(self._enclosed)
        self.drawing.stopped.connect(self._release)
        self.rule.currentTextChanged.connect(self._take_rule)
        self.name.returnPressed.connect(self._keep)
        self.keep.clicked.connect(self._keep)
        self.clear.clicked.connect(lambda: self._do(lambda linked: linked.selections.clear()))
        self.list.recalled.connect(self._recall)
        self.list.renamed.connect(self._rename)
        self.list.deleted.connect(self._delete)
        self.list.itemSelectionChanged.connect(self._enable)
        self.delete.clicked.connect(self._delete)
        for how, button in self.combine.items():
            button.clicked.connect(lambda _=False, how=how: self._combine(how))
        self.undo.clicked.connect(lambda: self._do(lambda linked: linked.undo.undo()))
        self.redo.clicked.connect(lambda: self._do(lambda linked: linked.undo.redo()))
        self.save.clicked.connect(lambda: self.guarded(self._save))
        self.export.clicked.connect(self._export)

    def _follow(self) -> None:
        before, self._followed = self._followed, self.labels.value
        if before is not None and before is not self._followed:
            self.drawing.stop()
        for layer, connects in ((before, False), (self._followed, True)):
            if layer is None:
                continue
            linked = linked_of(layer)
            for signal, slot in (
                (linked.selections.changed, self._chosen),
                (linked.selections.named_changed, self._relist),
                (linked.undo.changed, self._enable),
            ):
                (signal.connect if connects else signal.disconnect)(slot)
            event = layer.events.metadata
            (event.connect if connects else event.disconnect)(self._chosen)
        self._relist()
        self._chosen()

    def _draw(self, tool: Tool, *, on: bool) -> None:
        if on:
            self.guarded(lambda: self._start_drawing(tool))
        else:
            self.drawing.stop()
        if self.drawing.layer is None:
            self._release()

    def _start_drawing(self, tool: Tool) -> None:
        layer = self._followed
        needed_cells(layer)
        if layer is not None:
            self.drawing.start(layer, tool)
        for one, button in self.tools.items():
            button.setChecked(one == tool)

    def _release(self) -> None:
        if is_open(self):
            for button in self.tools.values():
                button.setChecked(False)

    def _take_rule(self, text: str) -> None:
        self.drawing.rule = _RULES[text]

    def _enclosed(self, labels: Any, keys: Any) -> None:
        how = asked(keys, self.how.value)
        self._do(lambda linked: linked.selections.choose(labels, how))
        self._say_chosen()

    def _do(self, act: Any) -> None:
        linked = self.linked
        if linked is not None:
            self.guarded(lambda: act(linked))

    def _keep(self) -> None:
        text = self.name.text() or self.list.free_name()
        self._do(lambda linked: linked.selections.keep(text))
        if text.strip() in self.list.names:
            self.name.clear()
            self.list.mark([text.strip()])

    def _recall(self, name: str) -> None:
        self._do(lambda linked: linked.selections.recall(name, self.how.value))

    def _rename(self, name: str, new: str) -> None:
        self._do(lambda linked: linked.selections.rename(name, new))
        self._relist()  # the old name again where the new one was refused

    def _delete(self) -> None:
        for name in self.list.marked:
            self._do(lambda linked, name=name: linked.selections.delete(name))

    def _combine(self, how: How) -> None:
        names = self.list.marked
        into = self.list.free_name(f" {_JOINED[how]} ".join(names))
        self._do(lambda linked: linked.selections.combine(names, how, into))
        self.list.mark([into])

    def _save(self) -> None:
        layer = self._followed
        cells, linked = needed_cells(layer), self.linked
        if layer is None or linked is None:
            return
        saved, columns = with_selections(cells, linked.selections.named)
        attach(layer, cells=saved)
        record_selections(layer, linked.selections.named)
        missing = _without_row(linked, saved)
        word = f" {missing:,} chosen labels have no row in the table." if missing else ""
        self.say(f"Saved in the table as {', '.join(columns)}.{word}")

    def _export(self) -> None:
        start = f"{self._followed.name if self._followed else 'cells'} selections.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Export selections", start, "CSV (*.csv)")
        if path:
            self.guarded(lambda: self._write(Path(path)))

    def _write(self, path: Path) -> None:
        linked = self.linked
        n = write_selections(path, {} if linked is None else linked.selections.named)
        self.say(f"Wrote {n:,} rows to {path.name}.")

    def _chosen(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        layer, linked = self._followed, self.linked
        if not is_open(self) or layer is None or linked is None:
            return
        if layer in self.viewer.layers:
            show_selection(self.viewer, layer, linked.selections.current)
        self._say_chosen()

    def _say_chosen(self) -> None:
        linked = self.linked
        n = 0 if linked is None else len(linked.selections.current)
        self.say(f"{n:,} cells are chosen." if n else self.hint)
        self._enable()

    def _relist(self) -> None:
        if is_open(self):
            named = {} if self.linked is None else self.linked.selections.named
            self.list.show_named({name: len(labels) for name, labels in named.items()})
            self._enable()

    def _enable(self) -> None:
        if not is_open(self):
            return
        linked, n_marked = self.linked, len(self.list.marked)
        chosen = linked is not None and bool(linked.selections.current.size)
        for button in (self.keep, self.clear):
            button.setEnabled(chosen)
        for button in self.combine.values():
            button.setEnabled(n_marked > 1)
        self.delete.setEnabled(n_marked > 0)
        self.export.setEnabled(bool(self.list.names))
        can_save = self._followed is not None and cells_of(self._followed) is not None
        self.save.setEnabled(can_save and bool(self.list.names))
        for button, text in (
            (self.undo, "" if linked is None else linked.undo.undo_text),
            (self.redo, "" if linked is None else linked.undo.redo_text),
        ):
            button.setEnabled(bool(text))
            button.setToolTip(text)


def _without_row(linked: LinkedView, cells: Any) -> int:
    every = [*linked.selections.named.values()]
    return len(np.setdiff1d(np.concatenate(every), cells.obs["label"]))


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button


def _toggle(text: str, tooltip: str) -> QPushButton:
    button = _button(text, tooltip)
    button.setCheckable(True)
    return button
