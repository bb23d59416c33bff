"""Settings chosen on two sets, reported on the third: ``python -m benchmarks.accuracy.rotation``.

Every variant below changes one thing of ``preset="default"``. For each data set in turn the variant
with the best mean rank over the measures of the *other two* is taken, and its scores on the one
left out are printed beside those of `default`: so the choice among these variants was not made on
the data that a number is about. Prints Markdown; 3 seeds, mean ± standard deviation.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.accuracy.exchange import Clock, Inputs
from benchmarks.accuracy.measures import ACCURACY, OWN_IMPUTED, OWN_TYPES, VOTED, scores
from benchmarks.accuracy.methods.gluer import integrated_by
from benchmarks.accuracy.problems import Truth
from benchmarks.accuracy.registry import METHODS
from benchmarks.accuracy.running import problem_folder

import napari_gluer as ng

SEEDS = (0, 1, 2)
DEFAULT = "default"
VARIANTS: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "no linear map": {"canonical": {"share": 0.0}},
    "no transcriptome part": {"transcriptome": {"share": 0.0}},
    "hardly any deep map": {"network": {"learning_rate": 1e-6, "max_epochs": 1}},
    "deep map on single pairs": {"network": {"average_partners": False}},
    "one-signed NMF": {
        "factorize": {"rank": 30, "start": "nndsvd", "update": {"kind": "coordinate"}}
    },
    "ridge 0.1": {"canonical": {"ridge": 0.1}},
    "anchors 30, 10 partners": {"anchors": {"n_neighbors": 30, "max_partners": 10}},
    "weights of 30 neighbours": {"weights": {"n_neighbors": 30}},
}
SETS = {
    "SNARE-seq": ("snareseq", "snareseq_hidden"),
    "CITE-seq": ("citeseq", "citeseq_hidden"),
    "seqFISH": ("seqfish", "seqfish_genes"),
}
MEASURES = {
    ACCURACY: "integration accuracy",
    VOTED: "right type, 15 vote",
    OWN_TYPES: "right type, transferred",
    OWN_IMPUTED: "imputed genes",
}


def main() -> None:
    """Score every variant (kept in a file, so that a second call only reports), then rotate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kept", type=Path, default=Path(__file__).parent / ".cache/rotation.json")
    table = _scored(parser.parse_args().kept)
    print(_rotated(table))
    print()
    print(_every(table))


def _scored(path: Path) -> pd.DataFrame:
    version = METHODS[DEFAULT].version()
    kept: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if kept.get("version") != version:
        kept = {"version": version, "rows": []}
    done = {(row["variant"], row["problem"], row["seed"]) for row in kept["rows"]}
    for name, problems in SETS.items():
        for problem in problems:
            for seed in SEEDS:
                inputs, truth = _read(problem, seed)
                for variant, changes in VARIANTS.items():
                    if (variant, problem, seed) in done:
                        continue
                    params = ng.IntegrateParams(**changes)
                    found = scores(inputs, truth, integrated_by(inputs, params, seed, Clock()))
                    row = {"set": name, "variant": variant, "problem": problem, "seed": seed}
                    kept["rows"].append(row | {m: found.get(m) for m in MEASURES})
                    path.write_text(json.dumps(kept), encoding="utf-8")
                print(f"{problem} · seed {seed}", file=sys.stderr, flush=True)
    return pd.DataFrame(kept["rows"])


def _read(problem: str, seed: int) -> tuple[Inputs, Truth]:
    folder = problem_folder(problem, seed)
    return Inputs.read(folder / "inputs"), Truth.read(folder / "truth")


def _means(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Variants × (problem, measure) of one data set, over the seeds."""
    own = table[table["set"] == name]
    return own.pivot_table(index="variant", columns="problem", values=list(MEASURES)).dropna(axis=1)


def _rotated(table: pd.DataFrame) -> str:
    lines = [
        "| reported on | chosen on the other two | measure | chosen | `default` |",
        "|---|---|---|---|---|",
    ]
    for name in SETS:
        others = [_means(table, other).rank(ascending=False) for other in SETS if other != name]
        # each data set counts alike, however many measures it has
        ranks = sum(ranked.mean(axis=1) for ranked in others)
        best = str(ranks.idxmin())
        lines += [
            f"| {name} | {best} | {words} | {_spread(table, name, best, measure)} "
            f"| {_spread(table, name, DEFAULT, measure)} |"
            for measure, words in MEASURES.items()
            if table.loc[table["set"] == name, measure].notna().any()
        ]
    return "\n".join(lines)


def _every(table: pd.DataFrame) -> str:
    """All variants on all sets: what each part is worth."""
    columns = [
        (name, measure)
        for name in SETS
        for measure in MEASURES
        if table.loc[table["set"] == name, measure].notna().any()
    ]
    head = " | ".join(f"{name}: {MEASURES[measure]}" for name, measure in columns)
    lines = [f"| variant | {head} |", "|---" * (len(columns) + 1) + "|"]
    for variant in VARIANTS:
        cells = " | ".join(_spread(table, name, variant, measure) for name, measure in columns)
        lines.append(f"| {variant} | {cells} |")
    return "\n".join(lines)


def _spread(table: pd.DataFrame, name: str, variant: str, measure: str) -> str:
    own = table[(table["set"] == name) & (table["variant"] == variant)]
    # the mean over a data set's problems first: the spread is that over seeds
    values = own.groupby("seed")[measure].mean().dropna().to_numpy()
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


if __name__ == "__main__":
    main()
