"""LIGER (pyliger): integrative NMF and quantile normalisation, as in its documentation."""

import numpy as np
from benchmarks.accuracy.exchange import Array, Clock, Inputs, Outputs
from scipy import sparse

PACKAGE = "pyliger"
FACTORS = 20
FINE = 10_000  # pyliger cuts to whole numbers


def liger(inputs: Inputs, seed: int, clock: Clock) -> Outputs:
    """All linked features are its variable genes; empty cells, which it refuses, are zeros."""
    import anndata as ad  # noqa: PLC0415 - only in its own environment
    import pyliger  # noqa: PLC0415

    sides = {"reference": inputs.reference, "cells": inputs.cells}
    filled = {name: np.flatnonzero(values.sum(axis=1) > 0) for name, values in sides.items()}
    tables = [ad.AnnData(_counts(values[filled[name]])) for name, values in sides.items()]
    for name, table in zip(sides, tables, strict=True):
        table.obs_names = [f"{name}{i}" for i in filled[name]]
        table.var_names = [f"feature{i}" for i in range(table.n_vars)]
        table.obs.index.name, table.var.index.name = "cell", "feature"
        table.uns["sample_name"] = name
    with clock("integration"):
        joint = pyliger.create_liger(tables)
        pyliger.normalize(joint)
        joint.var_genes = np.intersect1d(*(table.var_names for table in joint.adata_list))
        for table in joint.adata_list:
            table.uns["var_gene_idx"] = table.var_names.isin(joint.var_genes).nonzero()[0]
        pyliger.scale_not_center(joint)
        rank = min(FACTORS, len(joint.var_genes) - 1)
        pyliger.optimize_ALS(joint, k=rank, rand_seed=seed + 1)
        pyliger.quantile_norm(joint, rand_seed=seed + 1)
    placed = []
    for (name, values), table in zip(sides.items(), joint.adata_list, strict=True):
        found = np.asarray(table.obsm["H_norm"], np.float32)
        placed.append(np.zeros((len(values), found.shape[1]), np.float32))
        placed[-1][[int(cell.removeprefix(name)) for cell in table.obs_names]] = found
    return Outputs(*placed)


def _counts(values: Array) -> sparse.csr_matrix:
    """Whole numbers in the proportions of the values before the logarithm, as LIGER takes them."""
    return sparse.csr_matrix(np.rint(np.expm1(values.astype(np.float64)) * FINE))
