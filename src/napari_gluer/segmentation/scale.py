"""Lengths on an image, and the size of a usual nucleus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu


@dataclass(frozen=True)
class Grid:
    """Lengths on an image whose axes may have different steps; unit: one step along x.

    Attributes
    ----------
    ratio
        Step of every axis, in steps along x.
    step_um
        The step along x in µm; 1 where unknown.
    """

    ratio: tuple[float, ...]
    step_um: float

    @classmethod
    def of(cls, ndim: int, spacing_um: Sequence[float] | None) -> Self:
        """The grid of an image with `ndim` axes."""
        sizes = tuple(spacing_um) if spacing_um is not None else (1.0,) * ndim
        return cls(tuple(size / sizes[-1] for size in sizes), sizes[-1])

    def sigma(self, length: float) -> list[float]:
        """`length` in steps of every axis."""
        return [length / step for step in self.ratio]

    def window(self, length: float) -> list[int]:
        """`length` as odd whole numbers of steps, at least 1."""
        return [max(1, int(length / step) | 1) for step in self.ratio]

    def area(self, diameter: float) -> float:
        """Pixels (voxels) of a disc (ball) of this diameter."""
        shape = np.pi / 4 * diameter**2 if len(self.ratio) == 2 else np.pi / 6 * diameter**3
        return float(shape / np.prod(self.ratio))


def estimated_diameter(smooth: NDArray[Any], ratio: Sequence[float]) -> float:
    """Diameter of a usual nucleus, in steps along x; at least 3.

    Twice the median of the largest inner distances of the foreground, each weighted by its square
    so that debris counts little.
    """
    window = [max(1, side // 4) for side in smooth.shape]
    ground = ndimage.maximum_filter(ndimage.minimum_filter(smooth, window), window)
    lifted = np.sqrt(np.maximum(smooth - ground, 0))
    inner = ndimage.distance_transform_edt(lifted > threshold_otsu(lifted), sampling=ratio)
    ridge = ndimage.gaussian_filter(inner, 1)
    peaks = (ridge == ndimage.maximum_filter(ridge, 5)) & (inner >= 2)
    radii = np.sort(inner[peaks])
    if not radii.size:
        return 3.0
    weight = np.cumsum(radii**2)
    return max(3.0, 2 * float(radii[np.searchsorted(weight, weight[-1] / 2)]))
