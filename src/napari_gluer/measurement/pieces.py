"""What a tile tells of the cells in it, and the pieces of all tiles put together. Arrays only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.labels import checked_labels
from napari_gluer.measurement.outlines import REACH, Outlines, add_rows, perimeters
from napari_gluer.measurement.runs import Floats, Runs, Whole, runs_of
from napari_gluer.measurement.sums import Places, squares, sums, together


@dataclass(frozen=True)
class Wanted:
    """What is measured besides sums and positions: squared differences, perimeters."""

    squares: bool = False
    perimeters: bool = False


@dataclass(frozen=True, eq=False)
class Piece:
    """Groups of pixels of one tile.

    Attributes
    ----------
    keys
        int64 ``(n, 2)``, ascending: label, and nucleus that covers the pixels or 0.
    outlines
        Where they lie in the whole image.
    sums
        ``(n, c)``, of finite pixels.
    counted
        ``(n, c)``: finite pixels; empty ``(0, c)`` where all are.
    squares
        ``(n, c)``: sums of squared differences from the group's own mean; ``(0, c)``: not wanted.
    perimeters
        ``(n,)``: of the label, in its first group; ``(0,)``: not wanted.
    """

    keys: Whole
    outlines: Outlines
    sums: Floats
    counted: Whole
    squares: Floats
    perimeters: Floats

    @property
    def numbers(self) -> Whole:
        """Finite pixels, ``(n, c)``, or ``(n, 1)`` where they are the same in all channels."""
        return self.counted if len(self.counted) else self.outlines.sizes[:, np.newaxis]

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as named arrays."""
        parts = {name: getattr(self, name) for name in _ARRAYS}
        return {**parts, **{name: getattr(self.outlines, name) for name in _OUTLINES}}

    @staticmethod
    def from_arrays(arrays: dict[str, NDArray[Any]]) -> "Piece":
        """The piece that `as_arrays` gave."""
        outlines = Outlines(**{name: arrays[name] for name in _OUTLINES})
        return Piece(outlines=outlines, **{name: arrays[name] for name in _ARRAYS})


_OUTLINES = tuple(field.name for field in fields(Outlines))
_ARRAYS = tuple(field.name for field in fields(Piece) if field.name != "outlines")


def measure_tile(tile: Any, labels: Any, nuclei: Any, *channels: Any, wanted: Wanted) -> Piece:
    """Measure the cells in the core of one tile.

    Parameters
    ----------
    tile
        The `Tile`.
    labels
        What reads the labels: of the core, and of `REACH` pixels around it for perimeters.
    nuclei
        What reads the nuclei of the core, or None.
    channels
        What reads the channels of the core, some at a time, ``(k, [z,] y, x)``.
    wanted
        What is measured.
    """
    window = checked_ids(labels.read())
    inner = tile.inner(REACH) if wanted.perimeters else (slice(None),) * window.ndim
    within = None if nuclei is None else stacked(checked_ids(nuclei.read()))
    runs = runs_of(stacked(window[inner]), within)
    offset = (0,) * (3 - window.ndim) + tuple(part.start for part in tile.core)
    cells = runs.keys[:, 0]
    first = np.flatnonzero(np.diff(cells, prepend=-1))  # ascending; a label may have nuclei
    lengths = np.zeros(len(runs.keys) if wanted.perimeters else 0)
    if wanted.perimeters:
        lengths[first] = perimeters(window, inner, cells[first])
    values = _values(runs, channels, wanted)
    return Piece(runs.keys, Outlines.of(runs, offset), *values, lengths)


def checked_ids(labels: NDArray[Any]) -> NDArray[Any]:
    """`checked_labels`, none of them too large to be counted with.

    Raises
    ------
    InputError
        If they are no labels, or above 2⁶³ - 1.
    """
    checked = checked_labels(labels)
    if checked.dtype == np.uint64 and checked.size and checked.max() > np.iinfo(np.int64).max:
        raise InputError(
            f"A label is too large: {checked.max()} is above 2⁶³ - 1. Number the cells anew, with "
            "skimage.segmentation.relabel_sequential for instance."
        )
    return checked


