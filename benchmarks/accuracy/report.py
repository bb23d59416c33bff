"""The tables of ``docs/accuracy.md``, from the results that are kept."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.accuracy import measures
from benchmarks.accuracy.datasets import DATASETS
from benchmarks.accuracy.registry import METHODS, ROOT
from benchmarks.accuracy.running import CACHE, Result, Run

PAGE = ROOT / "docs" / "accuracy.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
OURS, PUBLISHED = "default", "paper"
_NOTHING = "–"

Read = Callable[[Result], float | None]


@dataclass(frozen=True)
class Measure:
    """One table: a score, and the problems whose truth allows it."""

    name: str
    title: str
    problems: tuple[str, ...]
    digits: int = 3


IMPUTATION = (
    "snareseq_hidden",
    "citeseq_hidden",
    "sample",
    "seqfish_genes",
    "citeseq_genes",
    "snareseq_genes",
)
PAIRED = ("snareseq", "snareseq_all", "citeseq")
TYPED = (*PAIRED, "seqfish", "sample", "snareseq_hidden", "citeseq_hidden")
JUDGED = tuple(name for name, dataset in DATASETS.items() if not dataset.timing_only)

MEASURES = (
    Measure(measures.ACCURACY, "Integration accuracy", PAIRED),
    Measure(measures.VOTED, "Right types, by the vote of the 15 nearest reference cells", TYPED),
    Measure(measures.OWN_TYPES, "Right types, by each method's own transfer", TYPED),
    Measure(measures.MIXED, "Mixed neighbours (1 is as mixed as chance)", JUDGED, digits=2),
    Measure(
        measures.MANY_NEIGHBOURS,
        "Rank correlation of unseen genes, mean of the 60 nearest reference cells",
        IMPUTATION,
    ),
    Measure(
        measures.FEW_NEIGHBOURS,
        "Rank correlation of unseen genes, mean of the 20 nearest reference cells",
        IMPUTATION,
    ),
    Measure(
        measures.OWN_IMPUTED,
        "Rank correlation of unseen genes, each method's own values",
        IMPUTATION,
    ),
)


@dataclass(frozen=True)
class Headline:
    """What `default` is judged by: for each method the best of several readouts."""

    title: str
    names: tuple[str, ...]
    problems: tuple[str, ...]


HEADLINES = (
    Headline("integration accuracy", (measures.ACCURACY,), PAIRED),
    Headline("types, vote of 15", (measures.VOTED,), TYPED),
    Headline("types, best readout", (measures.VOTED, measures.OWN_TYPES), TYPED),
    Headline(
        "unseen genes, best readout",
        (measures.FEW_NEIGHBOURS, measures.MANY_NEIGHBOURS, measures.OWN_IMPUTED),
        IMPUTATION,
    ),
)


class Kept:
    """Results of all methods; what has not run is missing."""

    def __init__(self) -> None:
        found = {
            (method, problem): [Run(method, problem, seed).kept() for seed in dataset.seeds]
            for method in METHODS
            for problem, dataset in DATASETS.items()
        }
        self._results = {
            key: [result for result in results if result] for key, results in found.items()
        }

    def __call__(self, method: str, problem: str) -> list[Result]:
        """Results of one method on one problem, by seed."""
        return self._results[method, problem]

    def values(self, method: str, problem: str, name: str) -> list[float]:
        """One score over the seeds; empty where any seed lacks it."""
        results = self(method, problem)
        found = [result.scores[name] for result in results if name in result.scores]
        return found if found and len(found) == len(results) else []

    def error(self, method: str, problem: str) -> str:
        """The first error of a method on a problem, or nothing."""
        return next((result.error for result in self(method, problem) if result.error), "")

    def best(self, method: str, problem: str, names: Sequence[str]) -> list[float]:
        """Scores over the seeds of that readout whose mean is largest."""
        readouts = [self.values(method, problem, name) for name in names]
        return max(readouts, key=lambda values: np.mean(values) if values else -np.inf)


def write_tables() -> None:
    """Put the tables between the markers of the page; the rest stays as it is."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(Kept())}\n{END}{after}", encoding="utf-8")


def tables(kept: Kept) -> str:
    """All tables in Markdown."""
    parts = [_sizes(), _margins(kept)]
    parts += [_table(kept, measure) for measure in MEASURES]
    parts += [_costs(kept), _outdated()]
    return "\n".join(parts)


