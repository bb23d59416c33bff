"""Which sections belong together, and where they are laid."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.layers import show_values
from napari_gluer._napari.painting.sections import (
    SectionsPanel,
    lay_side_by_side,
    overlap,
    put_back,
    siblings,
)


@pytest.fixture
def second(model: ViewerModel, masks: Labels, labels: np.ndarray, integrated: AnnData) -> Labels:
    layer = model.add_labels(labels, name="second", scale=masks.scale, units=("um", "um"))
    attach(layer, cells=integrated.copy())
    return layer


def test_sections_of_one_reference_belong_together(
    model: ViewerModel, masks: Labels, second: Labels, integrated: AnnData, labels: np.ndarray
) -> None:
    other = integrated.copy()
    slots.note(other, **{slots.FINGERPRINT: "another"})
    attach(model.add_labels(labels, name="other reference"), cells=other)
    plain = integrated.copy()
    slots.drop_results(plain)
    attach(model.add_labels(labels, name="not integrated"), cells=plain)
    model.add_labels(labels, name="no table")
    assert siblings(model, masks) == [second]
    assert siblings(model, second) == [masks]


def test_sections_are_laid_side_by_side_with_their_paintings_and_go_back(
    model: ViewerModel, masks: Labels, second: Labels, integrated: AnnData
) -> None:
    painted = show_values(model, second, integrated, integrated.X[:, 0], name="CD3")
    before = [np.array(one.translate) for one in model.layers]
    assert overlap([masks, second])
    lay_side_by_side(model, [masks, second])
    assert not overlap([masks, second])
    width = masks.extent.world[1, 1] - masks.extent.world[0, 1]
    shift = second.translate[1] - masks.translate[1]
    assert shift == pytest.approx(1.05 * width, rel=0.02)
    np.testing.assert_allclose(painted.translate, second.translate)
    later = show_values(model, masks, integrated, integrated.X[:, 0], name="CD3")
    np.testing.assert_allclose(later.translate, masks.translate)
    put_back(model)
    for one, was in zip(model.layers, before, strict=False):
        np.testing.assert_allclose(one.translate, was)
    put_back(model)
    np.testing.assert_allclose(second.translate, before[1])


def test_sections_that_lie_apart_stay_where_they_are(
    model: ViewerModel, masks: Labels, second: Labels
) -> None:
    second.translate = (0, 500)
    lay_side_by_side(model, [masks, second])
    np.testing.assert_allclose(second.translate, (0, 500))


def test_an_image_goes_with_the_cells_that_were_found_in_it(
    model: ViewerModel, masks: Labels, second: Labels
) -> None:
    image = model.add_image(np.zeros((112, 112)), name="tissue")
    second.metadata["gluer"]["found in"] = image.unique_id
    lay_side_by_side(model, [masks, second])
    assert image.translate[1] == pytest.approx(second.translate[1])
    put_back(model)
    assert image.translate[1] == pytest.approx(0)


def test_side_by_side_needs_sections_together(qtbot: Any) -> None:
    panel = SectionsPanel()
    qtbot.addWidget(panel)
    panel.offer(["second"])
    assert panel.names.text() == "With second."
    assert not panel.beside.isEnabled()
    with qtbot.waitSignal(panel.changed):
        qtbot.mouseClick(panel.together, Qt.MouseButton.LeftButton, pos=_box(panel.together))
    qtbot.mouseClick(panel.beside, Qt.MouseButton.LeftButton, pos=_box(panel.beside))
    assert panel.beside.isChecked()
    panel.offer([])
    assert not panel.together.isChecked()
    assert not panel.beside.isChecked()


def _box(check: Any) -> Any:
    place = check.rect().center()
    place.setX(8)
    return place