def stacked(block: NDArray[Any]) -> NDArray[Any]:
    """`block` with a z axis."""
    return block if block.ndim == 3 else block[np.newaxis]


def blocks_of(channels: Iterable[Any]) -> Iterator[NDArray[Any]]:
    """A few channels at a time ``(c, z, y, x)``, as many as `sums` takes at once."""
    for some in channels:
        read = some.read()
        read = read if read.ndim == 4 else read[:, np.newaxis]
        few = together(read.dtype)
        for first in range(0, len(read), few):
            yield read[first : first + few]


def _values(runs: Runs, channels: Sequence[Any], wanted: Wanted) -> tuple[Floats, Whole, Floats]:
    places, sizes = Places(runs), runs.sizes[:, np.newaxis]
    totals: list[Floats] = []
    numbers: list[Whole] = []
    differences: list[Floats] = []
    whole = True
    for block in blocks_of(channels):
        laid = places.of(block)
        total, counted = sums(runs, laid)
        whole &= counted is None
        totals.append(total)
        numbers.append(np.broadcast_to(sizes, total.shape) if counted is None else counted)
        if wanted.squares:
            differences.append(squares(runs, laid, total / np.maximum(numbers[-1], 1)))
    none = np.empty((0, sum(total.shape[1] for total in totals)))
    return (
        np.concatenate(totals, axis=1),
        none.astype(np.int64) if whole else np.concatenate(numbers, axis=1),
        np.concatenate(differences, axis=1) if wanted.squares else none,
    )


@dataclass(frozen=True, eq=False)
class Sums:
    """What all pixels of rows add up to, ``(n, c)``; the finite ones where NaN or inf occur.

    Attributes
    ----------
    sums, numbers
        Of the values, and how many there are (``(n, 1)`` where the same in all channels).
    """

    sums: Floats
    numbers: Whole

    @property
    def means(self) -> Floats:
        """Means; NaN where there is no pixel."""
        if self.numbers.all():
            return self.sums / self.numbers
        return self.totals / np.maximum(self.numbers, 1)

    @property
    def totals(self) -> Floats:
        """`sums`; NaN where there is no pixel."""
        return np.where(self.numbers > 0, self.sums, np.nan)

    def without(self, other: "Sums") -> "Sums":
        """Those of the pixels that `other` does not have."""
        return Sums(self.sums - other.sums, self.numbers - other.numbers)


def added_up(pieces: Sequence[Piece], rows: Sequence[NDArray[np.integer]], number: int) -> Sums:
    """Pieces put together: group i of a piece goes to its ``rows[i]`` of `number`, or is left out.

    Rows of -1 are left out.
    """
    channels = pieces[0].sums.shape[1]
    whole = not any(len(piece.counted) for piece in pieces)
    total = np.zeros((number, channels))
    counted = np.zeros((number, 1 if whole else channels), np.int64)
    for piece, to in zip(pieces, rows, strict=True):
        kept = to >= 0
        some = slice(None) if kept.all() else kept
        here = np.broadcast_to(piece.numbers, (len(to), counted.shape[1]))
        add_rows(total, piece.sums[some], to[some])
        add_rows(counted, np.ascontiguousarray(here[some]), to[some])
    return Sums(total, counted)


def deviations(pieces: Sequence[Piece], rows: Sequence[NDArray[np.integer]], of: Sums) -> Floats:
    """Standard deviation of the pixels of every row, ``(n, c)``; NaN where there is none."""
    means = of.means
    total = np.zeros(of.sums.shape)
    for piece, to in zip(pieces, rows, strict=True):
        own = Sums(piece.sums, piece.numbers).means
        between = np.where(piece.numbers > 0, piece.numbers * (own - means[to]) ** 2, 0)
        add_rows(total, piece.squares + between, to)
    return np.sqrt(Sums(total, of.numbers).means)
