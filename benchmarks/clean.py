"""Speed and agreement of the mixtures, one Markdown table: ``python benchmarks/clean.py``.

All markers of the CODEX spleen are fitted, here at once and with scikit-learn's GaussianMixture one
after the other: two components, the same first means, tol 1e-8. Read from ``../shared/data`` beside
the checkout, or from the folder that ``NAPARI_GLUER_SHARED_DATA`` names.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn.mixture import GaussianMixture

import napari_gluer as ng
from napari_gluer.measurement.mixture import fit
from napari_gluer.measurement.separation import judge

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data"))
SPLEEN = DATA / "codex_human_spleen/codex_spleen_10000x28.h5ad"
RUNS = 3


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return min(times), found


def first_means(column: np.ndarray) -> np.ndarray:
    cut = (column.min() + column.max()) / 2
    for _ in range(100):
        cut = (column[column > cut].mean() + column[column <= cut].mean()) / 2
    return np.array([[column[column <= cut].mean()], [column[column > cut].mean()]])


def scikit_learn(standard: np.ndarray, starts: list[np.ndarray]) -> list[GaussianMixture]:
    return [
        GaussianMixture(2, tol=1e-8, max_iter=5000, means_init=start, random_state=0).fit(
            standard[:, [column]]
        )
        for column, start in enumerate(starts)
    ]


def cumulative(model: GaussianMixture, column: np.ndarray) -> np.ndarray:
    high = model.means_.argmax()
    deviation = np.sqrt(model.covariances_[high, 0, 0])
    return stats.norm.cdf(column, model.means_[high, 0], deviation)


def main() -> None:
    cells = ng.read_cells(SPLEEN)
    values = np.asarray(cells.X, np.float64)
    standard = (values - values.mean(axis=0)) / values.std(axis=0)
    starts = [first_means(column) for column in standard.T]
    ours, mixture = best(lambda: fit(values))
    judging, separation = best(lambda: judge(values))
    cleaning, cleaned = best(lambda: ng.clean(cells))
    theirs, models = best(lambda: scikit_learn(standard, starts))
    found = mixture.cumulative(values)
    away = [
        np.abs(found[:, column] - cumulative(model, standard[:, column])).max()
        for column, model in enumerate(models)
    ]
    print(f"{len(values):,} cells × {values.shape[1]} markers, best of {RUNS}; seconds.\n")
    print("| fit | judging | whole of ng.clean | scikit-learn's fits | ratio of fits |")
    print("|---|---|---|---|---|")
    print(f"| {ours:.2f} | {judging:.2f} | {cleaning:.2f} | {theirs:.2f} | {theirs / ours:.1f} × |")
    print(f"\nLargest difference of the cumulative distributions: {max(away):.1e}.")
    apart = cells.var_names[separation.separated]
    print(f"Separated ({len(apart)} of {values.shape[1]}): {', '.join(apart)}.")
    print(cleaned.uns["gluer"]["clean"]["outcome"])


if __name__ == "__main__":
    main()
