"""The guide leads from step to step by clicks, and keeps to one labels layer."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt
from scipy import sparse

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.guide.dock import Guide
from napari_gluer._napari.guide.states import TITLES
from napari_gluer.image import MultiplexImage


@pytest.fixture
def guide(qtbot: Any, model: ViewerModel) -> Guide:
    made = Guide(model)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def opened(model: ViewerModel, image: MultiplexImage) -> ViewerModel:
    for data, options, _ in image_layers(image, "tissue"):
        model.add_image(data, **options)
    return model


def click(qtbot: Any, widget: Any) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def enabled(guide: Guide) -> list[str]:
    return [title for title, header in guide.headers.items() if header.button.isEnabled()]


def test_it_starts_with_the_image_and_nothing_else_opens(guide: Guide) -> None:
    assert guide.opened == "Image"
    assert enabled(guide) == ["Image"]
    assert not guide.next.isVisible()
    assert list(guide.steps) == ["Image"], "other panels are made when they are opened"


def test_an_image_opens_the_next_step(
    qtbot: Any, guide: Guide, model: ViewerModel, image: MultiplexImage
) -> None:
    for data, options, _ in image_layers(image, "tissue"):
        model.add_image(data, **options)
    qtbot.waitUntil(lambda: enabled(guide) == ["Image", "Cells"])
    assert guide.headers["Image"].line.whole.startswith("3 channels")
    assert guide.next.text() == "Next: Cells ▸"
    click(qtbot, guide.next)
    assert guide.opened == "Cells"
    assert guide.steps["Cells"].isVisible()
    assert not guide.steps["Image"].isVisible()


def test_it_starts_where_the_layers_are(
    qtbot: Any, opened: ViewerModel, labels: Any, cells: AnnData
) -> None:
    layer = opened.add_labels(labels)
    attach(layer, cells=cells, measured=cells)
    guide = Guide(opened)
    qtbot.addWidget(guide)
    assert guide.opened == "Reference"


def test_cells_are_measured_by_clicks_and_the_guide_says_so(
    qtbot: Any, guide: Guide, opened: ViewerModel, labels: Any, run: Any
) -> None:
    masks = opened.add_labels(labels, name="masks", scale=(0.5, 0.5), units=("um", "um"))
    guide.refresh()
    click(qtbot, guide.headers["Cells"].button)
    step = guide.steps["Cells"]
    step.cells_from.choose(masks)
    run(step)
    qtbot.waitUntil(lambda: "Reference" in enabled(guide))
    assert guide.headers["Cells"].line.whole.startswith("6")
    assert guide.layer is masks


def test_all_steps_are_about_the_layer_that_was_chosen(
    qtbot: Any, guide: Guide, opened: ViewerModel, labels: Any, cells: AnnData
) -> None:
    reference = cells.copy()
    reference.X = np.abs(reference.X)
    layers = [opened.add_labels(labels, name=name) for name in ("one", "two")]
    for layer in layers:
        attach(layer, cells=cells.copy(), measured=cells, reference=reference)
    guide.refresh()
    click(qtbot, guide.headers["Reference"].button)
    guide.steps["Reference"].labels.choose(layers[0])
    qtbot.waitUntil(lambda: guide.layer is layers[0])
    click(qtbot, guide.headers["Integrate"].button)
    assert guide.steps["Integrate"].labels.value is layers[0]


def test_a_step_back_is_always_open(
    qtbot: Any, guide: Guide, opened: ViewerModel, labels: Any, cells: AnnData
) -> None:
    done = cells.copy()
    done.obsm[slots.WEIGHTS] = sparse.eye(done.n_obs, format="csr")
    layer = opened.add_labels(labels)
    attach(layer, cells=done, measured=cells, reference=cells.copy())
    guide.refresh()
    assert enabled(guide) == list(TITLES)
    click(qtbot, guide.headers["Explore"].button)
    click(qtbot, guide.headers["Image"].button)
    assert guide.opened == "Image"
    assert not guide.steps["Explore"].isVisible()


def test_removing_the_layer_closes_what_followed(
    qtbot: Any, guide: Guide, opened: ViewerModel, labels: Any, cells: AnnData
) -> None:
    layer = opened.add_labels(labels)
    attach(layer, cells=cells, measured=cells)
    guide.refresh()
    assert "Reference" in enabled(guide)
    opened.layers.remove(layer)
    qtbot.waitUntil(lambda: enabled(guide) == ["Image", "Cells"])


def test_a_table_attached_elsewhere_is_noticed(
    qtbot: Any, guide: Guide, opened: ViewerModel, labels: Any, cells: AnnData
) -> None:
    layer = opened.add_labels(labels)
    qtbot.waitUntil(lambda: enabled(guide) == ["Image", "Cells"])
    attach(layer, cells=cells, measured=cells)
    qtbot.waitUntil(lambda: "Reference" in enabled(guide))


def test_keys_lead_through_it(qtbot: Any, guide: Guide, opened: ViewerModel) -> None:
    assert isinstance(opened, ViewerModel)
    guide.refresh()
    guide.headers["Cells"].button.setFocus()
    qtbot.keyClick(guide.headers["Cells"].button, Qt.Key.Key_Space)
    assert guide.opened == "Cells"


def test_events_after_closing_do_nothing(guide: Guide, opened: ViewerModel, labels: Any) -> None:
    guide.deleteLater()
    layer = opened.add_labels(labels)
    layer.metadata = {"gluer": {}}
    assert len(opened.layers) == 4


def test_it_fits_a_laptop(guide: Guide, opened: ViewerModel, labels: Any, cells: AnnData) -> None:
    done = cells.copy()
    done.obsm[slots.WEIGHTS] = sparse.eye(done.n_obs, format="csr")
    reference = cells.copy()
    reference.X = np.abs(reference.X)
    layer: Labels = opened.add_labels(np.asarray(labels))
    attach(layer, cells=done, measured=cells, reference=reference)
    for title in TITLES:
        guide.open_step(title)
        least = guide.minimumSizeHint()
        assert least.height() <= 740, title  # 800 less menus, title and status bar
        assert least.width() <= 340, title
