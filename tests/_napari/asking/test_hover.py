"""The status bar tells of the cell under the mouse: in 2-D and 3-D, painted or not."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.layers import show_values


def told(layer: Any, position: Any, displayed: Any) -> str:
    view = None if len(displayed) == 2 else np.array([1.0, 0, 0])
    status = layer.get_status(position, view_direction=view, dims_displayed=displayed, world=True)
    return str(status["value"])


@pytest.mark.parametrize("is_painted", [False, True])
def test_the_cell_is_told_in_2d(tissue_of_types: Any, is_painted: bool) -> None:
    layer, cells = tissue_of_types.layer, tissue_of_types.cells
    gene = np.where(cells.obs[slots.UNMATCHED], np.nan, cells.obs["label"] / 4)
    if is_painted:
        show_values(tissue_of_types.viewer, layer, cells, gene, name="CD8A (imputed)")
    own = cells.obs.set_index("label").loc[57]
    said = told(layer, np.array(tissue_of_types.centre(57)) / 2, [0, 1])
    assert said.startswith("57")
    assert f"cell_type: {own['cell_type_transferred']}" in said
    assert "confidence: " in said
    assert ("CD8A (imputed): 14.2" in said) == is_painted
    unmatched = told(layer, np.array(tissue_of_types.centre(12)) / 2, [0, 1])
    assert "reference: unmatched" in unmatched
    assert "cell_type" not in unmatched


def test_the_cell_is_told_in_3d(model: ViewerModel, cells: AnnData) -> None:
    labels = np.zeros((12, 20, 20), np.int32)
    labels[4:8, 5:15, 5:15] = 57
    layer = model.add_labels(labels)
    attach(layer, cells=cells[cells.obs["label"] == 57].copy())
    model.dims.ndisplay = 3
    show_values(model, layer, cells[cells.obs["label"] == 57].copy(), [2.5], name="CD8A")
    said = told(layer, (0, 10, 10), [0, 1, 2])
    assert said.startswith("57")
    assert "CD8A: 2.5" in said
