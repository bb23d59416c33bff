"""Which feature of the cells stands for which genes of the reference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import (
    Expression,
    detect_kind,
    expression,
    log_normalised,
    stored_values,
)
from napari_gluer.markers import genes_of


def linked_features(cells: AnnData | Sequence[AnnData], reference: AnnData) -> pd.DataFrame:
    """Features that the cells and the reference share.

    A feature stands for the genes in ``var["genes"]`` (``;``-separated), else for its own name.
    Genes are matched exactly, else without regard to case where that is unambiguous.

    Parameters
    ----------
    cells
        Cells, or several tables of cells: then the features that all have. Where ``var["role"]``
        is given only markers count.
    reference
        Reads the gene names as `read_reference` does.

    Returns
    -------
    pandas.DataFrame
        Indexed by feature; ``genes``: a tuple of the reference's genes, one or more.
    """
    tables = [cells] if isinstance(cells, AnnData) else list(cells)
    return links_between(tables, expression(reference).genes)


def links_between(tables: Sequence[AnnData], genes: pd.Index) -> pd.DataFrame:
    """`linked_features` for gene names that are already read."""
    known = _Names(genes)
    found = {name: known.of_feature(name, wanted) for name, wanted in _wanted(tables[0]).items()}
    for other in tables[1:]:
        theirs = {name: known.of_feature(name, wanted) for name, wanted in _wanted(other).items()}
        found = {name: match for name, match in found.items() if name in theirs}
        differ = [name for name, match in found.items() if match != theirs[name]]
        if differ:
            raise InputError(
                f"The tables of cells link {listed(differ, 5)} to different genes; var['genes'] "
                "must say the same in all."
            )
    linked = {name: match for name, match in found.items() if match}
    return pd.DataFrame({"genes": pd.Series(linked, dtype=object)})


def require_links(links: pd.DataFrame, cells: AnnData, genes: pd.Index) -> None:
    """Refuse to integrate what shares nothing."""
    if len(links):
        return
    raise InputError(
        "No feature of the cells is in the reference. The cells have "
        f"{listed(cells.var_names, 6)}; the reference has {listed(genes, 6)}. Are both of one "
        'species, and both gene symbols? Protein names are linked through var["genes"].'
    )


def require_varying(n_varying: int, links: pd.DataFrame) -> None:
    """Refuse links that tell no two cells apart."""
    if n_varying:
        return
    raise InputError(
        f"{len(links)} features link cells and reference ({listed(links.index, 6)}), but each has "
        "one value for all cells on one side or the other. More cells or other features are needed."
    )


def renamed(links: pd.DataFrame, cells: AnnData) -> list[str]:
    """Features that link only when upper and lower case are taken as one."""
    wanted = _wanted(cells)
    return [
        str(name)
        for name, genes in links["genes"].items()
        if not set(genes) & set(wanted.get(str(name), genes))
    ]


class _Names:
    """Gene names to match against."""

    def __init__(self, genes: pd.Index) -> None:
        self.exact = set(genes)
        folded = pd.Series(genes, index=[str(gene).casefold() for gene in genes])
        self.folded = folded[~folded.index.duplicated(keep=False)].to_dict()

    def of_feature(self, name: str, wanted: Sequence[str]) -> tuple[str, ...]:
        """Genes of one feature; an antigen's genes of the other species where its own are not."""
        return self.match(wanted) or self.match(genes_of(name, self.exact).split(";"))

    def match(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Those of `wanted` that exist, spelt as in the reference."""
        hits = (name if name in self.exact else self.folded.get(name.casefold()) for name in wanted)
        return tuple(dict.fromkeys(hit for hit in hits if hit is not None))


def _wanted(cells: AnnData) -> dict[str, list[str]]:
    """Genes that each marker stands for."""
    names = cells.var_names.astype(str)
    stands_for = names
    if slots.GENES in cells.var:
        stands_for = cells.var[slots.GENES].astype(object).fillna("").astype(str)
    roles = cells.var[slots.ROLE] if slots.ROLE in cells.var else [slots.MARKER] * cells.n_vars
    return {
        name: [part.strip() for part in (genes or name).split(";") if part.strip()]
        for name, genes, role in zip(names, stands_for, roles, strict=True)
        if role == slots.MARKER
    }


def reference_features(expressed: Expression, links: pd.DataFrame) -> sparse.csr_matrix:
    """CSR float32 ``(n_reference, n_links)``: for each feature the mean of its genes."""
    sizes = [len(genes) for genes in links["genes"]]
    rows = expressed.genes.get_indexer(pd.Index([g for genes in links["genes"] for g in genes]))
    columns = np.repeat(np.arange(len(links)), sizes)
    share = (1 / np.repeat(sizes, sizes)).astype(np.float32)
    averaging = sparse.csr_matrix((share, (rows, columns)), (len(expressed.genes), len(links)))
    return sparse.csr_matrix(expressed.matrix @ averaging)


def cell_features(cells: AnnData, links: pd.DataFrame) -> Any:
    """``(n_cells, n_links)``, non-negative, normalised as ``uns["gluer"]["kind"]`` asks.

    Counts and activities: log1p of counts per 10,000 over all markers. Raw intensities likewise:
    staining differs between cells as depth does. Cleaned intensities and log1p values: as they are.
    """
    values = _markers(cells)
    if not values.var_names.is_unique:
        repeated = values.var_names[values.var_names.duplicated()].unique()
        raise InputError(f"Features must have names of their own; repeated: {listed(repeated)}.")
    matrix = sparse.csr_matrix(values.X) if sparse.issparse(values.X) else np.asarray(values.X)
    data = stored_values(matrix)
    if not np.isfinite(data).all() or (data.size and data.min() < 0):
        raise InputError(
            "The cells hold negative, NaN or infinite values; measure or load raw ones."
        )
    columns = values.var_names.get_indexer(links.index)
    if _is_normalised(cells, matrix):
        return matrix[:, columns].astype(np.float32)
    return log_normalised(matrix, slots.COUNTS)[:, columns]


def _markers(cells: AnnData) -> AnnData:
    if slots.ROLE not in cells.var:
        return cells
    return cells[:, (cells.var[slots.ROLE] == slots.MARKER).to_numpy()]


def _is_normalised(cells: AnnData, matrix: Any) -> bool:
    known = slots.info(cells)
    kind = known.get(slots.KIND) or detect_kind(matrix)
    return kind == slots.LOG1P or (kind == slots.INTENSITY and slots.CLEAN in known)
