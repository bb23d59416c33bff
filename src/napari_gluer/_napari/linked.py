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
from napari_gluer._napari.selections import Selections
from napari_gluer._napari.undo import Undo

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

    def rgba(self, labels: ArrayLike) -> NDArray[np.uint8]:
        """Colours ``(n, 4)`` of cells given by label; transparent where a cell has none."""
        order = np.argsort(self.labels)
        wanted = np.asarray(labels, np.int64)
        places = np.searchsorted(self.labels, wanted, sorter=order)
        there = places < len(order)
        rows = order[places[there]]
        same = self.labels[rows] == wanted[there]
        there[there] = same
        found = np.full((len(wanted), 4), _NOTHING, np.uint8)
        found[there] = self._colors()[rows[same]]
        return found

    def _colors(self) -> NDArray[np.uint8]:
        found = self._of_codes() if self.values is None else self._of_values(self.values)
        if self.opacity is not None:
            found[:, 3] = np.rint(found[:, 3] * self.opacity)
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


@dataclass(eq=False)
class LinkedView:
    """What the panels of one labels layer share.

    Attributes
    ----------
    undo, selections
        Of this layer.
    colors
        Colours that a person chose: column of ``obs`` → category → ``#rrggbb``.
    shown_changed
        Emitted when something else is painted, or otherwise.
    """

    undo: Undo = field(default_factory=Undo)
    colors: dict[str, dict[str, str]] = field(default_factory=dict)

    shown_changed = Signal()

    def __post_init__(self) -> None:
        self.selections = Selections(self.undo)
        self._shown: Shown | None = None

    @property
    def shown(self) -> Shown | None:
        """What is painted now, None where nothing is."""
        return self._shown

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
