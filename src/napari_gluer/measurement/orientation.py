"""How spots lie on labels: axes swapped or turned, and where the labels start."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Choice = Literal["auto", "yes", "no"]


@dataclass(frozen=True, order=True)
class Orientation:
    """Which way the axes of the spots run.

    Attributes
    ----------
    transposed
        x of the spots runs along the height of the labels, y along their width.
    flip_y, flip_x
        Rows count from the last, columns from the last (after swapping).
    """

    transposed: bool = False
    flip_y: bool = False
    flip_x: bool = False

    def __str__(self) -> str:
        flipped = [axis for axis, turned in (("x", self.flip_x), ("y", self.flip_y)) if turned]
        parts = ["x and y swapped"] if self.transposed else []
        parts += [f"{' and '.join(flipped)} flipped"] if flipped else []
        return ", ".join(parts) or "as given"


@dataclass(frozen=True)
class Placement:
    """Where spots lie on labels.

    Attributes
    ----------
    orientation
        Which way the axes run.
    x0, y0
        Position of the labels' first pixel, in the coordinates of the spots; with a flipped axis
        that of the pixel which then comes first.
    """

    orientation: Orientation = Orientation()
    x0: float = 0.0
    y0: float = 0.0

    def pixels(
        self, x: NDArray[np.float64], y: NDArray[np.float64], extent: Sequence[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns of the pixels that positions fall in, also outside `extent`.

        The centre of the first pixel is 0, so a pixel i holds the positions from i - ½ up to, but
        not including, i + ½; for a flipped axis that is so after flipping.

        Parameters
        ----------
        x, y
            Positions.
        extent
            Height and width of the labels.
        """
        rows, columns = self.laid(x, y, extent)
        return nearest(rows), nearest(columns)

    def laid(
        self, x: NDArray[np.float64], y: NDArray[np.float64], extent: Sequence[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows and columns of positions, without rounding."""
        across, down = x - self.x0, y - self.y0
        if self.orientation.transposed:
            across, down = down, across
        if self.orientation.flip_x:
            across = extent[1] - 1 - across
        if self.orientation.flip_y:
            down = extent[0] - 1 - down
        return down, across

    def unplaced(
        self, rows: NDArray[np.float64], columns: NDArray[np.float64], extent: Sequence[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions x and y of points on the labels: `laid` backwards."""
        across = extent[1] - 1 - columns if self.orientation.flip_x else columns
        down = extent[0] - 1 - rows if self.orientation.flip_y else rows
        if self.orientation.transposed:
            across, down = down, across
        return across + self.x0, down + self.y0

    def moved(self, dx: float, dy: float) -> "Placement":
        """The same, with the labels' first pixel elsewhere."""
        return replace(self, x0=self.x0 + dx, y0=self.y0 + dy)

    def __str__(self) -> str:
        start = f", first pixel at x {self.x0:g}, y {self.y0:g}" if self.x0 or self.y0 else ""
        return f"{self.orientation}{start}"


def orientations(transpose: Choice, flip_y: Choice, flip_x: Choice) -> list[Orientation]:
    """All that the choices leave open, the one as given first."""
    ways = [_ways(choice) for choice in (transpose, flip_y, flip_x)]
    return sorted(Orientation(*way) for way in product(*ways))


def _ways(choice: Choice) -> tuple[bool, ...]:
    return (False, True) if choice == "auto" else (choice == "yes",)


def nearest(positions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pixels or planes that positions fall in; half way between two it is the later."""
    # far outside any image, and within int64
    bounded = np.clip(np.floor(positions + 0.5), -(2.0**52), 2.0**52)
    return bounded.astype(np.int64)
