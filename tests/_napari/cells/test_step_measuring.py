"""Hand-corrected masks, nuclei, regions, stacks and spots through the Cells step."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt

from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, measured_of, unmeasured
from napari_gluer._napari.cells.work import Plan
from napari_gluer._napari.spots import spots_layer
from napari_gluer._napari.steps.cells import CellsStep
from napari_gluer.image import MultiplexImage


@pytest.fixture
def masks(step: CellsStep, model: ViewerModel, labels: np.ndarray) -> Labels:
    layer = model.add_labels(labels.copy(), name="masks", scale=(0.5, 0.5))
    step.cells_from.choose(layer)
    step.clean.setChecked(False)
    return layer


def _means(image: MultiplexImage, labels: np.ndarray) -> pd.DataFrame:
    ids = np.unique(labels[labels > 0])
    rows = [[plane[labels == label].mean() for plane in image.data] for label in ids]
    return pd.DataFrame(rows, index=ids, columns=list(image.channels))


def test_masks_corrected_by_hand_are_measured_anew(
    step: CellsStep, masks: Labels, image: MultiplexImage, run: Any
) -> None:
    run(step)
    masks.selected_label = 500
    masks.brush_size = 6
    masks.paint((100, 7), 500)  # a new cell
    masks.fill((7, 7), 0)  # one that is none
    masks.fill((7, 20), 9)  # two that are one
    assert run(step) == "63 cells, 3 channels."
    table = cells_of(masks)
    expected = _means(image, np.asarray(masks.data))
    assert 500 in expected.index
    assert 3 not in expected.index
    assert 6 not in expected.index
    np.testing.assert_array_equal(table.obs[slots.LABEL], expected.index)
    np.testing.assert_allclose(table.X, expected, rtol=1e-5)
    sizes = [int((masks.data == label).sum()) for label in expected.index]
    np.testing.assert_array_equal(table.obs[slots.VOLUME], sizes)
    assert unmeasured(masks) == 0


def test_an_edit_while_measuring_discards_the_result(
    qtbot: Any, step: CellsStep, masks: Labels, notified: list[Any], finish: Any
) -> None:
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)
    masks.paint((1, 1), 900)
    assert "was edited meanwhile" in finish(step)
    assert cells_of(masks) is None
    assert len(notified) == 1


def test_regions_leave_cells_out_and_say_how_many(
    step: CellsStep, masks: Labels, model: ViewerModel, run: Any
) -> None:
    inside = model.add_shapes(ndim=2, scale=(0.5, 0.5))
    inside.add_rectangles(np.array([[-1, -1], [112, 55.5]]))
    fold = model.add_shapes(ndim=2)  # in µm: no scale
    fold.add_rectangles(np.array([[-1, -1], [6.5, 60]]))
    fold.add_lines(np.array([[0, 0], [1, 1]]))
    step.regions.within.choose(inside)
    step.regions.leave_out.choose(fold)
    text = run(step)
    assert text == (
        "28 cells, 3 channels. Left out by regions: 36 cells. "
        f"Ignored in “{fold.name}”: 1 line or path."
    )
    rows, columns = np.divmod(cells_of(masks).obs[slots.LABEL].to_numpy() // 3 - 1, 8)
    assert set(rows) == set(range(1, 8))
    assert set(columns) == set(range(4))
    assert unmeasured(masks) == 0
    masks.paint((1, 1), 900)
    assert unmeasured(masks) == 1


def test_nuclei_of_a_second_layer_part_the_cells(
    step: CellsStep, masks: Labels, model: ViewerModel, image: MultiplexImage, run: Any
) -> None:
    core = np.zeros_like(masks.data)
    for top in range(2, 112, 14):
        for left in range(2, 112, 14):
            core[top + 3 : top + 7, left + 3 : left + 7] = 1 + top * 112 + left
    nuclei = model.add_labels(core, name="nuclei")
    assert [step.measuring.nuclei.itemText(i) for i in range(2)] == ["none", "nuclei"]
    step.measuring.nuclei.choose(nuclei)
    step.measuring.form.rows["median"].widget.value = True
    run(step)
    table = measured_of(masks)
    inner = _means(image, np.where(core > 0, masks.data, 0))
    outer = _means(image, np.where(core > 0, 0, masks.data))
    np.testing.assert_allclose(table.layers["nucleus"], inner, rtol=1e-5)
    np.testing.assert_allclose(table.layers["cytoplasm"], outer, rtol=1e-5)
    assert (table.obs["nucleus_px"] == 16).all()
    assert table.layers["median"].shape == table.shape


@pytest.mark.parametrize("units", [("um", "um", "um"), None, ("nm", "nm", "nm")])
def test_a_stack_of_any_reader_is_measured_in_um(
    qtbot: Any, model: ViewerModel, run: Any, units: tuple[str, ...] | None
) -> None:
    factor = 1000 if units == ("nm", "nm", "nm") else 1
    place = {"scale": np.array((2, 0.5, 0.5)) * factor, "translate": (100, 50, 20)}
    place |= {"units": units} if units else {}
    labels = np.zeros((5, 40, 60), np.int32)
    labels[1:4, 10:20, 30:50] = 7
    labels[0:2, 30:34, 2:8] = 9
    for name in ("DAPI", "CD3"):
        model.add_image(np.where(labels > 0, 100.0, 1.0), name=name, **place)
    masks = model.add_labels(labels, **place)
    step = CellsStep(model)
    qtbot.addWidget(step)
    step.cells_from.choose(masks)
    step.clean.setChecked(False)
    text = run(step)
    assert ("has no unit; it was taken as µm (2 × 0.5 × 0.5)" in text) is (units is None)
    table = cells_of(masks)
    assert table.obs[slots.VOLUME].tolist() == [600, 48]
    np.testing.assert_allclose(table.obs["volume_um3"], [600 * 0.5, 48 * 0.5])
    np.testing.assert_allclose(
        table.obsm[slots.SPATIAL], [[39.5 * 0.5, 14.5 * 0.5, 4], [4.5 * 0.5, 31.5 * 0.5, 1]]
    )
    assert slots.info(table)[slots.SPATIAL_UNIT] == "um"


def test_spots_are_counted_in_masks(
    step: CellsStep, masks: Labels, model: ViewerModel, labels: np.ndarray, run: Any
) -> None:
    rng = np.random.default_rng(0)
    inside = np.argwhere(labels > 0)[rng.integers(0, (labels > 0).sum(), 900)]
    around = rng.uniform(-0.5, 111.5, (100, 2))
    places = np.r_[inside, around]
    table = pd.DataFrame(
        {"gene": rng.choice(["Gad1", "Sst"], 1000), "x": places[:, 1], "y": places[:, 0]}
    )
    under = labels[tuple(np.floor(places + 0.5).astype(int).clip(0, 111).T)]
    data, options, _ = spots_layer(table, "decoded")
    points = model.add_points(data, **options)
    step.image.choose(points)
    assert step.image.currentText() == "decoded (1,000 spots)"
    assert step.run.text() == "Measure"
    assert not step.sections["measuring"].visible
    text = run(step)
    assert text.startswith("64 cells, 2 genes. 1,000 spots, ")
    assert f"{(under > 0).mean():.1%} in cells" in text
    counted = cells_of(masks)
    truth = pd.crosstab(under, table["gene"]).drop(index=0, errors="ignore")
    found = pd.DataFrame(
        counted.X.toarray(), index=counted.obs[slots.LABEL], columns=counted.var_names
    )
    np.testing.assert_array_equal(found.loc[truth.index, truth.columns], truth)
    assert found.to_numpy().sum() == (under > 0).sum()


def test_cells_are_not_looked_for_in_spots(
    step: CellsStep, model: ViewerModel, notified: list[Any], run: Any
) -> None:
    table = pd.DataFrame({"gene": ["Sst"], "x": [1.0], "y": [1.0]})
    data, options, _ = spots_layer(table, "decoded")
    step.image.choose(model.add_points(data, **options))
    assert "Choose a labels layer under Cells" in run(step)
    assert [one.severity.value for one in notified] == ["warning"]


@pytest.mark.parametrize("pixel_size", [None, 0.5])
def test_regions_count_for_spots_too(
    step: CellsStep,
    masks: Labels,
    model: ViewerModel,
    labels: np.ndarray,
    run: Any,
    pixel_size: float | None,
) -> None:
    inside = np.argwhere(labels > 0)[::7]
    table = pd.DataFrame({"gene": "Sst", "x": inside[:, 1] * 1.0, "y": inside[:, 0] * 1.0})
    if pixel_size:
        table.attrs = {"pixel_size_um": pixel_size, "unit": "px"}
    data, options, _ = spots_layer(table, "decoded")
    points = model.add_points(data, **options)
    region = model.add_shapes(ndim=2, scale=(0.5, 0.5))
    region.add_rectangles(np.array([[-1, -1], [55.5, 112]]))
    step.image.choose(points)
    step.regions.within.choose(region)
    assert "32 cells outside the regions left out." in run(step)
    table = cells_of(masks)
    assert table.obs[slots.LABEL].tolist() == list(range(3, 97, 3))
    assert slots.info(table)[slots.SPATIAL_UNIT] == ("um" if pixel_size else "px")
    assert unmeasured(masks) == 0


def test_an_image_of_nuclei_alone_is_ticked_and_its_cells_are_kept(
    qtbot: Any, model: ViewerModel, image: MultiplexImage, run: Any
) -> None:
    model.add_image(image.data[0], name="whatever", scale=(0.5, 0.5))
    step = CellsStep(model)
    qtbot.addWidget(step)
    step.show()
    assert step.finding.nuclear.ticked == ("whatever",)
    model.layers[0].name = "DAPI"
    assert step.clean.isChecked()
    text = run(step)
    assert text.startswith("64 cells, 1 channel. Not cleaned: no channel is a marker")
    (found,) = (layer for layer in model.layers if isinstance(layer, Labels))
    assert cells_of(found).n_obs == 64
    assert not step.look.isEnabled()
    assert step.edit.isEnabled()


def test_a_home_folder_is_known_by_its_sign(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert Plan(folder="~/tiles").store("cells") == tmp_path / "tiles" / "cells"
