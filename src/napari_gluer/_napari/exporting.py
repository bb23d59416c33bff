"""Save imputed genes to a file, by a job that can be cancelled while painting goes on."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QWidget

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.export_dialog import GenesDialog
from napari_gluer._napari.failures import explained, report
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.jobs import Running, start
from napari_gluer.errors import InputError
from napari_gluer.track import Track

_FILTERS = (
    "AnnData (*.h5ad);;Table, comma-separated (*.csv);;The same, compressed (*.csv.gz);;"
    "Parquet (*.parquet)"
)
_ENDINGS = (".h5ad", ".csv", ".csv.gz", ".parquet")

Tables = Callable[[], tuple[AnnData, AnnData]]


class SaveImputed(QWidget):
    """A button, and the progress of a job of its own: painting goes on while it runs.

    Parameters
    ----------
    tables
        Gives the integrated cells and their reference now, or raises an `InputError`.
    say
        Called with a line when something happened.
    """

    exported = Signal(object, object, object)
    """The file, its genes (None: all) and how they were written."""

    def __init__(self, tables: Tables, say: Callable[[str], None]) -> None:
        super().__init__()
        self._tables, self._say = tables, say
        self._running = Running()
        self.dialog: GenesDialog | None = None
        self.button = QPushButton("Save imputed genes…")
        self.button.setToolTip("Write imputed values of some genes, or of all, to a file.")
        self.progress = QProgressBar()
        self.cancel = QPushButton("Cancel")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button, 2)
        row.addWidget(self.progress, 2)
        row.addWidget(self.cancel, 1)
        self.button.clicked.connect(self._ask)
        self.cancel.clicked.connect(self._cancel)
        self.destroyed.connect(self._running.cancel)
        self._show_busy(busy=False)

    @property
    def busy(self) -> bool:
        """Whether a file is being written."""
        return self._running.job is not None

    def _ask(self) -> None:
        try:
            cells, reference = self._tables()
        except InputError as error:
            self._failed(error)
            return
        if self.dialog is not None:
            self.dialog.deleteLater()
        dialog = GenesDialog(pd.Index(reference.var_names), cells.n_obs, self)
        dialog.accepted.connect(lambda: self._choose_file(dialog, cells, reference))
        dialog.open()
        self.dialog = dialog

    def _choose_file(self, dialog: GenesDialog, cells: AnnData, reference: AnnData) -> None:
        chosen, kind = QFileDialog.getSaveFileName(self, "Save imputed genes", "imputed", _FILTERS)
        if not chosen:
            return
        try:
            self._write(_with_ending(chosen, kind), dialog, cells, reference)
        except InputError as error:
            self._failed(error)

    def _write(self, path: Path, dialog: GenesDialog, cells: AnnData, reference: AnnData) -> None:
        genes, params = dialog.genes, dialog.params

        def work(track: Track) -> Path:
            ng.export_imputed(cells, reference, path, genes, params=params, track=track)
            return path

        number = reference.n_vars if genes is None else len(genes)
        words = f"{number:,} {'gene' if number == 1 else 'genes'} of {cells.n_obs:,} cells"
        self._show_busy(busy=True)
        self._running.job = start(
            "GLUER: Save imputed genes",
            work,
            done=self._while_open(
                lambda path: self._written(f"Saved {words} to {path.name}.", path, genes, params)
            ),
            failed=self._while_open(self._failed),
            progressed=self._while_open(self._progressed),
        )

    def _written(self, text: str, path: Path, genes: Any, params: ng.ExportParams) -> None:
        self._done(text)
        self.exported.emit(path, genes, params)

    def _done(self, text: str) -> None:
        self._show_busy(busy=False)
        self._say(text)

    def _failed(self, error: Exception) -> None:
        self._show_busy(busy=False)
        self._say(explained(error))
        report(error)

    def _progressed(self, desc: str, done: int, total: int) -> None:
        self.progress.setToolTip(desc)
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def _cancel(self) -> None:
        self._running.cancel()
        self._done("Cancelled. No file was written.")

    def _show_busy(self, *, busy: bool) -> None:
        if not busy:
            self._running.job = None
        self.progress.setRange(0, 0 if busy else 1)
        self.button.setVisible(not busy)
        self.progress.setVisible(busy)
        self.cancel.setVisible(busy)

    def _while_open(self, callback: Callable[..., None]) -> Callable[..., None]:
        def call(*args: object) -> None:
            if is_open(self):
                callback(*args)

        return call


def integrated_tables(cells: AnnData, reference: AnnData | None) -> tuple[AnnData, AnnData]:
    """Cells and reference, or an `InputError` where nothing can be imputed yet."""
    if reference is None or slots.WEIGHTS not in cells.obsm:
        raise InputError("Integrate the cells first: Plugins ▸ GLUER ▸ Integrate.")
    return cells, reference


def _with_ending(chosen: str, kind: str) -> Path:
    """The path with the ending of the chosen kind of file where it has none that is known."""
    if chosen.endswith(_ENDINGS):
        return Path(chosen)
    found = re.search(r"\*([\w.]+)\)", kind)
    return Path(f"{chosen}{found.group(1) if found else _ENDINGS[0]}")
