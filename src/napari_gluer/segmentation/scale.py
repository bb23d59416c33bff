"""Lengths on an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Grid:
    """Lengths on an image whose axes may have different steps; unit: one step along x.

    Attributes
    ----------
    ratio
        Step of every axis, in steps along x.
    step_um
        The step along x in µm; 1 where unknown.
    known
        Whether the steps are known in µm.
    """

    ratio: tuple[float, ...]
    step_um: float
    known: bool = False

    @classmethod
    def of(cls, ndim: int, spacing_um: Sequence[float] | None) -> Self:
        """The grid of an image with `ndim` axes."""
        sizes = tuple(spacing_um) if spacing_um is not None else (1.0,) * ndim
        return cls(tuple(size / sizes[-1] for size in sizes), sizes[-1], spacing_um is not None)

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
