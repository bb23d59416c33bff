"""Outlines of cells along the edges of their pixels, exactly. Arrays only.

Corners are counted from the outer corner of the first pixel: pixel (y, x) reaches from (y, x) to
(y + 1, x + 1), as in QuPath. Pixels that touch at a corner only are parts of their own, so every
ring is simple and every part has one outer ring, which GeoJSON and geometry libraries ask for.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from skimage.measure import label as connected

from napari_gluer.errors import InputError

Ring = NDArray[np.int32]

# along the upper, right, lower and left side of a pixel: the pixel across the corner ahead, the
# next one, and the corner itself
_LEFT = np.array([[-1, 1], [1, 1], [1, -1], [-1, -1]], np.int64)
_AHEAD = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]], np.int64)
_CORNER = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.int64)


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of a cell whose pixels hang together by their edges.

    Attributes
    ----------
    label
        Of the cell.
    outer
        int32 ``(n, 2)``, y and x of the corners, clockwise on the screen; not closed.
    holes
        The same, the other way round.
    """

    label: int
    outer: Ring
    holes: tuple[Ring, ...]


def traced(labels: NDArray[np.integer]) -> dict[int, list[Part]]:
    """Outlines of every label.

    Parameters
    ----------
    labels
        Whole numbers ``(y, x)``, 0 is background.

    Returns
    -------
    dict
        From label, ascending, to its parts from the top. Drawing them (`polygons.draw`, moved by
        half a pixel) gives `labels` again.

    Raises
    ------
    InputError
        If the labels have planes in z.
    """
    if labels.ndim != 2:
        raise InputError(
            f"Outlines are flat and these labels have shape {labels.shape}. Choose one plane, "
            "labels[z]."
        )
    # the border spares the walk a look at where the image ends
    pieces = np.pad(connected(labels, background=0, connectivity=1).astype(np.int32), 1)
    points, starts, owners = _rings(pieces, _LEFT, _AHEAD, _CORNER)
    points -= 1
    rings: dict[int, list[Ring]] = {}
    for i, owner in enumerate(owners.tolist()):
        rings.setdefault(owner, []).append(points[starts[i] : starts[i + 1]])
    found: dict[int, list[Part]] = {}
    for of_piece in rings.values():
        part = _part(of_piece, labels)
        found.setdefault(part.label, []).append(part)
    return dict(sorted(found.items()))


def _part(rings: list[Ring], labels: NDArray[np.integer]) -> Part:
    """The one ring that runs clockwise is the outer one."""
    areas = [_area(ring) for ring in rings]
    outer = int(np.argmax(areas))
    first = rings[outer][np.lexsort(rings[outer].T[::-1])[0]]  # the topmost, then leftmost corner
    holes = tuple(ring for i, ring in enumerate(rings) if i != outer)
    return Part(int(labels[first[0], first[1]]), rings[outer], holes)


def _area(ring: Ring) -> float:
    """Signed; positive where the ring runs clockwise on the screen."""
    y, x = ring.astype(np.float64).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _rings(pieces: Any, left: Any, ahead: Any, corner: Any) -> Any:
    """All rings: their corners, the first of each, and the piece that each belongs to."""
    height, width = pieces.shape
    seen = np.zeros(pieces.shape, np.bool_)  # edges above pixels; every ring has one
    points, used = np.empty((1024, 2), np.int32), 0
    starts, owners, count = np.zeros(257, np.int64), np.zeros(256, np.int64), 0
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            piece = pieces[row, column]
            if piece == 0 or seen[row, column] or pieces[row - 1, column] == piece:
                continue
            walk, pinched = _walked(pieces, seen, row, column, (left, ahead, corner))
            path, filled = np.empty_like(walk), 0
            for i in range(len(walk)):
                path[filled] = walk[i]
                filled += 1
                back = _passed(path, filled) if pinched[i] else -1
                if back >= 0:  # what lies between is a ring of its own
                    points, used = _kept(points, used, path[back : filled - 1])
                    starts, owners, count = _noted(starts, owners, count, used, piece)
                    filled = back + 1
            points, used = _kept(points, used, path[:filled])
            starts, owners, count = _noted(starts, owners, count, used, piece)
    return points[:used].copy(), starts[: count + 1].copy(), owners[:count].copy()


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _walked(pieces: Any, seen: Any, y: int, x: int, tables: Any) -> Any:
    """Once around, the piece on the right: corners where the way turns, and where it pinches.

    It keeps to the sides of one pixel where two touch at a corner only.
    """
    left, ahead, corner = tables
    piece, side, filled = pieces[y, x], 0, 0
    path, pinched = np.empty((64, 2), np.int32), np.zeros(64, np.bool_)
    while side != 0 or not seen[y, x]:
        if side == 0:
            seen[y, x] = True
        at_y, at_x, before, pinch = y, x, side, False
        beside = pieces[y + left[side, 0], x + left[side, 1]] == piece
        if pieces[y + ahead[side, 0], x + ahead[side, 1]] != piece:
            side, pinch = (side + 1) % 4, beside
        elif beside:
            y, x, side = y + left[side, 0], x + left[side, 1], (side + 3) % 4
        else:
            y, x = y + ahead[side, 0], x + ahead[side, 1]
        if side == before:
            continue
        if filled == len(path):
            path = np.concatenate((path, np.empty_like(path)))
            pinched = np.concatenate((pinched, np.zeros_like(pinched)))
        path[filled, 0] = at_y + corner[before, 0]
        path[filled, 1] = at_x + corner[before, 1]
        pinched[filled] = pinch
        filled += 1
    return path[:filled], pinched[:filled]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _passed(path: Any, filled: int) -> int:
    """Where the last corner stands earlier in the path; -1 where it does not."""
    y, x = path[filled - 1]
    for i in range(filled - 2, -1, -1):
        if path[i, 0] == y and path[i, 1] == x:
            return i
    return -1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _kept(points: Any, used: int, ring: Any) -> Any:
    while used + len(ring) > len(points):
        points = np.concatenate((points, np.empty_like(points)))
    points[used : used + len(ring)] = ring
    return points, used + len(ring)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _noted(starts: Any, owners: Any, count: int, end: int, piece: int) -> Any:
    if count == len(owners):
        owners = np.concatenate((owners, np.zeros_like(owners)))
        starts = np.concatenate((starts, np.zeros(count, np.int64)))
    owners[count] = piece
    starts[count + 1] = end
    return starts, owners, count + 1
