"""Which labels of a layer are no longer what was measured: painted, erased, merged, replaced."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.measurement.changes import changed_labels
from napari_gluer.painting import LabelIndex

_NONE = np.zeros(0, np.int64)


class LabelChanges:
    """Labels as they were when their cells were measured, and what became of them.

    Strokes are followed pixel by pixel, so that a look costs next to nothing, undo is seen, and a
    label that is as it was before counts as unchanged. Other changes (another array, pixels set by
    a script) are found by comparing all pixels, once somebody asks.

    Parameters
    ----------
    labels
        The layer's data at full resolution, now.
    index
        Of these labels, where it is known already.
    """

    def __init__(self, labels: Any, index: LabelIndex | None = None) -> None:
        self._labels = labels
        self._index = index
        self._at, self._were = _NONE, _NONE  # pixels that were painted, and what they were
        self._elsewhere = _NONE  # labels found by comparing all pixels
        self._whole = False  # whether all pixels are to be compared at the next look
        self._last: tuple[Any, bytes] = (labels, b"")

    @property
    def index(self) -> LabelIndex:
        """Of the labels as they were measured."""
        if self._index is None:
            self._index = LabelIndex(self._as_measured())
        return self._index

    def painted(self, labels: Any, atoms: Iterable[Any]) -> None:
        """Take what napari's ``paint`` event tells: where, and what was there before."""
        if not self._follows(labels):
            return self.doubt()
        shape = self._labels.shape
        parts = [_before(atom, shape) for atom in atoms]
        at = np.concatenate([self._at, *(where for where, _ in parts)])
        were = np.concatenate([self._were, *(what for _, what in parts)])
        self._at, first = np.unique(at, return_index=True)  # the first is the oldest
        self._were = were[first]
        return None

    def doubt(self) -> None:
        """Compare all pixels at the next look: something may have changed them."""
        self._whole = True

    def copied(self, labels: Any) -> "LabelChanges":
        """The same for a duplicate of the layer, whose array may be a copy."""
        copy = LabelChanges(self._labels, self._index)
        copy._at, copy._were, copy._elsewhere = self._at, self._were, self._elsewhere
        if not copy._follows(labels):
            copy.doubt()
        return copy

    def moved(self, labels: Any) -> bool:
        """Whether the array or painted pixels are others than at the last call."""
        now = (labels, b"".join(one.tobytes() for one in self._painted_over(labels)))
        last, self._last = self._last, now
        return now[0] is not last[0] or now[1] != last[1]

    def look(self, labels: Any, *, closely: bool) -> NDArray[np.int64]:
        """Labels that gained or lost a pixel, appeared or are gone: int64, ascending.

        Parameters
        ----------
        labels
            The layer's data now.
        closely
            Compare all pixels where they may have changed without a stroke (0.05 s for 100
            million); else these labels are as at the last close look.
        """
        if closely and self._whole:
            self._whole = False
            if labels is not self._labels or isinstance(labels, np.ndarray):
                index = self.index
                found = changed_labels(index.levels[0], index.ids, labels)
                self._elsewhere = np.setdiff1d(found, self._by_strokes(labels))
        return np.union1d(self._elsewhere, self._by_strokes(labels))

    def _by_strokes(self, labels: Any) -> NDArray[np.int64]:
        _, now, were = self._painted_over(labels)
        found: NDArray[np.int64] = np.union1d(now[now != 0], were[were != 0])
        return found

    def _painted_over(self, labels: Any) -> tuple[NDArray[np.int64], ...]:
        """Pixels that strokes changed and undo did not change back: where, now, and before."""
        if not self._follows(labels) or not self._at.size:
            return _NONE, _NONE, _NONE
        now = _at(labels, self._at).astype(np.int64)
        other = now != self._were
        return self._at[other], now[other], self._were[other]

    def _follows(self, labels: Any) -> bool:
        """Whether strokes tell all: the array that was measured is still the layer's."""
        return labels is self._labels

    def _as_measured(self) -> NDArray[Any]:
        whole = np.asarray(self._labels)
        if not self._at.size:
            return whole
        whole = whole.copy()
        whole[np.unravel_index(self._at, whole.shape)] = self._were
        return whole


def _before(atom: Any, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat places of the pixels of a stroke, and what they were."""
    if hasattr(atom, "slice_key"):
        starts = [part.indices(n)[0] for part, n in zip(atom.slice_key, shape, strict=True)]
        mask = np.ones(np.shape(atom.old_values), bool) if atom.mask is None else atom.mask
        where: Any = tuple(
            axis + start for axis, start in zip(np.nonzero(mask), starts, strict=True)
        )
        were = np.asarray(atom.old_values)
        were = were[mask] if atom.mask is None else were
    else:
        where, were, _ = atom
        where = np.broadcast_arrays(*(np.asarray(axis) for axis in where))
    flat = np.ravel_multi_index(tuple(axis.ravel() for axis in where), shape)
    return flat.astype(np.int64), np.broadcast_to(were, where[0].shape).ravel().astype(np.int64)


def _at(labels: Any, flat: NDArray[np.int64]) -> NDArray[Any]:
    """Values at flat places; of arrays on disk the box around them is read."""
    if not flat.size:
        return np.zeros(0, np.int64)
    places = np.unravel_index(flat, labels.shape)
    if isinstance(labels, np.ndarray):
        return labels[places]
    box = tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in places)
    corner = [part.start for part in box]
    inside = tuple(axis - start for axis, start in zip(places, corner, strict=True))
    return np.asarray(np.asarray(labels[box])[inside])
