"""Exact medians of cells, also of those that tile borders cut."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.measurement.pieces import blocks_of, checked_ids, stacked
from napari_gluer.measurement.runs import Floats, Whole, runs_of
from napari_gluer.measurement.sums import Places, grouped, medians


@dataclass(frozen=True, eq=False)
class TileMedians:
    """Medians in one tile.

    Attributes
    ----------
    ids, values
        Cells that lie in this tile only, and their medians ``(n, c)``.
    cut
        Cells of which other tiles hold a part.
    pixels, begins
        For every channel: finite pixels of the cut cells, one cell after the other, and where
        each begins ``(n_cut + 1,)``.
    """

    ids: Whole
    values: Floats
    cut: Whole
    pixels: list[NDArray[Any]]
    begins: list[Whole]


def median_tile(_tile: Any, labels: Any, cut: Whole, *channels: Any) -> TileMedians:
    """Medians of the cells in the core of one tile, and the pixels of those in `cut`."""
    runs = runs_of(stacked(checked_ids(labels.read())))
    places, sizes, ids = Places(runs), runs.sizes, runs.keys[:, 0]
    shared = np.isin(ids, cut)
    values: list[Floats] = []
    pixels: list[NDArray[Any]] = []
    begins: list[Whole] = []
    for laid in map(places.of, blocks_of(channels)):
        for channel in range(laid.number):
            found, room = grouped(runs, laid.channel(channel), laid.at, sizes)
            values.append(medians(found, room)[~shared])
            kept = np.repeat(shared, np.diff(room))
            pixels.append(found[kept].astype(laid.flat.dtype))
            begins.append(np.r_[0, np.cumsum(np.diff(room)[shared])])
    stack = np.stack(values, axis=1) if values else np.empty((len(ids), 0))
    return TileMedians(ids[~shared], stack, ids[shared], pixels, begins)


@dataclass
class Joining:
    """Puts the pixels of cut cells together; a cell's are kept until its last tile is there.

    Parameters
    ----------
    ids
        All cells, ascending.
    tiles
        Number of tiles that hold a part of every cut cell.
    result
        ``(n_cells, c)``, filled.
    """

    ids: Whole
    tiles: dict[int, int]
    result: Floats
    _waiting: dict[int, list[list[NDArray[Any]]]] = field(default_factory=dict)
    _seen: Counter[int] = field(default_factory=Counter)

    def take(self, found: TileMedians) -> None:
        """Enter what one tile found."""
        self.result[np.searchsorted(self.ids, found.ids)] = found.values
        complete = []
        for row, label in enumerate(found.cut.tolist()):
            parts = [
                values[begins[row] : begins[row + 1]].copy()
                for values, begins in zip(found.pixels, found.begins, strict=True)
            ]
            self._waiting.setdefault(label, []).append(parts)
            self._seen[label] += 1
            if self._seen[label] == self.tiles[label]:
                complete.append(label)
        if complete:
            self._enter(complete)

    def _enter(self, complete: list[int]) -> None:
        pieces = [self._waiting.pop(label) for label in complete]
        rows = np.searchsorted(self.ids, complete)
        for channel in range(self.result.shape[1]):
            parts = [np.concatenate([part[channel] for part in one]) for one in pieces]
            begins = np.r_[0, np.cumsum([len(part) for part in parts])]
            self.result[rows, channel] = medians(np.concatenate(parts).astype(np.float64), begins)
