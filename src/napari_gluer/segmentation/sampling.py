"""Windows from which the statistics of an image are taken, whatever its tiles."""

import itertools
import math

import numpy as np

from napari_gluer.polygons import Polygon, Regions
from napari_gluer.segmentation.fields import Window
from napari_gluer.tiles import Tile

WHOLE = 2**23  # pixels up to which all of an image is looked at
_WINDOW = 2**19  # pixels of a window
_PLANES = 64  # of a window, at most
_ACROSS = 4  # windows along y and along x of a larger image
_PROBES = 9  # points along y and along x at which a window is asked whether it meets a region


def sample_windows(shape: tuple[int, ...], regions: Regions | None = None) -> list[Tile]:
    """All of a small image, evenly spread windows of a larger one.

    Parameters
    ----------
    shape
        Of the image, ``(y, x)`` or ``(z, y, x)``.
    regions
        Windows that do not meet them are left out; all are taken where none does.
    """
    pieces = _pieces(shape)
    if regions:
        pieces = [piece for piece in pieces if _meets(piece, regions)] or pieces
    if sum(math.prod(key.stop - key.start for key in piece) for piece in pieces) > WHOLE:
        pieces = _spread(pieces)
    return [Tile(number, piece, shape) for number, piece in enumerate(pieces)]


def _pieces(shape: tuple[int, ...]) -> list[Window]:
    """The image in pieces of about equal size."""
    planes = math.prod(min(length, _PLANES) for length in shape[:-2])
    side = max(1, math.isqrt(_WINDOW // max(1, planes)))
    sides = [_PLANES] * (len(shape) - 2) + [side, side]
    edges = [
        np.linspace(0, length, max(1, round(length / side)) + 1).astype(int).tolist()
        for length, side in zip(shape, sides, strict=True)
    ]
    return list(
        itertools.product(*([slice(*pair) for pair in itertools.pairwise(e)] for e in edges))
    )


def _spread(pieces: list[Window]) -> list[Window]:
    """Of a grid laid over the pieces, the piece nearest to the middle of every field."""
    middles = np.array([[(key.start + key.stop) / 2 for key in piece] for piece in pieces])
    low, high = middles.min(0), middles.max(0)
    place = (middles - low) / np.maximum(high - low, 1)
    fields = [1] * (len(low) - 2) + [_ACROSS, _ACROSS]
    field = np.minimum((place * fields).astype(int), np.array(fields) - 1)
    away = ((place * fields - field - 0.5) ** 2).sum(1)
    nearest: dict[tuple[int, ...], int] = {}
    for n in np.argsort(away, kind="stable").tolist():
        nearest.setdefault(tuple(field[n].tolist()), n)
    return [pieces[n] for n in sorted(nearest.values())]


def _meets(piece: Window, regions: Regions) -> bool:
    axes = [np.linspace(key.start, key.stop - 1, _PROBES) for key in piece[-2:]]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    if regions.contains(points).any():
        return True
    # a small region can lie between the probes
    return any(_overlap(piece, polygon) for polygon in regions.include) and bool(
        regions.mask(piece).any()
    )


def _overlap(piece: Window, polygon: Polygon) -> bool:
    top, left, bottom, right = polygon.bounds
    rows, columns = piece[-2:]
    meets = top < rows.stop and rows.start <= bottom
    return bool(meets and left < columns.stop and columns.start <= right)
