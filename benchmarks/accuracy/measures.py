"""How good an outcome is, by the truth."""

import numpy as np
from benchmarks.accuracy.exchange import Inputs, Outputs
from benchmarks.accuracy.problems import Truth
from numpy.typing import NDArray
from scipy.stats import rankdata

from napari_gluer.analysis.accuracy import integration_accuracy, mixed_neighbours
from napari_gluer.neighbours import nearest_by_distance

VOTERS = 15
FEW, MANY = 20, 60
MOST_PAIRS = 3000

ACCURACY, VOTED, OWN_TYPES, MIXED = "accuracy", "voted_types", "own_types", "mixed"
FEW_NEIGHBOURS, MANY_NEIGHBOURS, OWN_IMPUTED = f"genes_{FEW}", f"genes_{MANY}", "genes_own"


def scores(inputs: Inputs, truth: Truth, outputs: Outputs) -> dict[str, float]:
    """Every measure that truth and outputs allow.

    Returns
    -------
    dict
        ``accuracy`` of the integration; ``voted_types``, right by the vote of the 15 nearest
        reference cells, and ``own_types``, right by the method's own transfer; ``mixed``
        neighbours; ``genes_20``, ``genes_60`` and ``genes_own``: mean rank correlation of the
        targets over cells, by that many neighbours' mean or the method's own values.
    """
    found: dict[str, float] = {}
    if outputs.reference is not None and outputs.cells is not None:
        _require(outputs.reference, len(inputs.reference))
        _require(outputs.cells, len(inputs.cells))
        found |= _of_embedding(inputs, truth, outputs.reference, outputs.cells)
    if truth.types is not None and outputs.types is not None:
        found[OWN_TYPES] = float((outputs.types == truth.types).mean())
    if truth.targets is not None and outputs.imputed is not None:
        _require(outputs.imputed, len(inputs.cells))
        found[OWN_IMPUTED] = rank_correlation(outputs.imputed, truth.targets)
    return found


def _of_embedding(
    inputs: Inputs, truth: Truth, reference: NDArray[np.float32], cells: NDArray[np.float32]
) -> dict[str, float]:
    found = {MIXED: mixed_neighbours(reference, cells)}
    if truth.pairs is not None:
        found[ACCURACY] = integration_accuracy(reference, cells, some_pairs(truth.pairs))
    near, _ = nearest_by_distance(cells, reference, MANY)
    if truth.types is not None:
        voted = vote(inputs.reference_types[near[:, :VOTERS]])
        found[VOTED] = float((voted == truth.types).mean())
    if truth.targets is not None:
        values = inputs.target_values()
        for name, k in ((FEW_NEIGHBOURS, FEW), (MANY_NEIGHBOURS, MANY)):
            imputed = np.stack([values[rows].mean(axis=0) for rows in near[:, :k]])
            found[name] = rank_correlation(imputed, truth.targets)
    return found


def some_pairs(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """All pairs, or the same random 3,000 for every method."""
    if len(pairs) <= MOST_PAIRS:
        return pairs
    return pairs[np.sort(np.random.default_rng(0).choice(len(pairs), MOST_PAIRS, replace=False))]


def vote(types: NDArray[np.str_]) -> NDArray[np.str_]:
    """Most frequent type of each row; the first in the alphabet where several are."""
    names, codes = np.unique(types, return_inverse=True)
    codes = codes.reshape(types.shape)
    counts = np.stack([(codes == i).sum(axis=1) for i in range(len(names))])
    return np.asarray(names[counts.argmax(axis=0)])


def rank_correlation(imputed: NDArray[np.floating], true: NDArray[np.floating]) -> float:
    """Spearman's correlation over cells, averaged over targets; 0 where all values are one."""
    return float(np.mean((_centred_ranks(imputed) * _centred_ranks(true)).sum(axis=0)))


def _centred_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    ranks = rankdata(values, axis=0)
    centred = ranks - ranks.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    return np.asarray(np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0))


def _require(values: NDArray[np.floating], n_rows: int) -> None:
    if len(values) != n_rows or not np.isfinite(values).all():
        raise ValueError(f"{values.shape} values with NaN or for other than {n_rows} cells.")
