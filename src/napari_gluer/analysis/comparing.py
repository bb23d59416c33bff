"""Whether one integration is more accurate than another: the paper's paired test."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ttest_rel

from napari_gluer.errors import InputError

_FEWEST, _ROUNDING = 3, 1e-12


def compare_accuracies(accuracies: Mapping[str, NDArray[np.floating]]) -> pd.DataFrame:
    """Compare the first of several integrations with each other one, pair by pair.

    Paired t-tests of the accuracies of the same true pairs, two-sided, with Bonferroni's correction
    for the number of comparisons (Peng et al., bioRxiv 2021.01.25.427845, "Integration accuracy").
    The cells of a data set are not independent of each other, so that a small p-value says that two
    methods differ *on these cells*, not on other data.

    Parameters
    ----------
    accuracies
        Name → ``(n_pairs,)`` of `integration_accuracies`, the same pairs in the same order.

    Returns
    -------
    pandas.DataFrame
        Indexed by the other methods' names: ``accuracy`` (mean of the other), ``difference`` (mean
        of first − other), ``t``, ``p``, ``p_bonferroni`` (at most 1) and ``n_pairs``. Where the two
        are equal on every pair, t is 0 and p is 1; where they differ by the same on every pair, t
        is infinite and p is 0.

    Raises
    ------
    InputError
        If there are fewer than two methods or three pairs, their numbers of pairs differ,
        or a value is not finite.
    """
    values = {name: np.asarray(found, np.float64) for name, found in accuracies.items()}
    sizes = {name: found.shape for name, found in values.items()}
    if len(values) < 2:
        raise InputError("A comparison needs the accuracies of two methods or more.")
    if len(set(sizes.values())) != 1 or any(found.ndim != 1 for found in values.values()):
        found = ", ".join(f"{name}: {shape}" for name, shape in sizes.items())
        raise InputError(f"All methods must be judged on the same pairs; shapes: {found}.")
    (first, own), *others = values.items()
    if not all(np.isfinite(found).all() for found in values.values()):
        raise InputError("Accuracies to compare must be numbers; some are NaN or infinite.")
    if len(own) < _FEWEST:
        raise InputError(f"{len(own)} pairs are too few for a test; {_FEWEST} are needed.")
    rows = {name: _row(own, other, len(others)) for name, other in others}
    table = pd.DataFrame.from_dict(rows, orient="index").astype({"n_pairs": int})
    table.index.name = f"compared with {first}"
    return table


def _row(
    own: NDArray[np.float64], other: NDArray[np.float64], n_tests: int
) -> dict[str, float | int]:
    difference = own - other
    if np.ptp(difference) <= _ROUNDING:
        # no spread to test against: the same on every pair, or different on every pair alike
        t, p = (
            (0.0, 1.0)
            if abs(difference[0]) <= _ROUNDING
            else (np.copysign(np.inf, difference[0]), 0.0)
        )
    else:
        t, p = ttest_rel(own, other)
    return {
        "accuracy": float(other.mean()),
        "difference": float(difference.mean()),
        "t": float(t),
        "p": float(p),
        "p_bonferroni": min(1.0, float(p) * n_tests),
        "n_pairs": len(own),
    }
