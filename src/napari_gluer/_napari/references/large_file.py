"""How many cells of a large reference file to read, and how they are drawn."""

import re
from pathlib import Path

from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

import napari_gluer as ng
from napari_gluer._napari.folding import no_stray_wheel
from napari_gluer._napari.forms import Row, form, read
from napari_gluer._napari.references.peek import Peek

LARGE = 50_000
"""Cells from which on a part is offered."""

_TYPES = re.compile(r"type|class|annot|cluster|label|leiden")
_NONE, _SHORTEST = "none", 10


class LargeFile(QWidget):
    """Asks how many cells of a file to use; hidden unless a large one was peeked at."""

    def __init__(self) -> None:
        super().__init__()
        self._peek: Peek | None = None
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.by = QComboBox()
        self.by.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.by.setMinimumContentsLength(_SHORTEST)
        no_stray_wheel(self.by)
        field = ng.SubsampleParams.model_fields["by"]
        self.by.setToolTip(" ".join((field.description or "").split()))
        self.form = form(ng.SubsampleParams(), hide=("by",))
        self.form.rows["by"] = Row(
            None, lambda: (self.by.currentData(),) if self.by.currentData() else ()
        )
        rows = QFormLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        label = QLabel("Drawn from each")
        label.setToolTip(self.by.toolTip())
        rows.addRow(label, self.by)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.said)
        layout.addWidget(self.form.native)
        layout.addLayout(rows)
        self.hide()

    def show_peek(self, found: Peek | None) -> None:
        """Offer a part of the file where it is large."""
        self._peek = found if found is not None and found.n_cells > LARGE else None
        self.setVisible(self._peek is not None)
        if self._peek is None:
            return
        self.said.setText(
            f"{self._peek.path.name} holds <b>{self._peek.n_cells:,}</b> cells. Use a part:"
        )
        self.by.clear()
        self.by.addItem(_NONE, "")
        for name, number in self._peek.columns.items():
            self.by.addItem(f"{name} ({number:,})", name)
        likely = [i for i, name in enumerate(self._peek.columns, 1) if _TYPES.search(name.lower())]
        self.by.setCurrentIndex(likely[0] if likely else 0)

    def offer(self, *, offered: bool) -> None:
        """Hide the question while the reference comes from elsewhere."""
        self.setVisible(offered and self._peek is not None)

    def params(self, path: Path) -> "ng.SubsampleParams | None":
        """What was chosen for the file at `path`; None where nothing was offered for it."""
        if self._peek is None or self._peek.path != path:
            return None
        return read(ng.SubsampleParams, self.form)
