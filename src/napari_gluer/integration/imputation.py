"""Genes that were never imaged."""

from collections.abc import Sequence

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.expression import Expression, expression, require_same_reference

INTEGRATE = "Integrate the cells first: ng.integrate(cells, reference)."


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
    weights = slots.require(cells, "obsm", slots.WEIGHTS, INTEGRATE)
    require_same_reference(cells, reference, expressed)
    return sparse.csr_matrix(weights)
