"""What the reference says about each cell: genes that were never imaged, and types."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import Expression, expression, require_same_reference

_NO_TYPE = {"", "unknown", "unassigned", "undefined", "nan", "na", "n/a", "none", "<na>"}
_FEW_TYPES = 20  # fewer are types even in a small reference
_INTEGRATE = "Integrate the cells first: ng.integrate(cells, reference)."


def impute(cells: AnnData, reference: AnnData, genes: str | Sequence[str]) -> NDArray[np.float32]:
    """Impute genes of the reference for every cell: weights · reference expression.

    Peng et al., bioRxiv 2021.01.25.427845, "Imputation".

    Parameters
    ----------
    cells
        Integrated cells; reads ``obsm["gluer_weights"]`` and ``uns["gluer"]``.
    reference
        The very reference of the integration, its cells in the same order.
    genes
        One gene, or several.

    Returns
    -------
    numpy.ndarray
        float32 ``(n_cells,)`` for one gene, ``(n_cells, n_genes)`` for several: log1p of counts
        per 10,000. Cells with ``obs["gluer_unmatched"]`` have values here too; do not trust them.

    Raises
    ------
    InputError
        If the cells are not integrated, the reference is another one, or lacks a gene.
    """
    expressed = expression(reference)
    weights = checked_weights(cells, reference, expressed)
    values = np.asarray(
        weights @ expressed.columns([genes] if isinstance(genes, str) else [*genes])
    )
    return values[:, 0] if isinstance(genes, str) else values


def checked_weights(cells: AnnData, reference: AnnData, expressed: Expression) -> sparse.csr_matrix:
    """``obsm["gluer_weights"]``, refused if `reference` is not the one they were made with."""
    weights = slots.require(cells, "obsm", slots.WEIGHTS, _INTEGRATE)
    require_same_reference(cells, reference, expressed)
    return sparse.csr_matrix(weights)


def transfer_labels(cells: AnnData, reference: AnnData, column: str) -> pd.DataFrame:
    """Transfer a label column of the reference to the cells.

    Each type gets the weight of the reference cells that have it. Reference cells whose label is
    missing or says nothing (``unknown``, ``unassigned``, …) have no say.

    Parameters
    ----------
    cells
        Integrated cells; reads ``obsm["gluer_weights"]`` and ``uns["gluer"]``.
    reference
        The very reference of the integration; reads ``obs[column]``.
    column
        Which labels.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``cells.obs_names``: ``<column>_transferred`` (categorical, missing for unmatched
        cells and where no neighbour has a type) and ``<column>_probability`` (float32 on [0, 1]),
        the share of the cell's weights on reference cells of that type.

    Raises
    ------
    InputError
        If the column is not there or holds no type, or the reference is another one.
    """
    types, has_type = membership(reference, column)
    weights = checked_weights(cells, reference, expression(reference))
    shares = np.asarray((weights @ has_type).toarray())
    largest = np.where(slots.unmatched(cells), 0, shares.max(axis=1))
    best = np.where(largest > 0, shares.argmax(axis=1), -1)
    return pd.DataFrame(
        {
            slots.transferred(column): pd.Categorical.from_codes(best.astype(int), pd.Index(types)),
            slots.probability(column): largest.astype(np.float32),
        },
        index=cells.obs_names,
    )


def membership(reference: AnnData, column: str) -> tuple[list[str], sparse.csr_matrix]:
    """Types in order, and which reference cell has which.

    Returns
    -------
    types
        Names, without those that say nothing (``unknown``, ``unassigned``, missing, …).
    has_type
        CSR float32 of 0 and 1, ``(n_reference, n_types)``.

    Raises
    ------
    InputError
        If the column is not there, holds no type, or holds numbers rather than types.
    """
    labels = slots.require(reference, "obs", column, "Choose one of these.")
    text = labels.astype("string").str.strip()
    known = text.notna() & ~text.str.casefold().isin(_NO_TYPE)
    if not known.any():
        raise InputError(f"Column {column!r} of the reference holds no type.")
    coded = pd.Categorical(text.where(known))
    n_types, n_known = len(coded.categories), int(known.sum())
    if n_types > max(_FEW_TYPES, n_known // 2) or labels.dtype.kind == "f":
        raise InputError(
            f"Column {column!r} holds {n_types:,} different values in {n_known:,} reference cells; "
            "it is no column of types."
        )
    rows = np.flatnonzero(coded.codes >= 0)
    ones = np.ones(len(rows), np.float32)
    return [str(name) for name in coded.categories], sparse.csr_matrix(
        (ones, (rows, coded.codes[rows])), (len(labels), n_types)
    )
