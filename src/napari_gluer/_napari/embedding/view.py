"""What the panes show of one labels layer, without a widget: places, colours, who is chosen."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from anndata import AnnData
from napari.layers import Labels
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, reference_of
from napari_gluer._napari.embedding import colors
from napari_gluer._napari.embedding.layouts import remembered
from napari_gluer._napari.embedding.panes import Pane
from napari_gluer._napari.embedding.scene import EMPTY, Rgb, Scene
from napari_gluer._napari.embedding.spaces import (
    Factors,
    Placed,
    Principal,
    Sides,
    Space,
    at_once,
    sides_of,
)
from napari_gluer._napari.linked import LinkedView, Shown, linked_of
from napari_gluer._napari.paintables import Origin, plain_name
from napari_gluer.analysis.sampled_layouts import SampledLayoutParams
from napari_gluer.errors import InputError

Layout = Principal | Factors | SampledLayoutParams
_HALF = 0.5  # of a cell's weight
_PLAIN: tuple[Rgb, Rgb] = ((0, 0, 0), (255, 255, 255))
_IN_REFERENCE = (Origin.GENE, Origin.TYPE)


@dataclass(eq=False)
class EmbeddingView:
    """Cells and reference of a labels layer as scenes.

    Parameters
    ----------
    layer
        The labels layer.
    cells
        Its table, integrated.

    Raises
    ------
    InputError
        If the cells are not integrated.
    """

    layer: Labels
    cells: AnnData
    ground_and_text: tuple[Rgb, Rgb] = _PLAIN
    by_side: bool = False
    """Colour by side, whatever is painted."""

    _sides: dict[Space, Sides] = field(default_factory=dict)
    _placed: dict[Space, Placed] = field(default_factory=dict)
    _reference_colors: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        self.labels = self.sides("after").labels

    @property
    def linked(self) -> LinkedView:
        """What the panels of the layer share."""
        return linked_of(self.layer)

    @property
    def shown(self) -> Shown | None:
        """What is painted and so colours the points; None where they are coloured by side."""
        return None if self.by_side else self.linked.shown

    @property
    def is_current(self) -> bool:
        """Whether the layer still has this table."""
        return cells_of(self.layer) is self.cells

    def sides(self, space: Space) -> Sides:
        """The values to lay out."""
        if space not in self._sides:
            self._sides[space] = sides_of(self.cells, space)
        return self._sides[space]

    def place(self, layout: Layout, seed: int, spaces: set[Space]) -> set[Space]:
        """Place all points by a layout; gives the spaces whose layout must be computed first."""
        self._placed = {}
        for space in sorted(spaces):
            sides = self.sides(space)
            found: Placed | None
            if isinstance(layout, SampledLayoutParams):
                found = remembered(self.layer, self.cells, sides, layout, seed)
            else:
                found = at_once(sides, layout)
            if found is not None:
                self._placed[space] = found
        return spaces - set(self._placed)

    def placed(self, space: Space) -> Placed | None:
        """Where the points of a space lie."""
        return self._placed.get(space)

    def scene(self, pane: Pane, space: Space) -> Scene:
        """What a pane draws."""
        placed = self._placed.get(space)
        ground, text = self.ground_and_text
        if placed is None:
            return EMPTY.themed(ground, text)
        has_cells, has_reference = pane.who != "reference", pane.who != "cells"
        n, m = len(placed.cells) * has_cells, len(placed.reference) * has_reference
        return Scene(
            cells=placed.cells[:n],
            reference=placed.reference[:m],
            cell_colors=self._cell_colors()[:n],
            reference_colors=self._colors_of_reference(len(placed.reference))[:m],
            chosen=self._chosen(n),
            corners=placed.corners,
            ground=ground,
            text=text,
        )

    def recoloring(self) -> Callable[[], NDArray[np.uint8] | None] | None:
        """Forget the reference's colours, and give the work that finds them; None if none is."""
        self._reference_colors = None
        shown, reference = self.shown, reference_of(self.layer)
        if shown is None or reference is None or shown.what.origin not in _IN_REFERENCE:
            return None
        return lambda: colors.of_reference(shown, reference)

    def color_reference(self, found: NDArray[np.uint8] | None) -> None:
        """Take over what the work of `recoloring` found."""
        n_placed = len(self.sides("after").reference)
        if found is not None and len(found) != n_placed:
            raise InputError(
                f"The reference was exchanged: it has {len(found):,} cells, the integration used "
                f"{n_placed:,}. Open the one of the integration, or integrate again."
            )
        self._reference_colors = found

    def words(self) -> str:
        """One line on what the colours mean."""
        return colors.words(self.shown, like_the_tissue=self._reference_colors is not None)

    def drawn_around(self, pane: Pane, inside: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Labels of the cells meant by the points inside a lasso.

        Parameters
        ----------
        pane
            Where it was drawn.
        inside
            ``(n,)`` over the cells; in a pane of the reference alone ``(m,)`` over its cells:
            then those cells are meant that draw half of their weight or more from them.
        """
        if pane.who != "reference":
            return self.labels[inside]
        weights = sparse.csr_matrix(self.cells.obsm[slots.WEIGHTS])
        share = np.asarray(weights @ inside.astype(np.float32))
        return self.labels[(share >= _HALF) & ~slots.unmatched(self.cells)]

    def describe(self, row: int, is_cell: bool) -> str:  # noqa: FBT001 - as `ScatterView` asks
        """Text for a point under the mouse."""
        return self._of_cell(row) if is_cell else self._of_reference(row)

    def _cell_colors(self) -> NDArray[np.uint8]:
        shown = self.shown
        if shown is None:
            return colors.plain(len(self.labels), colors.CELLS)
        return shown.rgba(self.labels)

    def _colors_of_reference(self, n: int) -> NDArray[np.uint8]:
        if self.shown is None:
            return colors.plain(n, colors.REFERENCE)
        if self._reference_colors is None:
            return np.zeros((n, 4), np.uint8)
        return self._reference_colors

    def _chosen(self, n: int) -> NDArray[np.bool_] | None:
        current = self.linked.selections.current
        return np.isin(self.labels, current)[:n] if n and current.size else None

    def _of_cell(self, row: int) -> str:
        said = [f"cell {self.labels[row]}", *_types(self.cells, row)]
        if slots.unmatched(self.cells)[row]:
            said = [said[0], "unmatched"]
        shown = self.linked.shown
        if shown is not None:
            at = np.flatnonzero(shown.labels == self.labels[row])
            said += [_value(shown, int(at[0]))] if at.size else []
        return "\n".join(filter(None, dict.fromkeys(said)))

    def _of_reference(self, row: int) -> str:
        names = slots.info(self.cells).get(slots.REFERENCE_NAMES)
        said = [f"reference cell {row if names is None else names[row]}"]
        reference, shown = reference_of(self.layer), self.linked.shown
        if reference is not None and shown is not None and shown.what.origin is Origin.TYPE:
            column = shown.what.name.removesuffix(slots.transferred(""))
            if column in reference.obs and row < reference.n_obs:
                said.append(f"{column}: {reference.obs[column].iloc[row]}")
        return "\n".join(said)


def _types(cells: AnnData, row: int) -> list[str]:
    names = [name for name in cells.obs if str(name).endswith(slots.transferred(""))]
    return [f"{plain_name(str(name))}: {cells.obs[name].iloc[row]}" for name in names]


def _value(shown: Shown, row: int) -> str:
    if shown.values is not None:
        known = np.isfinite(shown.values[row])
        return f"{shown.what.label}: {shown.values[row]:.3g}" if known else ""
    code = -1 if shown.codes is None else int(shown.codes[row])
    return f"{shown.what.label}: {shown.names[code]}" if code >= 0 else ""
