"""What a pane draws: points of cells and reference with colours, the chosen ones above all."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_gluer._napari.embedding.raster import Points, Window, ranked

_DIMMED = 0.25  # what is left of the colour of points that are not chosen
_WITHOUT = 0.28  # between ground and text: points that have no colour
_LEAST_SEEN = 1  # alpha below which a point has no colour

Rgb = tuple[int, int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """Points of one pane.

    Attributes
    ----------
    cells, reference
        float32 ``(n, 2)`` and ``(m, 2)``; without rows where the pane leaves a side out.
    cell_colors, reference_colors
        uint8 ``(n, 4)`` and ``(m, 4)``; transparent where there is none.
    chosen
        ``(n,)``: cells of the current selection. None where nothing is chosen.
    corners
        ``(2, 2)``: what is seen when everything is shown; None for the points that are here.
    ground, text
        Colours of the theme.
    """

    cells: Points
    reference: Points
    cell_colors: NDArray[np.uint8]
    reference_colors: NDArray[np.uint8]
    chosen: NDArray[np.bool_] | None = None
    corners: Points | None = None
    ground: Rgb = (0, 0, 0)
    text: Rgb = (255, 255, 255)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Rows (reference first, then cells) from the lowest to the topmost.

        Points without colour, then those with one, then chosen cells; within each at random but
        always alike, for neither side nor type is to hide another by its place in the tables.
        """
        m, n = len(self.reference), len(self.cells)
        found = _at_random(m + n)
        height = (self._all_colors()[:, 3] >= _LEAST_SEEN).astype(np.int8)
        if self.chosen is not None:
            height[m:][self.chosen] = 2
        return found[np.argsort(height[found], kind="stable")]

    @cached_property
    def points(self) -> Points:
        """All points in that order."""
        return np.concatenate([self.reference, self.cells])[self.order]

    @cached_property
    def palette(self) -> NDArray[np.uint32]:
        """Colour of every rank of a picture: the ground, then the points in order; 0xAARRGGBB."""
        colors = self._all_colors().astype(np.float32)
        ground = np.array(self.ground, np.float32)
        share = colors[:, 3:] / 255
        without = ground + _WITHOUT * (np.array(self.text, np.float32) - ground)
        solid = np.where(
            colors[:, 3:] < _LEAST_SEEN, without, ground + share * (colors[:, :3] - ground)
        )
        if self.chosen is not None:
            dim = np.ones(len(solid), np.bool_)
            dim[len(self.reference) :] = ~self.chosen
            solid[dim] = ground + _DIMMED * (solid[dim] - ground)
        ordered = np.vstack([ground[np.newaxis], solid[self.order]])
        red, green, blue = np.rint(ordered).astype(np.uint32).T
        packed: NDArray[np.uint32] = np.uint32(0xFF000000) | (red << 16) | (green << 8) | blue
        return packed

    @property
    def extent(self) -> Points:
        """Points between which everything lies that is to be seen."""
        if self.corners is not None:
            return self.corners
        return np.concatenate([self.reference, self.cells])

    def picture(self, window: Window) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        """Colours ``(height, width)`` as 0xAARRGGBB, and the rank at every pixel."""
        ranks = ranked(self.points, window)
        return self.palette[ranks], ranks

    def row(self, rank: int) -> int | None:
        """The point of a rank: the reference's rows, then those of the cells; None for 0."""
        return int(self.order[rank - 1]) if rank else None

    def themed(self, ground: Rgb, text: Rgb) -> "Scene":
        """The same on another ground."""
        return replace(self, ground=ground, text=text)

    def _all_colors(self) -> NDArray[np.uint8]:
        return np.concatenate([self.reference_colors, self.cell_colors])


@lru_cache(maxsize=4)
def _at_random(n: int) -> NDArray[np.int64]:
    found = np.random.default_rng(0).permutation(n)
    found.flags.writeable = False
    return found


EMPTY = Scene(
    cells=np.empty((0, 2), np.float32),
    reference=np.empty((0, 2), np.float32),
    cell_colors=np.empty((0, 4), np.uint8),
    reference_colors=np.empty((0, 4), np.uint8),
)
"""Nothing to draw."""
