"""How far a result may be trusted, judged where the truth is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.correlating import unit_ranks
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.integration.imputation import impute
from napari_gluer.integration.linking import cell_features, linked_features, reference_features
from napari_gluer.integration.readout import VOTERS
from napari_gluer.integration.standard import standardized
from napari_gluer.integration.transfer import membership, transfer_labels
from napari_gluer.labels import counterparts
from napari_gluer.neighbours import nearest_by_cosine

_LEAST_EXPRESSED = 0.1

GLUER = "GLUER"
COSINE = "nearest neighbours by cosine"
TYPE_MEAN = "mean of the transferred type"


def matched_truth(
    cells: AnnData,
    labels: NDArray[np.integer],
    true_labels: NDArray[np.integer],
    truth: AnnData,
) -> tuple[AnnData, AnnData]:
    """Cells and the true cells they cover, row by row.

    Parameters
    ----------
    cells, labels
        Cells that were found, and their labels image.
    true_labels, truth
        True masks, and a table with ``obs["label"]``.

    Returns
    -------
    cells, truth
        Only cells at least half of whose pixels lie in one true cell, in the same order.
    """
    pairs = counterparts(labels, true_labels)
    own = cells.obs[slots.LABEL].to_numpy()
    rows = [i for i, value in enumerate(own) if int(value) in pairs]
    place = {int(value): i for i, value in enumerate(truth.obs[slots.LABEL])}
    partners = [place[pairs[int(own[i])]] for i in rows]
    if not rows:
        raise InputError("No cell that was found lies in a true cell.")
    return cells[rows].copy(), truth[partners].copy()


def compare_with_truth(
    cells: AnnData, reference: AnnData, truth: AnnData, column: str = "cell_type"
) -> pd.DataFrame:
    """Right types and right genes, beside two baselines on the same data.

    The baselines: the nearest reference cells by cosine of the linked features, standardised within
    each data set (15 vote on the type, as many as GLUER draws on are averaged for genes); and for
    every cell the mean expression of its transferred type.

    Parameters
    ----------
    cells
        Integrated cells.
    reference
        The reference of the integration, with ``obs[column]``.
    truth
        Row by row the truth about `cells`: log1p expression in ``X`` and ``obs[column]``.

    Returns
    -------
    pandas.DataFrame
        One row per method: ``right_type``, the share of cells whose type is right (an unmatched
        cell is not); ``gene_correlation``, the median over genes of Spearman's correlation over
        cells between imputed and true expression; ``n_genes`` that count: not linked and expressed
        by at least 10 % of the true cells; ``n_cells``.
    """
    if cells.n_obs != truth.n_obs:
        raise InputError(f"{cells.n_obs} cells want as many true cells; there are {truth.n_obs}.")
    genes = _judged_genes(cells, reference, truth)
    true_ranks = unit_ranks(_dense(truth[:, genes].X))
    true_types = truth.obs[column].astype(str).str.strip().to_numpy()
    own = (
        transfer_labels(cells, reference, column)[slots.transferred(column)].astype(str).to_numpy()
    )
    own = np.where(slots.unmatched(cells), "", own)
    voted, cosine_values = _cosine_baseline(cells, reference, genes, column)
    methods: dict[str, tuple[NDArray[Any], Callable[[], NDArray[np.floating]]]] = {
        GLUER: (own, lambda: impute(cells, reference, genes)),
        COSINE: (voted, lambda: cosine_values),
        TYPE_MEAN: (own, lambda: _type_means(own, reference, genes, column)),
    }
    return pd.DataFrame.from_dict(
        {
            name: {
                "right_type": float((types == true_types).mean()),
                "gene_correlation": _median_correlation(values(), true_ranks),
                "n_genes": len(genes),
                "n_cells": cells.n_obs,
            }
            for name, (types, values) in methods.items()
        },
        orient="index",
    ).astype({"n_genes": int, "n_cells": int})


def _judged_genes(cells: AnnData, reference: AnnData, truth: AnnData) -> list[str]:
    linked = {gene for genes in linked_features(cells, reference)["genes"] for gene in genes}
    expressed = np.asarray((truth.X > 0).mean(axis=0)).ravel() >= _LEAST_EXPRESSED
    known = set(expression(reference).genes)
    genes = [
        str(gene)
        for gene, enough in zip(truth.var_names, expressed, strict=True)
        if enough and gene in known and gene not in linked
    ]
    if not genes:
        raise InputError("No unmeasured gene is expressed by 10 % of the true cells.")
    return genes


def _cosine_baseline(
    cells: AnnData, reference: AnnData, genes: list[str], column: str
) -> tuple[NDArray[Any], NDArray[np.floating]]:
    """Types voted, and expression averaged, over the nearest reference cells."""
    links = linked_features(cells, reference)
    expressed = expression(reference)
    sides = [reference_features(expressed, links), cell_features(cells, links)]
    of_reference, of_cells = (standardized(side).dense() for side in sides)
    drawn_on = int(cells.obsm[slots.WEIGHTS].getnnz(axis=1).max())
    near, _ = nearest_by_cosine(of_cells, of_reference, max(drawn_on, VOTERS))
    types, has_type = membership(reference, column)
    votes = sum(has_type[near[:, k]] for k in range(min(VOTERS, near.shape[1]))).toarray()
    near = near[:, :drawn_on]
    values = expressed.columns(genes)[near].mean(axis=1)
    return np.asarray(types)[votes.argmax(axis=1)], values


def _type_means(
    own: NDArray[Any], reference: AnnData, genes: list[str], column: str
) -> NDArray[np.floating]:
    types, has_type = membership(reference, column)
    sums = np.asarray(has_type.T @ expression(reference).columns(genes))
    means = sums / np.asarray(has_type.sum(axis=0)).reshape(-1, 1)
    return pd.DataFrame(means, index=pd.Index(types)).reindex(own).fillna(0).to_numpy()


def _dense(matrix: Any) -> NDArray[np.floating]:
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix)


def _median_correlation(values: NDArray[np.floating], true_ranks: NDArray[np.float64]) -> float:
    return float(np.median((unit_ranks(values) * true_ranks).sum(axis=0)))
