"""A process that reads files for us, and may die of it."""

import json
import resource
import select
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from good_files import FORMATS

from napari_gluer.errors import InputError

SECONDS, GIGABYTE = 5.0, 2**30
READ, REFUSED = "read", "refused"


def child() -> None:
    """Read the files named on the standard input, one a line; answer with one line each."""
    warnings.simplefilter("ignore")
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        name, place = json.loads(line)
        start = time.perf_counter()
        try:
            FORMATS[name][2](Path(place))
            outcome = READ
        except InputError:
            outcome = REFUSED
        except BaseException as error:  # noqa: BLE001 - to be counted and shown
            at = _where(error)
            outcome = f"{type(error).__name__} at {at}: {str(error)[:120]}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answer = {"outcome": outcome, "seconds": time.perf_counter() - start, "peak": peak}
        print(json.dumps(answer), file=answers, flush=True)


def _where(error: BaseException) -> str:
    trace, ours = error.__traceback__, "?"
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if "napari_gluer" in path.parts:
            ours = f"{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return ours


class Child:
    """A process that reads files, begun anew when it died, hung or grew."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._base = 0

    def read(self, name: str, place: Path) -> tuple[str, float]:
        """What came of reading, and the seconds it took."""
        start = time.perf_counter()
        answer = self._ask(name, place)
        seconds = time.perf_counter() - start
        if isinstance(answer, str):
            self.stop()
            return answer, seconds
        if answer["peak"] - self._base > GIGABYTE:
            self.stop()
            return "over 1 GB of memory", seconds
        return str(answer["outcome"]), float(answer["seconds"])

    def begin(self, goods: dict[str, Path]) -> None:
        """Start, and read the good files once, so that imports and compiling are not counted."""
        self._process = subprocess.Popen(  # noqa: S603 - this file
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for name, place in goods.items():
            answer = self._ask(name, place, 120)
            if isinstance(answer, str) or answer["outcome"] != READ:
                raise SystemExit(f"The good file of {name} gave: {answer}")
            self._base = max(self._base, int(answer["peak"]))

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def alive(self) -> bool:
        """Whether there is a process to ask."""
        return self._process is not None

    def _ask(self, name: str, place: Path, patience: float = SECONDS) -> dict[str, Any] | str:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            print(json.dumps([name, str(place)]), file=process.stdin, flush=True)
        except BrokenPipeError:
            return f"crash (status {process.wait()})"
        if not select.select([process.stdout], [], [], patience)[0]:
            return f"over {patience:.0f} s"
        line = process.stdout.readline()
        return json.loads(line) if line else f"crash (status {process.wait()})"


if __name__ == "__main__":
    child()
