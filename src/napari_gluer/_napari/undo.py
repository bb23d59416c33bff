"""Steps that can be taken back: selections, names, colours, deletions."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

from psygnal import Signal

_MOST = 100  # steps remembered
_CLOCK = itertools.count(1)  # in which order things were done, over all layers


@dataclass(frozen=True)
class Change:
    """Something done, and how to take it back.

    Attributes
    ----------
    text
        What was done, in the words of a menu: ``rename “T cells”``.
    at
        The greater, the later it was done, or taken back.
    """

    text: str
    act: Callable[[], None]
    revert: Callable[[], None]
    at: int = 0


class Undo:
    """What was done to the things of one labels layer, in order.

    Parameters
    ----------
    most
        Steps that are remembered.

    Attributes
    ----------
    changed
        Emitted after everything done, taken back or done again.
    """

    changed = Signal()

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._done: list[Change] = []
        self._undone: list[Change] = []

    @property
    def undo_text(self) -> str:
        """What `undo` would take back; "" where there is nothing."""
        return self._done[-1].text if self._done else ""

    @property
    def redo_text(self) -> str:
        """What `redo` would do again; "" where there is nothing."""
        return self._undone[-1].text if self._undone else ""

    @property
    def done_at(self) -> int:
        """A number that is the greater the later the step was done that `undo` takes back."""
        return self._done[-1].at if self._done else 0

    @property
    def undone_at(self) -> int:
        """A number that is the greater the later the step was taken back that `redo` does."""
        return self._undone[-1].at if self._undone else 0

    def do(self, text: str, act: Callable[[], None], revert: Callable[[], None]) -> None:
        """Call `act` and remember it; what had been taken back before cannot be done again."""
        act()
        self.note(text, act, revert)

    def note(self, text: str, act: Callable[[], None], revert: Callable[[], None]) -> None:
        """Remember what is done already."""
        change = Change(text, act, revert, next(_CLOCK))
        self._done = [*self._done, change][-self._most :]
        self._undone = []
        self.changed.emit()

    def undo(self) -> str:
        """Take the last step back, and say which; "" where there is none."""
        if not self._done:
            return ""
        change = self._done.pop()
        change.revert()
        self._undone.append(replace(change, at=next(_CLOCK)))
        self.changed.emit()
        return change.text

    def redo(self) -> str:
        """Do again what was taken back last, and say what; "" where there is nothing."""
        if not self._undone:
            return ""
        change = self._undone.pop()
        change.act()
        self._done.append(replace(change, at=next(_CLOCK)))
        self.changed.emit()
        return change.text
