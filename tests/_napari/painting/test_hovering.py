"""The status bar knows what is painted, whatever was painted before."""

import numpy as np
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels

from napari_gluer._napari.painting.hovering import let_hover


def said(masks: Labels, y: int, x: int) -> str:
    status = masks.get_status(masks.data_to_world((y, x)), world=True, dims_displayed=[0, 1])
    return str(status["value"])


def test_the_last_painted_value_is_told_alone(
    model: ViewerModel, masks: Labels, integrated: AnnData
) -> None:
    let_hover(model, masks, integrated, "one", integrated.X[:, 0])
    let_hover(model, masks, integrated, "two", integrated.X[:, 1])
    text = said(masks, 7, 35)  # the third cell of the first row has label 9
    assert "one" not in text
    assert text.endswith("two: 91")


def test_a_column_that_was_there_comes_back(
    model: ViewerModel, masks: Labels, integrated: AnnData
) -> None:
    before = said(masks, 7, 35)
    let_hover(model, masks, integrated, "cluster", np.array(["x"] * integrated.n_obs, object))
    assert "cluster: x" in said(masks, 7, 35)
    let_hover(model, masks, integrated, "two", integrated.X[:, 1])
    assert said(masks, 7, 35) == f"{before}, two: 91"


def test_the_table_is_not_replaced_from_gene_to_gene(
    model: ViewerModel, masks: Labels, integrated: AnnData
) -> None:
    let_hover(model, masks, integrated, "one", integrated.X[:, 0])
    replaced: list[object] = []
    masks.events.features.connect(replaced.append)
    masks.events.set_data.connect(replaced.append)
    let_hover(model, masks, integrated, "two", integrated.X[:, 1])
    assert replaced == []


def test_other_cells_get_a_table_of_their_own(
    model: ViewerModel, masks: Labels, integrated: AnnData
) -> None:
    let_hover(model, masks, integrated, "one", integrated.X[:, 0])
    fewer = integrated[::-1][:40].copy()
    let_hover(model, masks, fewer, "one", fewer.X[:, 0])
    assert len(masks.features) == 41
    label = int(fewer.obs["label"].iloc[0])
    y, x = np.argwhere(np.asarray(masks.data) == label)[0]
    assert said(masks, y, x).endswith(f"one: {label / 10}")
