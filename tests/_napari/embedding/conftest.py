"""Cells and a reference whose places in the factors are known."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from scipy import sparse

from napari_gluer import slots
from napari_gluer._napari.attached import attach

N_REFERENCE = 40


@pytest.fixture
def reference() -> AnnData:
    """40 cells: 20 of type ``low`` with gene A, 20 of type ``high`` with gene B; counts."""
    is_high = np.arange(N_REFERENCE) >= N_REFERENCE // 2
    counts = np.c_[~is_high * 30, is_high * 30, np.full(N_REFERENCE, 5)].astype(np.float32)
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical(np.where(is_high, "high", "low"))},
        index=[f"ref{i}" for i in range(N_REFERENCE)],
    )
    return AnnData(sparse.csr_matrix(counts), obs=obs, var=pd.DataFrame(index=["A", "B", "C"]))


@pytest.fixture
def integrated(cells: AnnData, reference: AnnData) -> AnnData:
    """`cells` as after integration: labels up to 96 lie left, the others right, in factor 1.

    Factor 2 is the label itself. A cell's weights lie on the reference cells of its side.
    """
    label = cells.obs["label"].to_numpy()
    is_high = label > 96
    rng = np.random.default_rng(2)
    factors = np.c_[np.where(is_high, 10, -10), label, rng.normal(size=len(label))]
    of_high = np.arange(N_REFERENCE) >= N_REFERENCE // 2
    of_reference = np.c_[np.where(of_high, 10, -10), np.arange(N_REFERENCE), np.zeros(N_REFERENCE)]
    weights = (is_high[:, None] == of_high[None]) / (N_REFERENCE / 2)
    cells.obsm[slots.EMBEDDING] = factors.astype(np.float32)
    cells.obsm[slots.UNMAPPED] = (factors * [-1, 1, 1]).astype(np.float32)
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix(weights)
    cells.obs[slots.UNMATCHED] = label == 3
    cells.obs["cell_type_transferred"] = pd.Categorical(np.where(is_high, "high", "low"))
    slots.note(
        cells,
        **{
            slots.REFERENCE_FACTORS: of_reference.astype(np.float32),
            slots.REFERENCE_UNMAPPED: of_reference.astype(np.float32),
            slots.REFERENCE_NAMES: reference.obs_names.to_numpy(),
        },
    )
    return cells


@pytest.fixture
def masks(
    model: ViewerModel, labels: np.ndarray, integrated: AnnData, reference: AnnData
) -> Labels:
    """The labels layer with both tables."""
    layer = model.add_labels(labels, name="masks")
    attach(layer, cells=integrated, measured=integrated, reference=reference)
    return layer
