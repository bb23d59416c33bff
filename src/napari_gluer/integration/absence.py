"""Which cells have no counterpart in the reference, by a rule learnt from types left out of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from napari_gluer.integration.params import AbsenceParams
from napari_gluer.integration.readout import VOTERS, classified, pooled
from napari_gluer.neighbours import nearest_by_distance, unit_rows

Array = NDArray[np.float32]
Evidence = NDArray[np.float64]

_NEAREST = 10
_LEAST_OF_A_TYPE, _LEAST_TYPES = 20, 4
_TRUSTED = 0.5  # the better half of the cells of a type is taken to be of it
_KEPT = np.linspace(0.95, 0.99, 41)  # shares of the present cells that a bound may spare
_LEAST_ODDS = 1e-3


@dataclass(frozen=True, eq=False)
class Absence:
    """Result of `absent_cells`.

    Attributes
    ----------
    absent
        bool ``(n_cells,)``.
    auroc
        For every type that was left out in turn: how well its cells were told from the others.
    detectable
        Whether that was good enough to call any cell.
    """

    absent: NDArray[np.bool_]
    auroc: dict[str, float]
    detectable: bool

    @property
    def text(self) -> str:
        """What came of it, for a person."""
        if not self.auroc:
            return (
                f"absent types cannot be detected here (fewer than {_LEAST_TYPES} could be tried)"
            )
        worst = min(self.auroc, key=lambda name: self.auroc[name])
        tried = f"every type was left out on trial; hardest to tell was {worst}, in"
        tried += f" {100 * self.auroc[worst]:.0f} of 100 pairs with other cells, 50 being chance"
        if not self.detectable:
            return f"absent types cannot be detected here ({tried})"
        n = int(self.absent.sum())
        have = "1 cell has" if n == 1 else f"{n:,} cells have"
        return f"{have} no counterpart in the reference ({tried})"


@dataclass(frozen=True, eq=False)
class _Sides:
    """Sampled reference cells, their types, and cells, in joint singular scores."""

    reference: Array
    codes: NDArray[np.intp]
    cells: Array


def absent_cells(
    scores: Sequence[Array],
    codes: NDArray[np.integer],
    called: NDArray[np.integer],
    types: Sequence[str],
    params: AbsenceParams,
    *,
    seed: int = 0,
) -> Absence:
    """Cells whose type the reference lacks, where that can be told at all.

    Every type is left out of the reference in turn. Two pieces of evidence are then weighed alike
    for each cell, both before any map, since a map draws absent types onto those that are there:
    how certain the readout is of its best type, and how far the cell lies from the reference. Of
    the cells called that type the surer half stands for absent cells, of the others for present
    ones. A cell is absent if its evidence is poorer than that of 95 to 99 % of the present ones
    (where found and spared cells together are most), and if that holds for most of its own
    neighbours as well: a type is many cells. Where even one type cannot be told from the others,
    or fewer than four can be tried, nothing is called.

    Parameters
    ----------
    scores
        float32 ``(n, k)`` of the reference and of the cells: singular scores of standardised
        linked features, not scaled to length 1.
    codes
        Type of each reference cell, from 0; -1 where none is known or the cell has no say.
    called
        Type that each cell was given, -1 for none.
    types
        Names.
    params
        How many cells it is learnt on, and when it counts as possible.
    """
    random = np.random.default_rng(seed)
    sample = np.sort(random.permutation(np.flatnonzero(codes >= 0))[: params.max_cells])
    rows = np.sort(random.permutation(np.flatnonzero(called >= 0))[: params.max_cells])
    sides = _Sides(scores[0][sample], codes[sample].astype(np.intp), scores[1][rows])
    nobody = np.zeros(len(called), bool)
    tried = _types_to_try(sides.codes, called[rows])
    if len(tried) < _LEAST_TYPES:
        return Absence(nobody, {}, detectable=False)
    whole = _evidence(sides, np.ones(len(sample), bool), sides.cells)
    trusted = _trusted(whole, called[rows])
    gone, there = [], []
    for left_out in tried:
        evidence = _evidence(sides, sides.codes != left_out, sides.cells)
        own = called[rows] == left_out
        gone.append(evidence[trusted & own])
        there.append(evidence[trusted & ~own])
    present = np.concatenate(there)
    rule = _Rule(present.mean(axis=0), np.maximum(present.std(axis=0), 1e-6))
    auroc = {
        types[code]: _auroc(rule.of(absent), rule.of(others))
        for code, absent, others in zip(tried, gone, there, strict=True)
    }
    if min(auroc.values()) < params.least_auroc:
        return Absence(nobody, auroc, detectable=False)
    bound = _bound([rule.of(absent) for absent in gone], [rule.of(others) for others in there])
    poorer = rule.of(_evidence(sides, np.ones(len(sample), bool), scores[1])) > bound
    poorer &= called >= 0
    absent = _with_neighbours(poorer, unit_rows(scores[1]), params)
    return Absence(absent, auroc, detectable=True)


@dataclass(frozen=True, eq=False)
class _Rule:
    """Both pieces of evidence, each over its spread among present cells; greater is more absent."""

    mean: Evidence
    spread: Evidence

    def of(self, evidence: Evidence) -> NDArray[np.float64]:
        return np.asarray(-((evidence - self.mean) / self.spread).sum(axis=1))


def _bound(gone: list[NDArray[np.float64]], there: list[NDArray[np.float64]]) -> float:
    """Where most absent cells lie above and most present ones below, every type weighed alike."""
    bounds = np.quantile(np.concatenate(there), _KEPT)
    found = np.mean([(absent[:, None] > bounds).mean(axis=0) for absent in gone], axis=0)
    spared = np.mean([(others[:, None] <= bounds).mean(axis=0) for others in there], axis=0)
    return float(bounds[(found + spared).argmax()])


def _types_to_try(codes: NDArray[np.integer], called: NDArray[np.integer]) -> list[int]:
    """Types that enough reference cells and enough cells are of."""
    return [
        int(code)
        for code in np.unique(codes)
        if min((codes == code).sum(), (called == code).sum()) >= _LEAST_OF_A_TYPE
    ]


def _evidence(sides: _Sides, kept: NDArray[np.bool_], cells: Array) -> Evidence:
    """Log odds of the best type, and nearness of the reference, ``(n_cells, 2)``."""
    codes, of_kept = sides.codes[kept], sides.reference[kept]
    # features are standardised on the reference, so also on what is left of it
    spread = sides.reference.std(axis=0) / np.maximum(of_kept.std(axis=0), 1e-6)
    reference, cells = unit_rows((of_kept - of_kept.mean(axis=0)) * spread), unit_rows(cells)
    near, distances = nearest_by_distance(cells, reference, VOTERS)
    voted = np.zeros((len(cells), int(sides.codes.max()) + 1))
    for column in codes[near].T:
        voted[np.arange(len(cells)), column] += 1 / near.shape[1]
    classes = classified(reference, cells, codes)
    if classes is not None:
        missing = voted.shape[1] - classes.shape[1]
        classes = np.pad(classes, ((0, 0), (0, missing)))
    best = pooled(voted, classes).max(axis=1)
    odds = np.log(best / (1 - best + _LEAST_ODDS))
    return np.column_stack([odds, -distances[:, :_NEAREST].mean(axis=1)])


def _trusted(evidence: Evidence, called: NDArray[np.integer]) -> NDArray[np.bool_]:
    """The half of each type's cells with the better evidence."""
    total = (evidence / np.maximum(evidence.std(axis=0), 1e-6)).sum(axis=1)
    trusted = np.zeros(len(total), bool)
    for code in np.unique(called):
        own = called == code
        trusted |= own & (total >= np.quantile(total[own], _TRUSTED))
    return trusted


def _auroc(absent: NDArray[np.float64], present: NDArray[np.float64]) -> float:
    truth = np.r_[np.ones(len(absent)), np.zeros(len(present))]
    return float(roc_auc_score(truth, np.r_[absent, present]))


def _with_neighbours(
    poorer: NDArray[np.bool_], cells: Array, params: AbsenceParams
) -> NDArray[np.bool_]:
    """Those of `poorer` of whose own nearest cells enough are so too."""
    asked = np.flatnonzero(poorer)
    absent = np.zeros(len(poorer), bool)
    if len(asked):
        near, _ = nearest_by_distance(cells[asked], cells, params.n_neighbors + 1)
        others = near != asked[:, None]
        agree = (poorer[near] & others).sum(axis=1) / others.sum(axis=1)
        absent[asked] = agree >= params.majority
    return absent
