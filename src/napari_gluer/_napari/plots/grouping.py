"""Which group every cell of a plot belongs to: a column, selections, or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer._napari.paintables import Origin, Paintable, categories, paintables
from napari_gluer.errors import InputError
from napari_gluer.palette import UNMATCHED

ALL, SELECTED, REST = "all cells", "selection", "the rest"


class Way(Enum):
    """Groups that are not a column; the text is shown."""

    NONE = "all cells together"
    NAMED = "named selections"
    SELECTION = "selection and the rest"


By = Way | Paintable


@dataclass(frozen=True, eq=False)
class Grouped:
    """Cells in groups.

    Attributes
    ----------
    rows
        int ``(n,)``: rows of the table; a cell of two selections is there twice.
    codes
        int ``(n,)``: place of its group in `names`.
    names
        Groups that hold cells.
    left_out
        What was left out and how many cells, in words: ``unmatched`` → 12.
    """

    rows: NDArray[np.intp]
    codes: NDArray[np.intp]
    names: tuple[str, ...]
    left_out: Mapping[str, int]

    @property
    def categories(self) -> pd.Series:
        """The group of every row, categorical; numbered from 0."""
        return pd.Series(pd.Categorical.from_codes(self.codes, pd.Index(self.names)))

    @property
    def n_cells(self) -> int:
        """Cells in groups, each counted once."""
        return len(np.unique(self.rows))


def ways(cells: AnnData) -> list[tuple[str, By]]:
    """What cells can be grouped by: columns of categories first; shown text and value."""
    columns = [one for one in paintables(cells, None) if one.is_categorical]
    first = [(one.label, one) for one in columns]
    return [*first, *((way.value, way) for way in Way)]


def grouped(
    cells: AnnData,
    by: By,
    *,
    current: NDArray[np.int64] | None = None,
    named: Mapping[str, NDArray[np.int64]] | None = None,
    stale: NDArray[np.int64] | None = None,
) -> Grouped:
    """Put cells into groups; unmatched ones, and those without a group, are left out.

    Parameters
    ----------
    cells
        Reads ``obs["label"]``, ``obs["gluer_unmatched"]`` and the column.
    by
        A column, or one of the ways without one.
    current, named
        Labels of the current selection, and of those with names.
    stale
        Labels of cells that were edited after they were measured; they are left out too.

    Raises
    ------
    InputError
        If a selection is asked for and there is none, or no cell is left.
    """
    labels = slots.cell_labels(cells)
    unmatched = slots.unmatched(cells)
    edited = np.isin(labels, [] if stale is None else stale) & ~unmatched
    usable = ~unmatched & ~edited
    members = _members(cells, labels, by, current, dict(named or {}))
    names = tuple(name for name, inside in members.items() if (inside & usable).any())
    if not names:
        raise InputError(
            f"No cell is left to plot: {int(unmatched.sum()):,} of {len(labels):,} are unmatched, "
            "and the others have no group."
        )
    parts = [np.flatnonzero(members[name] & usable) for name in names]
    nowhere = usable & ~np.any([members[name] for name in names], axis=0)
    left_out = {
        "unmatched": int(unmatched.sum()),
        "changed since they were measured": int(edited.sum()),
        "in no group": int(nowhere.sum()),
    }
    return Grouped(
        np.concatenate(parts).astype(np.intp),
        np.repeat(np.arange(len(parts)), list(map(len, parts))).astype(np.intp),
        names,
        {reason: n for reason, n in left_out.items() if n},
    )


def _members(
    cells: AnnData,
    labels: NDArray[np.int64],
    by: By,
    current: NDArray[np.int64] | None,
    named: dict[str, NDArray[np.int64]],
) -> dict[str, NDArray[np.bool_]]:
    if isinstance(by, Paintable):
        found = categories(by, cells)
        codes = found.cat.codes.to_numpy()
        listed = [(str(name), codes == i) for i, name in enumerate(found.cat.categories)]
        return {name: own for name, own in listed if not (name == UNMATCHED and _is_ours(by))}
    if by is Way.NONE:
        return {ALL: np.ones(len(labels), np.bool_)}
    if by is Way.NAMED:
        if not named:
            raise InputError("No selection has a name yet. Choose cells, and name them.")
        return {name: np.isin(labels, chosen) for name, chosen in named.items()}
    chosen = np.isin(labels, [] if current is None else current)
    if not chosen.any():
        raise InputError(
            "No cells are selected. Draw around some, in the embedding or on the tissue."
        )
    return {SELECTED: chosen, REST: ~chosen}


def _is_ours(by: Paintable) -> bool:
    """Whether “unmatched” is our word and no category of the person's."""
    return by.origin in (Origin.CLUSTER, Origin.TYPE)
