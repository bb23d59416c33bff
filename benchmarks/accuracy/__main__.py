"""All methods on the same inputs, judged by the same measures: ``python -m benchmarks.accuracy``.

Runs what is missing, one process at a time, and writes the tables into ``docs/accuracy.md`` and the
figure ``docs/images/accuracy.svg``. ``./environment`` installs the peers.

    python -m benchmarks.accuracy --only default --problems citeseq seqfish
    python -m benchmarks.accuracy --report            # no runs, only tables and figure
"""

import argparse
import time

from benchmarks.accuracy.datasets import DATASETS
from benchmarks.accuracy.figure import write_figure
from benchmarks.accuracy.registry import METHODS
from benchmarks.accuracy.report import write_tables
from benchmarks.accuracy.running import TOO_LONG, Run


def main() -> None:
    """Run, then report everything that is kept."""
    given = _arguments()
    if not given.report:
        runs = [
            Run(method, problem, seed)
            for problem in given.problems
            for method in given.only
            if METHODS[method].applies(problem)
            for seed in given.seeds or DATASETS[problem].seeds
        ]
        for number, run in enumerate(runs, start=1):
            _one(run, f"{number}/{len(runs)}", retry=given.retry)
    write_tables()
    write_figure()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--problems", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--seeds", nargs="+", type=int, help="else those of each data set")
    parser.add_argument("--retry", action="store_true", help="run again what ended in an error")
    parser.add_argument("--report", action="store_true", help="only write tables and figure")
    return parser.parse_args()


def _one(run: Run, place: str, *, retry: bool) -> None:
    """Run and say what came of it; what took too long with one seed is not tried with more."""
    start = time.perf_counter()
    before = Run(run.method, run.problem, run.seed - 1).kept() if run.seed else None
    if before and before.error == TOO_LONG and not retry:
        result = run.give_up(TOO_LONG)
    else:
        result = run.done(retry=retry)
    told = result.error or ", ".join(f"{name} {value:.3f}" for name, value in result.scores.items())
    seconds = time.perf_counter() - start
    print(
        f"{place} {run.problem} · {run.method} · seed {run.seed} ({seconds:.0f} s): {told}",
        flush=True,
    )


if __name__ == "__main__":
    main()
