"""Four buttons: what becomes of the current selection when cells are drawn around."""

from typing import cast

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from napari_gluer._napari.selections import How

_BUTTONS: dict[How, tuple[str, str]] = {
    "replace": ("New", "Choose only the cells drawn around."),
    "add": ("Add", "Add them to the cells chosen so far (or hold Shift)."),
    "remove": ("Remove", "Take them from the cells chosen so far (or hold Alt)."),
    "common": ("Common", "Keep only what both have in common (or hold Ctrl)."),
}
_NARROW = 40  # pixels; Qt's own hint is wider than the panel


class HowBar(QWidget):
    """Which way of choosing is on."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[How, QPushButton] = {}
        group, row = QButtonGroup(self), QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for how, (text, tooltip) in _BUTTONS.items():
            button = QPushButton(text)
            button.setMinimumWidth(_NARROW)
            button.setToolTip(tooltip)
            button.setCheckable(True)
            group.addButton(button)
            row.addWidget(button)
            self.buttons[how] = button
        self.buttons["replace"].setChecked(True)
        group.buttonClicked.connect(lambda _: self.changed.emit())

    @property
    def value(self) -> How:
        """The way that is on."""
        on = (how for how, button in self.buttons.items() if button.isChecked())
        return cast("How", next(on, "replace"))
