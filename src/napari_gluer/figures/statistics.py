"""Numbers that figures show: intervals of shares, calibration, ranks, densities."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

Array = NDArray[np.float64]

_BINS, _MOST_BINS = 16, 8192  # of a density: to a bandwidth, and in all


def wilson(
    found: NDArray[np.floating] | NDArray[np.integer],
    n: NDArray[np.floating] | NDArray[np.integer],
    level: float = 0.95,
) -> tuple[Array, Array]:
    """Wilson's score interval of `found` of `n` (Wilson, J Am Stat Assoc 1927); NaN where n is 0.

    Parameters
    ----------
    found, n
        Counts, of the same shape.
    level
        Coverage of the interval.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper ends, on [0, 1].
    """
    k, size = np.asarray(found, np.float64), np.asarray(n, np.float64)
    z = float(norm.ppf(0.5 + level / 2))
    size = np.where(size > 0, size, np.nan)
    share = k / size
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def reliability_curve(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], bins: int = 10
) -> pd.DataFrame:
    """How often cells of like confidence are right.

    Parameters
    ----------
    confidence
        ``(n,)`` on [0, 1].
    right
        ``(n,)``: whether the call was right.
    bins
        Number of bins, of equal width; the last holds 1.

    Returns
    -------
    pandas.DataFrame
        One row for every bin that holds cells: ``left``, ``width``, ``n``, ``confidence`` (mean),
        ``right`` (share), ``low`` and ``high`` (95 % Wilson interval of the share).
    """
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    n = np.bincount(place, minlength=bins)
    held = n > 0
    total = np.bincount(place, weights=confidence, minlength=bins)[held]
    hits = np.bincount(place, weights=right.astype(np.float64), minlength=bins)[held]
    low, high = wilson(hits, n[held])
    return pd.DataFrame(
        {
            "left": np.flatnonzero(held) / bins,
            "width": 1 / bins,
            "n": n[held],
            "confidence": total / n[held],
            "right": hits / n[held],
            "low": low,
            "high": high,
        }
    )


def calibration_error(curve: pd.DataFrame) -> float:
    """Expected calibration error of a `reliability_curve`: mean gap over cells, on [0, 1].

    Naeini et al., AAAI 2015.
    """
    gaps = (curve["right"] - curve["confidence"]).abs()
    return float(np.average(gaps, weights=curve["n"]))


def area_under_curve(score: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """AUROC: chance that a right one scores above a wrong one, ties half; NaN if all are alike."""
    n_right = int(right.sum())
    n_wrong = len(right) - n_right
    if not n_right or not n_wrong:
        return float("nan")
    surplus = rankdata(score)[right].sum() - n_right * (n_right + 1) / 2
    return float(surplus / (n_right * n_wrong))


def density(values: NDArray[np.floating], points: int = 128) -> tuple[Array, Array]:
    """Gaussian kernel density between the least and the greatest value, Scott's bandwidth.

    Values within a sixteenth of a bandwidth of each other count at their mean, so that a million
    take no longer than a thousand.

    Parameters
    ----------
    values
        Finite, ``(n,)``, at least two of them different.
    points
        Where it is told.

    Returns
    -------
    tuple of numpy.ndarray
        Places and densities, ``(points,)`` each.
    """
    found = np.asarray(values, np.float64)
    low, high = found.min(), found.max()
    bandwidth = found.std(ddof=1) * len(found) ** -0.2
    n_bins = int(np.clip(np.ceil((high - low) / bandwidth * _BINS), 1, _MOST_BINS))
    places = np.minimum((found - low) * (n_bins / (high - low)), n_bins - 1).astype(np.intp)
    counts = np.bincount(places)
    there = np.flatnonzero(counts)
    means = np.bincount(places, found)[there] / counts[there]
    grid = np.linspace(low, high, points)
    kernels = np.exp(-0.5 * ((grid[:, None] - means) / bandwidth) ** 2)
    heights = kernels @ counts[there] / (len(found) * bandwidth * np.sqrt(2 * np.pi))
    return grid, np.asarray(heights, np.float64)
