"""Roles and genes that a person set: checked, kept with the table, carried to the next one."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.markers import annotate, edited
from napari_gluer.nomenclature.genes import EDITED

ROLE_SOURCE = "role_source"
"""Column of ``var``: says where a role was set by a person; as ``genes_source`` does of genes."""


def edited_table(
    cells: AnnData,
    genes: Mapping[str, str],
    roles: Mapping[str, str],
    known_genes: Collection[str] | None = None,
) -> AnnData:
    """A copy of a table with other genes and roles for some channels.

    What is set back to what the channel's name says is no longer marked as edited.

    Parameters
    ----------
    cells
        Table of cells.
    genes, roles
        By channel.
    known_genes
        Of the reference, to check the genes against; no check when None.

    Raises
    ------
    InputError
        If a gene is not known; near names are suggested.
    """
    named = annotate(cells.var_names, _kind(cells))
    checked = {name: text for name, text in genes.items() if text != named[slots.GENES][name]}
    edited(cells, checked, known_genes)  # what the name says needs no check
    changed = edited(cells, genes)
    if slots.ROLE in cells.var:  # `edited` takes what has genes for a marker
        changed.var[slots.ROLE] = cells.var[slots.ROLE].to_numpy()
    _set(changed, slots.ROLE, roles, named[slots.ROLE])
    for column, source in ((slots.GENES, slots.GENES_SOURCE), (slots.ROLE, ROLE_SOURCE)):
        marks = _texts(changed, source)
        touched = genes if column == slots.GENES else roles
        for name in touched:
            as_named = changed.var[column][name] == named[column][name]
            marks[changed.var_names.get_loc(name)] = "" if as_named else EDITED
        changed.var[source] = marks
    return changed


def with_edits(cells: AnnData, former: AnnData | None) -> AnnData:
    """`cells` with what was edited in a former table of the same channels and kind."""
    if former is None or _kind(former) != _kind(cells):
        return cells
    genes = _edits(former, slots.GENES, slots.GENES_SOURCE, cells)
    roles = _edits(former, slots.ROLE, ROLE_SOURCE, cells)
    return edited_table(cells, genes, roles) if genes or roles else cells


def _kind(cells: AnnData) -> str:
    return str(slots.info(cells).get(slots.KIND, slots.INTENSITY))


def _edits(former: AnnData, column: str, source: str, cells: AnnData) -> dict[str, str]:
    if source not in former.var:
        return {}
    values = former.var.loc[former.var[source].astype(str) == EDITED, column].astype(str)
    return {str(name): value for name, value in values.items() if name in cells.var_names}


def _set(cells: AnnData, column: str, values: Mapping[str, str], named: pd.Series) -> None:
    texts = _texts(cells, column) if column in cells.var else named.to_numpy(object).copy()
    for name, value in values.items():
        texts[cells.var_names.get_loc(name)] = value
    cells.var[column] = texts


def _texts(cells: AnnData, column: str) -> Any:
    if column not in cells.var:
        return np.full(cells.n_vars, "", dtype=object)
    return np.array(cells.var[column].astype(object).fillna("").astype(str), dtype=object)