def _outdated() -> str:
    """Which numbers were not made by the code as it is."""
    found = [
        f"{METHODS[method].title} on {dataset.title}"
        for method in METHODS
        for problem, dataset in DATASETS.items()
        if any(Run(method, problem, seed).is_outdated() for seed in dataset.seeds)
    ]
    return f"Not run again since the code changed: {'; '.join(found)}.\n" if found else ""


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Mean ± standard deviation of the sample."""
    mean = f"{np.mean(values):.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {np.std(values, ddof=1):.{digits}f}"


def _table(kept: Kept, measure: Measure) -> str:
    problems = [name for name in measure.problems if any(kept(method, name) for method in METHODS)]
    best = {
        problem: max(
            (np.mean(values) for m in METHODS if (values := kept.values(m, problem, measure.name))),
            default=np.inf,
        )
        for problem in problems
    }
    rows = []
    for method in METHODS:
        cells = []
        for problem in problems:
            values = kept.values(method, problem, measure.name)
            text = spread(values, measure.digits) if values else _absence(kept, method, problem)
            first = bool(values) and np.mean(values) >= best[problem] - 1e-9
            cells.append(f"**{text}**" if first and measure.name != measures.MIXED else text)
        if any(cell != _NOTHING for cell in cells):
            rows.append([METHODS[method].title, *cells])
    heads = ["method", *(DATASETS[problem].title for problem in problems)]
    return f"### {measure.title}\n\n{_markdown(heads, rows)}"


def _absence(kept: Kept, method: str, problem: str) -> str:
    return kept.error(method, problem).replace("|", "/") or _NOTHING


def _margins(kept: Kept) -> str:
    """`default` minus the best of the others, seed by seed on the same problem."""
    others = [name for name in METHODS if name not in (OURS, PUBLISHED)]
    rows = []
    for headline in HEADLINES:
        for problem in headline.problems:
            ours = kept.best(OURS, problem, headline.names)
            theirs = {name: kept.best(name, problem, headline.names) for name in others}
            theirs = {name: values for name, values in theirs.items() if len(values) == len(ours)}
            if not ours or not theirs:
                continue
            rival = max(theirs, key=lambda name: float(np.mean(theirs[name])))
            margin = np.subtract(ours, theirs[rival])
            rows.append(
                [
                    headline.title,
                    DATASETS[problem].title,
                    spread(ours),
                    f"{METHODS[rival].title} {spread(theirs[rival])}",
                    f"{margin.mean():+.3f} ± {margin.std(ddof=1) if len(margin) > 1 else 0:.3f}",
                    verdict(ours, theirs[rival]),
                ]
            )
    heads = ["measure", "data", "`default`", "best other", "difference by seed", "verdict"]
    return f"### `default` against the best of the others\n\n{_markdown(heads, rows)}"


def verdict(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """First, or behind, by more than the spread of the best other; else level."""
    gain = float(np.mean(ours) - np.mean(theirs))
    width = float(np.std(theirs, ddof=1)) if len(theirs) > 1 else 0.0
    if abs(gain) <= width:
        return "level"
    return "**first**" if gain > 0 else "behind"


def _costs(kept: Kept) -> str:
    """Processor seconds of the integration on one thread, and peak memory of the process."""
    parts = []
    measured: tuple[tuple[str, Read], ...] = (
        ("Processor seconds of the integration, one thread", _seconds),
        ("Peak memory of the whole process, MB", lambda result: result.peak_mb),
    )
    for title, read in measured:
        problems = [name for name in DATASETS if any(kept(method, name) for method in METHODS)]
        rows = [
            [METHODS[method].title, *(_cost(kept, method, problem, read) for problem in problems)]
            for method in METHODS
        ]
        rows = [row for row in rows if any(cell != _NOTHING for cell in row[1:])]
        heads = ["method", *(DATASETS[problem].title for problem in problems)]
        parts.append(f"### {title}\n\n{_markdown(heads, rows)}")
    return "\n".join(parts)


def _seconds(result: Result) -> float | None:
    return result.cpu_seconds.get("integration")


def _cost(kept: Kept, method: str, problem: str, read: Read) -> str:
    values = [read(result) for result in kept(method, problem) if not result.error]
    found = [value for value in values if value is not None and np.isfinite(value)]
    if not found:
        return "error" if kept.error(method, problem) else _NOTHING
    return f"{np.mean(found):.3g}" if np.mean(found) < 100 else f"{np.mean(found):,.0f}"


def _sizes() -> str:
    """How large each problem is."""
    rows = []
    for name, dataset in DATASETS.items():
        folder = CACHE / "problems" / name
        sizes = [_sizes_of(path) for path in sorted(folder.glob("*/problem.json"))]
        if sizes:
            rows.append([dataset.title, *(f"{value:,}" for value in sizes[0].values())])
    heads = ["data", "reference cells", "cells", "linked features", "unseen genes judged", "types"]
    return f"### Sizes\n\n{_markdown(heads, rows)}"


def _sizes_of(path: Path) -> dict[str, int]:
    return dict(json.loads(path.read_text(encoding="utf-8"))["sizes"])


def _markdown(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
