"""What is typed narrows the list, what is picked is painted."""

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.captions import title
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.painting import picking
from napari_gluer._napari.painting.grades import keep_grades
from napari_gluer._napari.painting.looks import FADED
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
    assert said == "GENE7: imputed, log1p of counts per 10,000. 2 unmatched cells are grey."
    assert title(model) == "GENE7: imputed, log1p of counts per 10,000"
    layer = model.layers["GENE7 (imputed)"]
    assert isinstance(layer, Image)
    assert np.isnan(np.asarray(layer.data)).sum() == (masks.data == 0).sum() + 2 * 100
    row = step.legend.topLevelItem(0)
    assert (row.text(0), row.text(1)) == ("unmatched", "2")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every gene takes a thread, and longer than a person waits without a word."""
    monkeypatch.setattr(picking, "_FEW", 0)
    quick = ng.impute

    def impute(cells: AnnData, reference: AnnData, gene: str) -> np.ndarray:
        time.sleep(0.5)
        return np.asarray(quick(cells, reference, gene))

    monkeypatch.setattr(ng, "impute", impute, raising=False)


@pytest.mark.usefixtures("slow")
def test_a_gene_that_takes_long_is_imputed_in_a_thread(
    qtbot: Any, step: ExploreStep, model: ViewerModel, finish: Any
) -> None:
    start = time.perf_counter()
    _pick(qtbot, step, "GENE7")
    assert time.perf_counter() - start < 0.4
    assert step.busy
    assert not step.progress.isVisible()
    qtbot.waitUntil(step.progress.isVisible)
    assert step.outcome.text() == "Imputing GENE7 …"
    assert finish(step).startswith("GENE7: imputed")
    assert not step.progress.isVisible()
    assert "GENE7 (imputed)" in model.layers


@pytest.mark.usefixtures("slow")
def test_another_pick_comes_before_a_gene_that_takes_long(
    qtbot: Any, step: ExploreStep, model: ViewerModel
) -> None:
    _pick(qtbot, step, "GENE7")
    _pick(qtbot, step, "CD20")
    assert not step.busy
    qtbot.wait(700)
    assert [one.name for one in model.layers if one.visible] == ["masks", "CD20 (measured)"]


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
    assert (time.perf_counter() - start) / 8 < 0.1
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


def test_cells_that_are_gone_from_the_labels_are_left_empty(
    qtbot: Any, step: ExploreStep, masks: Labels
) -> None:
    masks.data = np.where(masks.data > 9, masks.data, 0)
    _pick(qtbot, step, "CD20")
    assert step.outcome.text() == (
        "CD20: measured. Left empty: 3 cells edited since they were measured."
    )
    rows = [step.legend.topLevelItem(i).text(0) for i in range(step.legend.topLevelItemCount())]
    assert rows == ["edited since measured: empty"]


def test_other_labels_are_refused(
    qtbot: Any, step: ExploreStep, model: ViewerModel, masks: Labels, notified: list[Any]
) -> None:
    masks.data = np.where(masks.data > 0, masks.data + 1000, 0)
    _pick(qtbot, step, "CD20")
    assert "labels were replaced" in notified[0].message
    assert len(model.layers) == 1


def test_what_is_edited_while_it_is_painted_becomes_empty(
    qtbot: Any, step: ExploreStep, model: ViewerModel, masks: Labels
) -> None:
    _pick(qtbot, step, "CD20")
    layer = model.layers["CD20 (measured)"]
    there = np.asarray(masks.data) == 60
    masks.data = np.where(there, 0, masks.data)
    assert np.isnan(np.asarray(layer.data)[there]).all()
    shown = linked_of(masks).shown
    assert shown is not None
    assert 60 not in shown.labels


def test_results_that_change_are_painted_anew(
    qtbot: Any, step: ExploreStep, model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    _pick(qtbot, step, "CD20")
    again = cells.copy()
    again.X = cells.X * 10
    attach(masks, cells=again)
    values = np.unique(np.asarray(model.layers["CD20 (measured)"].data))
    np.testing.assert_allclose(values[:-1], np.sort(again.X[:, 1]))


def test_the_legend_isolates_and_all_come_back(
    qtbot: Any, step: ExploreStep, model: ViewerModel, masks: Labels
) -> None:
    _pick(qtbot, step, "cluster")
    layer = model.layers["cluster"]
    before = np.asarray(layer.data).copy()
    _click(qtbot, step, 1)
    odd = (masks.data > 0) & (before == 2)
    assert (np.asarray(layer.data)[odd] == before[odd]).all()
    others = (before > 0) & ~odd
    assert (np.asarray(layer.data)[others] == before[others] + 3).all()
    assert layer.get_color(4)[3] == pytest.approx(FADED)
    qtbot.mouseClick(step.legend.all, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(np.asarray(layer.data), before)
    _click(qtbot, step, 0)
    _pick(qtbot, step, "region")
    assert not step.legend.all.isVisible()


def test_a_colour_is_edited_and_undone(
    qtbot: Any,
    step: ExploreStep,
    model: ViewerModel,
    masks: Labels,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#123456"))
    _pick(qtbot, step, "cluster")
    before = model.layers["cluster"].get_color(1)
    place = step.legend.list.visualItemRect(step.legend.topLevelItem(0))
    at = QPoint(10, place.center().y())
    qtbot.mouseDClick(step.legend.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    linked = linked_of(masks)
    assert linked.colors == {"cluster": {"even": "#123456"}}
    expected = [0x12 / 255, 0x34 / 255, 0x56 / 255]
    assert model.layers["cluster"].get_color(1)[:3] == pytest.approx(expected, abs=1e-3)
    shown = linked.shown
    assert shown is not None
    assert shown.colors[0] == "#123456"
    assert linked.undo.undo() == "colour of “even”"
    np.testing.assert_allclose(model.layers["cluster"].get_color(1), before)


def test_limits_are_percentiles_that_a_person_sets(
    qtbot: Any, step: ExploreStep, model: ViewerModel, cells: AnnData, notified: list[Any]
) -> None:
    _pick(qtbot, step, "CD20")
    layer, panel = model.layers["CD20 (measured)"], step.looking.colours
    _type(qtbot, panel.high, "80")
    expected = np.percentile(cells.X[:, 1], (1, 80))
    assert tuple(layer.contrast_limits) == pytest.approx(expected)
    assert panel.limits.text() == f"From {expected[0]:.3g} to {expected[1]:.3g}"
    _type(qtbot, panel.low, "90")
    assert "must be below" in notified[0].message
    assert panel.low.value() == 1
    panel.colormap.setCurrentText("magma")
    assert layer.colormap.name == "magma"
    layer.gamma = 0.5
    assert panel.gamma.value() == 0.5
    qtbot.mouseClick(panel.reset, Qt.MouseButton.LeftButton)
    assert (layer.colormap.name, layer.gamma) == ("viridis", 1)
    assert tuple(layer.contrast_limits) == pytest.approx(np.percentile(cells.X[:, 1], (1, 99)))


def test_the_confidence_switch_hides_cells(
    qtbot: Any, step: ExploreStep, model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    cells.obs[slots.CONFIDENCE] = np.where(cells.obs["label"] > 96, 0.9, 0.1)
    attach(masks, cells=cells)
    _pick(qtbot, step, "CD20")
    panel = step.looking.confidence
    assert panel.told.text() == "32 of 64 cells are below, by confidence."
    panel.what.setCurrentText("Hide")
    pixels = np.asarray(model.layers["CD20 (measured)"].data)
    np.testing.assert_array_equal(np.isfinite(pixels), masks.data > 96)
    _type(qtbot, panel.bound, "0.05")
    pixels = np.asarray(model.layers["CD20 (measured)"].data)
    np.testing.assert_array_equal(np.isfinite(pixels), masks.data > 0)
    assert panel.told.text() == "0 of 64 cells are below, by confidence."


def test_a_gene_of_no_use_is_painted_only_when_it_is_asked_for_twice(
    qtbot: Any, step: ExploreStep, masks: Labels, cells: AnnData, finish: Any
) -> None:
    table = pd.DataFrame(
        {"predicted": [0.0], "low": [-0.2], "high": [0.2], "measured": [False]}, index=["GENE7"]
    )
    keep_grades(cells, table.assign(grade="no better than chance"))
    attach(masks, cells=cells)
    _pick(qtbot, step, "GENE7")
    assert step.warning.isVisible()
    assert "no better than chance" in step.warning.text.text()
    assert linked_of(masks).shown is None
    qtbot.mouseClick(step.warning.anyway, Qt.MouseButton.LeftButton)
    finish(step)
    assert title(step.viewer).endswith("BEWARE: imputed no better than chance")
    assert not step.warning.isVisible()
    _pick(qtbot, step, "GENE7")
    assert step.warning.isVisible()
    qtbot.keyClick(step.search_box, Qt.Key.Key_Return)
    finish(step)
    assert not step.warning.isVisible()
    _pick(qtbot, step, "GENE7")
    _pick(qtbot, step, "CD20")
    assert not step.warning.isVisible()


def test_genes_are_blended_by_clicks(qtbot: Any, step: ExploreStep, model: ViewerModel) -> None:
    panel = step.looking.blend
    step.looking.folds["Blend"].fold(folded=False)
    assert not panel.add.isEnabled()
    for name in ("CD20", "volume"):
        _pick(qtbot, step, name)
        qtbot.mouseClick(panel.add, Qt.MouseButton.LeftButton)
    assert title(model).startswith("magenta: CD20 (measured), ")
    assert len(panel.rows) == 2
    _pick(qtbot, step, "cluster")
    assert not panel.add.isEnabled()
    qtbot.mouseClick(panel.show_again, Qt.MouseButton.LeftButton)
    assert not model.layers["cluster"].visible
    qtbot.mouseClick(panel.rows[0].remove, Qt.MouseButton.LeftButton)
    assert title(model).startswith("green: size (pixels), ")


def test_sections_are_painted_together(
    qtbot: Any, step: ExploreStep, model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    fold = step.looking.folds["Sections"]
    assert not fold.visible
    slots.note(cells, **{slots.FINGERPRINT: "same"})
    second = cells.copy()
    second.X = cells.X * 3
    other = model.add_labels(np.asarray(masks.data), name="second")
    step.labels.choose(masks)
    assert not fold.visible
    attach(other, cells=second)
    assert fold.visible
    _pick(qtbot, step, "CD20")
    step.looking.sections.together.click()
    found = [model.layers[f"CD20 (measured) · {name}"] for name in ("masks", "second")]
    both = np.percentile(np.r_[cells.X[:, 1], second.X[:, 1]], (1, 99))
    assert [tuple(one.contrast_limits) for one in found] == [pytest.approx(both)] * 2
    assert [one.colorbar.visible for one in found] == [True, False]
    assert model.layers.selection.active is masks
    step.looking.sections.beside.click()
    assert other.translate[1] > masks.extent.world[1, 1]
    np.testing.assert_allclose(found[1].translate, other.translate)
    _type(qtbot, step.looking.colours.high, "50")
    both = np.percentile(np.r_[cells.X[:, 1], second.X[:, 1]], (1, 50))
    assert [tuple(one.contrast_limits) for one in found] == [pytest.approx(both)] * 2
    step.looking.sections.together.click()
    np.testing.assert_allclose(other.translate, (0, 0))
    own = np.percentile(cells.X[:, 1], (1, 50))
    assert tuple(found[0].contrast_limits) == pytest.approx(own)


def test_nothing_is_clipped_on_a_small_screen(qtbot: Any, step: ExploreStep) -> None:
    _pick(qtbot, step, "CD20")
    for fold in step.looking.folds.values():
        fold.fold(folded=False)
    qtbot.wait(20)
    inside = step.scroll_area.widget()
    assert inside.minimumSizeHint().width() <= step.scroll_area.viewport().width()


def _click(qtbot: Any, step: ExploreStep, row: int) -> None:
    place = step.legend.list.visualItemRect(step.legend.topLevelItem(row)).center()
    qtbot.mouseClick(step.legend.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def _type(qtbot: Any, spin: Any, text: str) -> None:
    spin.setFocus()
    spin.selectAll()
    qtbot.keyClicks(spin, text)
    qtbot.keyClick(spin, Qt.Key.Key_Return)
