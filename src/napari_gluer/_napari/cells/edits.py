"""Roles, genes and links that a person set: kept with the table, carried to the next one."""

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

LEFT_OUT = "left_out"
"""Column of ``var``, bool: markers that a person keeps out of the link with the reference."""


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


def left_out(cells: AnnData) -> list[str]:
    """Markers that a person keeps out of the link with the reference."""
    if LEFT_OUT not in cells.var:
        return []
    return [str(name) for name in cells.var_names[cells.var[LEFT_OUT].astype(bool)]]


def with_links(cells: AnnData, links: Mapping[str, bool]) -> AnnData:
    """A table in which some markers may link to the reference, or may not.

    It shares its values with `cells`: a click on a tick copies no large table.

    Parameters
    ----------
    cells
        Table of cells.
    links
        By channel; what is not in the table is passed over. The table itself comes back where
        nothing is given.
    """
    if not links:
        return cells
    out = {*left_out(cells), *(name for name, linking in links.items() if not linking)}
    out -= {name for name, linking in links.items() if linking}
    return AnnData(
        cells.X,
        obs=cells.obs,
        var=cells.var.assign(**{LEFT_OUT: cells.var_names.isin(out)}),
        uns=dict(cells.uns),
        obsm=dict(cells.obsm),
        varm=dict(cells.varm),
        layers=dict(cells.layers),
        raw=None if cells.raw is None else cells.raw.to_adata(),
        obsp=dict(cells.obsp),
        varp=dict(cells.varp),
    )


def with_edits(cells: AnnData, former: AnnData | None) -> AnnData:
    """`cells` with what was edited in a former table of the same channels and kind."""
    if former is None or _kind(former) != _kind(cells):
        return cells
    genes = _edits(former, slots.GENES, slots.GENES_SOURCE, cells)
    roles = _edits(former, slots.ROLE, ROLE_SOURCE, cells)
    changed = edited_table(cells, genes, roles) if genes or roles else cells
    return with_links(changed, dict.fromkeys(left_out(former), False))


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
