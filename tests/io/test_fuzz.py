"""A short run of the fuzzer; the long one is ``python benchmarks/fuzz/run.py``."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FUZZ = Path(__file__).resolve().parents[2] / "benchmarks" / "fuzz"


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FUZZ / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mutated_files_of_every_format_are_read_or_refused(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, FUZZ / "run.py", "--files", "130", "--seed", "11", "--keep", tmp_path],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.count("|") == 7][2:]
    counts = [[int(cell) for cell in row.split("|")[2:6]] for row in rows]
    assert len(counts) == 13
    assert all(files == 10 == read + refused for files, read, refused, _ in counts)
    assert sum(refused for _, _, refused, _ in counts) > 65


def test_the_fuzzer_finds_a_reader_that_fails(tmp_path: Path) -> None:
    """A check that cannot fail proves nothing: a reader is broken, and the run must say so."""
    broken = (
        "import sys; sys.argv = ['run.py', '--files', '5', '--only', 'GeoJSON', "
        f"'--keep', {str(tmp_path)!r}]; sys.path.insert(0, {str(FUZZ)!r}); import children, run; "
        "children.Child.begin = lambda self, goods: setattr(self, '_process', "
        "children.subprocess.Popen([sys.executable, '-c', "
        "'import sys; sys.stdin.readline(); sys.exit(3)'], stdin=-1, stdout=-1, text=True)); "
        "run.main()"
    )
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", broken], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "5 mutated files, seed 0: 5 failures" in done.stdout
    assert "crash (status 3)" in done.stderr
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("seed", range(50))
def test_a_mutation_changes_the_file_and_repeats_with_its_seed(seed: int) -> None:
    mutated = _module("mutations").mutated
    good = bytes(range(256)) * 4
    once, again = (mutated(good, np.random.default_rng(seed)) for _ in range(2))
    assert once == again
    assert len(once) <= len(good) + 6 * 64


def test_mutations_mostly_differ_from_the_file() -> None:
    mutated = _module("mutations").mutated
    good = bytes(range(256)) * 4
    changed = [mutated(good, np.random.default_rng(seed)) != good for seed in range(200)]
    assert sum(changed) > 180
