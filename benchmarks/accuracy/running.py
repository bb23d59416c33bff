"""Runs, each in a process of its own, and what is kept of them.

``.cache/problems/PROBLEM/SEED`` holds the inputs and the truth, ``.cache/runs/PROBLEM/METHOD/SEED``
the outputs and ``result.json``. A result is current while the method's code, the problem, the seed
and the measures are those it was made with.
"""

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.accuracy.datasets import DATASETS
from benchmarks.accuracy.exchange import Inputs, Outputs
from benchmarks.accuracy.measures import scores
from benchmarks.accuracy.problems import Truth
from benchmarks.accuracy.registry import METHODS, ROOT

FOLDER = Path(__file__).parent
CACHE = FOLDER / ".cache"
LIMIT_S, LIMIT_BYTES = 600, 16_000_000_000
"""Processor seconds of all threads, and bytes; a busy computer may take longer by the clock."""

PATIENCE = 4  # times the limit, by the clock
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
TOO_LONG = "not run: time"
_MAKING = ("datasets.py", "problems.py", "exchange.py")


@dataclass(frozen=True)
class Result:
    """What one run gave: an error, or scores and costs."""

    method: str
    problem: str
    seed: int
    key: str
    scores_key: str = ""
    error: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: float = float("nan")
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One method on one problem with one seed."""

    method: str
    problem: str
    seed: int

    @property
    def folder(self) -> Path:
        """Where its outputs are kept."""
        return CACHE / "runs" / self.problem / self.method / str(self.seed)

    def key(self) -> str:
        """Digest of the method's code and the problem."""
        meta = problem_meta(self.problem, self.seed)
        return _digest(METHODS[self.method].version(), meta["digest"], str(self.seed))

    def is_outdated(self) -> bool:
        """Whether the kept result was made with other code or on another version of the problem."""
        kept, meta = (
            self.kept(),
            CACHE / "problems" / self.problem / str(self.seed) / "problem.json",
        )
        if kept is None or not meta.exists():
            return False
        digest = json.loads(meta.read_text(encoding="utf-8"))["digest"]
        return kept.key != _digest(METHODS[self.method].version(), digest, str(self.seed))

    def kept(self) -> Result | None:
        """The result that is kept, whether current or not."""
        path = self.folder / "result.json"
        return Result(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def done(self, *, retry: bool = False) -> Result:
        """The current result; runs and scores only what is missing.

        `retry` runs again what ended in an error.
        """
        kept, key, scores_key = self.kept(), self.key(), _code("measures.py")
        if kept and kept.key == key and not (retry and kept.error):
            if kept.error or kept.scores_key == scores_key:
                return kept
            return self._keep(self._scored(kept, scores_key))
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        error = self._run_process()
        result = Result(self.method, self.problem, self.seed, key, error=error)
        return self._keep(result if error else self._scored(result, scores_key))

    def give_up(self, error: str) -> Result:
        """Keep `error` as the result without running."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self._keep(Result(self.method, self.problem, self.seed, self.key(), error=error))

    def _run_process(self) -> str:
        """Run the method; the error in one line, or nothing."""
        inputs = problem_folder(self.problem, self.seed) / "inputs"
        try:
            words = METHODS[self.method].command(inputs, self.folder, self.seed)
        except FileNotFoundError as missing:
            return str(missing)
        log = self.folder / "log.txt"
        with log.open("w", encoding="utf-8") as told:
            process = subprocess.Popen(  # noqa: S603 - our own workers
                words,
                cwd=ROOT,
                env=os.environ | ONE_THREAD,
                stdout=told,
                stderr=told,
                start_new_session=True,
                preexec_fn=_limit,  # noqa: PLW1509 - this process has no other threads
            )
            try:
                status = process.wait(LIMIT_S * PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return TOO_LONG
        if status == -signal.SIGXCPU:
            return TOO_LONG
        return _last_line(log) if status else ""

    def _scored(self, result: Result, scores_key: str) -> Result:
        folder = problem_folder(self.problem, self.seed)
        usage = json.loads((self.folder / "usage.json").read_text(encoding="utf-8"))
        inputs, outputs = Inputs.read(folder / "inputs"), Outputs.read(self.folder)
        try:
            found = scores(inputs, Truth.read(folder / "truth"), outputs)
        except ValueError as error:
            return Result(self.method, self.problem, self.seed, result.key, error=str(error))
        return Result(
            self.method,
            self.problem,
            self.seed,
            result.key,
            scores_key=scores_key,
            scores=found,
            **usage,
        )

    def _keep(self, result: Result) -> Result:
        text = json.dumps(asdict(result), indent=1)
        (self.folder / "result.json").write_text(text, encoding="utf-8")
        return result


def problem_folder(problem: str, seed: int) -> Path:
    """The problem on the disk; made where it is missing or its code has changed."""
    folder = CACHE / "problems" / problem / str(seed)
    making = _code(*_MAKING)
    path = folder / "problem.json"
    stamp = folder / "made_by.txt"
    if path.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == making:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    DATASETS[problem].make(seed).write(folder)
    stamp.write_text(making, encoding="utf-8")
    return folder


def problem_meta(problem: str, seed: int) -> dict[str, Any]:
    """Digest and sizes of a problem."""
    path = problem_folder(problem, seed) / "problem.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 10))
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT_BYTES, LIMIT_BYTES))


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").split("\n")]
    told = [line for line in lines if line and line != "Execution halted"]
    return told[-1][:160] if told else "ended without a word"


def _code(*files: str) -> str:
    return _digest(*((FOLDER / file).read_text(encoding="utf-8") for file in files))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
