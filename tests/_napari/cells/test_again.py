"""Edited cells are measured again by a click; all others keep values and results."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach, cells_of, measured_of, stale_of, unmeasured
from napari_gluer._napari.steps.cells import CellsStep, Instead
from napari_gluer.image import MultiplexImage


@pytest.fixture
def masks(step: CellsStep, model: ViewerModel, labels: np.ndarray, run: Any) -> Labels:
    """Labels whose cells were measured by a click."""
    layer = model.add_labels(labels, name="masks")
    layer.brush_size = 3
    step.clean.setChecked(False)
    step.cells_from.choose(layer)
    run(step)
    return layer


def _again(qtbot: Any, step: CellsStep, finish: Any) -> str:
    qtbot.mouseClick(step.again, Qt.MouseButton.LeftButton)
    return str(finish(step))


def _rows(table: Any) -> pd.DataFrame:
    values = table.X.toarray() if sparse.issparse(table.X) else table.X
    return pd.DataFrame(values, index=table.obs["label"], columns=table.var_names)


def test_the_button_comes_and_goes_with_edits(step: CellsStep, masks: Labels) -> None:
    assert not step.again.isVisible()
    masks.paint((6, 6), 6)
    assert step.again.isVisible()
    assert step.again.text() == "Measure the 2 changed cells again"
    masks.undo()
    assert not step.again.isVisible()
    masks.paint((0, 0), 500)
    assert step.again.text() == "Measure the changed cell again"
    step.cells_from.choose(Instead.FIND)
    assert not step.again.isVisible()
    step.cells_from.choose(masks)
    assert step.again.isVisible()


def test_only_edited_cells_are_new(
    qtbot: Any, step: CellsStep, masks: Labels, image: MultiplexImage, finish: Any
) -> None:
    before = _rows(measured_of(masks))
    marked = measured_of(masks).copy()
    marked.X = marked.X + 1000  # so that it shows whose values were kept
    attach(masks, cells=marked, measured=marked)
    masks.paint((6, 6), 6)  # 3 loses to 6
    masks.fill((20, 20), 0)  # 30 is erased
    masks.fill((34, 34), 60)  # 57 is merged with 60
    masks.paint((0, 0), 500)  # drawn
    said = _again(qtbot, step, finish)
    assert said == (
        "6 changed cells measured again; all others are as they were (63 cells). Next: Reference."
    )
    every = _rows(ng.measure(image, np.asarray(masks.data)))
    found = _rows(cells_of(masks))
    changed = [3, 6, 60, 500]
    pd.testing.assert_frame_equal(found.loc[changed], every.loc[changed])
    others = before.index.difference([*changed, 30, 57])
    pd.testing.assert_frame_equal(found.loc[others], before.loc[others] + 1000)
    assert sorted(found.index) == sorted(every.index)
    assert not step.again.isVisible()
    assert not stale_of(masks).size
    assert unmeasured(masks) == 0


def test_results_of_others_stay_and_cleaning_stays(
    qtbot: Any, step: CellsStep, masks: Labels, run: Any, finish: Any
) -> None:
    step.clean.setChecked(True)
    run(step)
    cells = cells_of(masks).copy()
    assert slots.CLEAN in slots.info(cells)
    rng = np.random.default_rng(0)
    cells.obsm[slots.EMBEDDING] = rng.normal(size=(cells.n_obs, 3)).astype(np.float32)
    cells.obsm[slots.WEIGHTS] = np.ones((cells.n_obs, 2), np.float32) / 2
    cells.obs[slots.UNMATCHED] = False
    attach(masks, cells=cells)
    swapped = np.array([6, 6]), np.array([6, 34])  # sizes stay: odd ones would be cleaned away
    masks.data_setitem(swapped, np.array([9, 3]))
    said = _again(qtbot, step, finish)
    assert "Integrate again for their genes" in said
    now = cells_of(masks)
    same = now[~now.obs["label"].isin([3, 9])]
    np.testing.assert_array_equal(same.X, cells[same.obs_names].X)
    np.testing.assert_array_equal(
        same.obsm[slots.EMBEDDING], cells[same.obs_names].obsm[slots.EMBEDDING]
    )
    assert now.obs["label"][now.obs[slots.UNMATCHED]].tolist() == [3, 9]
    assert now.X[now.obs[slots.UNMATCHED], 1:].max() <= 1  # markers, cleaned as the others are
    assert measured_of(masks).X.max() > 100


def test_regions_hold_for_what_was_drawn(
    qtbot: Any, step: CellsStep, masks: Labels, model: ViewerModel, finish: Any
) -> None:
    area = model.add_shapes(
        [[[-1, -1], [-1, 60], [30, 60], [30, -1]]], shape_type="polygon", scale=(0.5, 0.5)
    )
    step.cells_from.choose(masks)
    step.regions.within.choose(area)
    masks.paint((0, 0), 500)
    masks.paint((111, 111), 501)
    _again(qtbot, step, finish)
    labels = cells_of(masks).obs["label"]
    assert 500 in labels.to_numpy()
    assert 501 not in labels.to_numpy()
    assert unmeasured(masks) == 0


def test_a_table_alone_does_not_tell(
    qtbot: Any, step: CellsStep, masks: Labels, notified: list[Any]
) -> None:
    masks.paint((6, 6), 6)
    step.image.choose(Instead.TABLE)
    qtbot.mouseClick(step.again, Qt.MouseButton.LeftButton)
    assert not step.busy
    assert "Choose the image under Image" in str(notified[0].message)


def test_cleaning_the_old_values_does_not_make_edits_fresh(
    step: CellsStep, masks: Labels, run: Any
) -> None:
    masks.paint((6, 6), 6)
    step.image.choose(Instead.TABLE)
    step.clean.setChecked(True)
    run(step)
    assert stale_of(masks).tolist() == [3, 6]


def test_labels_edited_during_the_measurement_discard_it(
    qtbot: Any, step: CellsStep, masks: Labels, finish: Any
) -> None:
    masks.paint((6, 6), 6)
    before = cells_of(masks)
    qtbot.mouseClick(step.again, Qt.MouseButton.LeftButton)
    masks.paint((20, 20), 0)
    assert "was edited meanwhile; the result was discarded" in finish(step)
    assert cells_of(masks) is before
    assert 3 in stale_of(masks)


def test_spots_are_counted_again(
    qtbot: Any, model: ViewerModel, labels: np.ndarray, run: Any, finish: Any
) -> None:
    rng = np.random.default_rng(0)
    yx = np.argwhere(labels > 0)[::5]
    genes = rng.choice(["Actb", "Cd3e"], len(yx))
    spots = model.add_points(yx, features={"gene": genes}, name="spots")
    layer = model.add_labels(labels, name="masks")
    layer.brush_size = 3
    step = CellsStep(model)
    qtbot.addWidget(step)
    step.show()
    step.clean.setChecked(False)
    step.cells_from.choose(layer)
    step.image.choose(spots)
    run(step)
    before = _rows(cells_of(layer))
    layer.fill((6, 6), 6)
    _again(qtbot, step, finish)
    now = _rows(cells_of(layer))
    pd.testing.assert_series_equal(now.loc[6], before.loc[3] + before.loc[6], check_names=False)
    pd.testing.assert_frame_equal(now.drop(6), before.drop([3, 6]))
