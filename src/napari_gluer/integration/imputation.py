"""What the reference says about each cell: genes that were never imaged, and types."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import Expression, expression, fingerprint

_NO_TYPE = {"", "unknown", "unassigned", "undefined", "nan", "na", "n/a", "none", "<na>"}
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
    known = slots.info(cells)
    names = pd.Index(known[slots.REFERENCE_NAMES]).astype(str)
    own = reference.obs_names.astype(str)
    if len(names) != len(own):
        raise InputError(
            f"This is another reference: it has {len(own):,} cells, the integration used "
            f"{len(names):,}. Use that one, or integrate again."
        )
    if not names.equals(own):
        place = int(np.flatnonzero(names != own)[0])
        known_cells = "the same cells in another order" if set(names) == set(own) else "other cells"
        raise InputError(
            f"This is another reference: it has {known_cells} (cell {place + 1} is {own[place]!r}, "
            f"the integration used {names[place]!r}). Use that one, or integrate again."
        )
    if known[slots.FINGERPRINT] != fingerprint(reference, expressed):
        raise InputError(
            "The reference has the names of the one used in the integration but other values or "
            "genes. Use that one, or integrate again."
        )
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
        Indexed by ``cells.obs_names``: ``<column>_transferred`` (categorical, missing where no
        neighbour has a type) and ``<column>_probability`` (float32 on [0, 1]).

    Raises
    ------
    InputError
        If the column is not there or holds no type, or the reference is another one.
    """
    remedy = "Choose one of these."
    labels = slots.require(reference, "obs", column, remedy)
    weights = checked_weights(cells, reference, expression(reference))
    types, membership = _membership(labels, column)
    shares = np.asarray((weights @ membership).toarray())
    total = shares.sum(axis=1)
    best = np.where(total > 0, shares.argmax(axis=1), -1)
    with np.errstate(invalid="ignore"):
        certainty = np.where(total > 0, shares.max(axis=1) / total, 0)
    return pd.DataFrame(
        {
            slots.transferred(column): pd.Categorical.from_codes(best.astype(int), pd.Index(types)),
            slots.probability(column): certainty.astype(np.float32),
        },
        index=cells.obs_names,
    )


def _membership(labels: pd.Series, column: str) -> tuple[list[str], sparse.csr_matrix]:
    """Types in order, and which reference cell has which: ``(n_reference, n_types)``."""
    text = labels.astype("string").str.strip()
    known = text.notna() & ~text.str.casefold().isin(_NO_TYPE)
    if not known.any():
        raise InputError(f"Column {column!r} of the reference holds no type.")
    coded = pd.Categorical(text.where(known))
    rows = np.flatnonzero(coded.codes >= 0)
    shape = (len(labels), len(coded.categories))
    ones = np.ones(len(rows), np.float32)
    return [str(name) for name in coded.categories], sparse.csr_matrix(
        (ones, (rows, coded.codes[rows])), shape
    )
