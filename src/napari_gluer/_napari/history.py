"""What was done to the cells of a labels layer: a list of steps that can be exported and saved."""

from collections.abc import Mapping
from typing import Any

from napari.layers import Labels
from psygnal import Signal

from napari_gluer._napari.attached import KEY, held
from napari_gluer.pipeline.recipes.needed import needed
from napari_gluer.pipeline.recipes.steps import Data, Step, data_of

_HISTORY, _OWNER = "history", "history of"
READ = "steps"
"""Entry of a layer that a reader gives: the steps that its file comes from."""


class History:
    """Steps in order, and what they start from where no file holds it.

    Attributes
    ----------
    kept
        By `Data.kept`: labels, images, tables, regions, spots.
    changed
        Emitted when a step was added, or everything was saved.
    """

    changed = Signal()

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self._steps: tuple[Step, ...] = ()
        self._unsaved = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        """In the order in which they were done."""
        return self._steps

    @property
    def unsaved(self) -> int:
        """How many steps were done since everything was saved or exported."""
        return self._unsaved

    def keep(self, value: Any, name: str, *, by_hand: bool = False) -> Data:
        """Keep something without a file; the same thing is kept once."""
        for key, one in self.kept.items():
            if one is value:
                return Data(kept=key, by_hand=by_hand)
        key, number = name, 1
        while key in self.kept:
            number += 1
            key = f"{name}_{number}"
        self.kept[key] = value
        return Data(kept=key, by_hand=by_hand)

    def add(self, *steps: Step) -> None:
        """Append steps."""
        self._steps += steps
        self._unsaved += len(steps)
        self.changed.emit()

    def saved(self) -> None:
        """Everything up to now is in a file."""
        self._unsaved = 0
        self.changed.emit()

    def restore(self, steps: tuple[Step, ...], kept: Mapping[str, Any]) -> None:
        """Take over what was saved."""
        self._steps, self.kept, self._unsaved = steps, dict(kept), 0
        self.changed.emit()

    def forget_unused(self) -> None:
        """Drop what the present result does not start from."""
        data = [one for step in needed(self._steps) for one in data_of(step)]
        used = {one.kept for one in data} | {one.path for one in data}
        self.kept = {key: value for key, value in self.kept.items() if key in used}


def history_of(layer: Labels) -> History:
    """The history of a labels layer; a duplicate of a layer gets its own."""
    entries = held(layer)
    if _HISTORY not in entries or entries.get(_OWNER) != str(layer.unique_id):
        history = History()
        history.restore(tuple(entries.get(READ, ())), {})
        fresh = {_HISTORY: history, _OWNER: str(layer.unique_id)}
        # no event, since no table changed; a dictionary of its own, since duplicates share one
        layer.metadata[KEY] = {**entries, **fresh}
        entries = held(layer)
    found: History = entries[_HISTORY]
    return found


def record(layer: Labels, *steps: Step) -> None:
    """Add steps to the history of a labels layer."""
    history_of(layer).add(*steps)
