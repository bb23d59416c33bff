"""The title of a painting on the canvas, and the labels beneath it."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.captions import title
from napari_gluer._napari.layers import keep, show_categories, show_values


@pytest.fixture
def masks(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> Labels:
    layer = model.add_labels(labels, name="masks", opacity=0.6)
    attach(layer, cells=cells)
    return layer


def _paint(model: ViewerModel, masks: Labels, cells: AnnData, name: str) -> Any:
    return show_values(
        model, masks, cells, cells.X[:, 0], name=f"{name} (imputed)", title=f"{name}: imputed"
    )


def test_the_canvas_says_what_is_painted(model: ViewerModel, masks: Labels, cells: AnnData) -> None:
    _paint(model, masks, cells, "CD3E")
    assert title(model) == "CD3E: imputed"
    _paint(model, masks, cells, "CD8A")
    assert title(model) == "CD8A: imputed"
    show_categories(model, masks, cells, cells.obs["cluster"], name="cluster")
    assert title(model) == "cluster"


def test_a_hidden_painting_has_no_title_and_its_labels_come_back(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    painting = _paint(model, masks, cells, "CD3E")
    assert (masks.opacity, masks.visible) == (0, True)
    painting.visible = False
    assert (title(model), masks.opacity) == ("", 0.6)
    painting.visible = True
    assert (title(model), masks.opacity) == ("CD3E: imputed", 0)


def test_a_removed_painting_gives_its_labels_back(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    model.layers.remove(_paint(model, masks, cells, "CD3E"))
    assert (title(model), masks.opacity) == ("", 0.6)


def test_a_kept_painting_shows_its_cells_and_not_the_labels(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    kept = _paint(model, masks, cells, "CD3E")
    keep(kept)
    second = _paint(model, masks, cells, "CD8A")
    model.layers.remove(second)
    kept.visible = True
    assert (title(model), masks.opacity) == ("CD3E: imputed", 0)


def test_labels_that_a_person_made_visible_again_stay_so(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    _paint(model, masks, cells, "CD3E")
    masks.opacity = 0.4
    _paint(model, masks, cells, "CD8A")
    assert masks.opacity == pytest.approx(0.4)


def test_hovering_says_that_a_cell_is_unmatched(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    cells.obs[slots.UNMATCHED] = cells.obs["label"].to_numpy() == 3
    cells.obs[slots.CONFIDENCE] = 0.5
    cells.obs[slots.transferred("type")] = "T"
    cells.obs[slots.probability("type")] = 0.75
    _paint(model, masks, cells, "CD3E")

    def said(y: int, x: int) -> str:
        status = masks.get_status(masks.data_to_world((y, x)), world=True, dims_displayed=[0, 1])
        return str(status["value"])

    assert said(7, 7) == "3; reference: unmatched, CD3E (imputed): 0.3"
    assert said(7, 21) == (
        "6; cluster: even, confidence: 0.5, type: T, type probability: 0.75, CD3E (imputed): 0.6"
    )
