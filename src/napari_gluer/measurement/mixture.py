"""Two Gaussians with unequal variances for every marker at once. Arrays only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

_MOST_ROWS = 50_000  # evenly spaced cells are enough to place two Gaussians
_STEPS = 500
_TOLERANCE = 1e-8
_LEAST_VARIANCE = 1e-6  # of a standardised marker, as in scikit-learn
_GRID = 201

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Fitted components, all arrays ``(2, n_markers)``; row 1 has the higher mean.

    Attributes
    ----------
    weights, means, deviations
        Shares, means and standard deviations.
    separated
        ``(n_markers,)``: Ashman's D is at least 2 and the density has a valley between the means.
    """

    weights: Array
    means: Array
    deviations: Array
    separated: NDArray[np.bool_]

    def cumulative(self, values: Array) -> Array:
        """Cumulative distribution of the higher component at `values`, in [0, 1]."""
        return np.asarray(ndtr((values - self.means[1]) / self.deviations[1]))

    def rescaled_cumulative(self, values: Array) -> Array:
        """`cumulative` stretched so that 0 becomes 0: ``(F(x) - F(0)) / (1 - F(0))``."""
        at_zero = -self.means[1] / self.deviations[1]
        z = (values - self.means[1]) / self.deviations[1]
        # Survival functions keep their digits where F(0) is close to 1.
        ratio = np.exp(np.minimum(log_ndtr(-z) - log_ndtr(-at_zero), 0))
        return np.asarray(1 - ratio)

    def posterior(self, values: Array) -> Array:
        """Probability of the higher component at `values`, constant beyond the two means.

        With unequal variances the wider component would otherwise win again in both tails.
        """
        inside = np.clip(values, self.means[0], self.means[1])
        logs = [_log_density(inside, self.means[i], self.deviations[i]) for i in (0, 1)]
        odds = logs[0] - logs[1] + np.log(self.weights[0]) - np.log(self.weights[1])
        return np.asarray(1 / (1 + np.exp(np.clip(odds, -700, 700))))


def fit(values: Array) -> Mixture:
    """Fit two components to every column of `values` ``(n_cells, n_markers)``.

    Starts from two-means; expectation and maximisation repeat until the mean log-likelihood gains
    less than 1e-8, at most 500 times. No column may be constant. Above 50,000 rows, as many evenly
    spaced ones are used.
    """
    if len(values) > _MOST_ROWS:
        values = values[np.linspace(0, len(values) - 1, _MOST_ROWS).astype(np.int64)]
    centre, scale = values.mean(axis=0), values.std(axis=0)
    standard = (values - centre) / scale
    weights, means, variances = _start(standard)
    active = np.arange(values.shape[1])
    likelihood = np.full(values.shape[1], -np.inf)
    for _ in range(_STEPS):
        part = standard[:, active]
        share, reached = _expect(part, weights[:, active], means[:, active], variances[:, active])
        fitted = _maximise(part, share)
        weights[:, active], means[:, active], variances[:, active] = fitted
        gained = reached - likelihood[active]
        likelihood[active] = reached
        active = active[gained > _TOLERANCE]
        if not active.size:
            break
    order = np.argsort(means, axis=0)
    weights, means, variances = (
        np.take_along_axis(one, order, axis=0) for one in (weights, means, variances)
    )
    deviations = np.sqrt(variances)
    separated = _separated(weights, means, deviations)
    return Mixture(weights, means * scale + centre, deviations * scale, separated)


def _start(standard: Array) -> tuple[Array, Array, Array]:
    """Two-means in one dimension: the two halves about a cut that settles."""
    cut = (standard.min(axis=0) + standard.max(axis=0)) / 2
    for _ in range(100):
        high = standard > cut
        count = high.sum(axis=0)
        upper = (standard * high).sum(axis=0) / count
        lower = (standard * ~high).sum(axis=0) / (len(standard) - count)
        moved = (upper + lower) / 2
        if np.allclose(moved, cut, rtol=0, atol=1e-12):
            break
        cut = moved
    return _maximise(standard, (standard > cut).astype(np.float64))


def _expect(values: Array, weights: Array, means: Array, variances: Array) -> tuple[Array, Array]:
    """Share of component 1 in every value, and the mean log-likelihood of every column."""
    deviations = np.sqrt(variances)
    low, high = (
        _log_density(values, means[i], deviations[i]) + np.log(np.maximum(weights[i], 1e-300))
        for i in (0, 1)
    )
    total = np.logaddexp(low, high)
    return np.exp(high - total), total.mean(axis=0)


def _maximise(values: Array, share: Array) -> tuple[Array, Array, Array]:
    rows = []
    for part in (1 - share, share):
        mass = part.sum(axis=0) + 1e-12
        mean = (part * values).sum(axis=0) / mass
        variance = (part * (values - mean) ** 2).sum(axis=0) / mass + _LEAST_VARIANCE
        rows.append((mass / len(values), mean, variance))
    weights, means, variances = (np.stack(pair) for pair in zip(*rows, strict=True))
    return weights, means, variances


def _log_density(values: Array, mean: Array, deviation: Array) -> Array:
    z = (values - mean) / deviation
    return np.asarray(-0.5 * z * z - np.log(deviation) - 0.5 * np.log(2 * np.pi))


def _separated(weights: Array, means: Array, deviations: Array) -> NDArray[np.bool_]:
    spread = np.sqrt((deviations**2).sum(axis=0))
    ashman = np.sqrt(2) * (means[1] - means[0]) / spread
    grid = means[0] + (means[1] - means[0]) * np.linspace(0, 1, _GRID)[:, np.newaxis]
    density = sum(weights[i] * np.exp(_log_density(grid, means[i], deviations[i])) for i in (0, 1))
    valley = np.min(density, axis=0) < 0.99 * np.minimum(density[0], density[-1])
    return np.asarray((ashman >= 2) & valley)
