"""Held-out genes, intervals and null runs on real data: ``python -m benchmarks.trust.genes``.

`validate_genes`, `interval_coverage` and `null_run` with their defaults.
"""

import argparse
import warnings

import numpy as np
from benchmarks.accuracy.datasets import typed_tables

import napari_gluer as ng

NAMES = {
    "citeseq": "CITE-seq, 10 proteins",
    "snareseq": "SNARE-seq, 3,000 nuclei",
    "seqfish": "seqFISH ← Tasic",
    "sample": "simulated tissue",
}
GRADES = ("good", "fair", "weak", "no better than chance")
LEVEL = 0.9


def numbers(values: list[float]) -> str:
    """Mean and standard deviation over seeds."""
    spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):.2f} ± {spread:.2f}"


def row(name: str, seeds: list[int], permuted: int) -> str:
    """One data set."""
    found, grades, every, expressed, verdicts = [], [], [], [], []
    for seed in seeds:
        reference, cells, _ = typed_tables(name, seed)
        validation = ng.validate_genes(cells, reference, seed=seed)
        coverage = ng.interval_coverage(validation, LEVEL)
        null = ng.null_run(cells, reference, seed=seed, n=permuted)
        found.append(float(validation.genes["spearman"].median()))
        grades.append([float((validation.genes["grade"] == grade).mean()) for grade in GRADES])
        every.append(float(coverage["covered"].mean()))
        expressed.append(float(coverage["covered_expressed"].mean()))
        verdicts.append(f"{null.verdict} ({null.real:.2f}, {null.null.mean():.2f})")
    shares = " / ".join(f"{share:.0%}" for share in np.mean(grades, axis=0))
    return (
        f"| {NAMES[name]} | {len(validation.genes):,} | {numbers(found)} | {shares} "
        f"| {numbers(every)} | {numbers(expressed)} | {'; '.join(dict.fromkeys(verdicts))} |"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=list(NAMES), default=list(NAMES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--permuted", type=int, default=3, help="permuted runs")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        "| data | features held out | median rank correlation "
        "| good / fair / weak / no better than chance | values in the 90 % interval "
        "| values above 0 | against permuted features |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in given.data:
        print(row(name, given.seeds, given.permuted), flush=True)


if __name__ == "__main__":
    main()
