"""What can be painted on the cells: genes, markers, columns; and their values."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.palette import UNMATCHED

_MOST_CATEGORIES = 200
_KEYS = (slots.LABEL, slots.UNMATCHED)


class Origin(Enum):
    """Where a value comes from; the text is shown beside the name."""

    CLUSTER = "cluster"
    TYPE = "transferred type"
    CATEGORY = "category"
    NUMBER = "number per cell"
    MARKER = "measured"
    GENE = "imputed"


@dataclass(frozen=True)
class Paintable:
    """A name, and what it names."""

    name: str
    origin: Origin

    @property
    def label(self) -> str:
        """The name as shown: a transferred type without its suffix."""
        shown = self.origin is Origin.TYPE
        return self.name.removesuffix(slots.transferred("")) if shown else self.name

    @property
    def is_categorical(self) -> bool:
        """Whether its values are categories."""
        return self.origin in (Origin.CLUSTER, Origin.TYPE, Origin.CATEGORY)


def paintables(cells: AnnData, reference: AnnData | None) -> list[Paintable]:
    """Everything that can be painted: types and clusters, then columns, markers, imputed genes.

    Parameters
    ----------
    cells
        Columns of ``obs`` and variables.
    reference
        Its genes can be imputed once the cells are integrated.
    """
    columns = [Paintable(str(name), _origin(str(name), cells)) for name in cells.obs]
    columns = [one for one in columns if one.name not in _KEYS and _is_telling(cells, one)]
    columns.sort(key=lambda one: list(Origin).index(one.origin))
    found = [*columns, *(Paintable(str(name), Origin.MARKER) for name in cells.var_names)]
    if reference is not None and slots.WEIGHTS in cells.obsm:
        found += [Paintable(str(gene), Origin.GENE) for gene in reference.var_names]
    return found


def numbers(what: Paintable, cells: AnnData, reference: AnnData | None) -> NDArray[np.float32]:
    """One value per cell; imputed values of unmatched cells are NaN.

    Parameters
    ----------
    what
        A marker, a numeric column, or a gene of `reference`.
    """
    if what.origin is Origin.GENE and reference is not None:
        imputed = np.array(ng.impute(cells, reference, what.name), np.float32)
        imputed[slots.unmatched(cells)] = np.nan
        return imputed
    if what.origin is Origin.MARKER:
        column = cells.X[:, cells.var_names.get_loc(what.name)]
        dense = column.toarray() if sparse.issparse(column) else column
        return np.asarray(dense, np.float32).ravel()
    return np.asarray(cells.obs[what.name], np.float32)


def categories(what: Paintable, cells: AnnData) -> pd.Series:
    """One category per cell; clusters and types of unmatched cells are ``unmatched``."""
    column = cells.obs[what.name]
    found = column if isinstance(column.dtype, pd.CategoricalDtype) else _categorical(column)
    without = slots.unmatched(cells)
    if what.origin is Origin.CATEGORY or not without.any():
        return found
    found = (
        found.cat.add_categories([UNMATCHED]) if UNMATCHED not in found.cat.categories else found
    )
    return found.mask(without, UNMATCHED)


class Search:
    """Names that match what is typed: those that start with it first.

    Parameters
    ----------
    found
        What to search, in the order to show it in.
    """

    def __init__(self, found: Sequence[Paintable]) -> None:
        self._all = list(found)
        self._folded = [f"{one.label} · {one.origin.value}".casefold() for one in self._all]

    def __call__(self, text: str) -> list[Paintable]:
        """Matches of `text` in names and origins, without regard to case; all where it is empty."""
        wanted = text.strip().casefold()
        if not wanted:
            return self._all
        first, then = [], []
        for one, name in zip(self._all, self._folded, strict=True):
            if name.startswith(wanted):
                first.append(one)
            elif wanted in name:
                then.append(one)
        typed = text.strip()
        first.sort(key=lambda one: (not one.label.startswith(typed), len(one.label)))
        return first + then


def _origin(name: str, cells: AnnData) -> Origin:
    column = cells.obs[name]
    if name == slots.CLUSTER:
        return Origin.CLUSTER
    if name.endswith(slots.transferred("")):
        return Origin.TYPE
    is_number = pd.api.types.is_numeric_dtype(column.dtype) and column.dtype.kind != "b"
    return Origin.NUMBER if is_number else Origin.CATEGORY


def _is_telling(cells: AnnData, what: Paintable) -> bool:
    """Leave out names of cells and other columns with a category for nearly every cell."""
    return not what.is_categorical or cells.obs[what.name].nunique() <= _MOST_CATEGORIES


def _categorical(column: pd.Series) -> pd.Series:
    return column.astype("string").astype("category")
