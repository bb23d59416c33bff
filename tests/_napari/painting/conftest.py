"""A labels layer with integrated cells, for the tests of painting."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from scipy import sparse

from napari_gluer import slots
from napari_gluer._napari.attached import attach

N_REFERENCE = 6


@pytest.fixture
def integrated(cells: AnnData) -> AnnData:
    """The cells with results of an integration; those with labels 3 and 6 are unmatched."""
    label = cells.obs["label"].to_numpy()
    cells.obs[slots.UNMATCHED] = label <= 6
    cells.obs[slots.CONFIDENCE] = (label / 192).astype(np.float32)
    cells.obs[slots.transferred("kind")] = pd.Categorical(np.where(label > 96, "T", "B"))
    cells.obs[slots.probability("kind")] = (1 - label / 192).astype(np.float32)
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix(
        np.eye(N_REFERENCE, dtype=np.float32)[label % N_REFERENCE]
    )
    slots.note(cells, **{slots.FINGERPRINT: "same", "links": '{"CD3": "CD3;CD3E"}'})
    return cells


@pytest.fixture
def masks(model: ViewerModel, labels: np.ndarray, integrated: AnnData) -> Labels:
    """The labels of `integrated`."""
    layer = model.add_labels(labels, name="masks", scale=(0.5, 0.5), units=("um", "um"))
    attach(layer, cells=integrated, measured=integrated)
    return layer
