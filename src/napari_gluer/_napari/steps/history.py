"""History and session: what was done, undone, exported as a script, saved and opened again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QAbstractItemView, QFileDialog, QListWidget, QListWidgetItem, QPushButton

import napari_gluer as ng
from napari_gluer._napari.closing import mark_saved
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.history import History, history_of
from napari_gluer._napari.layer_changes import layer_undo
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.session.pauses import in_pauses
from napari_gluer._napari.session.reading import Restored, read_session
from napari_gluer._napari.session.restoring import showing_session
from napari_gluer._napari.session.saving import gather, write_session
from napari_gluer._napari.steps.base import Outcome, Step, side_by_side
from napari_gluer._napari.undo import Undo
from napari_gluer._napari.undoing import redoable, undoable
from napari_gluer.errors import InputError
from napari_gluer.pipeline.recipes.exporting import Form, write_recipe
from napari_gluer.pipeline.recipes.needed import needed
from napari_gluer.pipeline.recipes.steps import said
from napari_gluer.track import Track

_FILTERS: dict[Form, str] = {"script": "Python script (*.py)", "recipe": "Shell script (*.sh)"}
_ENDINGS: dict[Form, str] = {"script": ".py", "recipe": ".sh"}
_FEWEST_ROWS = 120  # pixels


class HistoryStep(Step):
    """The steps of a labels layer's cells, undo and redo, scripts, and the session's folder."""

    title: ClassVar[str] = "History and session"
    hint: ClassVar[str] = "What you do is listed here; it can be repeated by a script."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.labels = labels_picker(self.viewer)
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.list.setWordWrap(True)
        self.list.setMinimumHeight(_FEWEST_ROWS)
        self.undo, self.redo = QPushButton("Undo"), QPushButton("Redo")
        self.undo.setToolTip(
            "Alt+Z: selections, names, colours, deleted and renamed layers. Masks: Ctrl+Z on their "
            "layer."
        )
        self.redo.setToolTip("Alt+Shift+Z")
        self.script = QPushButton("Export as script…")
        self.script.setToolTip("A Python file that gives the same cells again.")
        self.recipe = QPushButton("Export as recipe…")
        self.recipe.setToolTip("A shell script of napari-gluer commands that gives the same cells.")
        self.save = QPushButton("Save session…")
        self.save.setToolTip("Layers, tables, results, selections and view, into a folder.")
        self.open = QPushButton("Open session…")
        self.open.setToolTip("In addition to the layers that are open.")
        self._history: History | None = None
        self._undo: Undo | None = None
        self._said = ""
        self.rows.addRow("Cells", self.labels)
        self.add(self.list, 1)
        self.add(side_by_side(self.undo, self.redo))
        self.add(side_by_side(self.script, self.recipe))
        self.add(side_by_side(self.save, self.open))
        self.run.hide()
        self.waiting += [self.script, self.recipe, self.save, self.open]
        self.undo.clicked.connect(self._take_back)
        self.redo.clicked.connect(self._do_again)
        self.script.clicked.connect(lambda: self._ask_export("script"))
        self.recipe.clicked.connect(lambda: self._ask_export("recipe"))
        self.save.clicked.connect(self._ask_save)
        self.open.clicked.connect(self._ask_open)
        self.labels.currentIndexChanged.connect(self._follow)
        self._follow()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Follow the layers of the window, too."""
        super().showEvent(event)
        layers = layer_undo(self.viewer)
        if layers is not None:
            layers.changed.disconnect(self._offer, missing_ok=True)
            layers.changed.connect(self._offer)
        self._offer()

    def export_to(self, path: Path, form: Form) -> None:
        """Write the steps of the chosen cells as a script or a recipe."""
        layer = self.guarded(self._needed_layer)
        if layer is None:
            return
        history = history_of(layer)
        steps, kept, what = history.steps, dict(history.kept), f"cells “{layer.name}”"

        def work(track: Track) -> list[Path]:
            return write_recipe(
                steps, kept, path, form=form, what=what, version=ng.__version__, track=track
            )

        def written(files: list[Path]) -> Outcome:
            if history.steps == steps:
                history.saved()
            beside = len(files) - 1
            more = f", with {beside} file{'s' * (beside > 1)} beside it" if beside else ""
            return Outcome(f"Written: {path.name}{more}.", str(path))

        self.run_job(work, written)

    def save_to(self, folder: Path) -> None:
        """Save the session to a folder."""
        session = self.guarded(lambda: gather(self.viewer))
        if session is None:
            return

        def written(target: Path) -> Outcome:
            mark_saved(self.viewer)
            return Outcome(f"Session saved in {target.name}.", str(target))

        self.run_job(lambda track: write_session(session, folder, track), written)

    def open_from(self, folder: Path) -> None:
        """Open a session beside the layers that are there."""

        def shown(session: Restored) -> Outcome:
            lost: list[str] = []
            parts = showing_session(self.viewer, session, lost)
            self._said = "Adding the layers …"
            in_pauses(parts, lambda: self._opened(folder, lost), self._failed)
            return Outcome(self._said)

        self.run_job(lambda track: read_session(folder, track), shown)

    def _opened(self, folder: Path, lost: list[str]) -> None:
        self._said = " ".join([f"Session {folder.name} opened.", *lost])
        if is_open(self):
            self.say(self._said)

    def _needed_layer(self) -> Labels:
        layer = self.labels.value
        if layer is None:
            raise InputError("There are no cells yet, so nothing was done that could be exported.")
        found: Labels = layer
        return found

    def _ask_export(self, form: Form) -> None:
        if self.guarded(self._needed_layer) is None:
            return
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Export what was done", f"{form}{_ENDINGS[form]}", _FILTERS[form]
        )
        if chosen:
            self.export_to(Path(chosen).with_suffix(_ENDINGS[form]), form)

    def _ask_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save session (a folder)", "session")
        if chosen:
            self.save_to(Path(chosen))

    def _ask_open(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open the folder of a session")
        if chosen:
            self.open_from(Path(chosen))

    def _follow(self) -> None:
        """Show the history of the chosen layer, now and whenever it changes."""
        for signal, act in self._signals():
            signal.disconnect(act, missing_ok=True)
        layer = self.labels.value
        self._history = None if layer is None else history_of(layer)
        self._undo = None if layer is None else linked_of(layer).undo
        for signal, act in self._signals():
            signal.connect(act)
        self._list()
        self._offer()

    def _signals(self) -> list[tuple[Any, Callable[..., None]]]:
        found: list[tuple[Any, Callable[..., None]]] = []
        if self._history is not None:
            found.append((self._history.changed, self._list))
        if self._undo is not None:
            found.append((self._undo.changed, self._offer))
        return found

    def _list(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        if not is_open(self):
            return
        self.list.clear()
        steps = () if self._history is None else self._history.steps
        counts = needed(steps)
        integrated = any(step.kind == "integrate" for step in counts)
        for step in steps:
            joint = integrated and step is _last(steps)  # with sections it is a copy that counts
            last = joint or any(step is one for one in counts)
            item = QListWidgetItem(said(step) if last else f"{said(step)} (done again later)")
            if not last:
                item.setForeground(Qt.GlobalColor.gray)
            self.list.addItem(item)
        self.list.scrollToBottom()
        for button in (self.script, self.recipe):
            button.setEnabled(bool(steps) and not self.busy)

    def _undoable(self) -> Undo | None:
        return undoable(self.viewer, self._undo or Undo())

    def _redoable(self) -> Undo | None:
        return redoable(self.viewer, self._undo or Undo())

    def _take_back(self) -> None:
        found = self._undoable()
        if found is not None:
            found.undo()

    def _do_again(self) -> None:
        found = self._redoable()
        if found is not None:
            found.redo()

    def _offer(self) -> None:
        if not is_open(self):
            return
        done, undone = self._undoable(), self._redoable()
        back = "" if done is None else done.undo_text
        again = "" if undone is None else undone.redo_text
        self.undo.setText(f"Undo {back}".strip())
        self.redo.setText(f"Redo {again}".strip())
        self.undo.setEnabled(bool(back))
        self.redo.setEnabled(bool(again))


def _last(steps: Any) -> Any:
    """The integration that the present result comes from."""
    return next((one for one in reversed(steps) if one.kind == "integrate"), None)
