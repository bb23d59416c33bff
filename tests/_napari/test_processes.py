"""Work in a process of its own: results, progress, errors, and an end at any moment."""

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_gluer._napari import processes
from napari_gluer._napari.processes import in_process, warm
from napari_gluer.errors import InputError
from napari_gluer.track import Cancelled

_WORK = """
import ctypes, os, time
import numpy as np
from napari_gluer.errors import InputError

def squares(n, *, track):
    return [i * i for i in track(range(n), "Squares")], os.getpid()

def endless(items, *, track):
    return sum(1 for _ in track(iter(range(items)), "Who knows"))

def nested(*, track):
    return [(i, j) for i in track(range(2), "Outer") for j in track(range(3), "Inner")]

def broken_off(*, track):
    for i in track(range(9), "Broken off"):
        if i == 3:
            return i

def doubled(arrays, *, track):
    return {name: 2 * one for name, one in arrays.items()}

def holds_the_lock(seconds, *, track):
    for _ in track(["one"], "Holding"):
        ctypes.PyDLL(None).usleep(int(seconds * 1e6))
    return "held"

def noisy(*, track):
    print("nothing that belongs to an answer", flush=True)
    os.write(1, b"nor this")
    return "heard"

def listed(things, *, track):
    return len(things), os.getpid()

def refused(_thing=None, *, track):
    raise InputError("No genes.")

def failed(*, track):
    class Odd(Exception):
        def __init__(self, one, two):
            super().__init__(f"{one} and {two}")
    raise Odd(1, 2)

def died(*, track):
    os._exit(7)

def unsendable(*, track):
    return lambda: None
"""


