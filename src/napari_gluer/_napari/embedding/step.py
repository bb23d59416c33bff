"""Embedding: cells and reference in two dimensions, linked with the tissue."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from numpy.typing import NDArray

from napari_gluer._napari.attached import needed_cells
from napari_gluer._napari.embedding.controls import Controls
from napari_gluer._napari.embedding.lasso import asked, inside
from napari_gluer._napari.embedding.layouts import is_stored, key_of, placed, remember, store
from napari_gluer._napari.embedding.panes import Pane, Panes
from napari_gluer._napari.embedding.scene import EMPTY
from napari_gluer._napari.embedding.spaces import Sides, Space
from napari_gluer._napari.embedding.theme import theme_colors
from napari_gluer._napari.embedding.view import EmbeddingView
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.jobs import Running, start
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.pickers import labels_picker
from napari_gluer._napari.processes import in_process, warm
from napari_gluer._napari.selection_layer import raise_selection, show_selection
from napari_gluer._napari.steps.base import Outcome, Step
from napari_gluer.analysis.sampled_layouts import SampledLayoutParams, sampled_layout
from napari_gluer.errors import InputError
from napari_gluer.track import Track

_SEED = 0
_Positions = tuple[NDArray[np.float32], int]


class EmbeddingStep(Step):
    """Shows the co-embedding beside the tissue; a lasso in it chooses cells."""

    title = "Embedding"
    run_text = "Lay out"
    hint = "Draw around points to find their cells on the tissue."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.labels = labels_picker(self.viewer)
        self.panes = Panes(self._describe)
        self.rows.addRow("Cells", self.labels)
        self.controls = Controls(self.rows)
        self.add(self.controls)
        self.add(self.panes, 1)
        self.add(self.controls.legend)
        self.view: EmbeddingView | None = None
        self._followed: Labels | None = None
        self._coloring = Running()
        self.labels.currentIndexChanged.connect(self._follow)
        self.controls.changed.connect(self._arrange)
        self.controls.recolored.connect(self._recolor)
        self.controls.tool_changed.connect(self._take_tool)
        self.controls.fit.clicked.connect(self._fit)
        self.panes.enclosed.connect(self._enclosed)
        self.panes.cleared.connect(self._clear)
        self.destroyed.connect(self._coloring.cancel)
        self.viewer.events.theme.connect(self._retheme)
        self._follow()
        warm()

    def prepare(self) -> Callable[[Track], Any]:
        """Lay out, in a process of its own, what is not laid out yet."""
        needed_cells(self.labels.value)
        if self.view is None:
            self._load()
        view, layout = self._needed_view(), self.controls.layout_params
        if not isinstance(layout, SampledLayoutParams):
            raise InputError("This layout is drawn at once; there is nothing to compute.")
        missing = view.place(layout, _SEED, self.controls.spaces)
        wanted = {space: view.sides(space) for space in sorted(missing)}

        def work(track: Track) -> Any:
            found = {
                space: in_process(sampled_layout, sides.stacked, layout, _SEED, track=track)
                for space, sides in wanted.items()
            }
            return view, layout, wanted, found

        return work

    def finish(self, result: Any) -> Outcome:
        """Keep the layouts and draw them."""
        view, layout, wanted, found = result
        self._keep(view, layout, wanted, found)
        if view is self.view:
            self._arrange()
        return Outcome(_said(layout, wanted, found))

    def _keep(
        self,
        view: EmbeddingView,
        layout: SampledLayoutParams,
        wanted: dict[Space, Sides],
        found: dict[Space, _Positions],
    ) -> None:
        for space, positions in found.items():
            sides = wanted[space]
            made = placed(sides, positions, layout)
            remember(view.layer, sides, key_of(layout, _SEED), made)
            if is_stored(space) and view.is_current:
                store(view.cells, sides, made, layout, _SEED)

    def _needed_view(self) -> EmbeddingView:
        if self.view is None:
            raise InputError("Integrate the cells first: Plugins ▸ GLUER ▸ Integrate.")
        return self.view

    def _follow(self) -> None:
        """Show the chosen labels layer, and hear what becomes of it."""
        before, self._followed = self._followed, self.labels.value
        if before is not None:
            before.events.metadata.disconnect(self._load)
            linked = linked_of(before)
            linked.shown_changed.disconnect(self._repainted)
            linked.selections.changed.disconnect(self._chosen)
        if self._followed is not None:
            self._followed.events.metadata.connect(self._load)
            linked = linked_of(self._followed)
            linked.shown_changed.connect(self._repainted)
            linked.selections.changed.connect(self._chosen)
        self._load()

    def _load(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        if not is_open(self):
            return
        layer, known = self.labels.value, self.view
        if known is not None and known.layer is layer and known.is_current:
            self._recolor()  # only the reference, or edited cells
            self._chosen()
            return
        self.view = None
        try:
            view = EmbeddingView(layer, needed_cells(layer), theme_colors(self.viewer))
        except InputError as error:
            self._show_nothing(str(error))
            return
        self.view = view
        self._arrange()
        self._recolor()

    def _arrange(self) -> None:
        """Place the points anew."""
        self.panes.arrange(self.controls.panes)
        self.panes.linked = self.controls.are_linked
        self.guarded(self._place)

    def _place(self) -> None:
        layout, view = self.controls.layout_params, self.view
        for button in (self.run, self.cancel):
            button.setVisible(isinstance(layout, SampledLayoutParams))
        if view is None:
            return
        missing = view.place(layout, _SEED, self.controls.spaces)
        for pane, shown in self.panes.shown():
            space = self.controls.space_of(pane)
            found = view.placed(space)
            shown.axes = ("", "") if found is None else found.axes
            shown.note = self._waiting_text() if space in missing else ""
        self._draw(fit=True)

    def _waiting_text(self) -> str:
        return f"Press “{self.run_text}” to compute this {self.controls.kind_text}."

    def _draw(self, *, fit: bool = False) -> None:
        view = self.view
        if view is None:
            return
        for pane, shown in self.panes.shown():
            space = self.controls.space_of(pane)
            found = view.placed(space)
            same_scale = found is None or found.same_scale
            shown.show_scene(view.scene(pane, space), fit=fit, same_scale=same_scale)
        self.controls.legend.setText(view.words())

    def _show_nothing(self, why: str) -> None:
        ground, text = theme_colors(self.viewer)
        for _, shown in self.panes.shown():
            shown.note, shown.axes = why, ("", "")
            shown.show_scene(EMPTY.themed(ground, text), fit=False)
        self.controls.legend.setText("")

    def _recolor(self) -> None:
        """Colour as the tissue is, the reference as soon as its values are there."""
        view = self.view
        self._coloring.cancel()
        if view is None:
            return
        view.by_side = self.controls.by_side
        work = view.recoloring()
        self._draw()
        if work is None:
            return

        def done(found: Any) -> None:
            if is_open(self) and self.view is view:
                self.guarded(lambda: view.color_reference(found))
                self._draw()

        self._coloring.job = start(
            "GLUER: colours of the reference",
            lambda track: next(iter([work() for _ in track([0], "Colours of the reference")])),
            done=done,
            failed=self._tell,
            progressed=lambda *_: None,
        )

    def _repainted(self) -> None:
        if is_open(self):
            self._recolor()
            if self._followed in self.viewer.layers:
                raise_selection(self.viewer, self._followed)

    def _chosen(self) -> None:
        """Highlight the current selection here and on the tissue."""
        layer = self._followed
        if not is_open(self) or layer is None:
            return
        current = linked_of(layer).selections.current
        if layer in self.viewer.layers:
            show_selection(self.viewer, layer, current)
        self._draw()
        n = len(current)
        self.say(f"{n:,} cells are chosen." if n else self.hint)

    def _enclosed(self, pane: Pane, outline: Any, keys: Any) -> None:
        view = self.view
        found = None if view is None else view.placed(self.controls.space_of(pane))
        if view is None or found is None:
            return
        points = found.reference if pane.who == "reference" else found.cells
        labels = view.drawn_around(pane, inside(outline, points))
        view.linked.selections.choose(labels, asked(keys, self.controls.how.value))
        if pane.who == "reference":
            n = int(inside(outline, points).sum())
            self.say(
                f"{len(labels):,} cells draw half of their weight or more from the {n:,} "
                "reference cells drawn around."
            )

    def _clear(self) -> None:
        if self._followed is not None:
            linked_of(self._followed).selections.clear()

    def _describe(self, row: int, is_cell: bool) -> str:  # noqa: FBT001 - as `ScatterView` asks
        return "" if self.view is None else self.view.describe(row, is_cell)

    def _fit(self) -> None:
        for _, shown in self.panes.shown():
            shown.fit()

    def _take_tool(self) -> None:
        self.panes.draw_or_drag(draws=self.controls.draws)

    def _retheme(self, event: Event | None = None) -> None:  # noqa: ARG002 - napari passes it
        if is_open(self) and self.view is not None:
            self.view.ground_and_text = theme_colors(self.viewer)
            self._draw()
        elif is_open(self):
            self._load()


def _said(
    layout: SampledLayoutParams, wanted: dict[Space, Sides], found: dict[Space, _Positions]
) -> str:
    word = {"umap": "UMAP", "tsne": "t-SNE"}[layout.layout.kind]
    if not found:
        return f"This {word} was computed before."
    sides = next(iter(wanted.values()))
    n, m = len(sides.cells), len(sides.reference)
    said = f"{word} of {n:,} cells and {m:,} reference cells, seed {_SEED}."
    n_laid_out = min(number for _, number in found.values())
    if n_laid_out < n + m:
        said += (
            f" {n_laid_out:,} of them, drawn at random, were laid out; the others lie among their "
            "5 nearest."
        )
    return said
