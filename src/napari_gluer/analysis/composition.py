"""Shares of types in regions: intervals, odds ratios and tests, from counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, fisher_exact, norm

Array = NDArray[np.float64]
Counts = NDArray[np.integer]


def wilson_interval(counts: Counts, totals: Counts, confidence: float) -> tuple[Array, Array]:
    """Wilson's interval of a share (doi:10.2307/2276774); NaN where the total is 0.

    Parameters
    ----------
    counts, totals
        Of one shape.
    confidence
        Of the interval, 0.95 for instance.
    """
    z = float(norm.isf((1 - confidence) / 2))
    n = np.where(totals > 0, totals, np.nan)
    share = counts / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def fisher_tests(counts: Counts, all_counts: Counts) -> tuple[Array, Array]:
    """Fisher's exact test of every region and type against the cells not in the region.

    Parameters
    ----------
    counts
        ``(n_regions, n_types)``: cells of a type in a region.
    all_counts
        ``(n_types,)``: cells of a type, each counted once.

    Returns
    -------
    odds_ratio, p
        Each ``(n_regions, n_types)``; the odds ratio is that of the sample (0 and infinite there
        where a count is 0). NaN where a region holds no cell or every cell.
    """
    odds, p = (np.full(counts.shape, np.nan) for _ in range(2))
    for region, inside in enumerate(counts):
        outside = all_counts - inside
        if not inside.sum() or not outside.sum():
            continue
        for kind in range(counts.shape[1]):
            a, c = int(inside[kind]), int(outside[kind])
            b, d = int(inside.sum()) - a, int(outside.sum()) - c
            odds[region, kind], p[region, kind] = fisher_exact([[a, b], [c, d]])
    return odds, p


@dataclass(frozen=True)
class Independence:
    """Whether composition differs between regions: the chi-square test of the whole table.

    Attributes
    ----------
    chi_square, degrees_of_freedom, p
        Of Pearson's test; NaN where there are not two regions and two types.
    cramers_v
        Effect size on [0, 1].
    low_expected
        Share of entries whose expected count is below 5; the test needs it to be small.
    """

    chi_square: float = np.nan
    degrees_of_freedom: int = 0
    p: float = np.nan
    cramers_v: float = np.nan
    low_expected: float = np.nan


def independence(counts: Counts) -> Independence:
    """Chi-square test of ``(n_regions, n_types)`` counts of cells, each in one region."""
    used = counts[np.ix_(counts.sum(axis=1) > 0, counts.sum(axis=0) > 0)]
    if min(used.shape) < 2:
        return Independence()
    found = chi2_contingency(used, correction=False)
    most = used.sum() * (min(used.shape) - 1)
    return Independence(
        chi_square=float(found.statistic),
        degrees_of_freedom=int(found.dof),
        p=float(found.pvalue),
        cramers_v=float(np.sqrt(found.statistic / most)),
        low_expected=float((found.expected_freq < 5).mean()),
    )
