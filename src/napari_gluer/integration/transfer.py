"""Types of the reference's cells, transferred to the cells."""

from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.integration.imputation import INTEGRATE, checked_weights
from napari_gluer.integration.readout import best_types

Unmatched = Literal["missing", "named"]

_NO_TYPE = {"", "unknown", "unassigned", "undefined", "nan", "na", "n/a", "none", "<na>"}
_USUAL_NAMES = ("cell_type", "celltype", "CellType", "cell_type_l1", "annotation", "cell_label")
_FEW_TYPES = 20  # fewer are types even in a small reference


def transfer_labels(
    cells: AnnData, reference: AnnData, column: str, *, unmatched: Unmatched = "missing"
) -> pd.DataFrame:
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
    unmatched
        Labels of unmatched cells: ``missing``, or ``named`` all the same, to be judged by those
        who know better.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``cells.obs_names``: ``<column>_transferred`` (categorical, missing for unmatched
        cells and where no neighbour has a type) and ``<column>_probability`` (float32 on [0, 1]),
        the chance that it is right (calibrated, docs/trust.md) times the share of the cell's
        weights on reference cells that have a type.

    Raises
    ------
    InputError
        If the column is not there or holds no type, or the reference is another one.
    """
    types, has_type = membership(reference, column)
    weights = checked_weights(cells, reference, expression(reference))
    own = slots.require(cells, "obsm", slots.UNMAPPED, INTEGRATE)
    known = np.asarray(slots.info(cells)[slots.REFERENCE_UNMAPPED])
    found = best_types(weights, (known, np.asarray(own)), has_type)
    left_out = slots.unmatched(cells) if unmatched == "missing" else slots.without_signal(cells)
    return pd.DataFrame(
        {
            slots.transferred(column): pd.Categorical.from_codes(
                np.where(left_out, -1, found.codes), pd.Index(types)
            ),
            slots.probability(column): np.where(left_out, np.float32(0), found.chance),
        },
        index=cells.obs_names,
    )


def usual_type_column(reference: AnnData) -> str:
    """The first column of ``obs`` with a usual name that holds two types or more; else empty."""
    for name in _USUAL_NAMES:
        if name in reference.obs:
            try:
                types, _ = membership(reference, name)
            except InputError:  # a column of numbers, say
                continue
            if len(types) > 1:
                return name
    return ""


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
