"""Values of genes, measured or imputed, block by block: never the whole imputed matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import (
    detect_kind,
    expression,
    log_normalised,
    require_same_reference,
    shown_kind,
)

MEASURED, IMPUTED = "measured", "imputed"
_BLOCK_ELEMENTS = 8_000_000  # values of a block, where none of them is zero
_REMEDY = "Integrate the cells first: ng.integrate(cells, reference)."


@dataclass(frozen=True, eq=False)
class GeneValues:
    """Values of some cells.

    Attributes
    ----------
    genes
        Unique names, ``(n_genes,)``.
    source
        ``measured`` or ``imputed``.
    logged
        Whether values are log1p of counts per 10,000; else they are intensities as they are.
    left
        CSR ``(n_rows, n_reference)`` weights; None for measured values.
    matrix
        CSC ``(n_rows, n_genes)``, or the reference's ``(n_reference, n_genes)``.
    """

    genes: pd.Index
    source: str
    logged: bool
    left: sparse.csr_matrix | None
    matrix: sparse.csc_matrix

    @property
    def n_rows(self) -> int:
        """Number of cells."""
        return int((self.matrix if self.left is None else self.left).shape[0])

    def block(self, columns: NDArray[np.integer] | slice) -> sparse.csc_matrix:
        """CSC ``(n_rows, n_columns)`` of some genes."""
        part = self.matrix[:, columns]
        return part if self.left is None else sparse.csc_matrix(self.left @ part)

    def blocks(self, columns: NDArray[np.integer]) -> list[NDArray[np.integer]]:
        """`columns` in parts whose values fit in memory."""
        width = max(1, _BLOCK_ELEMENTS // max(self.n_rows, 1))
        return [columns[i : i + width] for i in range(0, len(columns), width)]

    def deviations(self) -> NDArray[np.float64]:
        """Standard deviation of every gene over single cells ``(n_genes,)``.

        Of imputed genes over the reference's cells: imputed values are smoothed, and their own
        deviations would make much of small differences.
        """
        n = self.matrix.shape[0]
        double = self.matrix.astype(np.float64)
        mean = np.asarray(double.sum(axis=0)).ravel() / n
        double.data **= 2
        square = np.asarray(double.sum(axis=0)).ravel() / n
        found = np.sqrt(np.maximum(square - mean**2, 0))
        # what rounding leaves of a constant gene is no deviation
        return np.asarray(np.where(found > 1e-6 * np.abs(mean), found, 0))

    def group_means(self, members: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Mean of every gene in every group ``(n_groups, n_genes)``; no block is formed."""
        shares = members.T / np.maximum(members.sum(axis=0), 1)[:, None]
        averaged = shares if self.left is None else np.asarray(shares @ self.left)
        return np.asarray(averaged @ self.matrix)


def gene_values(
    cells: AnnData,
    reference: AnnData | None,
    rows: NDArray[np.intp],
    genes: Sequence[str] | None = None,
) -> GeneValues:
    """Values of `rows` of the cells.

    Parameters
    ----------
    cells
        Measured: reads ``X``, ``var["role"]`` (only markers count, unless `genes` names others) and
        ``uns["gluer"]["kind"]``; counts and gene activity become log1p of counts per 10,000, log1p
        values and intensities stay. Imputed: reads ``obsm["gluer_weights"]`` and ``uns["gluer"]``.
    reference
        The very reference of the integration, for imputed values; None for measured ones.
    rows
        Which cells.
    genes
        Which genes, in order; all where None.

    Raises
    ------
    InputError
        If a gene is not there, names repeat, values are NaN or infinite, or the reference is
        another one.
    """
    if reference is None:
        return _measured(cells, rows, genes)
    weights = slots.require(cells, "obsm", slots.WEIGHTS, _REMEDY)
    expressed = expression(reference)
    require_same_reference(cells, reference, expressed)
    columns = np.arange(len(expressed.genes))
    if genes is not None:
        expressed.require([*genes])
        columns = expressed.genes.get_indexer(pd.Index([*genes]))
    matrix = sparse.csc_matrix(expressed.matrix)[:, columns]
    left = sparse.csr_matrix(weights)[rows]
    return GeneValues(expressed.genes[columns], IMPUTED, True, left, matrix)  # noqa: FBT003


def _measured(cells: AnnData, rows: NDArray[np.intp], genes: Sequence[str] | None) -> GeneValues:
    names = pd.Index(cells.var_names.astype(str))
    if not names.is_unique:
        raise InputError(
            f"Columns of the table repeat: {listed(names[names.duplicated()].unique(), 5)}. Make "
            "their names unique (var_names_make_unique)."
        )
    wanted = names[_markers(cells)] if genes is None else pd.Index([*genes])
    absent = [gene for gene in wanted if gene not in names]
    if absent:
        raise InputError(
            f"Not measured: {listed(absent)}. The table has {listed(names)}. To take imputed "
            "genes, give the reference too."
        )
    if not len(wanted):
        raise InputError("No gene to look at: the table has no column that is a marker.")
    # totals are those of the markers, as in the integration
    used = _markers(cells) | names.isin(wanted)
    matrix, logged = _normalised(cells, cells.X[:, used])
    found = sparse.csc_matrix(matrix)[:, names[used].get_indexer(wanted)][rows]
    _refuse_gaps(found, wanted)
    return GeneValues(wanted, MEASURED, logged, None, found)


def _markers(cells: AnnData) -> NDArray[np.bool_]:
    if slots.ROLE not in cells.var:
        return np.ones(cells.n_vars, np.bool_)
    return np.asarray(cells.var[slots.ROLE] == slots.MARKER)


def _normalised(cells: AnnData, matrix: Any) -> tuple[Any, bool]:
    said = slots.info(cells).get(slots.KIND) or detect_kind(matrix)
    kind = said and shown_kind(matrix, said)[0]
    if kind in (slots.COUNTS, slots.ACTIVITY) and detect_kind(matrix) is not None:
        return log_normalised(matrix, slots.COUNTS), True
    return matrix, kind == slots.LOG1P


def _refuse_gaps(matrix: sparse.csc_matrix, genes: pd.Index) -> None:
    lost = ~np.isfinite(matrix.data)
    if not lost.any():
        return
    columns = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))[lost]
    raise InputError(
        f"{int(lost.sum()):,} values are NaN or infinite, in {listed(genes[np.unique(columns)])}. "
        "Drop those cells or columns (ng.clean drops cells that a channel does not show)."
    )
