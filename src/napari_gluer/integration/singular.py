"""The joint factorisation of `default`: H of 0 or more and one G of both signs, in closed form."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from napari_gluer.integration.factorize import Factors
from napari_gluer.integration.standard import Standardized
from napari_gluer.neighbours import unit_rows
from napari_gluer.track import Track, silently

Array = NDArray[np.float32]

_EXACT_UP_TO = 1000  # features; beyond, their square matrix costs more than the iterations
_ITERATIONS, _SPARE = 8, 10
_DESC = "Joint factorisation"
_ALL_UP_TO, _FEWEST, _MOST = 30, 20, 50


def joint_singular_factors(
    sides: Sequence[Standardized], rank: int = 0, *, seed: int = 0, track: Track = silently
) -> Factors:
    """Factorise standardised data sets over the same features.

    Minimises Σ_i w_i/n_i ‖Z_i − H_i Gᵀ‖² over H_i ≥ 0 and G of either sign (a semi-non-negative
    factorisation, Ding et al., doi:10.1109/TPAMI.2008.277), where w is one half for the first data
    set and the others share the other half: a large data set does not outvote a small one. The
    minimum over 2k such factors that come in opposite pairs is that of k joint singular vectors V:
    H_i = [(Z_i V)₊, (Z_i V)₋] and G = [V, −V].

    Parameters
    ----------
    sides
        Data sets, the reference first.
    rank
        Pairs of factors, at most as many as there are features; 0 chooses by `chosen_rank`.
    seed
        Of the start, where there are more than 1,000 features; below the result is exact.
    track
        Wraps the loop over data sets or iterations.

    Returns
    -------
    Factors
        ``G`` float32 ``(n_features, 2 rank)``, one ``H`` float32 ``(n_cells, 2 rank)`` per data
        set, ``loss``: the one value of the sum above.
    """
    n_features = sides[0].shape[1]
    weights = np.array([0.5, *[0.5 / max(1, len(sides) - 1)] * (len(sides) - 1)])
    weights /= [side.shape[0] for side in sides]
    wanted = min(rank or _MOST, n_features)
    if n_features <= _EXACT_UP_TO:
        weighed = list(zip(weights, sides, strict=True))
        covariance = sum(w * side.gram() for w, side in track(weighed, _DESC))
        values, vectors = eigh(covariance, subset_by_index=(n_features - wanted, n_features - 1))
    else:
        values, vectors = _iterated(sides, weights, wanted, seed, track)
    values, vectors = values[::-1], vectors[:, ::-1]
    if not rank:
        wanted = chosen_rank(values, n_features, [side.shape[0] for side in sides])
    directions = _with_signs(vectors[:, :wanted]).astype(np.float32)
    scores = [side.times(directions) for side in sides]
    left = [
        w * (side.squared_norm() - float(np.square(E, dtype=np.float64).sum()))
        for w, side, E in zip(weights, sides, scores, strict=True)
    ]
    H = [np.concatenate([np.maximum(E, 0), np.maximum(-E, 0)], axis=1) for E in scores]
    return Factors(np.concatenate([directions, -directions], axis=1), H, np.array([sum(left)]))


def singular_scores(factors: Factors) -> list[Array]:
    """Opposite factors subtracted: each data set in the joint singular vectors.

    Distances are then those of what the factors stand for, ‖G (h − h')‖.
    """
    k = factors.G.shape[1] // 2
    return [H[:, :k] - H[:, k:] for H in factors.H]


def folded(factors: Factors) -> list[Array]:
    """`singular_scores`, rows of length 1."""
    return [unit_rows(scores) for scores in singular_scores(factors)]


def chosen_rank(values: NDArray[np.floating], n_features: int, sizes: Sequence[int]) -> int:
    """How many factors: all up to 30 features, else those that stand out, from 20 to 50.

    A factor stands out if its variance is above the largest that independent features would show
    by chance (Marchenko & Pastur's edge, for as many cells as were averaged over).

    Parameters
    ----------
    values
        Largest eigenvalues of the mean correlation matrix, largest first.
    n_features, sizes
        Features; cells of the reference and of each other data set.
    """
    if n_features <= _ALL_UP_TO:
        return n_features
    others = [1 / size for size in sizes[1:]] or [1 / sizes[0]]
    inverse = 0.25 / sizes[0] + 0.25 * float(np.mean(others)) / len(others)
    edge = (1 + np.sqrt(n_features * inverse)) ** 2
    return int(np.clip((values > edge).sum(), _FEWEST, min(_MOST, n_features)))


def _iterated(
    sides: Sequence[Standardized],
    weights: NDArray[np.float64],
    wanted: int,
    seed: int,
    track: Track,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Leading eigenvectors of Σ w ZᵀZ by subspace iteration, ascending as `eigh` gives them."""

    def product(basis: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = [
            w * side.transposed_times(side.times(basis))
            for w, side in zip(weights, sides, strict=True)
        ]
        return np.asarray(sum(parts))

    width = min(wanted + _SPARE, sides[0].shape[1])
    random = np.random.default_rng(seed).standard_normal((sides[0].shape[1], width))
    basis = np.linalg.qr(random)[0]
    for _ in track(range(_ITERATIONS), _DESC):
        basis = np.linalg.qr(product(basis))[0]
    small = basis.T @ product(basis)
    values, turn = np.linalg.eigh((small + small.T) / 2)
    return values[-wanted:], (basis @ turn)[:, -wanted:]


def _with_signs(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each with its largest entry positive: one result on every machine."""
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return np.asarray(vectors * np.where(largest < 0, -1, 1))
