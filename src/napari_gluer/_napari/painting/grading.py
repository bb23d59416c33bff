"""Grade the genes that can be imputed, by a job of its own: painting goes on while it runs."""

from collections.abc import Callable

import pandas as pd
from anndata import AnnData
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

import napari_gluer as ng
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.jobs import Running, report, start
from napari_gluer._napari.painting.grades import keep_grades
from napari_gluer.errors import InputError
from napari_gluer.track import Track

_TEXT, _WAIT = "Grade genes", "Cancel grading"


class GradeGenes(QWidget):
    """A button that grades all genes of the reference, and cancels while it does.

    Parameters
    ----------
    tables
        Gives the integrated cells and their reference now, or raises an `InputError`.
    graded
        Called with the cells when their grades are stored.
    say
        Called with a line when something happened.
    """

    def __init__(
        self,
        tables: Callable[[], tuple[AnnData, AnnData]],
        graded: Callable[[AnnData], None],
        say: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._tables, self._graded, self._say = tables, graded, say
        self._running = Running()
        self.button = QPushButton(_TEXT)
        self.button.setToolTip(
            "Say beside every gene how far its imputed values may be believed: how well the "
            "measured features foretell it among the reference's own cells."
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        self.button.clicked.connect(self._click)
        self.destroyed.connect(self._running.cancel)

    @property
    def busy(self) -> bool:
        """Whether genes are being graded."""
        return self._running.job is not None

    def _click(self) -> None:
        if self.busy:
            self._running.cancel()
            self._end("Grading was cancelled.")
            return
        try:
            cells, reference = self._tables()
        except InputError as error:
            self._fail(error)
            return
        self._start(cells, reference)

    def _start(self, cells: AnnData, reference: AnnData) -> None:
        def work(track: Track) -> pd.DataFrame:
            return ng.gene_reliability(cells, reference, track=track)

        self.button.setText(_WAIT)
        self._running.job = start(
            "GLUER: Grade genes",
            work,
            done=lambda table: self._done(cells, table),
            failed=self._fail,
            progressed=lambda *_: None,
        )

    def _done(self, cells: AnnData, table: pd.DataFrame) -> None:
        if not is_open(self):
            return
        keep_grades(cells, table)
        counts = table["grade"].value_counts()
        words = ", ".join(f"{counts[name]:,} {name}" for name in counts.index)
        self._end(f"{len(table):,} genes graded: {words}.")
        self._graded(cells)

    def _fail(self, error: Exception) -> None:
        if not is_open(self):
            return
        known = isinstance(error, InputError)
        self._end(str(error) if known else f"Grading failed: {error}.")
        report(error)

    def _end(self, text: str) -> None:
        self._running.job = None
        self.button.setText(_TEXT)
        self._say(text)
