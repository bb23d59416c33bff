"""A line above the legend: this gene is imputed no better than chance."""

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from napari_gluer._napari.paintables import Paintable
from napari_gluer._napari.painting.words import CHANCE


class ChanceWarning(QWidget):
    """Asks before a gene is painted that shows nothing."""

    confirmed = Signal(object)
    """The paintable is to be painted anyway."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._what: Paintable | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.anyway = QPushButton("Paint it anyway")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.text, 1)
        row.addWidget(self.anyway)
        self.anyway.clicked.connect(lambda: self.confirmed.emit(self._what))
        self.hide()

    def warned_of(self, what: Paintable) -> bool:
        """Whether the person was warned of it just now."""
        return self._what == what

    def warn(self, what: Paintable, details: str) -> None:
        """Say that `what` shows nothing; `details` under the mouse."""
        self._what = what
        self.text.setText(f"“{what.label}” is {CHANCE}: its picture would tell nothing.")
        self.text.setToolTip(details)
        self.show()

    def clear(self) -> None:
        """Take the warning away."""
        self._what = None
        self.hide()
