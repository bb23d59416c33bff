"""How the painting looks: legend and folded panels of the Explore step, and what they ask for."""

from collections.abc import Sequence
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event

from napari_gluer._napari.folding import Section, boxed, is_open
from napari_gluer._napari.linked import LinkedView, Shown, linked_of
from napari_gluer._napari.paintables import Paintable
from napari_gluer._napari.painting.blend_panel import BlendPanel
from napari_gluer._napari.painting.blending import (
    channels_of,
    show_blend,
    with_channel,
    without_channel,
)
from napari_gluer._napari.painting.entries import below_bound, entries_of
from napari_gluer._napari.painting.legend import Legend
from napari_gluer._napari.painting.painter import repaint
from napari_gluer._napari.painting.panels import ColoursPanel, ConfidencePanel
from napari_gluer._napari.painting.sections import (
    SectionsPanel,
    lay_side_by_side,
    put_back,
    siblings,
)
from napari_gluer._napari.painting.style import PaintStyle
from napari_gluer._napari.pickers import labels_layers
from napari_gluer._napari.steps.base import Step


class Looking:
    """The legend and the panels, and the labels layers whose painting they speak of.

    Parameters
    ----------
    viewer
        Where they are painted.
    step
        Errors of the input are told by it.
    """

    def __init__(self, viewer: ViewerModel, step: Step) -> None:
        self._viewer, self._step = viewer, step
        self._layers: list[Labels] = []
        self._told: LinkedView | None = None
        self.legend = Legend()
        self.legend.hide()
        self.colours, self.confidence = ColoursPanel(), ConfidencePanel()
        self.blend, self.sections = BlendPanel(), SectionsPanel()
        self.folds = {
            "Colours": Section("Colours", boxed(self.colours)),
            "Confidence": Section("Confidence", boxed(self.confidence)),
            "Blend": Section("Blend genes", boxed(self.blend)),
            "Sections": Section("Sections", boxed(self.sections)),
        }
        for name in ("inserted", "removed"):
            getattr(viewer.layers.events, name).connect(self.offer_sections)
        self.legend.isolated.connect(lambda names: self._restyle(isolated=names))
        self.legend.recolored.connect(self._recolor)
        for panel in (self.colours, self.confidence):
            panel.asked.connect(lambda changes: self._restyle(**changes))
        self.colours.reset.clicked.connect(self._reset)
        self.blend.added.connect(self._blend)
        self.blend.removed.connect(self._unblend)
        self.blend.wanted.connect(lambda *_: step.guarded(self._show_blend))

    def add_to(self, step: Step) -> None:
        """Put legend and panels into the step."""
        step.add(self.legend, 2)
        for fold in self.folds.values():
            step.add(fold)

    @property
    def shown(self) -> Shown | None:
        """What is painted on the followed layer."""
        return self._linked.shown if self._layers else None

    @property
    def _linked(self) -> LinkedView:
        return linked_of(self._layers[0])

    def follow(self, layer: Labels | None) -> None:
        """Speak of another labels layer."""
        if self._told is not None:
            self._told.restyled.disconnect(self._repaint)
            self._told.shown_changed.disconnect(self._refresh)
        self._layers = [] if layer is None else [layer]
        self._told = None if layer is None else linked_of(layer)
        if self._told is not None:
            self._told.restyled.connect(self._repaint)
            self._told.shown_changed.connect(self._refresh)
        self._refresh()

    def begin(self, what: Paintable) -> None:
        """Something else is painted: no category of the last is shown alone any more."""
        before = self.shown
        if before is None or before.what != what:
            self._linked.restyle(self._linked.style.but(isolated=()), quietly=True)

    def show_painted(self, layers: Sequence[Labels]) -> None:
        """Speak of the sections that were painted together."""
        self._layers = list(layers)
        self._refresh()

    def place(self, layers: Sequence[Labels]) -> None:
        """Lay sections side by side where that is ticked, else where they were."""
        if self.sections.beside.isChecked():
            lay_side_by_side(self._viewer, list(layers))
        else:
            put_back(self._viewer)

    def offer_sections(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        """Offer the sections of the same integration, if there are any, now and later."""
        if not is_open(self.sections):
            return
        for _, layer in labels_layers(self._viewer):
            layer.events.metadata.connect(self.offer_sections)
        names = (
            [one.name for one in siblings(self._viewer, self._layers[0])] if self._layers else []
        )
        self.sections.offer(names)
        self.folds["Sections"].visible = bool(names)

    def _restyle(self, **changes: Any) -> None:
        if self._layers:
            self._step.guarded(lambda: self._linked.restyle(self._linked.style.but(**changes)))
            self._fill_panels()  # where a value was refused, the old one is shown again

    def _recolor(self, name: str, color: str) -> None:
        shown = self.shown
        if shown is not None:
            self._linked.recolor(shown.what.name, name, color)

    def _reset(self) -> None:
        if self._layers:
            style = self._linked.style
            if self.shown is not None:
                self._linked.forget_colors(self.shown.what.name)
            self._linked.restyle(PaintStyle(uncertain=style.uncertain, bound=style.bound))

    def _repaint(self) -> None:
        if is_open(self.legend):
            self._step.guarded(lambda: repaint(self._viewer, self._layers))

    def _blend(self, _: object = None) -> None:
        shown, layer = self.shown, self._layers[0]
        if shown is not None:
            self._step.guarded(lambda: with_channel(layer, shown, shown.what.layer_name))
            self._step.guarded(self._show_blend)

    def _unblend(self, what: Paintable) -> None:
        without_channel(self._layers[0], what)
        self._step.guarded(self._show_blend)

    def _show_blend(self) -> None:
        show_blend(self._viewer, self._layers[0])

    def _refresh(self) -> None:
        if not is_open(self.legend):
            return
        self._fill_panels()
        entries = entries_of(self._layers)
        self.legend.show_entries(entries, self._linked.style.isolated if self._layers else ())
        self.legend.setVisible(any(one.count for one in entries))

    def _fill_panels(self) -> None:
        shown = self.shown
        channels = channels_of(self._layers[0]) if self._layers else ()
        self.blend.offer(shown, channels)
        self.colours.show_limits(shown)
        if self._layers:
            self.colours.show_style(self._linked.style)
            self.confidence.show_style(self._linked.style)
        self.confidence.tell(*below_bound(self._layers))
