"""Clicks on cells, heard whatever layer is active, without taking them from anybody else."""

from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any
from weakref import WeakMethod

import numpy as np
from napari.components import ViewerModel

from napari_gluer._napari.asking.places import may_ask

_STILL = 4.0  # pixels of the screen that the mouse may move in a click
_LEFT = 1


class Clicks:
    """Calls back for clicks of the left button on the canvas while it is switched on.

    A press that becomes a drag, one with a key held, and any press while the active layer paints,
    draws or picks is left alone.

    Parameters
    ----------
    viewer
        Whose canvas.
    clicked
        Called with napari's event.
    """

    def __init__(self, viewer: ViewerModel, clicked: Callable[[Any], None]) -> None:
        self._viewer = viewer
        # napari's list lives as long as the viewer, and would keep the widget of a method alive
        bound = isinstance(clicked, MethodType)
        self._clicked: Callable[[], Any] = WeakMethod(clicked) if bound else lambda: clicked
        self._hear = self._heard  # one object, to be found again in napari's list

    @property
    def is_on(self) -> bool:
        """Whether clicks are heard."""
        return self._hear in self._viewer.mouse_drag_callbacks

    def switch(self, *, on: bool) -> None:
        """Hear clicks, or not."""
        if on and not self.is_on:
            self._viewer.mouse_drag_callbacks.append(self._hear)
        elif not on and self.is_on:
            self._viewer.mouse_drag_callbacks.remove(self._hear)

    def _heard(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        if event.button != _LEFT or tuple(event.modifiers):
            return
        if not may_ask(viewer.layers.selection.active):
            return
        pressed = np.asarray(event.pos, float)
        yield
        still = True
        while event.type == "mouse_move":
            still = still and float(np.abs(np.asarray(event.pos) - pressed).max()) <= _STILL
            yield
        act = self._clicked()
        if still and act is not None:
            act(event)
