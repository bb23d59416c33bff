"""Trust: leave measured genes out, predict them, and say how far the result may be believed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from napari.components import ViewerModel
from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QLabel, QPushButton, QTreeWidget, QTreeWidgetItem

from napari_gluer._napari.attached import attach, cells_of, needed_cells, needed_reference
from napari_gluer._napari.exporting import integrated_tables
from napari_gluer._napari.folding import Section
from napari_gluer._napari.forms import form, read
from napari_gluer._napari.integrating import is_unchanged
from napari_gluer._napari.painting.grades import keep_grades
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.steps.base import Outcome, Step, side_by_side
from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path
from napari_gluer.track import Track
from napari_gluer.trust.params import ReportParams
from napari_gluer.trust.report import ValidationReport, validation_report

_HEADERS = ("Held-out feature", "Correlation", "By chance", "Grade")
_PAGE = "Web page (*.html)"
_COLUMN = 78


class TrustStep(Step):
    """Judges the integration of the chosen cells, in minutes, and writes it as a page."""

    title: ClassVar[str] = "Trust"
    run_text: ClassVar[str] = "Check the result"
    hint: ClassVar[str] = (
        "Leaves measured features out, imputes them and compares, beside runs with permuted "
        "features. It integrates ten times on a part of the cells, which takes minutes."
    )

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.labels = labels_picker(self.viewer)
        self.params = form(ReportParams())
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.genes = _table()
        self.save = QPushButton("Save report…")
        self.show_page = QPushButton("Open report")
        self.show_page.setToolTip("Open the saved report in the browser.")
        self.report: ValidationReport | None = None
        self.saved: Path | None = None
        self.rows.addRow("Cells", self.labels)
        self.add(Section("How it is checked", self.params))
        self.add(self.summary)
        self.add(self.genes, 1)
        self.add(side_by_side(self.save, self.show_page))
        self.save.clicked.connect(self._ask_where)
        self.show_page.clicked.connect(self._open)
        self.labels.currentIndexChanged.connect(self._forget)
        self._forget()

    def prepare(self) -> Callable[[Track], ValidationReport]:
        """Read tables and parameters; everything is computed in the thread."""
        layer = self.labels.value
        cells = needed_cells(layer)
        cells, reference = integrated_tables(cells, needed_reference(layer))
        params = read(ReportParams, self.params)
        self._begun = (layer, cells)
        return lambda track: validation_report(cells, reference, params, track=track)

    def finish(self, result: ValidationReport) -> Outcome:
        """Show the summary, and keep the grades with the cells for the picker of genes."""
        layer, before = self._begun
        now = cells_of(layer)
        if layer not in self.viewer.layers or now is None or not is_unchanged(before, now):
            raise InputError(
                f"The cells of “{layer.name}” changed meanwhile; the check was discarded."
            )
        self.report, self.saved = result, None
        self.summary.setText("\n\n".join(result.summary[1:]))
        self.genes.clear()
        if result.genes is not None:
            _fill(self.genes, result.genes.genes)
        self._show_what_there_is()
        keep_grades(now, result.reliability)
        attach(layer, cells=now)
        return Outcome(_said(result.reliability))

    def write(self, path: Path) -> None:
        """Write the report as a page that needs nothing else."""
        if self.report is None:
            raise InputError("There is no report yet. Check the result first.")
        if path.suffix.casefold() not in {".html", ".htm"}:
            path = path.with_name(f"{path.name}.html")
        with atomic_path(path) as written:
            written.write_text(self.report.html, encoding="utf-8")
        self.saved = path
        self._show_what_there_is()
        self.say(f"The report is in {path}.")

    def _ask_where(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Report", "report.html", _PAGE)
        if path:
            self.guarded(lambda: self._write_or_say(Path(path)))

    def _write_or_say(self, path: Path) -> None:
        try:
            self.write(path)
        except OSError as error:
            raise InputError(f"{path} could not be written: {error.strerror}.") from error

    def _open(self) -> None:
        if self.saved is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.saved)))

    def _forget(self) -> None:
        """A report is about the cells it was made of."""
        self.report = self.saved = None
        self.summary.setText("")
        self.genes.clear()
        self._show_what_there_is()

    def _show_what_there_is(self) -> None:
        there = self.report is not None
        self.summary.setVisible(there)
        self.genes.setVisible(there and self.genes.topLevelItemCount() > 0)
        self.save.setEnabled(there)
        self.show_page.setEnabled(self.saved is not None)


def _table() -> QTreeWidget:
    table = QTreeWidget()
    table.setHeaderLabels(list(_HEADERS))
    table.setRootIsDecorated(False)
    table.setUniformRowHeights(True)
    table.setMinimumHeight(120)
    header: Any = table.header()
    for column in range(1, len(_HEADERS)):
        header.resizeSection(column, _COLUMN)
    return table


def _fill(table: QTreeWidget, genes: pd.DataFrame) -> None:
    for name, row in genes.iterrows():
        numbers = [f"{row[column]:.2f}" for column in ("spearman", "spearman_by_chance")]
        item = QTreeWidgetItem([str(name), *numbers, str(row["grade"])])
        item.setToolTip(0, f"{row['genes']}, over {row['n_cells']:,} cells")
        for column in (1, 2):
            item.setTextAlignment(
                column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            )
        table.addTopLevelItem(item)


def _said(reliability: pd.DataFrame) -> str:
    counts = reliability["grade"].value_counts()
    words = ", ".join(f"{counts[name]:,} {name}" for name in counts.index)
    return f"Checked. Genes that can be imputed: {words}. Their grades are in Explore."
