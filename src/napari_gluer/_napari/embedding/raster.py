"""Points as a picture, without a canvas: what a screen of pixels can show of a million points."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_FILL = 0.5  # of the picture that all points together may cover
_LARGEST = 9  # pixels across a point
_BORDER = 0.05  # empty share on each side when all points are shown

Points = NDArray[np.float32]


@dataclass(frozen=True)
class Window:
    """The part of the plane that a picture shows; y grows upwards.

    Attributes
    ----------
    left, bottom
        Its lower left corner.
    per_pixel_x, per_pixel_y
        Size of a pixel in the units of the points.
    width, height
        Of the picture, in pixels.
    """

    left: float
    bottom: float
    per_pixel_x: float
    per_pixel_y: float
    width: int
    height: int

    @classmethod
    def around(cls, points: Points, width: int, height: int, *, same_scale: bool) -> "Window":
        """The window that shows all points with a border.

        Parameters
        ----------
        points
            float32 ``(n, 2)``; NaN rows are ignored.
        width, height
            Of the picture, in pixels.
        same_scale
            Whether a unit is equally long in x and y.
        """
        known = points[np.isfinite(points).all(axis=1)]
        low = known.min(axis=0) if len(known) else np.zeros(2)
        high = known.max(axis=0) if len(known) else np.ones(2)
        extent = np.where(high > low, high - low, 1.0) / (1 - 2 * _BORDER)
        scale = extent / (width, height)
        if same_scale:
            scale = np.full(2, scale.max())
        middle = (low + high) / 2
        left, bottom = (float(one) for one in middle - scale * (width, height) / 2)
        return cls(left, bottom, float(scale[0]), float(scale[1]), width, height)

    def resized(self, width: int, height: int) -> "Window":
        """The same middle and scale in a picture of another size."""
        left = self.left + self.per_pixel_x * (self.width - width) / 2
        bottom = self.bottom + self.per_pixel_y * (self.height - height) / 2
        return replace(self, left=left, bottom=bottom, width=width, height=height)

    def moved(self, right: float, down: float) -> "Window":
        """What is seen after the points were dragged by so many pixels."""
        left, bottom = self.left - right * self.per_pixel_x, self.bottom + down * self.per_pixel_y
        return replace(self, left=left, bottom=bottom)

    def zoomed(self, factor: float, x: float, y: float) -> "Window":
        """`factor` times closer; the place under pixel (x, y) stays there."""
        at_x, at_y = self.place(x, y)
        per_x, per_y = self.per_pixel_x / factor, self.per_pixel_y / factor
        left, bottom = at_x - x * per_x, at_y - (self.height - y) * per_y
        return replace(self, left=left, bottom=bottom, per_pixel_x=per_x, per_pixel_y=per_y)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Coordinates of a place in the picture, given in pixels from its upper left corner."""
        return self.left + x * self.per_pixel_x, self.bottom + (self.height - y) * self.per_pixel_y

    def pixels(self, points: Points) -> NDArray[np.float32]:
        """Pixels, from the upper left corner, of points ``(n, 2)``."""
        found = np.empty((len(points), 2), np.float32)
        found[:, 0] = (points[:, 0] - self.left) / self.per_pixel_x
        found[:, 1] = self.height - (points[:, 1] - self.bottom) / self.per_pixel_y
        return found


def point_size(n_visible: int, window: Window) -> int:
    """Pixels across a point, odd: few points are large, so that they are seen and met."""
    room = _FILL * window.width * window.height / max(n_visible, 1)
    across: float = min(max(room**0.5, 1.0), _LARGEST)
    return 1 + 2 * round((across - 1) / 2)


def ranked(points: Points, window: Window) -> NDArray[np.int32]:
    """Which point every pixel shows: the last one that covers it.

    Parameters
    ----------
    points
        float32 ``(n, 2)``, those to be seen above others last; NaN rows are not drawn.
    window
        What the picture shows.

    Returns
    -------
    numpy.ndarray
        int32 ``(height, width)``: row of the point + 1, 0 where there is none.
    """
    border = _LARGEST // 2
    height, width = window.height + 2 * border, window.width + 2 * border
    x = (points[:, 0] - np.float32(window.left)) * np.float32(1 / window.per_pixel_x)
    y = (points[:, 1] - np.float32(window.bottom)) * np.float32(-1 / window.per_pixel_y)
    x += np.float32(border)
    y += np.float32(window.height + border)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)  # False for NaN
    rows = np.flatnonzero(inside).astype(np.int32)
    flat = y[rows].astype(np.int32) * np.int32(width) + x[rows].astype(np.int32)
    return _stamped(flat, rows + 1, point_size(len(rows), window), (height, width))[
        border : height - border, border : width - border
    ]


def _stamped(
    flat: NDArray[np.int32], ranks: NDArray[np.int32], size: int, shape: tuple[int, int]
) -> NDArray[np.int32]:
    """The greatest rank at every pixel, each point a disc of `size` pixels."""
    single = np.zeros(shape[0] * shape[1], np.int32)
    single[flat] = ranks  # ranks ascend, and of equal places the last is kept
    if size == 1:
        return single.reshape(shape)
    centres = single.reshape(shape)
    found = centres.copy()
    for dy, dx in _disc(size):
        here, there = _overlap(dy, dx, shape)
        np.maximum(found[here], centres[there], out=found[here])
    return found


@lru_cache(maxsize=_LARGEST)
def _disc(size: int) -> tuple[tuple[int, int], ...]:
    """Offsets of the pixels of a disc, without its middle."""
    reach = size // 2
    steps = range(-reach, reach + 1)
    limit = (size / 2) ** 2
    return tuple(
        (dy, dx) for dy in steps for dx in steps if dy**2 + dx**2 <= limit and (dy, dx) != (0, 0)
    )


def _overlap(
    dy: int, dx: int, shape: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a picture moved by (dy, dx) lies upon itself."""
    to = [
        slice(max(step, 0), size + min(step, 0)) for step, size in zip((dy, dx), shape, strict=True)
    ]
    of = [
        slice(max(-step, 0), size - max(step, 0))
        for step, size in zip((dy, dx), shape, strict=True)
    ]
    return (to[0], to[1]), (of[0], of[1])
