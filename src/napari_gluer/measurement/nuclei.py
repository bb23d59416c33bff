"""Which nucleus belongs to which cell. Arrays only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_gluer.measurement.outlines import add_rows
from napari_gluer.measurement.pieces import Piece, Sums, added_up
from napari_gluer.measurement.runs import Whole


@dataclass(frozen=True, eq=False)
class Compartments:
    """Nucleus and cytoplasm of every cell; the two are the cell.

    Attributes
    ----------
    nucleus
        Pixels of the cell that its own nuclei cover.
    cytoplasm
        Its other pixels.
    pixels
        ``(n_cells,)``: pixels of the nucleus.
    nuclei
        ``(n_cells,)``: how many nuclei belong to the cell.
    """

    nucleus: Sums
    cytoplasm: Sums
    pixels: Whole
    nuclei: Whole


def compartments(pieces: Sequence[Piece], cells: Whole, whole: Sums) -> Compartments:
    """Assign every nucleus to the cell that covers most of it, and add up both parts.

    Parameters
    ----------
    pieces
        Measured with nuclei.
    cells
        All labels, ascending.
    whole
        What the cells add up to.
    """
    keys = np.concatenate([piece.keys for piece in pieces])
    sizes = np.concatenate([piece.outlines.sizes for piece in pieces])
    nuclei = np.unique(keys[:, 1][keys[:, 1] > 0])
    rows = np.searchsorted(cells, keys[:, 0])
    owners = _owners(nuclei, keys[:, 1], rows, sizes)
    own = keys[:, 1] > 0
    own[own] = owners[np.searchsorted(nuclei, keys[own, 1])] == rows[own]
    rows[~own] = -1
    parts = np.split(rows, np.cumsum([len(piece.keys) for piece in pieces])[:-1])
    nucleus = added_up(pieces, parts, len(cells))
    pixels = np.zeros((len(cells), 1), np.int64)
    add_rows(pixels, sizes[own, np.newaxis], rows[own])
    number = np.bincount(owners, minlength=len(cells)).astype(np.int64)
    return Compartments(nucleus, whole.without(nucleus), pixels.ravel(), number)


def _owners(
    nuclei: Whole, nucleus: Whole, rows: NDArray[np.integer], sizes: Whole
) -> NDArray[np.integer]:
    """Row of the cell with most pixels of every nucleus; the first of equals."""
    inside = nucleus > 0
    which = np.searchsorted(nuclei, nucleus[inside])
    order = np.lexsort((rows[inside], which))
    which, cell, shared = which[order], rows[inside][order], sizes[inside][order]
    new = np.r_[True, (np.diff(which) != 0) | (np.diff(cell) != 0)] if len(which) else which > 0
    begins = np.flatnonzero(new)
    shared = np.add.reduceat(shared, begins) if len(begins) else shared
    which, cell = which[begins], cell[begins]
    best = np.lexsort((cell, -shared, which))
    return cell[best[np.searchsorted(which[best], np.arange(len(nuclei)))]]
