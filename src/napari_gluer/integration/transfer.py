"""Types of the reference's cells, transferred to the cells."""

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.integration.imputation import INTEGRATE, checked_weights
from napari_gluer.integration.readout import classified, pooled, votes

_NO_TYPE = {"", "unknown", "unassigned", "undefined", "nan", "na", "n/a", "none", "<na>"}
_FEW_TYPES = 20  # fewer are types even in a small reference
VOTERS = 15


def transfer_labels(cells: AnnData, reference: AnnData, column: str) -> pd.DataFrame:
    """Transfer a label column of the reference to the cells.

    Two opinions are pooled (their geometric mean): the votes of a cell's 15 nearest reference cells
    in the co-embedding, and a logistic regression trained on the factors of the reference before
    any map. Reference cells whose label is missing or says nothing (``unknown``, ``unassigned``, …)
    have no say.

    Parameters
    ----------
    cells
        Integrated cells; reads ``obsm["gluer_weights"]``, ``obsm["X_gluer_unmapped"]`` and
        ``uns["gluer"]``.
    reference
        The very reference of the integration; reads ``obs[column]``.
    column
        Which labels.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``cells.obs_names``: ``<column>_transferred`` (categorical, missing for unmatched
        cells and where no neighbour has a type) and ``<column>_probability`` (float32 on [0, 1]),
        the pooled probability of that type times the share of the cell's weights on reference
        cells that have a type.

    Raises
    ------
    InputError
        If the column is not there or holds no type, or the reference is another one.
    """
    types, has_type = membership(reference, column)
    probabilities = type_probabilities(cells, reference, has_type)
    largest = np.where(slots.unmatched(cells), 0, probabilities.max(axis=1))
    best = np.where(largest > 0, probabilities.argmax(axis=1), -1)
    return pd.DataFrame(
        {
            slots.transferred(column): pd.Categorical.from_codes(best.astype(int), pd.Index(types)),
            slots.probability(column): largest.astype(np.float32),
        },
        index=cells.obs_names,
    )


def type_probabilities(
    cells: AnnData, reference: AnnData, has_type: sparse.csr_matrix
) -> NDArray[np.float64]:
    """Pooled probability of every type, ``(n_cells, n_types)``, as `transfer_labels` takes it.

    Parameters
    ----------
    has_type
        Of `membership`.
    """
    weights = checked_weights(cells, reference, expression(reference))
    own = slots.require(cells, "obsm", slots.UNMAPPED, INTEGRATE)
    typed = np.asarray(has_type.sum(axis=1)).ravel()
    codes = np.where(typed > 0, np.asarray(has_type.argmax(axis=1)).ravel(), -1)
    known = np.asarray(slots.info(cells)[slots.REFERENCE_UNMAPPED])
    voted = votes(weights, has_type, VOTERS)
    # a cell among reference cells without a type must not come out certain
    share = np.clip(weights @ typed, 0, 1)[:, None]
    return np.asarray(share * pooled(voted, classified(known, np.asarray(own), codes)))


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
