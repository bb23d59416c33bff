"""Genes worth painting: different between cells and, where there are such, not measured."""

import json

import numpy as np
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.expression import expression
from napari_gluer.integration.imputation import checked_weights

_SAMPLED_CELLS, _BLOCK = 1000, 2000
_EXPLAINED = 1e-6


def most_telling_genes(cells: AnnData, reference: AnnData, n_genes: int) -> list[str]:
    """Unmeasured genes whose imputed values differ most between cells, each unlike the others.

    Where the cells measure every gene of the reference, measured ones are taken.

    Taken one by one: the greatest variance over a sample of cells, times the share that the genes
    already taken do not explain.
    """
    expressed = expression(reference)
    weights = checked_weights(cells, reference, expressed)
    rows = np.unique(np.linspace(0, cells.n_obs - 1, _SAMPLED_CELLS).astype(int))
    sample = weights[rows]
    measured = measured_genes(cells)
    free = np.array([gene not in measured for gene in expressed.genes])
    free |= not free.any()
    variance = np.zeros(len(expressed.genes))
    for start in range(0, len(variance), _BLOCK):
        block = slice(start, start + _BLOCK)
        variance[block] = (sample @ expressed.matrix[:, block]).toarray().var(axis=0)
    order = np.argsort(-variance, kind="stable")
    candidates = order[free[order] & (variance[order] > 0)][:_BLOCK]
    values = (sample @ expressed.matrix[:, candidates]).toarray()
    left = values - values.mean(axis=0)
    taken: list[str] = []
    while len(taken) < min(n_genes, len(candidates)):
        remaining = left.var(axis=0)
        best = int(np.argmax(remaining))
        if remaining[best] <= _EXPLAINED * variance[candidates[best]]:
            break  # the genes taken say all that the others would
        taken.append(str(expressed.genes[candidates[best]]))
        axis = left[:, best] / np.linalg.norm(left[:, best])
        left = left - np.outer(axis, axis @ left)
    return taken


def measured_genes(cells: AnnData) -> dict[str, str]:
    """Genes that a feature of the integrated cells stands for, and that feature."""
    links: dict[str, str] = json.loads(slots.info(cells)["links"])
    return {gene: feature for feature, genes in links.items() for gene in genes.split(";")}
