"""What the panels of one labels layer share: what is painted, which cells are chosen, undo."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import ensure_colormap
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_gluer._napari.attached import KEY, held
from napari_gluer._napari.paintables import Paintable
from napari_gluer._napari.painting.style import PaintStyle
from napari_gluer._napari.selections import Selections
from napari_gluer._napari.undo import Undo
from napari_gluer.palette import GREY

_LINKED, _OWNER = "linked", "linked to"
_NOTHING = (0, 0, 0, 0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Shown:
    """What is painted on the cells now, so that other panels show the same.

    Attributes
    ----------
    what
        The gene, marker or column.
    title
        Its name with origin and unit, as on the canvas.
    labels
        int64 ``(n,)``: the cells, by their values in the labels image.
    values
        float32 ``(n,)`` of something continuous, NaN where a cell has none; else None.
    codes
        ``(n,)`` places in `names` of something categorical, -1 where a cell has none; else None.
    names, colors
        The categories and their ``#rrggbb``.
    colormap, limits, gamma
        How values become colours.
    opacity
        float32 ``(n,)`` in [0, 1]: cells below the confidence bound are faded or hidden. None
        where all are opaque.
    unmatched
        bool ``(n,)``: cells that the reference says nothing about; they have no value and are
        grey. None where there are none, or what is painted does not come from the reference.
    unit
        Of the values, "" where they have none.
    blend
        uint8 ``(n, 4)``: colours of cells that show several genes at once, `values` being those
        of the first; else None.
    """

    what: Paintable
    title: str
    labels: NDArray[np.int64]
    values: NDArray[np.float32] | None = None
    codes: NDArray[np.intp] | None = None
    names: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()
    colormap: Any = "viridis"
    limits: tuple[float, float] = (0.0, 1.0)
    gamma: float = 1.0
    opacity: NDArray[np.float32] | None = None
    unmatched: NDArray[np.bool_] | None = None
    unit: str = ""
    blend: NDArray[np.uint8] | None = None

    def rgba(self, labels: ArrayLike) -> NDArray[np.uint8]:
        """Colours ``(n, 4)`` of cells given by label; transparent where a cell has none."""
        rows = rows_of(labels, self.labels)
        there = rows >= 0
        found = np.full((len(rows), 4), _NOTHING, np.uint8)
        found[there] = self._colors()[rows[there]]
        return found

    def _colors(self) -> NDArray[np.uint8]:
        if self.blend is not None:
            found = self.blend.copy()
        else:
            found = self._of_codes() if self.values is None else self._of_values(self.values)
        if self.opacity is not None:
            found[:, 3] = np.rint(found[:, 3] * self.opacity)
        if self.unmatched is not None:
            found[self.unmatched] = [*bytes.fromhex(GREY.lstrip("#")), 255]
        return found

    def _of_values(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        low, high = self.limits
        known = np.isfinite(values)
        share = np.clip((values[known] - low) / max(high - low, np.finfo(float).tiny), 0, 1)
        found = np.zeros((len(values), 4), np.uint8)
        colors = ensure_colormap(self.colormap).map(share**self.gamma)
        found[known] = np.rint(np.asarray(colors) * 255)
        return found

    def _of_codes(self) -> NDArray[np.uint8]:
        codes = np.zeros(0, np.intp) if self.codes is None else self.codes
        parts = [[*bytes.fromhex(color.lstrip("#")[:6]), 255] for color in self.colors]
        table = np.array([*parts, _NOTHING], np.uint8)
        return table[codes]


def rows_of(labels: ArrayLike, known: NDArray[np.int64]) -> NDArray[np.intp]:
    """For each label its place in `known`, -1 where it is not there."""
    wanted = np.asarray(labels, np.int64)
    if np.array_equal(wanted, known):
        return np.arange(len(known))
    order = np.argsort(known)
    places = np.searchsorted(known, wanted, sorter=order)
    there = places < len(order)
    rows = np.full(len(wanted), -1, np.intp)
    rows[there] = order[places[there]]
    rows[there] = np.where(known[rows[there]] == wanted[there], rows[there], -1)
    return rows


@dataclass(eq=False)
class LinkedView:
    """What the panels of one labels layer share.

    Attributes
    ----------
    undo, selections
        Of this layer.
    colors
        Colours that a person chose: column of ``obs`` → category → ``#rrggbb``.
    whole
        What is painted, with cells whose labels were edited since, and the table it comes from.
    shown_changed
        Emitted when something else is painted, or otherwise.
    restyled
        Emitted when colours were chosen or the style changed, so that it is painted anew.
    """

    undo: Undo = field(default_factory=Undo)
    colors: dict[str, dict[str, str]] = field(default_factory=dict)

    shown_changed = Signal()
    restyled = Signal()

    def __post_init__(self) -> None:
        self.selections = Selections(self.undo)
        self.whole: tuple[Shown, Any] | None = None
        self._shown: Shown | None = None
        self._style = PaintStyle()

    @property
    def shown(self) -> Shown | None:
        """What is painted now, None where nothing is."""
        return self._shown

    @property
    def style(self) -> PaintStyle:
        """How cells are painted, whatever is painted."""
        return self._style

    def restyle(self, style: PaintStyle, *, quietly: bool = False) -> None:
        """Paint otherwise from now on; `quietly` where the painting looks like that already."""
        changed, self._style = style != self._style, style
        if changed and not quietly:
            self.restyled.emit()

    def recolor(self, column: str, category: str, color: str) -> None:
        """Give a category another ``#rrggbb``; can be undone."""
        before = self.colors.get(column, {}).get(category)
        if color != before:
            self.undo.do(
                f"colour of “{category}”",
                lambda: self._set_color(column, category, color),
                lambda: self._set_color(column, category, before),
            )

    def forget_colors(self, column: str) -> None:
        """Give all categories of a column the palette's colours again; can be undone."""
        before = dict(self.colors.get(column, {}))
        if before:
            self.undo.do(
                "colours of categories",
                lambda: self._set_colors(column, {}),
                lambda: self._set_colors(column, before),
            )

    def _set_color(self, column: str, category: str, color: str | None) -> None:
        chosen = {**self.colors.get(column, {}), category: color}
        self._set_colors(column, {name: one for name, one in chosen.items() if one is not None})

    def _set_colors(self, column: str, colors: dict[str, str]) -> None:
        self.colors[column] = colors
        self.restyled.emit()

    def show(self, shown: Shown | None) -> None:
        """Tell the other panels what is painted."""
        self._shown = shown
        self.shown_changed.emit()


def linked_of(layer: Labels) -> LinkedView:
    """The view that the panels of `layer` share; a duplicate of a layer gets its own."""
    entries = held(layer)
    if _LINKED not in entries or entries.get(_OWNER) != str(layer.unique_id):
        fresh = {_LINKED: LinkedView(), _OWNER: str(layer.unique_id)}
        # no event, since no table changed; a dictionary of its own, since duplicates share one
        layer.metadata[KEY] = {**entries, **fresh}
        entries = held(layer)
    found: LinkedView = entries[_LINKED]
    return found
