"""How an image is cut into tiles."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from napari_gluer.params import Params

_PIXELS = 2048**2  # of an automatic tile: 34 MB a float64 copy, some ten of which are alive
_SHORTEST = 64


class TileParams(Params):
    """How big images are worked through; results do not depend on it."""

    side: Annotated[int, Ge(0), Le(65536)] = 0
    """Pixels of a tile along y and x (and z, where there are more planes). 0: about 4 million
    pixels a tile."""

    workers: Annotated[int, Ge(0), Le(1024)] = 0
    """Threads on this computer. 0: one for every core."""

    cluster: str = ""
    """Address of a dask.distributed scheduler, tcp://host:8786 for instance. Empty: work is done on
    this computer."""


@dataclass(frozen=True)
class Tile:
    """A part of an image.

    Attributes
    ----------
    number
        Place among the tiles, in raster order.
    core
        The tile's own pixels, one slice for every axis; cores do not overlap.
    shape
        Of the whole image.
    """

    number: int
    core: tuple[slice, ...]
    shape: tuple[int, ...]

    def window(self, margin: int | Sequence[int]) -> tuple[slice, ...]:
        """The core widened by `margin` pixels (one number, or one an axis), cut at the image."""
        return tuple(
            slice(max(0, part.start - wide), min(size, part.stop + wide))
            for part, wide, size in zip(self.core, self._margins(margin), self.shape, strict=True)
        )

    def inner(self, margin: int | Sequence[int]) -> tuple[slice, ...]:
        """Where the core lies inside ``window(margin)``."""
        return tuple(
            slice(part.start - wide.start, part.stop - wide.start)
            for part, wide in zip(self.core, self.window(margin), strict=True)
        )

    def _margins(self, margin: int | Sequence[int]) -> list[int]:
        return [int(wide) for wide in np.broadcast_to(margin, len(self.shape))]


def tiles_of(shape: Sequence[int], params: TileParams | None = None) -> list[Tile]:
    """Cut an image of `shape`, ``(y, x)`` or ``(z, y, x)``, into tiles, in raster order.

    An automatic tile holds about 4 million pixels and, where they fit, all planes.
    """
    params = params or TileParams()
    shape = tuple(int(size) for size in shape)
    side = params.side or _automatic_side(shape)
    starts = itertools.product(*(range(0, size, side) for size in shape))
    return [
        Tile(
            number,
            tuple(slice(at, min(at + side, size)) for at, size in zip(corner, shape, strict=True)),
            shape,
        )
        for number, corner in enumerate(starts)
    ]


def _automatic_side(shape: tuple[int, ...]) -> int:
    if len(shape) == 2:
        return math.isqrt(_PIXELS)
    planes = max(1, min(shape[0], int(_PIXELS ** (1 / 3))))
    return max(_SHORTEST, planes, math.isqrt(_PIXELS // planes))
