"""Small integrated tables for the tests of what follows an integration."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer.expression import expression, fingerprint

N_REFERENCE, N_GENES = 80, 60


def reference_of_types(seed: int = 0, n_types: int = 3) -> AnnData:
    """Counts in which genes ``i``, ``i + n_types``, … below 30 mark type i."""
    rng = np.random.default_rng(seed)
    types = np.arange(N_REFERENCE) % n_types
    mean = np.full((N_REFERENCE, N_GENES), 3.0)
    for gene in range(30):
        mean[types == gene % n_types, gene] = 12
    reference = AnnData(sparse.csr_matrix(rng.poisson(mean).astype(np.float32)))
    reference.var_names = [f"G{i}" for i in range(N_GENES)]
    reference.obs_names = [f"r{i}" for i in range(N_REFERENCE)]
    reference.obs["cell_type"] = pd.Categorical([f"type {i}" for i in types])
    return reference


def integrated(reference: AnnData, n_cells: int = 90, seed: int = 1) -> AnnData:
    """Cells whose weights are on five reference cells of their own type, in ``obs["truth"]``."""
    rng = np.random.default_rng(seed)
    codes = reference.obs["cell_type"].cat.codes.to_numpy()
    types = rng.integers(0, codes.max() + 1, n_cells)
    columns = np.array(
        [rng.choice(np.flatnonzero(codes == one), 5, replace=False) for one in types]
    )
    weights = rng.dirichlet(np.ones(5), n_cells).astype(np.float32)
    rows = np.repeat(np.arange(n_cells), 5)
    cells = AnnData(np.round(rng.random((n_cells, 4)), 2).astype(np.float32))
    cells.var_names = ["CD3", "CD4", "CD8", "CD20"]
    labels = np.arange(n_cells) * 2 + 5
    cells.obs_names = labels.astype(str)
    cells.obs["label"] = labels
    cells.obs["truth"] = [f"type {one}" for one in types]
    cells.obsm["gluer_weights"] = sparse.csr_matrix(
        (weights.ravel(), (rows, columns.ravel())), (n_cells, reference.n_obs)
    )
    cells.uns["gluer"] = {
        "reference_names": np.array(reference.obs_names, object),
        "reference_fingerprint": fingerprint(reference, expression(reference)),
    }
    return cells


@pytest.fixture
def reference() -> AnnData:
    """Reference of three types, `reference_of_types`."""
    return reference_of_types()


@pytest.fixture
def cells(reference: AnnData) -> AnnData:
    """90 cells integrated with it."""
    return integrated(reference)
