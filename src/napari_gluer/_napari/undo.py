"""Steps that can be taken back: selections, names, colours, deletions."""

from collections.abc import Callable
from dataclasses import dataclass

from psygnal import Signal

_MOST = 100  # steps remembered


@dataclass(frozen=True)
class Change:
    """Something done, and how to take it back.

    Attributes
    ----------
    text
        What was done, in the words of a menu: ``rename “T cells”``.
    """

    text: str
    act: Callable[[], None]
    revert: Callable[[], None]


class Undo:
    """What was done to the things of one labels layer, in order.

    Attributes
    ----------
    changed
        Emitted after everything done, taken back or done again.
    """

    changed = Signal()

    def __init__(self) -> None:
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

    def do(self, text: str, act: Callable[[], None], revert: Callable[[], None]) -> None:
        """Call `act` and remember it; what had been taken back before cannot be done again."""
        act()
        self._done = [*self._done, Change(text, act, revert)][-_MOST:]
        self._undone = []
        self.changed.emit()

    def undo(self) -> str:
        """Take the last step back, and say which; "" where there is none."""
        if not self._done:
            return ""
        change = self._done.pop()
        change.revert()
        self._undone.append(change)
        self.changed.emit()
        return change.text

    def redo(self) -> str:
        """Do again what was taken back last, and say what; "" where there is nothing."""
        if not self._undone:
            return ""
        change = self._undone.pop()
        change.act()
        self._done.append(change)
        self.changed.emit()
        return change.text
