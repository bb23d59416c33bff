"""The Embedding panel by clicks: what is drawn around is chosen on the tissue, and back."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.notifications import Notification
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_gluer import slots
from napari_gluer._napari.attached import attach, cells_of
from napari_gluer._napari.embedding.step import EmbeddingStep
from napari_gluer._napari.linked import Shown, linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.selection_layer import CHOSEN, selection_layer

LEFT = Qt.MouseButton.LeftButton
HIGH = list(range(99, 193, 3))


@pytest.fixture
def step(qtbot: Any, masks: Labels, model: ViewerModel) -> EmbeddingStep:
    made = EmbeddingStep(model)
    qtbot.addWidget(made)
    made.resize(340, 700)
    made.show()
    made.controls.kind.setCurrentText("Factors")
    QApplication.processEvents()
    return made


def _lasso(
    qtbot: Any, step: EmbeddingStep, box: tuple[float, ...], pane: int = 0, keys: Any = None
) -> None:
    view = step.panes.views[pane]
    left, bottom, right, top = box
    corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
    places = [view.to_widget(*corner).toPoint() for corner in corners]
    held = keys or Qt.KeyboardModifier.NoModifier
    qtbot.mousePress(view, LEFT, held, places[0])
    for place in places[1:]:
        qtbot.mouseMove(view, place)
    qtbot.mouseRelease(view, LEFT, held, places[-1])


def test_a_lasso_marks_its_cells_on_the_tissue(
    qtbot: Any, step: EmbeddingStep, model: ViewerModel, masks: Labels, labels: np.ndarray
) -> None:
    _lasso(qtbot, step, (5, -5, 15, 200))
    layer = selection_layer(model, masks)
    np.testing.assert_array_equal(np.asarray(layer.data) == CHOSEN, labels > 96)
    assert step.outcome.text() == "32 cells are chosen."
    assert step.panes.views[0].scene.chosen.sum() == 32


@pytest.mark.parametrize(
    ("how", "keys", "left"),
    [
        ("add", None, 64),
        ("remove", None, 24),
        ("common", None, 8),
        ("replace", Qt.KeyboardModifier.ShiftModifier, 64),
        ("replace", Qt.KeyboardModifier.AltModifier, 24),
        ("add", Qt.KeyboardModifier.ControlModifier, 8),
    ],
)
def test_lassos_are_combined_by_button_or_key(
    qtbot: Any, step: EmbeddingStep, masks: Labels, how: str, keys: Any, left: int
) -> None:
    _lasso(qtbot, step, (5, -5, 15, 200))
    qtbot.mouseClick(step.controls.how.buttons[how], LEFT)
    # all on the left, and the eight with the largest labels on the right
    box = (-15, -5, 15, 200) if left == 64 else (5, 169, 15, 200)
    _lasso(qtbot, step, box, keys=keys)
    assert len(linked_of(masks).selections.current) == left


def test_what_is_chosen_elsewhere_is_dimmed_and_raised_here(
    step: EmbeddingStep, masks: Labels
) -> None:
    linked_of(masks).selections.choose([3, 6])
    view = step.panes.views[0]
    at = view.to_widget(-10, 6).toPoint()
    assert view.grab().toImage().pixelColor(at).name().upper() == "#E69F00"
    assert step.view.labels[view.scene.chosen].tolist() != []
    assert sorted(step.view.labels[view.scene.chosen]) == [3, 6]
    linked_of(masks).undo.undo()
    assert view.scene.chosen is None


def test_escape_chooses_none(
    qtbot: Any, step: EmbeddingStep, model: ViewerModel, masks: Labels
) -> None:
    linked_of(masks).selections.choose([3])
    qtbot.keyClick(step.panes.views[0], Qt.Key.Key_Escape)
    assert not linked_of(masks).selections.current.size
    assert not selection_layer(model, masks).visible


def test_a_lasso_in_the_reference_finds_the_cells_it_speaks_for(
    qtbot: Any, step: EmbeddingStep, masks: Labels
) -> None:
    step.controls.arrangement.setCurrentText("Cells | reference")
    QApplication.processEvents()
    _lasso(qtbot, step, (5, 15, 15, 45), pane=1)
    assert linked_of(masks).selections.current.tolist() == HIGH
    assert "32 cells draw half of their weight or more from the 20 reference" in step.outcome.text()


def test_points_take_the_colours_of_the_tissue(
    qtbot: Any, step: EmbeddingStep, masks: Labels, integrated: AnnData
) -> None:
    labels = integrated.obs["label"].to_numpy()
    shown = Shown(
        what=Paintable("B", Origin.GENE),
        title="B: imputed",
        labels=labels[::-1].copy(),
        values=(labels[::-1] > 96).astype(np.float32),
        colormap="gray",
    )
    linked_of(masks).show(shown)
    view = step.panes.views[0]
    at = view.to_widget(10, 150).toPoint()
    assert view.grab().toImage().pixelColor(at).name() == "#ffffff"
    qtbot.waitUntil(lambda: view.scene.reference_colors[:, 3].min() == 255, timeout=10_000)
    assert (view.scene.reference_colors[20:, 0] == 255).all()
    assert (view.scene.reference_colors[:20, 0] == 0).all()
    assert "its own expression" in step.controls.legend.text()


def test_umap_is_computed_away_from_the_window_and_kept(
    qtbot: Any, step: EmbeddingStep, masks: Labels, integrated: AnnData, run: Any
) -> None:
    step.controls.kind.setCurrentText("t-SNE")
    assert "Press “Lay out”" in step.panes.views[0].note
    assert not len(step.panes.views[0].scene.cells)
    assert run(step) == "t-SNE of 64 cells and 40 reference cells, seed 0."
    first = step.panes.views[0].scene.cells
    assert first.shape == (64, 2)
    # the two groups lie apart
    right = integrated.obs["label"].to_numpy() > 96
    between = np.linalg.norm(first[right].mean(axis=0) - first[~right].mean(axis=0))
    assert between > np.linalg.norm(first[right] - first[right].mean(axis=0), axis=1).mean()
    np.testing.assert_array_equal(cells_of(masks).obsm["X_tsne"], first)
    step.controls.kind.setCurrentText("Factors")
    step.controls.kind.setCurrentText("t-SNE")
    assert step.panes.views[0].note == ""
    np.testing.assert_array_equal(step.panes.views[0].scene.cells, first)
    assert run(step) == "This t-SNE was computed before."


def test_of_many_cells_a_sample_is_laid_out_and_that_is_said(step: EmbeddingStep, run: Any) -> None:
    step.controls.kind.setCurrentText("t-SNE")
    step.controls.max_cells.rows["max_cells"].widget.value = 100
    assert run(step) == (
        "t-SNE of 64 cells and 40 reference cells, seed 0. 100 of them, drawn at random, were "
        "laid out; the others lie among their 5 nearest."
    )
    assert np.isfinite(step.panes.views[0].scene.cells).all()


def test_a_cancelled_layout_leaves_everything(
    qtbot: Any, step: EmbeddingStep, integrated: AnnData
) -> None:
    step.controls.kind.setCurrentText("t-SNE")
    step.controls.forms["t-SNE"].rows["max_iter"].widget.value = 100_000
    qtbot.mouseClick(step.run, LEFT)
    qtbot.wait(200)
    qtbot.mouseClick(step.cancel, LEFT)
    assert not step.busy
    assert "Press “Lay out”" in step.panes.views[0].note
    assert "X_tsne" not in integrated.obsm


def test_the_layer_goes_while_it_is_laid_out(
    qtbot: Any, step: EmbeddingStep, model: ViewerModel, masks: Labels, finish: Any
) -> None:
    step.controls.kind.setCurrentText("t-SNE")
    qtbot.mouseClick(step.run, LEFT)
    model.layers.remove(masks)
    assert "t-SNE of 64 cells" in finish(step)
    assert not len(step.panes.views[0].scene.cells)


def test_panes_show_the_same_part(step: EmbeddingStep) -> None:
    step.controls.arrangement.setCurrentText("Together | cells | reference")
    QApplication.processEvents()
    places = {
        tuple(np.round(view.window_shown.place(0, view.height() / 2), 3))
        for view in step.panes.views
    }
    assert len(places) == 1


def test_before_and_after_are_two_spaces(step: EmbeddingStep) -> None:
    step.controls.arrangement.setCurrentText("Before | after integration")
    before, after = (view.scene.cells for view in step.panes.views)
    np.testing.assert_array_equal(before[:, 0], -after[:, 0])


def test_axes_are_chosen(
    step: EmbeddingStep, integrated: AnnData, notified: list[Notification]
) -> None:
    step.controls.forms["Factors"].rows["first"].widget.value = 3
    assert step.panes.views[0].axes == ("factor 3", "factor 2")
    np.testing.assert_array_equal(
        step.panes.views[0].scene.cells[:, 0], integrated.obsm["X_gluer"][:, 2]
    )
    step.controls.forms["Factors"].rows["first"].widget.value = 4
    assert [one.message for one in notified] == [
        "There are 3 factors; 4 was asked for. Choose from 1 to 3."
    ]


def test_cells_that_are_not_integrated(
    step: EmbeddingStep, masks: Labels, integrated: AnnData
) -> None:
    plain = integrated.copy()
    slots.drop_results(plain)
    attach(masks, cells=plain)
    assert "Integrate the cells first" in step.panes.views[0].note
    assert not len(step.panes.views[0].scene.cells)
    attach(masks, cells=integrated)
    assert len(step.panes.views[0].scene.cells) == 64
    assert step.panes.views[0].note == ""


def test_a_reordered_table_keeps_cells_and_labels_together(
    qtbot: Any, step: EmbeddingStep, masks: Labels, integrated: AnnData
) -> None:
    attach(masks, cells=integrated[np.argsort(-integrated.obs["label"].to_numpy())].copy())
    _lasso(qtbot, step, (-15, 0, -5, 10))
    assert linked_of(masks).selections.current.tolist() == [3, 6, 9]


def test_the_theme_is_followed(step: EmbeddingStep, model: ViewerModel) -> None:
    for theme, ground in (("light", "#ffffff"), ("dark", "#000000")):
        model.theme = theme
        assert step.panes.views[0].grab().toImage().pixelColor(60, 60).name() == ground


def test_moving_instead_of_drawing(qtbot: Any, step: EmbeddingStep, masks: Labels) -> None:
    qtbot.mouseClick(step.controls.drag, LEFT)
    before = step.panes.views[0].window_shown
    _lasso(qtbot, step, (5, -5, 15, 200))
    assert not linked_of(masks).selections.current.size
    assert step.panes.views[0].window_shown != before
    qtbot.mouseClick(step.controls.fit, LEFT)
    assert step.panes.views[0].window_shown == before


def test_the_layer_goes(step: EmbeddingStep, model: ViewerModel, masks: Labels) -> None:
    linked_of(masks).selections.choose([3])
    model.layers.remove(masks)
    assert not len(step.panes.views[0].scene.cells)
    linked_of(masks).selections.choose([6])
    assert "no labels layer" in step.panes.views[0].note
