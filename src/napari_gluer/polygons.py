"""Outlines of cells and regions: drawn into labels, and asked which points they cover.

Coordinates are pixels as arrays count them, ``(y, x)``, with whole numbers at the *centres* of
pixels (as in napari; QuPath counts from the corner of the first pixel, half a pixel away). A pixel
belongs to a polygon where its centre lies inside by the even-odd rule, over all rings together: so
holes are holes, parts of a multipolygon belong together, and where an outline crosses itself every
second layer is outside. A centre on an outline belongs to the polygon below or to the right of the
line: polygons that share an edge neither overlap nor leave gaps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_gluer.errors import InputError
from napari_gluer.scanlines import any_crossing, draw_polygons, mark_covered

Window = tuple[slice, ...]

_FARTHEST = 1e9  # pixels; beyond it whole numbers in the inner loops could overflow


@dataclass(frozen=True, eq=False)
class Polygon:
    """One cell or region.

    Parameters
    ----------
    rings
        Each ``(n, 2)``, y and x in pixels; outer outlines and holes in any order and direction,
        closed or not.
    label
        Its number in a labels image; 0 where it has none.
    id
        What its file calls it.
    name
        What it was named by a person, or its class.
    """

    rings: tuple[NDArray[np.float64], ...]
    label: int = 0
    id: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        rings = tuple(np.ascontiguousarray(ring, np.float64) for ring in self.rings)
        for ring in rings:
            if ring.ndim != 2 or ring.shape[1] != 2:
                raise InputError(f"An outline is (n, 2), y and x; {self} has {ring.shape}.")
            if not (np.abs(ring) < _FARTHEST).all():  # also where there is NaN
                raise InputError(
                    f"The outline of {self} has coordinates that are NaN, infinite or beyond 10⁹."
                )
        object.__setattr__(self, "rings", rings)

    def __str__(self) -> str:
        return f"polygon {self.name or self.id or self.label or 'without a name'}"

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Smallest y and x, largest y and x; NaN where there is no point."""
        points = np.concatenate([np.empty((0, 2)), *self.rings])
        if not len(points):
            return (np.nan,) * 4
        return (*points.min(0).tolist(), *points.max(0).tolist())

    @property
    def crosses_itself(self) -> bool:
        """Whether two of its edges cross; edges that only touch do not."""
        return bool(any_crossing(*_packed([self])[:2]))


@dataclass(frozen=True, eq=False)
class Raster:
    """Polygons drawn into labels.

    Parameters
    ----------
    labels
        int32 ``(y, x)``, 0 where there is no polygon.
    drawn
        Pixels that each polygon got.
    covered
        Pixels of each polygon that an earlier one already had.
    """

    labels: NDArray[np.int32]
    drawn: NDArray[np.int64]
    covered: NDArray[np.int64]


def draw(
    polygons: Sequence[Polygon], shape: tuple[int, ...], window: Window | None = None
) -> Raster:
    """Draw polygons; where they overlap the first keeps the pixel.

    Parameters
    ----------
    polygons
        Drawn as their `Polygon.label`; where no polygon has one, as 1…n in order.
    shape
        Of the whole image; the last two axes count.
    window
        The part to draw, slices along y and x (the last two count); the whole image where None.
        Parts put together are the whole.

    Raises
    ------
    InputError
        If some polygons have labels and others none, or a label is negative or above 2³¹ - 1.
    """
    rows, columns = _bounds(window, shape)
    labels = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.int32)
    drawn, covered = (np.zeros(len(polygons), np.int64) for _ in range(2))
    corner = (rows.start, columns.start)
    draw_polygons(labels, corner, _packed(polygons), _numbers(polygons), (drawn, covered))
    return Raster(labels, drawn, covered)


def rasterised(
    polygons: Sequence[Polygon], shape: tuple[int, ...], window: Window | None = None
) -> NDArray[np.int32]:
    """The labels of `draw`."""
    return draw(polygons, shape, window).labels


def covers(polygons: Sequence[Polygon], points: ArrayLike) -> NDArray[np.bool_]:
    """Which points lie in at least one of the polygons.

    Parameters
    ----------
    polygons
        The polygons.
    points
        ``(n, 2)`` y and x, or ``(n, 3)`` z, y and x, in pixels; z does not count.

    Returns
    -------
    ``(n,)`` bool; at centres of pixels the same as `rasterised`.
    """
    places = np.asarray(points, np.float64)
    if places.ndim != 2 or places.shape[1] not in (2, 3):
        raise InputError(f"Points are (n, 2) or (n, 3), [z,] y and x; these are {places.shape}.")
    order = np.argsort(places[:, -2], kind="stable")
    found = np.zeros(len(places), bool)
    mark_covered(found, np.ascontiguousarray(places[order, -2:]), _packed(polygons))
    inside = np.empty_like(found)
    inside[order] = found
    return inside


@dataclass(frozen=True, eq=False)
class Regions:
    """Where to look: inside one of `include` (everywhere where it is empty), outside `exclude`.

    Parameters
    ----------
    include
        Areas to limit the work to.
    exclude
        Areas to leave out, folds for instance; they win over `include`.
    """

    include: tuple[Polygon, ...] = ()
    exclude: tuple[Polygon, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Which points count; ``(n, 2)`` y and x, or ``(n, 3)`` with z first, in pixels."""
        inside = covers(self.include, points) if self.include else np.ones(len(np.asarray(points)))
        return np.asarray(inside, bool) & ~covers(self.exclude, points)

    def mask(self, window: Window) -> NDArray[np.bool_]:
        """Which pixels of `window` count.

        Parameters
        ----------
        window
            Slices with start and stop along y and x; with z before them, which does not count.

        Returns
        -------
        ``(y, x)`` bool; along z it is the same everywhere.
        """
        shape = tuple(part.stop for part in window[-2:])
        inside = _mask(self.include, shape, window) if self.include else np.True_
        return inside & ~_mask(self.exclude, shape, window)


def _mask(polygons: Sequence[Polygon], shape: tuple[int, ...], window: Window) -> NDArray[np.bool_]:
    plain = [Polygon(polygon.rings) for polygon in polygons]
    return rasterised(plain, shape, window) > 0


def _bounds(window: Window | None, shape: tuple[int, ...]) -> tuple[slice, slice]:
    parts = window[-2:] if window is not None else (slice(None), slice(None))
    first, second = (
        slice(*part.indices(length)[:2]) for part, length in zip(parts, shape[-2:], strict=True)
    )
    return first, second


def _numbers(polygons: Sequence[Polygon]) -> NDArray[np.int32]:
    labels = [polygon.label for polygon in polygons]
    if not any(labels):
        return np.arange(1, len(labels) + 1, dtype=np.int32)
    if min(labels) < 1 or max(labels) > np.iinfo(np.int32).max:
        raise InputError(
            f"Labels of polygons are 1 to 2³¹ - 1, or all 0; these are from {min(labels)} to "
            f"{max(labels)}."
        )
    return np.array(labels, np.int32)


def _packed(polygons: Sequence[Polygon]) -> tuple[Any, Any, Any]:
    """All points, the first point of every ring and the first ring of every polygon."""
    rings = [ring for polygon in polygons for ring in polygon.rings]
    points = np.concatenate([np.empty((0, 2)), *rings])
    return points, _starts(len(r) for r in rings), _starts(len(p.rings) for p in polygons)


def _starts(lengths: Any) -> NDArray[np.int64]:
    return np.cumsum([0, *lengths], dtype=np.int64)
