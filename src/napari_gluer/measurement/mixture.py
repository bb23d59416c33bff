"""Two Gaussians with unequal variances for every marker at once. Arrays only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

_MOST_ROWS = 50_000  # evenly spaced cells are enough to place two Gaussians
_STEPS = 5_000
_TOLERANCE = 1e-8
_LEAST_VARIANCE = 1e-6  # of a standardised marker, as in scikit-learn

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Fitted components, all arrays ``(2, n_markers)``; row 1 has the higher mean.

    Attributes
    ----------
    weights, means, deviations
        Shares, means and standard deviations.
    """

    weights: Array
    means: Array
    deviations: Array

    @property
    def ashman(self) -> Array:
        """Ashman's D: distance of the means in units of the deviations, ``(n_markers,)``."""
        spread = np.sqrt((self.deviations**2).sum(axis=0))
        return np.asarray(np.sqrt(2) * (self.means[1] - self.means[0]) / spread)

    @property
    def thresholds(self) -> Array:
        """Value between the means where both components are equally likely; NaN where none is."""
        (m0, m1), (s0, s1) = self.means, self.deviations
        with np.errstate(divide="ignore", invalid="ignore"):
            square = 1 / s1**2 - 1 / s0**2
            half = m0 / s0**2 - m1 / s1**2
            rest = m1**2 / s1**2 - m0**2 / s0**2
            rest += 2 * np.log(self.weights[0] * s1 / (self.weights[1] * s0))
            root = np.sqrt(half**2 - square * rest)
            # The stable pair of roots: no difference of two like numbers.
            sum_ = -half - np.copysign(root, half)
            found = np.stack([sum_ / square, rest / sum_])
        inside = (found >= m0) & (found <= m1)
        first = np.where(inside[0], found[0], found[1])
        return np.where(inside.any(axis=0), first, np.nan)

    def density(self, values: Array) -> Array:
        """Density of both components, each times its weight, ``(2, *values.shape)``."""
        logs = [_log_density(values, self.means[i], self.deviations[i]) for i in (0, 1)]
        return np.stack([self.weights[i] * np.exp(logs[i]) for i in (0, 1)])

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


def fit(values: Array, counts: Array | None = None) -> Mixture:
    """Fit two components to every column of `values` ``(n_cells, n_markers)``.

    Starts from two-means; expectation and maximisation repeat until the mean log-likelihood gains
    less than 1e-8, at most 5,000 times. No column may be constant. Above 50,000 rows, as many
    evenly spaced ones are used.

    Parameters
    ----------
    values
        Intensities, or the middles of histogram bins.
    counts
        How often each of `values` occurs, of their shape; once where None.
    """
    if len(values) > _MOST_ROWS and counts is None:
        values = values[np.linspace(0, len(values) - 1, _MOST_ROWS).astype(np.int64)]
    counts = np.ones_like(values) if counts is None else counts
    share = counts / counts.sum(axis=0)
    centre = (share * values).sum(axis=0)
    scale = np.sqrt((share * (values - centre) ** 2).sum(axis=0))
    standard = (values - centre) / scale
    weights, means, variances = _start(standard, share)
    active = np.arange(values.shape[1])
    likelihood = np.full(values.shape[1], -np.inf)
    for _ in range(_STEPS):
        part, mass = standard[:, active], share[:, active]
        high, logs = _expect(part, weights[:, active], means[:, active], variances[:, active])
        reached = (mass * logs).sum(axis=0)
        fitted = _maximise(part, mass, high)
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
    return Mixture(weights, means * scale + centre, np.sqrt(variances) * scale)


def _start(standard: Array, share: Array) -> tuple[Array, Array, Array]:
    """Two-means in one dimension: the two halves about a cut that settles."""
    cut = (standard.min(axis=0) + standard.max(axis=0)) / 2
    for _ in range(100):
        high = standard > cut
        mass = (share * high).sum(axis=0)
        upper = (share * standard * high).sum(axis=0) / mass
        lower = (share * standard * ~high).sum(axis=0) / (1 - mass)
        moved = (upper + lower) / 2
        if np.allclose(moved, cut, rtol=0, atol=1e-12):
            break
        cut = moved
    return _maximise(standard, share, (standard > cut).astype(np.float64))


def _expect(values: Array, weights: Array, means: Array, variances: Array) -> tuple[Array, Array]:
    """Share of component 1 in every value, and the log-density of every value."""
    deviations = np.sqrt(variances)
    low, high = (
        _log_density(values, means[i], deviations[i]) + np.log(np.maximum(weights[i], 1e-300))
        for i in (0, 1)
    )
    total = np.logaddexp(low, high)
    return np.exp(high - total), total


def _maximise(values: Array, share: Array, high: Array) -> tuple[Array, Array, Array]:
    rows = []
    for part in (share * (1 - high), share * high):
        mass = part.sum(axis=0) + 1e-12 / len(values)
        mean = (part * values).sum(axis=0) / mass
        variance = (part * (values - mean) ** 2).sum(axis=0) / mass + _LEAST_VARIANCE
        rows.append((mass, mean, variance))
    weights, means, variances = (np.stack(pair) for pair in zip(*rows, strict=True))
    return weights, means, variances


def _log_density(values: Array, mean: Array, deviation: Array) -> Array:
    z = (values - mean) / deviation
    return np.asarray(-0.5 * z * z - np.log(deviation) - 0.5 * np.log(2 * np.pi))
