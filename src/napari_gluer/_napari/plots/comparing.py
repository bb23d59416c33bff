"""Markers of some cells against the others: measured ones, then imputed ones, in one table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.analysis.gene_values import IMPUTED, MEASURED
from napari_gluer.errors import InputError
from napari_gluer.track import Track

HONEST = (
    "Imputed values come from the reference: their differences say which reference cells the "
    "selected ones resemble, and are no measurement. Their p values are far too small; rank by "
    "difference or AUROC."
)


@dataclass(frozen=True, eq=False)
class Compared:
    """Markers of a selection.

    Attributes
    ----------
    table
        As `ng.marker_genes` gives it, with ``values``: ``measured`` or ``imputed``.
    n_selected, n_rest
        Cells compared.
    left_out
        Words on cells that were left out, "" where there were none.
    """

    table: pd.DataFrame
    n_selected: int
    n_rest: int
    left_out: str


def compared(
    cells: AnnData,
    reference: AnnData | None,
    chosen: NDArray[np.int64],
    stale: NDArray[np.int64],
    track: Track,
) -> Compared:
    """Markers of selected cells against the rest, the best first.

    Parameters
    ----------
    cells
        Joined to `chosen` by ``obs["label"]``.
    reference
        Of the integration; None compares what was measured only.
    chosen
        Labels of the selected cells; those that the table lacks do not count.
    stale
        Labels of cells that were edited after they were measured; they are left out.

    Raises
    ------
    InputError
        If too few cells are on either side.
    """
    labels = slots.cell_labels(cells)
    current = ~np.isin(labels, stale)
    used = cells if current.all() else cells[current].copy()
    inside = np.isin(labels[current], chosen)
    if not inside.any():
        raise InputError("None of the selected cells is in the table; select others.")
    parts = []
    if _measured(cells):
        parts.append((MEASURED, ng.marker_genes(used, inside, track=track)))
    if reference is not None and slots.WEIGHTS in cells.obsm:
        table = ng.marker_genes(used, inside, reference=reference, track=track)
        parts.append((IMPUTED, table))
    if not parts:
        raise InputError("The table has no marker, and the cells are not integrated yet.")
    tables = [table.assign(values=source).drop(columns="group") for source, table in parts]
    unmatched = slots.unmatched(used)
    words = [(int(unmatched.sum()), "unmatched"), (int((~current).sum()), "changed")]
    return Compared(
        pd.concat(tables, ignore_index=True),
        int((inside & ~unmatched).sum()),
        int((~inside & ~unmatched).sum()),
        ", ".join(f"{n:,} {word}" for n, word in words if n),
    )


def _measured(cells: AnnData) -> bool:
    """Whether the table has a marker to compare."""
    return bool(cells.n_vars) and (
        slots.ROLE not in cells.var or bool((cells.var[slots.ROLE] == slots.MARKER).any())
    )
