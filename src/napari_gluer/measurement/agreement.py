"""How well spots, placed on labels, agree with the cells that their table names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.labels import checked_labels
from napari_gluer.measurement.cell_places import CellPlaces
from napari_gluer.measurement.orientation import Placement

_WHOLE = 64_000_000  # pixels up to which lazy labels are read as one
_PATCHES = 16
_PATCH_SIDE = 1024


@dataclass(frozen=True, eq=False)
class Sample:
    """Spots that are looked at to find how they lie.

    Attributes
    ----------
    x, y
        Positions.
    planes
        Plane of every spot, None for labels without planes.
    cells
        int64, number of the cell that the table names, 0 for none; None where it names none.
    linked
        The numbers are not those of the labels: cells are compared by which spots they share.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    planes: NDArray[np.int64] | None = None
    cells: NDArray[np.int64] | None = None
    linked: bool = False

    def part(self, rows: NDArray[Any] | slice) -> "Sample":
        """Some of the spots."""
        planes = None if self.planes is None else self.planes[rows]
        cells = None if self.cells is None else self.cells[rows]
        return Sample(self.x[rows], self.y[rows], planes, cells, self.linked)

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Agreement:
    """What a placement gives; shares in [0, 1].

    Attributes
    ----------
    inside
        Share of the spots that fall on the labels image at all.
    in_cells
        Share of the spots that fall in a cell.
    agreeing
        Share of the spots inside whose cell is the table's; none on both sides agrees.
    matched
        The same among spots that a cell of the labels holds, by the table or by the labels: the
        background, which agrees in any orientation, does not count.
    reached
        Share of the spots of cells known to the labels that fall on the labels image. Less than 1
        also where the labels are a crop that cuts cells.
    """

    inside: float
    in_cells: float
    agreeing: float = float("nan")
    matched: float = float("nan")
    reached: float = 1.0

    @property
    def score(self) -> float:
        """What placements are ranked by: few agreeing spots are not enough."""
        return self.matched * self.reached


class Patches:
    """Labels that are looked up again and again: all of them, or evenly spread parts.

    Parameters
    ----------
    labels
        A NumPy array, or anything sliced like one; ``(y, x)`` or ``(z, y, x)``.
    """

    def __init__(self, labels: Any) -> None:
        self.shape = tuple(int(size) for size in labels.shape)
        whole = isinstance(labels, np.ndarray) or np.prod(self.shape) <= _WHOLE
        keys = [(slice(None), slice(None))] if whole else _spread(self.shape[-2:])
        self._parts = [(*_start(key), checked_labels(labels[(..., *key)])) for key in keys]

    def found(self, spots: Sample, placement: Placement) -> NDArray[np.int64]:
        """Label under every spot: 0 for none, -1 outside the labels, -2 where it is not known."""
        rows, columns = placement.pixels(spots.x, spots.y, self.shape[-2:])
        inside = _within(rows, columns, self.shape[-2:])
        if spots.planes is not None:
            inside &= (spots.planes >= 0) & (spots.planes < self.shape[0])
        found = np.where(inside, np.int64(-2), np.int64(-1))
        for top, left, part in self._parts:
            here = np.flatnonzero(inside & _within(rows - top, columns - left, part.shape[-2:]))
            place: tuple[Any, ...] = (rows[here] - top, columns[here] - left)
            if spots.planes is not None:
                place = (spots.planes[here], *place)
            found[here] = part[place]
        return found


def judge(spots: Sample, placement: Placement, patches: Patches, places: CellPlaces) -> Agreement:
    """How `spots` agree with the labels in `placement`."""
    if not len(spots):
        return Agreement(0.0, 0.0, 0.0, 0.0, 0.0)
    found = patches.found(spots, placement)
    known = found != -2
    inside = float((found != -1).mean())
    in_cells = float((found[known] > 0).mean()) if known.any() else 0.0
    if spots.cells is None:
        return Agreement(inside, in_cells)
    looked = found >= 0
    if not looked.any():
        return Agreement(inside, in_cells, 0.0, 0.0, 0.0)
    named, under = spots.cells[looked], found[looked]
    if spots.linked:
        same, counted = _sharing(named, under), (named > 0) | (under > 0)
        reached = 1.0  # which cells the labels know is not known by name
    else:
        known_cell = np.isin(spots.cells, places.ids)
        same, counted = named == under, known_cell[looked] | (under > 0)
        reached = float((found[known_cell] != -1).mean()) if known_cell.any() else 0.0
    matched = float(same[counted].mean()) if counted.any() else 0.0
    return Agreement(inside, in_cells, float(same.mean()), matched, reached)


def _sharing(named: NDArray[np.int64], under: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which spots lie in the label that most of their cell lies in, and that most of it is."""
    pairs, inverse, counts = np.unique(
        np.stack([named, under]), axis=1, return_inverse=True, return_counts=True
    )
    both = np.flatnonzero((pairs > 0).all(axis=0))
    best = {}
    for side in (0, 1):
        order = both[np.lexsort((-counts[both], pairs[side, both]))]
        first = np.unique(pairs[side, order], return_index=True)[1]
        best[side] = set(order[first].tolist())
    chosen = np.zeros(len(counts), np.bool_)
    chosen[list(best[0] & best[1])] = True
    chosen |= (pairs == 0).all(axis=0)
    return np.asarray(chosen[inverse.ravel()])


def _within(
    rows: NDArray[np.int64], columns: NDArray[np.int64], extent: Sequence[int]
) -> NDArray[np.bool_]:
    return (rows >= 0) & (rows < extent[0]) & (columns >= 0) & (columns < extent[1])


def _spread(extent: Sequence[int]) -> list[tuple[slice, slice]]:
    """Windows spread evenly over an image, not one behind the other in any direction."""
    side = int(np.sqrt(_PATCHES))
    keys = []
    for i in range(_PATCHES):
        row, column = divmod(i, side)
        top = round((row + (column + 0.5) / side) / side * max(0, extent[0] - _PATCH_SIDE))
        left = round((column + (row + 0.5) / side) / side * max(0, extent[1] - _PATCH_SIDE))
        keys.append((slice(top, top + _PATCH_SIDE), slice(left, left + _PATCH_SIDE)))
    return keys


def _start(key: tuple[slice, slice]) -> tuple[int, int]:
    return key[0].start or 0, key[1].start or 0
