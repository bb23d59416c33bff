"""Run core functions in a process of their own, which can be ended at any moment.

UMAP, Leiden and whole-matrix products hold Python's lock for seconds: in a thread they would stop
the window, and could not be stopped. The process is a fresh Python (never a fork, which breaks Qt
and torch) that does not run the person's script again.
"""

import atexit
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from io import BufferedReader
from itertools import repeat
from typing import IO, Any, TypeVar, cast

from napari_gluer._napari.serving import (
    BEGUN,
    ENDED,
    RAISED,
    RETURNED,
    STEPPED,
    NotSendableError,
    receive,
    send,
    unpacked,
)
from napari_gluer.errors import InputError
from napari_gluer.track import Track, silently, stopper

T = TypeVar("T")

_HEAVY = (
    "napari_gluer._napari.cells.work",
    "napari_gluer.integration.gluer",
    "napari_gluer.analysis.clustering",
    "napari_gluer.analysis.coembedding",
)
_ASKED_EVERY = 0.05  # seconds between two looks whether the person cancelled
_ENDS_IN = 5.0  # seconds


def in_process(function: Callable[..., T], *args: Any, track: Track = silently, **kwargs: Any) -> T:
    """The value of ``function(*args, track=…, **kwargs)``, computed in another process.

    Call it in a job's thread: it waits. The process stays warm for the next call.

    Parameters
    ----------
    function
        Found by name in a module that imports neither napari nor Qt; takes ``track``.
    args, kwargs
        Sent to the process: tables and arrays. With something that cannot be sent, such as an
        array that belongs to an open file, it is computed here.
    track
        Is told of the function's loops. When it raises `Cancelled`, or the job was cancelled, the
        process is ended at once.

    Raises
    ------
    Cancelled
        If the person cancelled.
    InputError
        If the process died, for want of memory for instance.
    Exception
        What the function raised, with the process's traceback as a note.
    """
    try:
        process = _called(function, args, kwargs)
    except (NotSendableError, ChildProcessError):
        return function(*args, track=track, **kwargs)
    try:
        kind, answer = process.wait(track)
    except BaseException:
        process.end()
        warm()
        raise
    _put_back(process)
    if kind == RAISED:
        error, where = answer
        error.add_note(f"In the process that computed it:\n{where}")
        raise error
    result: T = answer
    return result


def warm() -> None:
    """Start a process that will be ready for the next call, where none is; returns at once."""
    with _LOCK:
        dead = [one for one in _IDLE if not one.alive]
        _IDLE[:] = [one for one in _IDLE if one.alive]
        if not _IDLE:
            with suppress(ChildProcessError):
                _IDLE.append(_Process())
    for process in dead:
        process.end()


def end() -> None:
    """End the processes that wait for a call."""
    with _LOCK:
        waiting, _IDLE[:] = list(_IDLE), []
    for process in waiting:
        process.end()


class _Process:
    """One child, and what it answered."""

    def __init__(self) -> None:
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from napari_gluer._napari.serving import serve; serve({_HEAVY!r})"
        )
        try:
            self._child = subprocess.Popen(  # noqa: S603 - this Python, on code of this file
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={
                    "OMP_WAIT_POLICY": "passive",
                    **os.environ,
                },  # spinning threads take the window's
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # no console
            )
        except OSError as error:
            raise ChildProcessError(f"No process can be started: {error}") from error
        self._calls = cast("IO[bytes]", self._child.stdin)
        self._said = cast("BufferedReader", self._child.stdout)
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        try:
            send(self._calls, (function, args, kwargs))
        except OSError:
            raise self._died() from None

    def wait(self, track: Track) -> tuple[str, Any]:
        """Whether the function returned or raised, and what; progress goes to `track`."""
        stop_if_asked = stopper(track)
        loops = _Loops(track)
        while True:
            stop_if_asked()
            try:
                answer = self._answers.get(timeout=_ASKED_EVERY)
            except queue.Empty:
                continue
            if answer is None:
                raise self._died()
            kind, *rest = unpacked(answer)
            if kind in (RETURNED, RAISED):
                return kind, rest[0] if kind == RETURNED else rest
            loops.tell(kind, *rest)

    def end(self) -> None:
        """End the child, whatever it does."""
        self._child.kill()
        self._child.wait(_ENDS_IN)
        with suppress(OSError):  # what was not sent yet has no reader any more
            self._calls.close()
        self._said.close()

    def _listen(self) -> None:
        while True:
            try:
                self._answers.put(receive(self._said))
            except (EOFError, OSError, ValueError):  # ended, or closed from this side
                self._answers.put(None)
                return

    def _died(self) -> InputError:
        code = self._child.wait(_ENDS_IN)
        return InputError(
            f"The process that computed this ended unexpectedly (exit status {code}), most often "
            "because memory ran out. Nothing was changed. Close other programs or use fewer cells, "
            "and try again."
        )


class _Loops:
    """Goes through loops of the child again, as `track` would see them here."""

    def __init__(self, track: Track) -> None:
        self._track = track
        self._open: dict[int, tuple[Iterator[Any], int, bool]] = {}

    def tell(self, kind: str, loop: int, *rest: Any) -> None:
        if kind == BEGUN:
            desc, total = rest
            items: Any = repeat(None) if total is None else range(total)
            self._open[loop] = (iter(self._track(items, desc)), 0, total is not None)
            self._advance(loop, 0)
        elif kind == STEPPED:
            self._advance(loop, rest[0])
        elif kind == ENDED:
            told, _, finite = self._open.pop(loop)
            if rest[0] and finite:
                deque(told, maxlen=0)
            elif isinstance(told, Generator):
                told.close()

    def _advance(self, loop: int, done: int) -> None:
        told, number, finite = self._open[loop]
        for _ in range(number, done + 1):
            next(told, None)
        self._open[loop] = (told, max(number, done + 1), finite)


_LOCK = threading.Lock()
_IDLE: list[_Process] = []


def _called(function: Callable[..., Any], args: Any, kwargs: Any) -> _Process:
    """A process that computes it now."""
    process = _taken()
    try:
        process.call(function, args, kwargs)
    except NotSendableError:
        _put_back(process)
        raise
    except BaseException:
        process.end()
        raise
    return process


def _taken() -> _Process:
    dead = []
    with _LOCK:
        process = None
        while _IDLE and process is None:
            one = _IDLE.pop()
            if one.alive:
                process = one
            else:
                dead.append(one)
    for one in dead:
        one.end()
    return process or _Process()


def _put_back(process: _Process) -> None:
    with _LOCK:
        if not _IDLE:
            _IDLE.append(process)
            return
    process.end()


atexit.register(end)
