"""Where the simulated tissue's cells lie: a lymph-node-like arrangement of zones and types."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

SIZE_PX = 2048
FOLLICLE, T_ZONE, SINUS, MEDULLA = range(4)
SPACING_PX = np.array([19.5, 21.5, 25.5, 25.0])
"""Least distance of two cells' centres, by zone."""

_DARTS = 40_000
_SHARPNESS = 8.0

TYPES_BY_ZONE = {
    "B": (0.86, 0.04, 0.08, 0.12),
    "CD4 T": (0.08, 0.50, 0.08, 0.08),
    "CD8 T": (0.01, 0.26, 0.05, 0.12),
    "Dendritic": (0.03, 0.12, 0.27, 0.14),
    "Monocyte": (0.01, 0.03, 0.46, 0.34),
    "NK": (0.01, 0.04, 0.04, 0.13),
    "Progenitor": (0.00, 0.00, 0.02, 0.07),
}
"""Share of each type in the follicles, the T zone, the subcapsular sinus and the medulla."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Centres and types of cells.

    Attributes
    ----------
    centres
        ``(n_cells, 2)``: x, y in pixels.
    types
        Names of cell types, ``(n_cells,)``.
    """

    centres: NDArray[np.float64]
    types: NDArray[np.str_]


def arrange_cells(rng: np.random.Generator) -> Layout:
    """Throw cells into the zones of a lymph node, none nearer to another than its zone allows."""
    darts = rng.random((_DARTS, 2))
    inside, zones = _zones(rng, darts)
    darts, zones = darts[inside], zones[inside]
    kept = _spread(darts * SIZE_PX, zones @ SPACING_PX)
    shares = zones[kept] @ np.array(list(TYPES_BY_ZONE.values())).T
    cumulative = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
    drawn = (rng.random(len(kept))[:, None] > cumulative[:, :-1]).sum(axis=1)
    return Layout(darts[kept] * SIZE_PX, np.array(list(TYPES_BY_ZONE))[drawn])


def _zones(
    rng: np.random.Generator, points: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether each point (unit square) is tissue, and how far it belongs to each zone."""
    waves = _waves(rng, points)
    x, y = (points - 0.5).T
    angle, distance = np.arctan2(y, x), np.hypot(x / 0.45, y / 0.43)
    outline = 1 + sum(
        rng.normal(0, 0.02) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in range(2, 7)
    )
    depth = outline - distance
    gaps = (depth > 0.05) & (depth < 0.075) & (waves > -0.6)
    scores = np.zeros((len(points), 4))
    scores[:, FOLLICLE] = 4 * (_follicles(rng, points) + 0.07 * waves)
    scores[:, T_ZONE] = 0.3
    scores[:, SINUS] = 25 * (0.09 - depth)
    scores[:, MEDULLA] = 14 * (y - 0.17 + 0.05 * waves)
    scores = np.exp(_SHARPNESS * np.minimum(scores, 2.0))
    return (depth > 0) & ~gaps, scores / scores.sum(axis=1, keepdims=True)


def _follicles(rng: np.random.Generator, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 at the centre of the nearest follicle, 0 at its border, negative outside."""
    best = np.full(len(points), -np.inf)
    for angle in np.linspace(-np.pi, 0, 6) + rng.normal(0, 0.06, 6):
        centre = 0.5 + np.array([0.31 * np.cos(angle), 0.03 + 0.29 * np.sin(angle)])
        radii, turn = rng.uniform(0.07, 0.105, 2), rng.uniform(0, np.pi)
        x, y = (points - centre).T
        along = (x * np.cos(turn) + y * np.sin(turn)) / radii[0]
        across = (y * np.cos(turn) - x * np.sin(turn)) / radii[1]
        best = np.maximum(best, 1 - np.hypot(along, across))
    return best


def _waves(rng: np.random.Generator, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth random field at `points`, about standard normal."""
    directions = rng.normal(0, 14, (24, 2))
    phases = rng.uniform(0, 2 * np.pi, 24)
    return np.asarray(np.cos(points @ directions.T + phases).mean(axis=1) * np.sqrt(48))


def _spread(points: NDArray[np.float64], spacing: NDArray[np.float64]) -> NDArray[np.intp]:
    """Keep points in their order unless one kept before lies within the spacing."""
    pairs = cKDTree(points).query_pairs(float(spacing.max()), output_type="ndarray")
    first, second = np.sort(pairs, axis=1).T
    close = np.hypot(*(points[first] - points[second]).T) < (spacing[first] + spacing[second]) / 2
    order = np.argsort(second[close], kind="stable")
    earlier, later = first[close][order], second[close][order]
    starts = np.searchsorted(later, np.arange(len(points) + 1))
    kept = np.ones(len(points), bool)
    for point in range(len(points)):
        kept[point] = not kept[earlier[starts[point] : starts[point + 1]]].any()
    return np.flatnonzero(kept)
