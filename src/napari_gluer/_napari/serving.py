"""The child's side of `processes`: takes calls from its input, answers on its output.

Imports neither napari nor Qt, so that a process is ready soon and opens no window.
"""

import importlib
import itertools
import os
import pickle
import queue
import signal
import struct
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import suppress
from io import BufferedReader
from typing import IO, Any, TypeVar, cast

T = TypeVar("T")

BEGUN, STEPPED, ENDED = "begun", "stepped", "ended"
RETURNED, RAISED = "returned", "raised"

_SIZE = struct.Struct("<Q")
_TOLD_EVERY = 0.05  # seconds


class NotSendableError(TypeError):
    """Something that cannot leave its process; nothing was written."""


def send(pipe: IO[bytes], thing: Any) -> None:
    """Write a thing; arrays go beside the rest, uncopied and without the interpreter's lock."""
    beside: list[pickle.PickleBuffer] = []
    try:
        body = pickle.dumps(thing, protocol=5, buffer_callback=beside.append)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise NotSendableError(str(error)) from error
    parts: list[bytes | memoryview] = [body, *(one.raw() for one in beside)]
    pipe.write(_SIZE.pack(len(parts)) + b"".join(_SIZE.pack(len(part)) for part in parts))
    for part in parts:
        pipe.write(part)
    pipe.flush()


def receive(pipe: BufferedReader) -> list[bytearray]:
    """Read what `send` wrote, for `unpacked`; an `EOFError` where the other side has ended."""
    number = _size(pipe)
    sizes = [_size(pipe) for _ in range(number)]
    return [_exactly(pipe, size) for size in sizes]


def unpacked(parts: list[bytearray]) -> Any:
    """What was sent. It may import modules, so two threads must not do it while others import."""
    body, *beside = parts
    return pickle.loads(body, buffers=beside)  # noqa: S301 - written by this program


def _size(pipe: BufferedReader) -> int:
    return int(_SIZE.unpack(_exactly(pipe, _SIZE.size))[0])


def _exactly(pipe: BufferedReader, size: int) -> bytearray:
    whole = bytearray(size)
    rest = memoryview(whole)
    while rest:
        n = pipe.readinto(rest)
        if not n:
            raise EOFError
        rest = rest[n:]
    return whole


class _Told:
    """The `Track` of the child: says what each loop does, to be told again by the parent's."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers
        self._loops = itertools.count()

    def __call__(self, items: Iterable[T], desc: str, /) -> Iterator[T]:
        loop = next(self._loops)
        total = len(items) if isinstance(items, Sized) else None
        send(self._answers, (BEGUN, loop, desc, total))
        last, whole = time.monotonic(), False
        try:
            for done, item in enumerate(items):
                if time.monotonic() - last > _TOLD_EVERY:
                    last = time.monotonic()
                    send(self._answers, (STEPPED, loop, done))
                yield item
            whole = True
        finally:
            send(self._answers, (ENDED, loop, whole))


def serve(preload: Sequence[str]) -> None:
    """Answer calls until the parent is gone.

    Parameters
    ----------
    preload
        Modules to import as long as nothing is called, so that the first call does not wait.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the parent
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is no answer
    calls: queue.SimpleQueue[list[bytearray]] = queue.SimpleQueue()
    threading.Thread(
        target=_listen, args=(cast("BufferedReader", sys.stdin.buffer), calls), daemon=True
    ).start()
    for name in preload:
        if calls.empty():  # else the call imports what it needs
            with suppress(ImportError):  # the call that needs it will say so
                importlib.import_module(name)
    while True:
        _answer(answers, calls.get())


def _listen(pipe: BufferedReader, calls: "queue.SimpleQueue[list[bytearray]]") -> None:
    while True:
        try:
            calls.put(receive(pipe))
        except EOFError:
            os._exit(0)  # the parent is gone, killed perhaps: nobody waits for the answer


def _answer(answers: IO[bytes], call: list[bytearray]) -> None:
    try:
        function, args, kwargs = unpacked(call)
        send(answers, (RETURNED, function(*args, track=_Told(answers), **kwargs)))
    except Exception as error:  # noqa: BLE001 - every error is the parent's
        send(answers, (RAISED, *_portable(error)))


def _portable(error: Exception) -> tuple[Exception, str]:
    """The error, or one of its words where it cannot be sent; and where it was raised."""
    where = traceback.format_exc()
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - written in this line
    except Exception:  # noqa: BLE001 - whatever an error's own methods raise
        return RuntimeError(f"{type(error).__name__}: {error}"), where
    return error, where
