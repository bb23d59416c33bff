"""What is typed narrows the list, what is picked is painted."""

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.captions import title
from napari_gluer._napari.steps.explore import ExploreStep


@pytest.fixture
def masks(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> Labels:
    layer = model.add_labels(labels, name="masks")
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix((cells.n_obs, 3))
    cells.obs[slots.UNMATCHED] = np.arange(cells.n_obs) < 2
    genes = pd.DataFrame(index=["CD3", *(f"GENE{i}" for i in range(30_000))])
    reference = AnnData(sparse.csr_matrix((3, 30_001), dtype=np.float32), var=genes)
    attach(layer, cells=cells, reference=reference)
    return layer


@pytest.fixture
def step(qtbot: Any, masks: Labels, model: ViewerModel) -> ExploreStep:
    made = ExploreStep(model)
    qtbot.addWidget(made)
    made.resize(320, 600)
    made.show()
    return made


@pytest.fixture(autouse=True)
def _impute(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"GENE7": lambda cells, *_: np.arange(cells.n_obs, dtype=np.float32)}

    def impute(cells: AnnData, reference: AnnData, gene: str) -> np.ndarray:
        return values[gene](cells, reference)

    monkeypatch.setattr(ng, "impute", impute, raising=False)


def _pick(qtbot: Any, step: ExploreStep, text: str) -> None:
    step.search_box.clear()
    qtbot.keyClicks(step.search_box, text)
    qtbot.keyClick(step.search_box, Qt.Key.Key_Return)


def test_a_gene_is_painted_by_typing_and_enter(
    qtbot: Any, step: ExploreStep, model: ViewerModel, masks: Labels, finish: Any
) -> None:
    _pick(qtbot, step, "GENE7")
    said = finish(step)
    assert said == "GENE7: imputed, log1p of counts per 10,000. Left empty: 2 unmatched cells."
    assert title(model) == "GENE7: imputed, log1p of counts per 10,000"
    layer = model.layers["GENE7 (imputed)"]
    assert isinstance(layer, Image)
    assert np.isnan(np.asarray(layer.data)).sum() == (masks.data == 0).sum() + 2 * 100
    assert not step.legend.isVisible()


def test_a_marker_and_a_gene_of_one_name_are_told_apart(step: ExploreStep, qtbot: Any) -> None:
    qtbot.keyClicks(step.search_box, "CD3")
    found = step.list.found
    rows = [[found.index(row, column).data() for column in (0, 1)] for row in range(2)]
    assert rows == [["CD3", "measured"], ["CD3", "imputed"]]


def test_a_click_paints_a_marker_at_once(
    qtbot: Any, step: ExploreStep, model: ViewerModel, cells: AnnData
) -> None:
    qtbot.keyClicks(step.search_box, "CD20")
    place = step.list.visualRect(step.list.found.index(0, 0)).center()
    qtbot.mouseClick(step.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    values = np.unique(np.asarray(model.layers["CD20 (measured)"].data))
    np.testing.assert_array_equal(values[:-1], np.sort(cells.X[:, 1]))


def test_clusters_have_a_legend(qtbot: Any, step: ExploreStep, model: ViewerModel) -> None:
    _pick(qtbot, step, "cluster")
    rows = [step.legend.topLevelItem(i) for i in range(step.legend.topLevelItemCount())]
    assert [row.text(0) for row in rows] == ["even", "odd", "unmatched"]
    assert rows[2].text(1) == "2"
    assert step.outcome.text() == "cluster: 2 clusters. 2 unmatched cells are grey."
    assert isinstance(model.layers["cluster"], Labels)
    _pick(qtbot, step, "volume")
    assert not step.legend.isVisible()
    assert not model.layers["cluster"].visible


def test_arrows_and_enter_paint_from_the_list(
    qtbot: Any, step: ExploreStep, model: ViewerModel
) -> None:
    qtbot.keyClicks(step.search_box, "measured")
    qtbot.keyClick(step.search_box, Qt.Key.Key_Down)
    assert step.list.currentIndex().row() == 0
    qtbot.keyClick(step.list, Qt.Key.Key_Down)
    assert len(model.layers) == 1
    qtbot.keyClick(step.list, Qt.Key.Key_Return)
    assert model.layers["CD20 (measured)"].visible


def test_cells_dropped_by_cleaning_are_told(
    qtbot: Any, step: ExploreStep, masks: Labels, cells: AnnData
) -> None:
    attach(masks, cells=cells[3:].copy(), measured=cells)
    _pick(qtbot, step, "CD20")
    assert step.outcome.text() == "CD20: measured. Left empty: 3 cells dropped by cleaning."


@pytest.mark.parametrize(
    ("skipped", "says"), [({}, "CD20: measured, cleaned"), ({"signal": "counts"}, "CD20: measured")]
)
def test_only_a_cleaned_signal_is_called_cleaned(
    qtbot: Any, step: ExploreStep, masks: Labels, cells: AnnData, skipped: Any, says: str
) -> None:
    slots.note(cells, clean={"skipped": skipped})
    _pick(qtbot, step, "CD20")
    assert title(step.viewer) == says


def test_a_kept_layer_stays(qtbot: Any, step: ExploreStep, model: ViewerModel) -> None:
    _pick(qtbot, step, "CD20")
    qtbot.mouseClick(step.keep, Qt.MouseButton.LeftButton)
    _pick(qtbot, step, "volume")
    assert {"CD20 (measured)", "size (pixels)"} <= {layer.name for layer in model.layers}


def test_the_image_is_dimmed_and_comes_back(
    qtbot: Any, step: ExploreStep, model: ViewerModel
) -> None:
    tissue = model.add_image(np.zeros((112, 112)), name="DAPI")
    _pick(qtbot, step, "CD20")
    assert tissue.opacity == pytest.approx(0.3)
    step.dim.click()
    assert tissue.opacity == 1


def test_results_of_another_step_are_listed_at_once(
    step: ExploreStep, masks: Labels, cells: AnnData
) -> None:
    before = step.list.found.rowCount()
    cells.obs["type_transferred"] = "T"
    attach(masks, cells=cells)
    assert step.list.found.rowCount() == before + 1


def test_typing_among_30000_genes_does_not_lag(qtbot: Any, step: ExploreStep) -> None:
    start = time.perf_counter()
    qtbot.keyClicks(step.search_box, "GENE2999")
    assert (time.perf_counter() - start) / 8 < 0.2
    assert step.list.found.rowCount() == 11


def test_labels_drawn_after_measuring_are_told(
    qtbot: Any, step: ExploreStep, masks: Labels, cells: AnnData
) -> None:
    attach(masks, measured=cells)
    masks.data_setitem((np.array([0]), np.array([0])), np.array([999]))
    _pick(qtbot, step, "CD20")
    assert step.outcome.text() == (
        "CD20: measured. 1 labels were drawn after measuring: run Cells again."
    )


def test_cells_without_a_table_say_what_to_do(
    step: ExploreStep, model: ViewerModel, labels: np.ndarray
) -> None:
    step.labels.choose(model.add_labels(labels, name="new"))
    assert step.list.found.rowCount() == 0
    assert step.outcome.text() == "Measure cells first: Plugins ▸ GLUER ▸ Cells."


def test_labels_that_do_not_match_are_refused(
    qtbot: Any, step: ExploreStep, model: ViewerModel, masks: Labels, notified: list[Any]
) -> None:
    masks.data = np.where(masks.data > 9, masks.data, 0)
    _pick(qtbot, step, "CD20")
    assert "3 of 64 cells" in notified[0].message
    assert len(model.layers) == 1
