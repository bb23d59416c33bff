"""Which imputed genes to save, and how."""

import re
from collections.abc import Collection

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

import napari_gluer as ng
from napari_gluer._napari.forms import form, read
from napari_gluer.errors import listed

_BYTES, _STEPS = 4, ("kB", "MB", "GB", "TB")
_WIDTH, _ROWS = 420, 6


class GenesDialog(QDialog):
    """Asks which genes to save.

    Parameters
    ----------
    known
        Genes that can be imputed.
    n_cells
        How many cells have values.
    parent
        The widget that it belongs to.
    """

    def __init__(self, known: Collection[str], n_cells: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save imputed genes")
        self._known, self._n_cells = known, n_cells
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText(f"all {len(known):,} genes")
        self.text.setFixedHeight(_ROWS * (self.fontMetrics().height() + 4))
        self.text.setStyleSheet("QPlainTextEdit { border: 1px solid gray; }")
        self.form = form(ng.ExportParams())
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.choose = QPushButton("Choose a file…")
        self.choose.setDefault(True)
        self.buttons.addButton(self.choose, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.text.textChanged.connect(self._count)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("Genes, between commas or in lines of their own; empty for all:"))
        for widget in (self.text, self.form.native, self.said, self.buttons):
            layout.addWidget(widget)
        self.setMinimumWidth(_WIDTH)
        self._count()

    @property
    def genes(self) -> list[str] | None:
        """The genes that are named, each once; None for all."""
        names = [part for part in re.split(r"[\s,;]+", self.text.toPlainText()) if part]
        return list(dict.fromkeys(names)) or None

    @property
    def params(self) -> "ng.ExportParams":
        """How they are written."""
        return read(ng.ExportParams, self.form)

    def accept(self) -> None:
        """Close, unless a gene is not known."""
        unknown = [gene for gene in self.genes or [] if gene not in self._known]
        if unknown:
            self.said.setText(f"Not in the reference: {listed(unknown)}.")
        else:
            super().accept()

    def _count(self) -> None:
        number = len(self._known) if self.genes is None else len(self.genes)
        size = _size(_BYTES * number * self._n_cells)
        self.said.setText(f"{self._n_cells:,} cells × {number:,} genes: up to {size}.")


def _size(n_bytes: float) -> str:
    unit = "B"
    for larger in _STEPS:
        if n_bytes < 1000:
            break
        n_bytes, unit = n_bytes / 1000, larger
    return f"{n_bytes:.3g} {unit}"
