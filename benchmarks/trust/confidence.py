"""Confidence against the truth, and absent types: ``python -m benchmarks.trust.confidence``.

Every type of 50 cells or more is removed from the reference in turn, and the integration done anew;
its cells should come out unmatched and the others should not. The chance that a label is right is
`chance_to_be_right` of the pooled probability; the curve is fitted anew on all data sets but the
one it is then reported for. Writes Markdown tables and the reliability curves to the file that
``--out`` names (``.json``), for figures.
"""

import argparse
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anndata import AnnData
from benchmarks.accuracy.datasets import DATASETS, typed_tables
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import napari_gluer as ng
from napari_gluer.errors import InputError

NAMES = ("citeseq", "snareseq", "seqfish", "sample")
LEAST_CELLS = 50
COLUMN = "cell_type"
BINS = 10


@dataclass(frozen=True, eq=False)
class Judged:
    """Cells of one run: what was said of them, and whether it was so."""

    data: str
    seed: int
    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    unmatched: NDArray[np.bool_]


def integrated(
    cells: AnnData, reference: AnnData, seed: int
) -> tuple[NDArray[np.str_], NDArray[np.float64], AnnData]:
    """Types named for all cells, the chance that they are right, and the table."""
    result = ng.integrate(cells, reference, seed=seed)
    found = ng.transfer_labels(result, reference, COLUMN, unmatched="named")
    named = found[f"{COLUMN}_transferred"].astype(str).to_numpy(str)
    return named, found[f"{COLUMN}_probability"].to_numpy(float), result


def whole(name: str, seed: int) -> Judged:
    """All types are there."""
    reference, cells, truth = typed_tables(name, seed)
    named, _, result = integrated(cells, reference, seed)
    obs = result.obs
    return Judged(
        name,
        seed,
        obs["gluer_confidence"].to_numpy(float),
        named == truth,
        obs["gluer_unmatched"].to_numpy(bool),
    )


@dataclass(frozen=True)
class LeftOut:
    """One type removed from the reference."""

    data: str
    seed: int
    kind: str
    n_cells: int
    auroc: float
    found: float
    false: float
    detectable: bool


def left_out(name: str, seed: int) -> Iterator[LeftOut]:
    """Every type in turn."""
    reference, cells, truth = typed_tables(name, seed)
    types = reference.obs[COLUMN].astype(str).str.strip()
    for kind in sorted(set(types)):
        own = truth == kind
        if own.sum() < LEAST_CELLS:
            continue
        kept = reference[(types != kind).to_numpy()].copy()
        _, confidence, result = integrated(cells, kept, seed)
        unmatched = result.obs["gluer_unmatched"].to_numpy(bool)
        known = json.loads(result.uns["gluer"]["absence"])
        yield LeftOut(
            name,
            seed,
            kind,
            int(own.sum()),
            float(roc_auc_score(own, -confidence)),
            float(unmatched[own].mean()),
            float(unmatched[~own].mean()),
            bool(known.get("detectable", False)),
        )


def odds_of(confidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds."""
    held = np.clip(confidence, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(held / (1 - held)))[:, None]


def fitted(runs: list[Judged]) -> LogisticRegression:
    """Chance to be right over log odds; every data set counts the same."""
    odds = np.concatenate([odds_of(run.confidence) for run in runs])
    right = np.concatenate([run.right for run in runs])
    weight = np.concatenate([np.full(len(run.right), 1000 / len(run.right)) for run in runs])
    return LogisticRegression(C=1e3).fit(odds, right, sample_weight=weight)


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error in ten bins of equal width."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return sum(
        float((bins == b).mean() * abs(confidence[bins == b].mean() - right[bins == b].mean()))
        for b in np.unique(bins)
    )


def spread(values: list[float]) -> str:
    """Mean and standard deviation over seeds."""
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.2f}"


def print_confidence(runs: list[Judged]) -> None:
    """AUROC and calibration, in rotation."""
    print("\n| data | right | AUROC | calibration error | in rotation | unmatched |")
    print("|---|---|---|---|---|---|")
    for name in dict.fromkeys(run.data for run in runs):
        own = [run for run in runs if run.data == name]
        others = [run for run in runs if run.data != name]
        curve = fitted(others) if others else None
        rotated = [
            calibration_error(curve.predict_proba(odds_of(run.confidence))[:, 1], run.right)
            for run in own
            if curve is not None
        ]
        print(
            f"| {DATASETS[name].title} | {spread([float(run.right.mean()) for run in own])} "
            f"| {spread([float(roc_auc_score(run.right, run.confidence)) for run in own])} "
            f"| {spread([calibration_error(run.confidence, run.right) for run in own])} "
            f"| {spread(rotated) if rotated else '–'} "
            f"| {spread([float(run.unmatched.mean()) for run in own])} |"
        )
    model = fitted(runs)
    print(
        f"\nOn what is stored now: slope {model.coef_[0, 0]:.2f}, intercept "
        f"{model.intercept_[0]:.2f} (1 and 0 mean that the stored curve is right)."
    )


def print_left_out(runs: list[LeftOut]) -> None:
    """Absent types, by data set and type."""
    print(
        "\n| data | type left out | cells | AUROC of low confidence | called | unmatched | others |"
    )
    print("|---|---|---|---|---|---|---|")
    for data, kind in dict.fromkeys((run.data, run.kind) for run in runs):
        own = [run for run in runs if (run.data, run.kind) == (data, kind)]
        called = sum(run.detectable for run in own)
        print(
            f"| {DATASETS[data].title} | {kind} | {own[0].n_cells} "
            f"| {spread([run.auroc for run in own])} | {called} of {len(own)} "
            f"| {spread([run.found for run in own])} | {spread([run.false for run in own])} |"
        )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", type=Path, help="file for the confidences of all cells")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    runs = [whole(name, seed) for name in given.data for seed in given.seeds]
    print_confidence(runs)
    removed: list[LeftOut] = []
    for name in given.data:
        for seed in given.seeds:
            try:
                removed.extend(left_out(name, seed))
            except InputError as error:
                print(f"{name}, seed {seed}: {error}")
    print_left_out(removed)
    if given.out:
        kept = [
            {"data": r.data, "seed": r.seed, "confidence": r.confidence.tolist()}
            | {"right": r.right.tolist()}
            for r in runs
        ]
        given.out.write_text(json.dumps(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
