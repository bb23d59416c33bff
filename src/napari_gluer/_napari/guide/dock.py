"""GLUER: all steps in one dock, from an image to painted genes."""

from collections.abc import Callable
from typing import Any, ClassVar

from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from napari_gluer._napari.attached import cells_of
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.guide.header import StepHeader
from napari_gluer._napari.guide.states import TITLES, State, states
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.pickers import labels_layers
from napari_gluer._napari.steps.base import Step
from napari_gluer._napari.steps.cells import CellsStep
from napari_gluer._napari.steps.explore import ExploreStep
from napari_gluer._napari.steps.image import ImageStep
from napari_gluer._napari.steps.integrate import IntegrateStep
from napari_gluer._napari.steps.reference import ReferenceStep

_STEPS: tuple[type[Step], ...] = (
    ImageStep,
    CellsStep,
    ReferenceStep,
    IntegrateStep,
    ExploreStep,
)
_PLUGIN = "napari-gluer"
PANELS = (
    "Embedding",
    "Selections",
    "Cell",
    "Plots",
    "Markers",
    "Trust",
    "History and session",
)
_MARGIN, _GAP, _ACROSS = 4, 3, 4
_SLIM = "QPushButton { padding: 3px 1px; }"


class Guide(QWidget):
    """The five steps under each other; one is unfolded, and the next opens when it is done.

    Parameters
    ----------
    napari_viewer
        napari passes the viewer by this name.

    Attributes
    ----------
    steps
        The panels made so far, by title; a step's panel is made when it is first opened.
    """

    joins_tabs: ClassVar[bool] = True

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer: ViewerModel = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.steps: dict[str, Any] = {}
        self.headers = {
            title: StepHeader(number, title) for number, title in enumerate(TITLES, start=1)
        }
        self.next = QPushButton()
        self.next.setDefault(True)
        self.next.hide()
        self.panels = self._panel_buttons()
        self._open = ""
        self._layer: Labels | None = None
        self._asked = False
        self._watched: dict[int, Labels] = {}
        self._lay_out()
        for title, header in self.headers.items():
            header.button.clicked.connect(self._opener(title))
        self.next.clicked.connect(self._go_on)
        for name in ("inserted", "removed", "renamed"):
            getattr(self.viewer.layers.events, name).connect(self._soon)
        self.open_step(self._first())

    @property
    def opened(self) -> str:
        """Title of the step that is unfolded."""
        return self._open

    @property
    def layer(self) -> Labels | None:
        """The labels layer that the steps are about."""
        here = [layer for _, layer in labels_layers(self.viewer)]
        if any(layer is self._layer for layer in here):
            return self._layer
        measured = [one for one in here if isinstance(one, Labels) and cells_of(one) is not None]
        found = next(iter([*measured, *here]), None)
        return found if isinstance(found, Labels) else None

    @property
    def states(self) -> list[State]:
        """How far every step is now."""
        return states(self.viewer, self.layer)

    def open_step(self, title: str) -> None:
        """Unfold a step, and fold the one that was unfolded."""
        if title not in self.steps:
            self.steps[title] = self._made(title)
        self._open = title
        self._choose_layer(self.steps[title])
        for name, step in self.steps.items():
            step.setVisible(name == title)
        self.refresh()

    def refresh(self) -> None:
        """Show how far every step is."""
        self._asked = False
        if not is_open(self):
            return
        self._watch()
        found, before = self.states, ""
        for state in found:
            header = self.headers[state.title]
            header.show_state(state, is_open=state.title == self._open, before=before)
            before = state.title
        place = TITLES.index(self._open)
        has_next = found[place].is_done and place + 1 < len(TITLES)
        self.next.setVisible(has_next)
        if has_next:
            self.next.setText(f"Next: {TITLES[place + 1]} ▸")
        self.panels.setVisible(found[TITLES.index("Integrate")].opens)

    def _first(self) -> str:
        """The first step that is not done."""
        found = [state.title for state in self.states if state.opens and not state.is_done]
        return found[0] if found else TITLES[-1]

    def _opener(self, title: str) -> Callable[[], None]:
        return lambda: self.open_step(title)

    def _go_on(self) -> None:
        self.open_step(TITLES[TITLES.index(self._open) + 1])
        self.headers[self._open].button.setFocus()

    def _made(self, title: str) -> Step:
        step = _STEPS[TITLES.index(title)](self.viewer)
        picker = _picker(step)
        if picker is not None:
            picker.currentIndexChanged.connect(lambda: self._followed(picker))
        header = self.headers[title]
        self._rows.insertWidget(self._rows.indexOf(header) + 1, step, 1)
        return step

    def _followed(self, picker: Any) -> None:
        """A step's choice of cells holds for all steps."""
        if isinstance(picker.value, Labels):
            self._layer = picker.value
            self._soon()

    def _choose_layer(self, step: Step) -> None:
        picker = _picker(step)
        if picker is not None and self.layer is not None and cells_of(self.layer) is not None:
            picker.choose(self.layer)

    def _soon(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        """Refresh once, after all that happens now."""
        if not self._asked and is_open(self):
            self._asked = True
            QTimer.singleShot(0, self.refresh)

    def _watch(self) -> None:
        """Follow the tables and paintings of labels layers that came."""
        here = {id(one): one for one in self.viewer.layers if isinstance(one, Labels)}
        for key, layer in here.items():
            if self._watched.get(key) is not layer:
                layer.events.metadata.connect(self._soon)
                linked_of(layer).shown_changed.connect(self._soon_shown)
        self._watched = here

    def _soon_shown(self) -> None:
        self._soon()

    def _panel_buttons(self) -> QWidget:
        """Buttons that open the other panels, where the viewer has a window."""
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(_GAP)
        for i, name in enumerate(PANELS):
            button = QPushButton(name.partition(" ")[0])
            button.setStyleSheet(_SLIM)
            button.setToolTip(f"Open the panel “{name}”.")
            button.clicked.connect(self._panel_opener(name))
            grid.addWidget(button, *divmod(i, _ACROSS))
        return box

    def _panel_opener(self, name: str) -> Callable[[], None]:
        def open_panel() -> None:
            window: Any = getattr(self.viewer, "window", None)
            if window is not None:
                dock, _ = window.add_plugin_dock_widget(_PLUGIN, name)
                dock.raise_()

        return open_panel

    def _lay_out(self) -> None:
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self._rows.setSpacing(_GAP)
        self._rows.setAlignment(Qt.AlignmentFlag.AlignTop)
        for header in self.headers.values():
            self._rows.addWidget(header)
        self._rows.addWidget(self.next)
        self._rows.addWidget(self.panels)


def _picker(step: Step) -> Any:
    """Where a step chooses its labels layer."""
    return getattr(step, "labels", getattr(step, "cells_from", None))
