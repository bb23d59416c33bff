"""Types of cells from the types of reference cells: neighbours' votes and a classifier, pooled."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

Array = NDArray[np.float64]

VOTERS = 15

_TRAINED_ON, _LEAST_OF_A_TYPE = 5000, 50
_PENALTY = 40.0  # C × cells: chosen on the development sets, docs/accuracy.md
_FLOOR = 0.02  # neither of the two can rule a type out alone
_BLOCK = 65_536
_SLOPE, _INTERCEPT = 1.53, 0.26  # python -m benchmarks.trust.confidence
_LEAST_ODDS = 1e-3


def votes(
    weights: sparse.csr_matrix, has_type: sparse.csr_matrix, n_voters: int
) -> NDArray[np.float64]:
    """Share of each type among the nearest reference cells that have one.

    Parameters
    ----------
    weights
        CSR ``(n_cells, n_reference)``: the greater, the nearer.
    has_type
        CSR of 0 and 1, ``(n_reference, n_types)``.
    n_voters
        How many of them vote, where there are so many.

    Returns
    -------
    numpy.ndarray
        ``(n_cells, n_types)``; rows sum to 1, or are 0 where no neighbour has a type.
    """
    typed = np.asarray(has_type.sum(axis=1)).ravel() > 0
    counts = [
        _nearest(weights[i : i + _BLOCK], typed, n_voters) @ has_type
        for i in range(0, weights.shape[0], _BLOCK)
    ]
    dense = sparse.vstack(counts).toarray().astype(np.float64) if counts else np.zeros((0, 0))
    totals = dense.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(dense, totals, out=np.zeros_like(dense), where=totals > 0))


def _nearest(weights: sparse.csr_matrix, typed: NDArray[np.bool_], most: int) -> sparse.csr_matrix:
    """1 for the `most` greatest weights of each row on typed cells."""
    entries = weights.tocoo()
    there = typed[entries.col] & (entries.data > 0)
    row, column, weight = (part[there] for part in (entries.row, entries.col, entries.data))
    order = np.lexsort((column, -weight, row))
    row, column = row[order], column[order]
    first = np.searchsorted(row, np.arange(weights.shape[0]))
    kept = np.arange(len(row)) - first[row] < most
    ones = np.ones(int(kept.sum()), np.float32)
    return sparse.csr_matrix((ones, (row[kept], column[kept])), weights.shape)


def classified(
    reference: NDArray[np.floating], cells: NDArray[np.floating], codes: NDArray[np.integer]
) -> Array | None:
    """Probability of each type by multinomial logistic regression on the factors.

    Trained on the reference, on at most 5,000 cells, of each type in proportion but 50 where there
    are so many.

    Parameters
    ----------
    reference, cells
        ``(n_reference, k)`` and ``(n_cells, k)``.
    codes
        Type of each reference cell, from 0; -1 where none is known.

    Returns
    -------
    numpy.ndarray or None
        ``(n_cells, n_types)``, rows sum to 1; None where there are not two types.
    """
    rows = _training_rows(codes)
    if len(np.unique(codes[rows])) < 2:
        return None
    scale = float(np.std(reference[rows])) or 1.0
    model = LogisticRegression(C=_PENALTY / len(rows), max_iter=500)
    with warnings.catch_warnings():
        # the last digits of a probability decide nothing
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(reference[rows] / scale, codes[rows])
    found = np.zeros((len(cells), int(codes.max()) + 1))
    found[:, model.classes_] = model.predict_proba(cells / scale)
    return found


def _training_rows(codes: NDArray[np.integer]) -> NDArray[np.intp]:
    typed = np.flatnonzero(codes >= 0)
    if len(typed) <= _TRAINED_ON:
        return typed
    order = np.random.default_rng(0).permutation(typed)
    chosen = []
    for code in np.unique(codes[typed]):
        of_type = order[codes[order] == code]
        share = round(_TRAINED_ON * len(of_type) / len(typed))
        chosen.append(of_type[: max(_LEAST_OF_A_TYPE, share)])
    return np.sort(np.concatenate(chosen))


@dataclass(frozen=True, eq=False)
class BestTypes:
    """Result of `best_types`, each ``(n_cells,)``.

    Attributes
    ----------
    codes
        The most probable type, -1 where no neighbour has one.
    chance
        float32: the chance that it is right.
    """

    codes: NDArray[np.intp]
    chance: NDArray[np.float32]


def best_types(
    weights: sparse.csr_matrix,
    factors: tuple[NDArray[np.floating], NDArray[np.floating]],
    has_type: sparse.csr_matrix,
) -> BestTypes:
    """The type that both opinions together make most probable.

    Parameters
    ----------
    weights
        CSR ``(n_cells, n_reference)``.
    factors
        Of reference and cells before any map.
    has_type
        CSR of 0 and 1, ``(n_reference, n_types)``.
    """
    codes = codes_of(has_type)
    both = pooled(votes(weights, has_type, VOTERS), classified(*factors, codes))
    largest = both.max(axis=1)
    # a cell among reference cells without a type must not come out certain
    typed = np.clip(weights @ (codes >= 0).astype(np.float32), 0, 1)
    return BestTypes(
        np.where(largest > 0, both.argmax(axis=1), -1), typed * chance_to_be_right(largest)
    )


def codes_of(has_type: sparse.csr_matrix) -> NDArray[np.intp]:
    """Type of each reference cell, from 0; -1 where it has none."""
    typed = np.asarray(has_type.sum(axis=1)).ravel() > 0
    return np.where(typed, np.asarray(has_type.argmax(axis=1)).ravel(), -1).astype(np.intp)


def chance_to_be_right(probabilities: NDArray[np.floating]) -> NDArray[np.float32]:
    """From the pooled probability of a cell's best type to the chance that it is its type.

    A logistic curve over the log odds, fitted on the development sets and reported in rotation
    (docs/trust.md): pooling two cautious opinions leaves a probability that is too low.
    """
    held = np.clip(probabilities, _LEAST_ODDS, 1 - _LEAST_ODDS)
    odds = _SLOPE * np.log(held / (1 - held)) + _INTERCEPT
    return np.asarray(np.where(probabilities > 0, 1 / (1 + np.exp(-odds)), 0), np.float32)


def pooled(voted: Array, classes: Array | None) -> Array:
    """Geometric mean of both opinions, rows summing to 1; rows without votes stay 0."""
    if classes is None:
        return voted
    mean = np.sqrt((voted + _FLOOR) * (classes + _FLOOR))
    mean /= mean.sum(axis=1, keepdims=True)
    return np.asarray(np.where(voted.any(axis=1, keepdims=True), mean, 0))
