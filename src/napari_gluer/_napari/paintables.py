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

    CLUSTER = "clusters"
    TYPE = "transferred type"
    CATEGORY = "category"
    NUMBER = "number per cell"
    MARKER = "measured"
    GENE = "imputed"


_WORDS = {Origin.TYPE: "transferred", Origin.MARKER: "measured", Origin.GENE: "imputed"}
_PLAIN = {
    slots.CONFIDENCE: "confidence",
    slots.PSEUDOTIME: "pseudotime",
    slots.VOLUME: "size (pixels)",
    slots.AREA_UM2: "area (µm²)",
    slots.VOLUME_UM3: "volume (µm³)",
}
_TRANSFERRED, _PROBABILITY = slots.transferred(""), slots.probability("")


def plain_name(column: str) -> str:
    """A column of ``obs`` as a person would call it, ``cell_type probability`` for instance."""
    if column.endswith(_PROBABILITY):
        return f"{column.removesuffix(_PROBABILITY)} probability"
    return _PLAIN.get(column, column.removesuffix(_TRANSFERRED))


@dataclass(frozen=True)
class Paintable:
    """A name, and what it names."""

    name: str
    origin: Origin

    @property
    def label(self) -> str:
        """The name as shown."""
        of_column = self.origin not in (Origin.MARKER, Origin.GENE)
        return plain_name(self.name) if of_column else self.name

    @property
    def layer_name(self) -> str:
        """Name of the layer that shows it: a gene is never taken for a marker of its name."""
        word = _WORDS.get(self.origin)
        return f"{self.label} ({word})" if word else self.label

    @property
    def is_categorical(self) -> bool:
        """Whether its values are categories."""
        return self.origin in (Origin.CLUSTER, Origin.TYPE, Origin.CATEGORY)


def needs_reference(what: Paintable) -> bool:
    """Whether its values come from the reference, so that unmatched cells have none."""
    ours = (slots.CONFIDENCE, slots.PSEUDOTIME)
    of_reference = (Origin.GENE, Origin.TYPE, Origin.CLUSTER)
    return what.origin in of_reference or what.name in ours or what.name.endswith(_PROBABILITY)


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
    """One value per cell; NaN for unmatched cells where it comes from the reference.

    Parameters
    ----------
    what
        A marker, a numeric column, or a gene of `reference`.
    """
    if what.origin is Origin.GENE and reference is not None:
        values = np.array(ng.impute(cells, reference, what.name), np.float32)
    elif what.origin is Origin.MARKER:
        column = cells.X[:, cells.var_names.get_loc(what.name)]
        dense = column.toarray() if sparse.issparse(column) else column
        values = np.array(dense, np.float32).ravel()
    else:
        values = cells.obs[what.name].to_numpy(np.float32, copy=True, na_value=np.nan)
    if needs_reference(what):
        values[slots.unmatched(cells)] = np.nan
    return values


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
        self._labels = [one.label for one in self._all]
        self._lengths = np.array([len(label) for label in self._labels], np.intp)
        self._folded = [
            f"{label} · {one.origin.value} · {one.name}".casefold()
            for label, one in zip(self._labels, self._all, strict=True)
        ]

    def __call__(self, text: str) -> list[Paintable]:
        """Matches of `text` in names and origins, without regard to case; all where it is empty."""
        typed = text.strip()
        wanted = typed.casefold()
        if not wanted:
            return self._all
        places = [i for i, name in enumerate(self._folded) if wanted in name]
        starts = np.array([self._folded[i].startswith(wanted) for i in places], np.bool_)
        found = np.array(places, np.intp)
        first, then = found[starts], found[~starts]
        other_case = [not self._labels[i].startswith(typed) for i in first]
        order = np.lexsort((self._lengths[first], np.array(other_case, np.bool_)))
        return [self._all[i] for i in (*first[order].tolist(), *then.tolist())]


def _origin(name: str, cells: AnnData) -> Origin:
    column = cells.obs[name]
    if name == slots.CLUSTER:
        return Origin.CLUSTER
    if name.endswith(_TRANSFERRED):
        return Origin.TYPE
    is_number = pd.api.types.is_numeric_dtype(column.dtype) and column.dtype.kind != "b"
    return Origin.NUMBER if is_number else Origin.CATEGORY


def _is_telling(cells: AnnData, what: Paintable) -> bool:
    """Leave out names of cells and other columns with a category for nearly every cell."""
    return not what.is_categorical or cells.obs[what.name].nunique() <= _MOST_CATEGORIES


def _categorical(column: pd.Series) -> pd.Series:
    return column.astype("string").astype("category")
