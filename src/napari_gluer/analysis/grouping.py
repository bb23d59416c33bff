"""Which cells belong to which group: a column of types, or a selection against the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed

SELECTION = "selection"
_NO_TYPE = {"", "unknown", "unassigned", "undefined", "nan", "na", "n/a", "none", "<na>"}
_FEW_GROUPS = 50  # fewer are groups even among few cells

By = str | Sequence[int] | Sequence[str] | NDArray[Any] | pd.Series
"""An ``obs`` column, or a selection: booleans, labels, or names of cells."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Cells in groups.

    Attributes
    ----------
    names
        Of the groups, in order.
    members
        bool ``(n_rows, n_groups)``; a cell may be in several groups or in none.
    rows
        int ``(n_rows,)``: the rows of the table that take part.
    n_unmatched, n_untyped
        Cells left out: unmatched ones; matched ones without an entry in the column.
    """

    names: tuple[str, ...]
    members: NDArray[np.bool_]
    rows: NDArray[np.intp]
    n_unmatched: int
    n_untyped: int = 0

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Cells of every group, ``(n_groups,)``."""
        return np.asarray(self.members.sum(axis=0), np.int64)

    @property
    def left_out(self) -> str:
        """What was left out, in words; empty where nothing was."""
        parts = [
            f"{number:,} {word} cells left out"
            for number, word in ((self.n_unmatched, "unmatched"), (self.n_untyped, "untyped"))
            if number
        ]
        return ", ".join(parts)


def groups_of(cells: AnnData, by: By) -> Groups:
    """Groups of the cells that are not unmatched.

    Parameters
    ----------
    cells
        Reads ``obs["gluer_unmatched"]`` where it is there, and what `by` names.
    by
        An ``obs`` column; or a selection: booleans ``(n_cells,)`` (a Series is put in order by its
        index), labels (whole numbers of ``obs["label"]``) or names of cells. A selection is one
        group; the rest is in none.

    Raises
    ------
    InputError
        If the column is missing, empty or holds numbers rather than groups; if a selection has
        another length, names cells that are not there, or holds every cell or none.
    """
    return _by_column(cells, by) if isinstance(by, str) else _by_selection(cells, by)


def typed_column(table: AnnData, column: str) -> pd.Categorical:
    """``obs[column]`` as categories in order; what says nothing (NaN, ``unknown``) is missing."""
    values = slots.require(table, "obs", column, "Choose one of these.")
    text = values.astype("string").str.strip()
    known = text.notna() & ~text.str.casefold().isin(_NO_TYPE)
    if not known.any():
        raise InputError(f"obs[{column!r}] holds no group: every one of its values is missing.")
    found = text[known].unique()
    if len(found) > max(_FEW_GROUPS, int(known.sum()) // 2) or values.dtype.kind == "f":
        raise InputError(
            f"obs[{column!r}] holds {len(found):,} different values in {int(known.sum()):,} cells; "
            "it is no column of groups."
        )
    order = [str(one).strip() for one in values.cat.categories] if _is_categorical(values) else []
    order = list(dict.fromkeys([*order, *sorted(found, key=_natural)]))
    return pd.Categorical(text.where(known), categories=[one for one in order if one in set(found)])


def _natural(name: str) -> tuple[int, float, str]:
    return (0, float(name), name) if name.isdecimal() else (1, 0.0, name)


def _is_categorical(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)


def _by_column(cells: AnnData, column: str) -> Groups:
    coded = typed_column(cells, column)
    unmatched = slots.unmatched(cells)
    untyped = (coded.codes < 0) & ~unmatched
    rows = np.flatnonzero(~unmatched & ~untyped)
    if not len(rows):
        raise InputError(f"Every cell with a value in obs[{column!r}] is unmatched.")
    codes = coded.codes[rows]
    present = np.unique(codes)
    names = tuple(str(coded.categories[code]) for code in present)
    return Groups(names, codes[:, None] == present, rows, int(unmatched.sum()), int(untyped.sum()))


def _by_selection(cells: AnnData, selection: Any) -> Groups:
    unmatched = slots.unmatched(cells)
    rows = np.flatnonzero(~unmatched)
    chosen = selected(cells, selection)[rows]
    if not chosen.any() or chosen.all():
        which = "no cell" if not chosen.any() else "every cell"
        note = f" that is not unmatched ({int(unmatched.sum()):,} are)" if unmatched.any() else ""
        raise InputError(
            f"The selection holds {which}{note}; to compare it with the rest, select some of the "
            f"{len(rows):,} cells."
        )
    return Groups((SELECTION,), chosen[:, None], rows, int(unmatched.sum()))


def selected(cells: AnnData, selection: Any) -> NDArray[np.bool_]:
    """A selection as booleans ``(n_cells,)``; booleans, labels or names of cells."""
    if isinstance(selection, pd.Series) and selection.dtype == bool:
        if len(selection) != cells.n_obs or not selection.index.is_unique:
            raise _other_length(cells, selection.shape)
        if len(selection.index.difference(cells.obs_names)):
            raise InputError("The selection's index does not name these cells (obs_names).")
        return selection.reindex(cells.obs_names).to_numpy(np.bool_)
    array = np.asarray(selection)
    if array.dtype == bool:
        if array.shape != (cells.n_obs,):
            raise _other_length(cells, array.shape)
        return array
    if array.ndim != 1:
        raise _other_length(cells, array.shape)
    by_label = array.dtype.kind in "iu" or not array.size
    known = slots.cell_labels(cells) if by_label and array.size else np.asarray(cells.obs_names)
    wanted = array if by_label else array.astype(str).astype(object)
    there = set(known.tolist())
    absent = [one for one in wanted.tolist() if one not in there]
    if absent:
        what = "labels" if by_label else "names"
        raise InputError(
            f"Of the selected cells {len(absent):,} are not in the table ({what} "
            f"{listed(absent, 5)}); it has {cells.n_obs:,} cells."
        )
    return np.isin(known, wanted)


def _other_length(cells: AnnData, shape: tuple[int, ...]) -> InputError:
    return InputError(
        f"The selection has shape {shape}, and there are {cells.n_obs:,} cells. Give one yes or no "
        "for every cell, or a list of labels or names."
    )
