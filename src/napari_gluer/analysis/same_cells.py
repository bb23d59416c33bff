"""Values of genes for the cells of another table: joined by name, never by place."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.analysis.gene_values import gene_values
from napari_gluer.errors import InputError, listed

Expressed: TypeAlias = AnnData | pd.DataFrame | NDArray[np.floating]
"""Measured values, imputed ones by cell and gene, or an array of `impute`."""


def genes_in(expression: Expressed, genes: Sequence[str] | None) -> list[str]:
    """Names of the genes that have values; `genes` are those of an array's columns."""
    if isinstance(expression, np.ndarray):
        if genes is None or expression.ndim != 2 or expression.shape[1] != len(genes):
            raise InputError(
                f"The expression is an array of shape {expression.shape}; name one gene for each "
                "of its columns (genes=)."
            )
        return [*genes]
    table = expression
    return [str(name) for name in (table.var_names if isinstance(table, AnnData) else table)]


def same_cells(
    peaks: AnnData, expression: Expressed, names: list[str], genes: Sequence[str] | None
) -> tuple[NDArray[np.intp], Any]:
    """Rows of the expression in the order of the peaks' cells, and values of genes there.

    Parameters
    ----------
    peaks
        Reads the names of cells.
    expression
        Table, frame or array of values.
    names
        Genes to give, in order.
    genes
        What the columns of an array are.

    Returns
    -------
    numpy.ndarray
        Row of every cell of `peaks`, ``(n_cells,)``.
    numpy.ndarray or scipy.sparse.csc_matrix
        ``(n_cells, len(names))``: of counts log1p per 10,000, others as they are.

    Raises
    ------
    InputError
        If a cell has no expression, names repeat, or values are NaN.
    """
    own = slots.cell_names(peaks)
    if isinstance(expression, np.ndarray):
        if len(expression) != peaks.n_obs:
            raise InputError(
                f"The expression has {len(expression):,} rows, and there are {peaks.n_obs:,} cells "
                "with peaks; both must be the same cells in the same order."
            )
        expression = pd.DataFrame(expression, own, [*(genes or ())])
    table = expression
    cells = slots.cell_names(table) if isinstance(table, AnnData) else table.index.astype(str)
    columns = pd.Index(genes_in(table, genes))
    if not (cells.is_unique and columns.is_unique):
        raise InputError("Cells and genes must have names of their own; some are repeated.")
    rows = cells.get_indexer(own)
    if (rows < 0).any():
        missing = own[rows < 0]
        raise InputError(
            f"{len(missing):,} of {peaks.n_obs:,} cells of the peaks have no expression, "
            f"{listed(missing, 3)} for instance; both tables must hold the same cells."
        )
    if isinstance(table, AnnData):
        return rows, gene_values(table, None, rows, names).matrix
    values = table.iloc[rows, columns.get_indexer(pd.Index(names))].to_numpy(np.float64)
    if not np.isfinite(values).all():
        raise InputError("The expression holds NaN or infinite values.")
    return rows, values
