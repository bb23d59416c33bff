"""Lists of marker genes for types of cells: from a dictionary, a table, or a file."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed

_UP = {"", "+", "1", "up", "positive", "pos", "high", "nan"}
_DOWN = {"-", "−", "-1", "down", "negative", "neg", "low"}
_SUFFIXES = {".csv": ",", ".tsv": "\t", ".txt": "\t"}

Lists = Mapping[str, Sequence[str]] | pd.DataFrame | str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class MarkerLists:
    """Genes of every type.

    Attributes
    ----------
    types
        Names, in order.
    up, down
        For each type the genes that it shows, and those that it lacks.
    """

    types: tuple[str, ...]
    up: tuple[tuple[str, ...], ...]
    down: tuple[tuple[str, ...], ...]


def is_list_file(name: str) -> bool:
    """Whether `name` ends as a file of marker lists does."""
    return Path(name).suffix.casefold() in _SUFFIXES


def read_marker_lists(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read lists of marker genes.

    Parameters
    ----------
    path
        CSV, or TSV (``.tsv``, ``.txt``), with a line of headings: ``type``, ``gene`` and, where
        wanted, ``direction`` (``+``, ``up``, ``positive`` or empty; ``-``, ``down``,
        ``negative``); one row per type and gene.

    Returns
    -------
    pandas.DataFrame
        Columns ``type``, ``gene``, ``direction``, as text.

    Raises
    ------
    InputError
        If the file is no such table.
    """
    source = Path(path)
    separator = _SUFFIXES.get(source.suffix.casefold())
    if separator is None:
        raise InputError(f"{source.name}: marker lists are .csv or .tsv, of columns type and gene.")
    try:
        table = pd.read_csv(source, sep=separator, dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{source.name} cannot be read as marker lists: {error}") from error
    _lists_of_table(table, source.name)
    return table


def marker_lists(markers: Lists) -> MarkerLists:
    """`markers`, checked, each gene once.

    Parameters
    ----------
    markers
        Type → genes; or a table of columns ``type``, ``gene`` and, where wanted, ``direction``; or
        the path of its file.

    Raises
    ------
    InputError
        If there is no type or no gene, or a gene of a type is both shown and lacking.
    """
    if isinstance(markers, pd.DataFrame):
        return _lists_of_table(markers, "The table of markers")
    if isinstance(markers, str | os.PathLike):
        return _lists_of_table(read_marker_lists(markers), Path(markers).name)
    if any(isinstance(genes, str) for genes in markers.values()):
        raise InputError("Markers are lists of genes: {'T cell': ['CD3D', 'CD3E']}.")
    rows = [(name, gene) for name, genes in markers.items() for gene in genes]
    return _lists_of_table(
        pd.DataFrame(rows, columns=["type", "gene"]), "The dictionary of markers"
    )


def _lists_of_table(table: pd.DataFrame, name: str) -> MarkerLists:
    columns = {str(column).strip().casefold(): column for column in table.columns}
    if not {"type", "gene"} <= set(columns):
        raise InputError(
            f"{name} has columns {listed(table.columns)}; type and gene are needed, and direction "
            "where a type lacks a gene."
        )
    words = {key: table[column].astype(str).str.strip() for key, column in columns.items()}
    direction = words.get("direction", pd.Series("", table.index)).str.casefold()
    strange = direction[~direction.isin(_UP | _DOWN)]
    if len(strange):
        raise InputError(f"{name}: direction is + or -; found {listed(strange.unique(), 3)}.")
    given = words["type"].ne("") & words["gene"].ne("") & table[columns["gene"]].notna()
    if not given.any():
        raise InputError(f"{name} names no marker gene.")
    types = tuple(words["type"][given].unique())
    sides = [
        tuple(
            tuple(dict.fromkeys(words["gene"][given & (words["type"] == one) & side]))
            for one in types
        )
        for side in (~direction.isin(_DOWN), direction.isin(_DOWN))
    ]
    for one, up, down in zip(types, *sides, strict=True):
        if both := set(up) & set(down):
            raise InputError(f"{name}: {one} both shows and lacks {listed(sorted(both))}.")
    return MarkerLists(types, *sides)


class GeneColumns:
    """Finds genes among columns.

    A gene is a column's name, else, whatever its case, the only such name, else a gene that only
    one marker stands for.

    Parameters
    ----------
    names
        Of the columns.
    var
        ``var`` of the columns in their order, for ``var["genes"]``; None where there is none.
    """

    def __init__(self, names: pd.Index, var: pd.DataFrame | None = None) -> None:
        self._exact = {str(name): i for i, name in enumerate(names)}
        self._folded = {} if var is None else _unique(_symbols(var))
        self._folded |= _unique((i, str(name).casefold()) for i, name in enumerate(names))

    def of(self, gene: str) -> int | None:
        """Column of a gene; None where there is none."""
        return self._exact.get(gene, self._folded.get(gene.casefold()))

    def all_of(self, genes: Sequence[str]) -> NDArray[np.intp]:
        """Columns of the genes that are there, each once, in order."""
        found = (self.of(gene) for gene in genes)
        return np.array(list(dict.fromkeys(i for i in found if i is not None)), np.intp)


def _symbols(var: pd.DataFrame) -> list[tuple[int, str]]:
    if slots.GENES not in var:
        return []
    return [
        (i, symbol.strip().casefold())
        for i, text in enumerate(var[slots.GENES].fillna("").astype(str))
        for symbol in text.split(";")
        if symbol.strip()
    ]


def _unique(pairs: Iterable[tuple[int, str]]) -> dict[str, int]:
    """Names that only one column has."""
    found: dict[str, set[int]] = {}
    for place, name in pairs:
        found.setdefault(name, set()).add(place)
    return {name: next(iter(places)) for name, places in found.items() if len(places) == 1}


def var_of(cells: AnnData, names: pd.Index) -> pd.DataFrame:
    """``var`` of the columns `names`."""
    found: pd.DataFrame = cells.var.set_axis(cells.var_names.astype(str)).loc[names]
    return found
