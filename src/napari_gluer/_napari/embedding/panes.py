"""One to three panes: both sides together or apart, before and after integration."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QBoxLayout, QWidget

from napari_gluer._napari.embedding.raster import Window
from napari_gluer._napari.embedding.scatter import ScatterView
from napari_gluer._napari.embedding.spaces import Space

Who = Literal["joint", "cells", "reference"]
_WORDS: dict[Who, str] = {
    "joint": "Cells and reference",
    "cells": "Cells",
    "reference": "Reference",
}
_GAP = 2


@dataclass(frozen=True)
class Pane:
    """What one pane shows; `space` is None where the person chooses it for all panes."""

    who: Who
    space: Space | None = None

    @property
    def title(self) -> str:
        """Written in the pane's corner."""
        suffix = f", {self.space} integration" if self.space else ""
        return f"{_WORDS[self.who]}{suffix}"


ARRANGEMENTS: dict[str, tuple[Pane, ...]] = {
    "Together": (Pane("joint"),),
    "Cells": (Pane("cells"),),
    "Reference": (Pane("reference"),),
    "Cells | reference": (Pane("cells"), Pane("reference")),
    "Together | cells | reference": (Pane("joint"), Pane("cells"), Pane("reference")),
    "Before | after integration": (Pane("joint", "before"), Pane("joint", "after")),
}
"""Name of an arrangement → its panes."""


class Panes(QWidget):
    """The views of an arrangement, beside each other or, where the panel is narrow, below.

    Parameters
    ----------
    describe
        Text for the point under the mouse.
    """

    enclosed = Signal(object, object, object)
    """A lasso was drawn: the `Pane`, the outline, the keys held."""

    cleared = Signal()

    def __init__(self, describe: Callable[[int, bool], str]) -> None:
        super().__init__()
        self.linked = True
        """Whether panes of one space are dragged and zoomed together."""
        self._describe = describe
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(_GAP)
        self.views: list[ScatterView] = []
        self.panes: tuple[Pane, ...] = ()
        self.arrange(ARRANGEMENTS["Together"])

    def arrange(self, panes: tuple[Pane, ...]) -> None:
        """Show one view for each of `panes`."""
        self.panes = panes
        while len(self.views) < len(panes):
            self._add()
        for i, view in enumerate(self.views):
            view.setVisible(i < len(panes))
            if i < len(panes):
                view.title = panes[i].title
        self._turn()

    def shown(self) -> list[tuple[Pane, ScatterView]]:
        """The panes and their views."""
        return list(zip(self.panes, self.views, strict=False))

    def draw_or_drag(self, *, draws: bool) -> None:
        """What the left button does in all views."""
        for view in self.views:
            view.draws = draws

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Choose the direction that leaves the views the squarer."""
        super().resizeEvent(event)
        self._turn()

    def _turn(self) -> None:
        wide = self.width() >= self.height()
        direction = QBoxLayout.Direction
        self._row.setDirection(direction.LeftToRight if wide else direction.TopToBottom)

    def _add(self) -> None:
        view = ScatterView(self._describe)
        number = len(self.views)
        if self.views:
            view.draws = self.views[0].draws
        view.enclosed.connect(lambda outline, keys: self._enclosed(number, outline, keys))
        view.window_changed.connect(lambda window: self._follow(number, window))
        view.cleared.connect(self.cleared)
        self._row.addWidget(view, 1)
        self.views.append(view)

    def _enclosed(self, number: int, outline: Any, keys: Any) -> None:
        self.enclosed.emit(self.panes[number], outline, keys)

    def _follow(self, number: int, window: Window) -> None:
        """Pan and zoom the other panes of the same space."""
        if not self.linked:
            return
        for i, (pane, view) in enumerate(self.shown()):
            if i != number and pane.space == self.panes[number].space:
                view.look_at(window)
