"""Which cells of a labels layer are chosen, and the selections that have names; all by label."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_gluer._napari.undo import Undo
from napari_gluer.errors import InputError, listed

How = Literal["replace", "add", "remove", "common"]
Labels = NDArray[np.int64]


class Selections:
    """The current selection and the named ones of one labels layer.

    Cells are known by their value in the labels image, so that a selection stays right when the
    table is cleaned or re-ordered.

    Parameters
    ----------
    undo
        Where every change is remembered.

    Attributes
    ----------
    changed
        Emitted when the current selection changed.
    named_changed
        Emitted when a named selection was made, renamed or deleted.
    """

    changed = Signal()
    named_changed = Signal()

    def __init__(self, undo: Undo) -> None:
        self._undo = undo
        self._current: Labels = np.empty(0, np.int64)
        self._named: dict[str, Labels] = {}

    @property
    def current(self) -> Labels:
        """Labels of the chosen cells, int64, ascending and unique."""
        return self._current

    @property
    def named(self) -> dict[str, Labels]:
        """Labels of every named selection; a copy."""
        return dict(self._named)

    def choose(self, labels: ArrayLike, how: How = "replace") -> None:
        """Choose cells.

        Parameters
        ----------
        labels
            Their values in the labels image.
        how
            ``replace`` the current selection, ``add`` to it, ``remove`` from it, or keep only
            what both have in ``common``.
        """
        now, before = _combined(self._current, _as_labels(labels), how), self._current
        if not np.array_equal(now, before):
            self._undo.do("selection", lambda: self._set(now), lambda: self._set(before))

    def clear(self) -> None:
        """Choose no cell."""
        self.choose(())

    def keep(self, name: str) -> None:
        """Give the current selection a name.

        Raises
        ------
        InputError
            If nothing is chosen, or the name is empty or taken.
        """
        if not self._current.size:
            raise InputError("No cells are chosen; draw around some first.")
        name = self._free(name)
        self._replace({**self._named, name: self._current}, f"name “{name}”")

    def recall(self, name: str, how: How = "replace") -> None:
        """Choose the cells of a named selection; combine it with the current one by `how`."""
        self.choose(self._known(name), how)

    def rename(self, name: str, new: str) -> None:
        """Give a selection another name; its place in the list stays."""
        self._known(name)
        if new.strip() == name:
            return
        new = self._free(new)
        renamed = {new if one == name else one: cells for one, cells in self._named.items()}
        self._replace(renamed, f"rename “{name}”")

    def delete(self, name: str) -> None:
        """Forget a named selection."""
        self._known(name)
        left = {one: cells for one, cells in self._named.items() if one != name}
        self._replace(left, f"delete “{name}”")

    def combine(self, names: Sequence[str], how: How, into: str) -> None:
        """Make a selection of several: the first, then each further one by `how`."""
        parts = [self._known(name) for name in names]
        if not parts:
            raise InputError("Choose the selections to combine first.")
        found = parts[0]
        for part in parts[1:]:
            found = _combined(found, part, how)
        into = self._free(into)
        self._replace({**self._named, into: found}, f"combine into “{into}”")

    def restore(self, current: ArrayLike, named: dict[str, ArrayLike]) -> None:
        """Take over what was saved; this cannot be undone."""
        self._named = {name: _as_labels(labels) for name, labels in named.items()}
        self._set(_as_labels(current))
        self.named_changed.emit()

    def _replace(self, now: dict[str, Labels], text: str) -> None:
        before = self._named
        self._undo.do(text, lambda: self._set_named(now), lambda: self._set_named(before))

    def _set(self, labels: Labels) -> None:
        self._current = labels
        self.changed.emit()

    def _set_named(self, named: dict[str, Labels]) -> None:
        self._named = named
        self.named_changed.emit()

    def _known(self, name: str) -> Labels:
        if name not in self._named:
            raise InputError(f"There is no selection “{name}”; there are {listed(self._named)}.")
        return self._named[name]

    def _free(self, name: str) -> str:
        name = name.strip()
        if not name:
            raise InputError("A selection needs a name.")
        if name in self._named:
            raise InputError(f"There is a selection “{name}” already; take another name.")
        return name


def _as_labels(labels: ArrayLike) -> Labels:
    found: Labels = np.unique(np.asarray(labels, np.int64))
    kept: Labels = found[found != 0]
    return kept


def _combined(one: Labels, other: Labels, how: How) -> Labels:
    if how == "replace":
        return other
    found: Labels
    if how == "add":
        found = np.union1d(one, other)
    elif how == "remove":
        found = np.setdiff1d(one, other)
    else:
        found = np.intersect1d(one, other)
    return found
