"""A click on the canvas or a typed label opens the card; nothing is taken from other tools."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.asking.alike import most_alike
from napari_gluer._napari.asking.ring import NAME
from napari_gluer._napari.asking.step import AskStep
from napari_gluer._napari.attached import attach
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.looks import values_shown


@pytest.fixture
def step(qtbot: Any, tissue_of_types: Any) -> AskStep:
    made = AskStep(tissue_of_types.viewer)
    qtbot.addWidget(made)
    made.resize(320, 700)
    made.show()
    return made


def click(
    viewer: ViewerModel, place: Any, *, moved: float = 0, button: int = 1, keys: Any = ()
) -> None:
    """What napari does for a press, a move and a release."""
    event = SimpleNamespace(
        type="mouse_press",
        is_dragging=True,
        button=button,
        modifiers=keys,
        pos=np.array([100.0, 100.0]),
        position=tuple(place),
        dims_displayed=list(viewer.dims.displayed),
        view_direction=None,
    )
    mouse_press_callbacks(viewer, event)
    event.type, event.pos = "mouse_move", event.pos + moved
    mouse_move_callbacks(viewer, event)
    event.type = "mouse_release"
    mouse_release_callbacks(viewer, event)


def go_to(qtbot: Any, step: AskStep, label: int) -> None:
    step.number.clear()
    qtbot.keyClicks(step.number, str(label))
    qtbot.keyClick(step.number, Qt.Key.Key_Return)


def rows(table: Any) -> list[list[str]]:
    items = [table.topLevelItem(i) for i in range(table.topLevelItemCount())]
    return [[item.text(i) for i in range(table.columnCount())] for item in items]


def test_a_click_opens_the_card_of_the_cell(
    step: AskStep, tissue_of_types: Any, finish: Callable[..., str]
) -> None:
    viewer, cells = tissue_of_types.viewer, tissue_of_types.cells
    before = viewer.layers.selection.active
    click(viewer, np.array(tissue_of_types.centre(57)) / 2)
    assert step.card.title.text() == "Cell 57"
    own = cells.obs.set_index("label").loc[57]
    assert step.card.values["cell_type"].text().startswith(str(own["cell_type_transferred"]))
    assert finish(step) == "Cell 57 of “masks”."
    explained = ng.explain_cell(cells, tissue_of_types.reference, 57, column="cell_type")
    assert step.why.text() == explained.text
    near = rows(step.near)
    assert [row[0] for row in near] == list(explained.neighbours.index)
    assert near[0][1] == explained.neighbours["cell_type"].iloc[0]
    assert float(near[0][2]) == pytest.approx(explained.neighbours["weight"].iloc[0], abs=1e-3)
    assert [row[0] for row in rows(step.features)] == list(explained.features.index)
    assert viewer.layers.selection.active is before
    assert step.map.isVisible()


def test_the_ring_is_around_the_cell(step: AskStep, tissue_of_types: Any) -> None:
    viewer = tissue_of_types.viewer
    for label in (57, 30):
        step.ask(label)
        ring = viewer.layers[NAME]
        world = ring.data_to_world(ring.data[0])
        np.testing.assert_allclose(world, np.array(tissue_of_types.centre(label)) / 2)
    assert sum(layer.name.startswith(NAME) for layer in viewer.layers) == 1


@pytest.mark.parametrize("how", [{"moved": 30}, {"button": 2}, {"keys": ("Shift",)}])
def test_drags_and_other_buttons_ask_nothing(
    step: AskStep, tissue_of_types: Any, how: dict[str, Any]
) -> None:
    click(tissue_of_types.viewer, np.array(tissue_of_types.centre(57)) / 2, **how)
    assert step.asked is None


def test_a_hand_that_trembles_still_clicks(step: AskStep, tissue_of_types: Any) -> None:
    click(tissue_of_types.viewer, np.array(tissue_of_types.centre(57)) / 2, moved=2)
    assert step.asked is not None


def test_a_tool_in_hand_keeps_its_clicks(step: AskStep, tissue_of_types: Any) -> None:
    tissue_of_types.layer.mode = "paint"
    click(tissue_of_types.viewer, np.array(tissue_of_types.centre(57)) / 2)
    assert step.asked is None


def test_clicks_can_be_switched_off(step: AskStep, tissue_of_types: Any) -> None:
    viewer, place = tissue_of_types.viewer, np.array(tissue_of_types.centre(57)) / 2
    step.clicks.click()
    click(viewer, place)
    assert step.asked is None
    step.clicks.click()
    click(viewer, place)
    assert step.asked is not None


def test_clicks_end_with_the_panel(qtbot: Any, tissue_of_types: Any) -> None:
    viewer = tissue_of_types.viewer
    n_before = len(viewer.mouse_drag_callbacks)
    panel = AskStep(viewer)
    assert len(viewer.mouse_drag_callbacks) == n_before + 1
    with qtbot.waitSignal(panel.destroyed):
        panel.deleteLater()
    assert len(viewer.mouse_drag_callbacks) == n_before
    click(viewer, np.array(tissue_of_types.centre(57)) / 2)


def test_a_click_beside_the_cells_says_so(step: AskStep, tissue_of_types: Any) -> None:
    click(tissue_of_types.viewer, (0, 0))
    assert step.outcome.text() == "There is no cell at this place."


def test_a_typed_label_brings_the_cell_into_view(
    qtbot: Any, step: AskStep, tissue_of_types: Any, finish: Callable[..., str]
) -> None:
    go_to(qtbot, step, 88)
    finish(step)
    assert step.card.title.text() == "Cell 88"
    camera = tissue_of_types.viewer.scene.camera
    assert camera.center[1:] == pytest.approx(np.array(tissue_of_types.centre(88)) / 2)
    go_to(qtbot, step, 500)
    assert "no cell 500" in step.outcome.text()
    assert step.card.title.text() == "Cell 88"


def test_the_painted_gene_has_its_interval(
    step: AskStep, tissue_of_types: Any, finish: Callable[..., str], qtbot: Any
) -> None:
    cells, reference = tissue_of_types.cells, tissue_of_types.reference
    what, values = Paintable("GENE30", Origin.GENE), ng.impute(cells, reference, "GENE30")
    linked_of(tissue_of_types.layer).show(values_shown(what, cells, values, title="", unit="log1p"))
    step.ask(57)
    line = "GENE30, 90 % interval"
    qtbot.waitUntil(lambda: line in step.card.values, timeout=60_000)
    row = list(cells.obs["label"]).index(57)
    low, high = ng.prediction_intervals(cells, reference, "GENE30")
    assert step.card.values[line].text() == f"{low[row]:.3g} to {high[row]:.3g}"
    assert step.card.values["GENE30 (imputed)"].text() == f"{values[row]:.4g} log1p"
    finish(step)


def test_its_like_are_selected_and_can_be_undone(
    qtbot: Any, step: AskStep, tissue_of_types: Any
) -> None:
    step.ask(57)
    qtbot.mouseClick(step.like, Qt.MouseButton.LeftButton)
    cells, linked = tissue_of_types.cells, linked_of(tissue_of_types.layer)
    expected = most_alike(cells, list(cells.obs["label"]).index(57), 50)
    np.testing.assert_array_equal(linked.selections.current, expected)
    linked.undo.undo()
    assert not linked.selections.current.size


def test_everything_is_copied_as_text(
    qtbot: Any, step: AskStep, finish: Callable[..., str]
) -> None:
    step.ask(57)
    finish(step)
    qtbot.mouseClick(step.copy, Qt.MouseButton.LeftButton)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    lines = clipboard.text().split("\n")
    assert lines[0] == "label\t57"
    assert "Features\tspoke for it" in lines
    assert len(lines) > 30


def test_an_edited_cell_says_that_nothing_is_known(step: AskStep, tissue_of_types: Any) -> None:
    layer = tissue_of_types.layer
    data = layer.data.copy()
    y, x = (int(one) for one in tissue_of_types.centre(57))
    data[y, x] = 0
    layer.data = data
    step.ask(57)
    assert step.card.notes.text().startswith("This cell was drawn or changed")
    assert step.card.values == {}
    assert not step.like.isEnabled()


def test_a_cell_that_was_dropped_says_so(step: AskStep, tissue_of_types: Any) -> None:
    cells = tissue_of_types.cells
    attach(tissue_of_types.layer, cells=cells[cells.obs["label"] != 57].copy(), measured=cells)
    step.ask(57)
    assert "dropped by cleaning" in step.card.notes.text()


def test_the_card_follows_what_is_painted(
    qtbot: Any, step: AskStep, tissue_of_types: Any, finish: Callable[..., str]
) -> None:
    step.ask(57)
    finish(step)
    cells = tissue_of_types.cells
    what = Paintable("Protein0", Origin.MARKER)
    values = cells.obs_vector("Protein0")
    linked_of(tissue_of_types.layer).show(values_shown(what, cells, values, title=""))
    qtbot.waitUntil(lambda: "Protein0 (measured)" in step.card.values)
    finish(step)


def test_without_reference_or_cells_there_is_less_and_no_traceback(
    step: AskStep, model: ViewerModel, labels: np.ndarray, notified: list[Any], cells: Any
) -> None:
    bare = model.add_labels(labels, name="bare")
    step.labels.choose(bare)
    step.ask(3)
    assert "not measured yet" in notified[-1].message
    attach(bare, cells=cells)
    step.ask(3)
    assert step.card.values["cluster"].text() == "odd"
    assert not step.near.isVisible()
    assert not step.map.isVisible()
    assert slots.EMBEDDING not in cells.obsm


def test_a_cell_of_a_volume_is_ringed_in_its_slices_and_in_3d(
    step: AskStep, tissue_of_types: Any
) -> None:
    viewer, flat = tissue_of_types.viewer, tissue_of_types.layer
    empty = np.zeros_like(flat.data)
    deep = viewer.add_labels(np.stack([empty, flat.data, flat.data, empty]), scale=(2, 0.5, 0.5))
    attach(deep, cells=tissue_of_types.cells)
    step.ask(57, deep)
    ring = viewer.layers[NAME]
    y, x = tissue_of_types.centre(57)
    np.testing.assert_allclose(ring.data, [[1, y, x], [2, y, x]])
    viewer.dims.ndisplay = 3
    np.testing.assert_allclose(ring.data, [[1.5, y, x]])
    viewer.dims.ndisplay = 2
    assert len(ring.data) == 2