class Told:
    """A `Track` that keeps what it is told, and cancels once somebody asks."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.ended: list[str] = []
        self.asked = False

    def __call__(self, items: Iterable[Any], desc: str, /) -> Iterator[Any]:
        for i, item in enumerate(items):
            self.seen.append((desc, i))
            yield item
        self.ended.append(desc)

    def stop_if_asked(self) -> None:
        if self.asked:
            raise Cancelled


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Functions in a module that the process can import; its processes end with the tests."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "work_elsewhere.py").write_text(_WORK)
    processes.end()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setattr(processes, "_HEAVY", ())
        import work_elsewhere  # type: ignore[import-not-found] # noqa: PLC0415

        yield work_elsewhere
    processes.end()


def test_values_come_back_from_one_warm_process(work: Any) -> None:
    found, first = in_process(work.squares, 4)
    assert found == [0, 1, 4, 9]
    assert first != os.getpid()
    assert in_process(work.squares, 0) == ([], first)


def test_arrays_of_all_kinds_arrive_whole(work: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "large": rng.normal(size=(300, 1000)),
        "fortran": np.asfortranarray(rng.normal(size=(5, 7))),
        "strided": np.arange(40)[::3],
        "empty": np.zeros((0, 4), np.float32),
        "text": np.array(["a", "b"], object),
    }
    found = in_process(work.doubled, arrays)
    assert list(found) == list(arrays)
    for name, one in arrays.items():
        np.testing.assert_array_equal(found[name], 2 * one)
        assert found[name].dtype == one.dtype
    found["large"][0, 0] = 1  # the person's own, not a read-only view


def test_loops_are_told_as_if_they_ran_here(work: Any) -> None:
    told = Told()
    in_process(work.squares, 5, track=told)
    assert [desc for desc, _ in told.seen] == ["Squares"] * 5
    assert told.ended == ["Squares"]


def test_loops_within_loops_of_unknown_length_and_broken_off(work: Any) -> None:
    told = Told()
    assert len(in_process(work.nested, track=told)) == 6
    assert told.ended == ["Inner", "Inner", "Outer"]
    assert in_process(work.endless, 7, track=told) == 7
    assert told.seen[-1] == ("Who knows", 0)
    assert in_process(work.broken_off, track=told) == 3
    assert "Broken off" not in told.ended


def test_what_is_printed_is_no_answer(work: Any) -> None:
    assert in_process(work.noisy) == "heard"


def test_an_error_of_the_input_stays_one_and_says_where(work: Any) -> None:
    with pytest.raises(InputError, match="No genes") as caught:
        in_process(work.refused)
    assert "work_elsewhere.py" in caught.value.__notes__[0]


def test_an_error_that_cannot_be_sent_is_told_in_words(work: Any) -> None:
    with pytest.raises(RuntimeError, match="Odd: 1 and 2"):
        in_process(work.failed)
    with pytest.raises((AttributeError, RuntimeError, TypeError), match="lambda"):
        in_process(work.unsendable)
    assert in_process(work.noisy) == "heard"


def test_what_cannot_be_sent_there_is_computed_here(work: Any) -> None:
    assert in_process(work.listed, [lambda: 7]) == (1, os.getpid())
    with pytest.raises(InputError, match="No genes"):
        in_process(work.refused, lambda: 7)
    assert in_process(work.noisy) == "heard"


def test_without_processes_it_is_computed_here(work: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    processes.end()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    warm()
    assert in_process(work.listed, []) == (0, os.getpid())


def test_a_process_killed_while_it_waits_is_replaced(work: Any) -> None:
    in_process(work.noisy)
    processes._IDLE[0]._child.kill()
    processes._IDLE[0]._child.wait()
    assert in_process(work.noisy) == "heard"
    processes._IDLE[0]._child.kill()
    processes._IDLE[0]._child.wait()
    warm()
    assert [one.alive for one in processes._IDLE] == [True]


def test_a_process_that_dies_is_said_plainly_and_replaced(work: Any) -> None:
    with pytest.raises(InputError, match=r"exit status 7.*memory"):
        in_process(work.died)
    assert in_process(work.noisy) == "heard"


def test_cancel_ends_a_call_that_holds_the_lock(work: Any) -> None:
    told, raised = Told(), []

    def wait() -> None:
        try:
            in_process(work.holds_the_lock, 60, track=told)
        except Cancelled as cancelled:
            raised.append((cancelled, time.monotonic()))

    thread = threading.Thread(target=wait)
    thread.start()
    while not told.seen:
        time.sleep(0.01)
    time.sleep(0.2)
    asked = time.monotonic()
    told.asked = True
    thread.join(5)
    assert raised[0][1] - asked < 0.5
    assert in_process(work.noisy) == "heard"


def test_two_calls_at_a_time_run_beside_each_other(work: Any) -> None:
    in_process(work.noisy)  # warm
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(in_process(work.squares, 3))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one[0] for one in found] == [[0, 1, 4]] * 2


def test_warming_does_not_wait(work: Any) -> None:
    processes.end()
    start = time.monotonic()
    warm()
    warm()
    assert time.monotonic() - start < 0.2
    assert len(processes._IDLE) == 1
    assert in_process(work.noisy) == "heard"


def test_a_script_without_main_guard_is_not_run_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import operator
        from napari_gluer._napari import processes
        processes._HEAVY = ()
        print("begun")
        from napari_gluer.sample import sample_tissue
        def never(): raise AssertionError
        from napari_gluer._napari.processes import in_process
        import napari_gluer._napari.serving as serving
        try:
            in_process(serving._size)
        except TypeError as error:
            print("asked", error.__notes__ != [])
        """)
    )
    done = subprocess.run(  # noqa: S603 - a script of this test
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["begun", "asked", "True"]


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_the_process_ends_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent("""
        import time
        from napari_gluer._napari import processes
        processes._HEAVY = ()
        processes.warm()
        print(processes._IDLE[0]._child.pid, flush=True)
        time.sleep(60)
        """)
    )
    with subprocess.Popen(  # noqa: S603 - a script of this test
        [sys.executable, str(script)], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    end = time.monotonic() + 20
    while Path(f"/proc/{child}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


def test_a_call_that_comes_while_modules_are_imported(
    work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imports of the call and of what is loaded beforehand must not meet half-way."""
    processes.end()
    monkeypatch.setattr(processes, "_HEAVY", ("sklearn.neighbors", "pandas"))
    import sklearn.utils.extmath as late  # noqa: PLC0415

    assert in_process(work.listed, [late.softmax])[0] == 1
