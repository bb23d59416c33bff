"""How core code reports progress and is cancelled, knowing nothing of who listens."""

from collections.abc import Iterable, Iterator
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
