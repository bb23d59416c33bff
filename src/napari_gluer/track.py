"""How core code reports progress and is cancelled, knowing nothing of who listens."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Wraps a loop as `tqdm` does: ``for step in track(range(n), "Joint factorisation"): ...``.

    A host cancels the work by raising `Cancelled` between two items.
    """

    def __call__(self, items: Iterable[T], desc: str, /) -> Iterable[T]:
        """Yield `items` unchanged."""


class Cancelled(Exception):  # noqa: N818 - a request, not an error
    """The host asked the work to stop; nothing was written."""


def silently(items: Iterable[T], _desc: str, /) -> Iterator[T]:
    """Report nothing."""
    return iter(items)


def stopper(track: Track) -> Callable[[], None]:
    """Asks `track` between two items whether to stop, raising `Cancelled`.

    Does nothing where a track cannot tell; those that can have a method ``stop_if_asked``.
    """
    found = getattr(track, "stop_if_asked", None)
    return found if callable(found) else lambda: None


class Timings(dict[str, float]):
    """Seconds by step."""

    def timed(self, step: str, work: Callable[[], T]) -> T:
        """The value of `work`; its seconds are added to those of `step`."""
        start = time.perf_counter()
        value = work()
        self[step] = round(self.get(step, 0.0) + time.perf_counter() - start, 3)
        return value
