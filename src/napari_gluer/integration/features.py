"""What the factorisation sees: linked features of each data set, comparable and non-negative."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.integration.factorize import Factors
from napari_gluer.integration.standard import Standardized, moments, varies
from napari_gluer.neighbours import unit_rows

Array = NDArray[np.float32]


def most_variable(matrices: list[Any], limit: int) -> NDArray[np.intp]:
    """Features that vary in every data set, at most `limit` of them, in their own order.

    Ranked by their worst rank in any data set, so that a feature that is flat on one side comes
    last; 0 sets no limit.
    """
    found = [moments(matrix) for matrix in matrices]
    varying = np.flatnonzero(np.all([varies(*of_one) for of_one in found], axis=0))
    if not limit or len(varying) <= limit:
        return varying
    ranks = [np.argsort(np.argsort(-variance[varying])) for _, variance in found]
    best = np.argsort(np.max(ranks, axis=0), kind="stable")[:limit]
    return np.sort(varying[best])


def parted(sides: Sequence[Standardized]) -> list[Array]:
    """Positive and negative part of standardised values, side by side.

    A factorisation that knows no signs then loses none of them. Dense: ``(n_cells, 2 n_features)``.
    """
    dense = [side.dense() for side in sides]
    return [np.concatenate([np.maximum(Z, 0), np.maximum(-Z, 0)], axis=1) for Z in dense]


def signed(factors: Factors) -> Factors:
    """Factors of `parted` values as what they say of the values: positive less negative part."""
    n_features = len(factors.G) // 2
    return Factors(factors.G[:n_features] - factors.G[n_features:], factors.H, factors.loss)


def compared(factors: Factors) -> list[Array]:
    """Each data set where distances between cells are those of what their factors stand for.

    That of h and h' is ‖G (h − h')‖: not the factors themselves are compared, of which two may say
    the same, but the values that they add up to. Each data set is centred and every cell scaled to
    length 1.

    Returns
    -------
    list of numpy.ndarray
        float32 ``(n_cells, k)``, k the rank of G.
    """
    squares, axes = np.linalg.eigh(np.asarray(factors.G.T @ factors.G, np.float64))
    there = squares > 1e-6 * squares[-1]
    metric = (axes[:, there] * np.sqrt(squares[there])).astype(np.float32)[:, ::-1]
    placed = [np.asarray(H @ metric, np.float32) for H in factors.H]
    return [unit_rows(side - side.mean(axis=0)) for side in placed]
