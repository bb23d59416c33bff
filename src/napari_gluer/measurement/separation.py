"""Whether a marker shows two kinds of cells. Arrays only.

Two Gaussians always fit skewed noise better than one, and on raw values the ground hides the
signal's own peak. So every marker is first put on the power scale, between the logarithm and no
change, on which it is most like one Gaussian (Box and Cox). Noise becomes one bell there; what
still shows two has two kinds of cells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import boxcox

from napari_gluer.measurement.mixture import Array, Mixture, fit

_POWERS = np.linspace(0, 1, 11)
_BINS = 1_000
_GRID = 201
_LEAST_CELLS = 50
_ASHMAN = 2.0
_VALLEY = 0.95  # of the lower of the two densities at the means
_RISE = 0.9  # cells about the lower mean for every cell in the valley: a plateau will do
_DROP = 3.0  # standard errors from the higher mean's cells to the valley's
_GAIN = 20.0  # twice the gain in log-likelihood over one Gaussian


@dataclass(frozen=True, eq=False)
class Separation:
    """What was found on the power scale, each ``(n_markers,)``.

    Attributes
    ----------
    separated
        Two components stand apart.
    ashman
        Ashman's D of the two; 0 where there were too few cells to judge.
    power
        Exponent of the scale: 0 logarithm, 1 as measured.
    """

    separated: NDArray[np.bool_]
    ashman: Array
    power: Array


def judge(values: Array) -> Separation:
    """Judge every column of `values` ``(n_cells, n_markers)``.

    A marker separates if, on its power scale, all of this holds: Ashman's D of the two components
    is at least 2; their density has a valley between the means; they gain at least 10 in
    log-likelihood over one Gaussian; and the cells themselves, counted in equal intervals, drop by
    3 standard errors from the higher mean to the valley and do not go on falling towards the lower
    one. Cells without any intensity (0) have none to judge and are left out; fewer than 50 others
    never separate.
    """
    number = values.shape[1]
    power, ashman = np.ones(number), np.zeros(number)
    scaled: list[Array] = []
    judged = []
    for column in range(number):
        positive = _positive(values[:, column])
        if len(positive) < _LEAST_CELLS or np.ptp(positive) == 0:
            continue
        power[column], one = _most_normal(positive)
        scaled.append(np.sort(one))
        judged.append(column)
    separated = np.zeros(number, np.bool_)
    if judged:
        fitted = _fit_binned(scaled)
        ashman[judged] = fitted.ashman
        separated[judged] = [_apart(one, _column(fitted, i)) for i, one in enumerate(scaled)]
    return Separation(separated, ashman, power)


def _positive(values: Array) -> Array:
    """What a power can be taken of. Values below 0 come from a subtracted ground: moved up."""
    if values.min() < 0:
        low, quarter = np.quantile(values, [0.005, 0.25])
        values = values[values > low] - low + 0.1 * (quarter - low)
    return values[values > 0]


def _most_normal(values: Array) -> tuple[float, Array]:
    """The power of highest likelihood (Box and Cox), and the values on its scale."""
    values = values / np.exp(np.log(values).mean())
    scales = [boxcox(values, power) for power in _POWERS]
    best = int(np.argmin([scale.var() for scale in scales]))
    return float(_POWERS[best]), scales[best]


def _fit_binned(scaled: list[Array]) -> Mixture:
    middles, counts = np.empty((_BINS, len(scaled))), np.empty((_BINS, len(scaled)))
    for column, one in enumerate(scaled):
        counts[:, column], edges = np.histogram(one, _BINS)
        middles[:, column] = (edges[:-1] + edges[1:]) / 2
    return fit(middles, counts)


def _column(mixture: Mixture, column: int) -> Mixture:
    parts = (mixture.weights, mixture.means, mixture.deviations)
    return Mixture(*(part[:, [column]] for part in parts))


def _apart(ordered: Array, mixture: Mixture) -> bool:
    """Whether two components stand apart in `ordered` ``(n_cells,)``, ascending."""
    grid = mixture.means[0] + np.ptp(mixture.means) * np.linspace(0, 1, _GRID)[:, np.newaxis]
    density = mixture.density(grid).sum(axis=0).ravel()
    lowest = int(density.argmin())
    if mixture.ashman[0] < _ASHMAN or density[lowest] >= _VALLEY * min(density[0], density[-1]):
        return False
    both = mixture.density(ordered[:, np.newaxis]).sum(axis=0)
    one = -0.5 * np.log(2 * np.pi * ordered.var()) - 0.5
    if 2 * (np.log(np.maximum(both, 1e-300)).sum() - one * len(ordered)) <= _GAIN:
        return False
    at = grid[[0, lowest, -1], 0]
    half = 0.25 * np.diff(at).min()
    first, valley, last = np.searchsorted(ordered, at + half) - np.searchsorted(ordered, at - half)
    higher, lower = max(first, last), min(first, last)
    drop = (higher - valley) / np.sqrt(max(higher + valley, 1))
    return bool(drop > _DROP and lower >= _RISE * valley)
