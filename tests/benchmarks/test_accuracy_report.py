"""The tables of the accuracy benchmark, from results made by hand."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy import figure, report, running
from benchmarks.accuracy.report import Kept, spread, tables, verdict, write_tables
from benchmarks.accuracy.running import TOO_LONG, Result, Run

SCORES = {
    "default": [(0.80, 0.90), (0.82, 0.92), (0.84, 0.94)],
    "harmony": [(0.70, 0.95), (0.71, 0.95), (0.75, 0.92)],
    "cosine": [(0.60, 0.50), (0.60, 0.50), (0.60, 0.50)],
}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setattr(running, "CACHE", tmp_path)
    monkeypatch.setattr(report, "CACHE", tmp_path)
    for method, values in SCORES.items():
        for seed, (accuracy, types) in enumerate(values):
            found = {"accuracy": accuracy, "voted_types": types, "own_types": types / 2}
            keep(Result(method, "citeseq", seed, "key", scores=found, peak_mb=123.4))
    keep(Result("seurat", "citeseq", 0, "key", error="ValueError: a|b"))
    keep(Result("seurat", "citeseq", 1, "key", scores={"accuracy": 0.99}))
    keep(Result("liger", "citeseq", 0, "key", error=TOO_LONG))
    return Kept()


def keep(result: Result) -> None:
    run = Run(result.method, result.problem, result.seed)
    run.folder.mkdir(parents=True)
    run._keep(result)


def test_spread_is_mean_and_standard_deviation_of_the_sample() -> None:
    assert spread([0.70, 0.71, 0.75]) == "0.720 ± 0.026"
    assert spread([0.5], digits=2) == "0.50"


def test_verdict_is_by_the_spread_of_the_other() -> None:
    theirs = [0.70, 0.71, 0.75]  # sd 0.026
    assert verdict([0.74, 0.74, 0.74], theirs) == "level"
    assert verdict([0.75, 0.75, 0.75], theirs) == "**first**"
    assert verdict([0.69, 0.69, 0.69], theirs) == "behind"


def test_best_takes_one_readout_for_all_seeds(kept: Kept) -> None:
    assert kept.best("default", "citeseq", ("own_types", "voted_types")) == [0.90, 0.92, 0.94]
    assert kept.best("tangram", "citeseq", ("own_types",)) == []


def test_the_margin_is_paired_by_seed_with_the_best_other(kept: Kept) -> None:
    lines = tables(kept).splitlines()
    accuracy = next(line for line in lines if line.startswith("| integration accuracy |"))
    margin = np.subtract([0.80, 0.82, 0.84], [0.70, 0.71, 0.75])
    assert f"Harmony {spread([0.70, 0.71, 0.75])}" in accuracy
    assert f"{margin.mean():+.3f} ± {margin.std(ddof=1):.3f}" in accuracy
    assert accuracy.endswith("| **first** |")
    types = next(line for line in lines if line.startswith("| types, vote of 15 |"))
    assert types.endswith("| behind |")


def test_errors_stand_in_the_tables_and_the_best_is_bold(kept: Kept) -> None:
    text = tables(kept)
    one = text.split("### Integration accuracy")[1].split("###")[0]
    assert "| **`default`** | **0.820 ± 0.020** |" in one
    assert "| Seurat CCA anchors | ValueError: a/b |" in one  # one seed of two is no result
    assert f"| LIGER | {TOO_LONG} |" in one
    assert "0.990" not in one
    assert "| Harmony | 123 |" in text.split("### Peak memory")[1]


def test_only_what_is_between_the_markers_is_written(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "accuracy.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(report, "PAGE", page)
    for _ in range(2):
        write_tables()
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.count("### Integration accuracy") == 1


def test_the_figure_is_the_same_every_time(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = []
    for name in ("one.svg", "two.svg"):
        monkeypatch.setattr(figure, "PICTURE", tmp_path / name)
        figure.write_figure()
        pictures.append((tmp_path / name).read_bytes())
    assert pictures[0] == pictures[1]
    assert b"<svg" in pictures[0]
    assert set(figure.STYLES) == set(running.METHODS)
    assert len({marker for _, marker in figure.STYLES.values()}) == len(figure.STYLES)


def test_results_of_other_code_are_named(kept: Kept, tmp_path: Path) -> None:
    assert "Not run again" not in tables(kept)
    problem = tmp_path / "problems" / "citeseq" / "0"
    problem.mkdir(parents=True)
    (problem / "problem.json").write_text('{"digest": "other", "sizes": {"cells": 1}}')
    last = tables(kept).splitlines()[-1]
    assert last.startswith("Not run again since the code changed: **`default`** on CITE-seq")
    assert "Tangram" not in last
