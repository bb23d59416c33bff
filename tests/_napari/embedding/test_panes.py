"""One to three panes, moved together."""

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QBoxLayout

from napari_gluer._napari.embedding.panes import ARRANGEMENTS, Pane, Panes
from napari_gluer._napari.embedding.raster import Window

THREE = ARRANGEMENTS["Together | cells | reference"]


@pytest.fixture
def panes(qtbot: Any) -> Panes:
    made = Panes(lambda _row, _cell: "")
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    for view in made.views:
        view.look_at(Window(0, 0, 1, 1, 100, 100))
    return made


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_there_is_a_view_for_each_pane(panes: Panes, name: str) -> None:
    panes.arrange(ARRANGEMENTS["Together | cells | reference"])
    panes.arrange(ARRANGEMENTS[name])
    visible = [view for view in panes.views if view.isVisible()]
    assert len(visible) == len(ARRANGEMENTS[name])
    assert [view.title for view in visible] == [pane.title for pane in ARRANGEMENTS[name]]


def test_before_and_after_say_so() -> None:
    titles = [pane.title for pane in ARRANGEMENTS["Before | after integration"]]
    assert titles == [
        "Cells and reference, before integration",
        "Cells and reference, after integration",
    ]


@pytest.mark.parametrize("linked", [True, False])
def test_panes_of_one_space_move_together(qtbot: Any, panes: Panes, linked: bool) -> None:
    panes.arrange(THREE)
    panes.linked = linked
    for view in panes.views:
        view.look_at(Window(0, 0, 1, 1, 100, 100))
    before = [view.window_shown.per_pixel_x for view in panes.views]
    qtbot.keyClick(panes.views[1], Qt.Key.Key_Plus)
    after = [view.window_shown.per_pixel_x for view in panes.views]
    assert [a < b for a, b in zip(after, before, strict=True)] == [linked, True, linked]


def test_before_and_after_do_not_move_together(qtbot: Any, panes: Panes) -> None:
    panes.arrange(ARRANGEMENTS["Before | after integration"])
    for view in panes.views:
        view.look_at(Window(0, 0, 1, 1, 100, 100))
    kept = panes.views[1].window_shown
    qtbot.keyClick(panes.views[0], Qt.Key.Key_Plus)
    assert panes.views[1].window_shown == kept


def test_a_lasso_says_in_which_pane(panes: Panes) -> None:
    panes.arrange(THREE)
    told: list[Any] = []
    panes.enclosed.connect(lambda *found: told.append(found))
    panes.views[2].enclosed.emit("outline", "keys")
    assert told == [(Pane("reference"), "outline", "keys")]


def test_narrow_panels_put_panes_under_each_other(panes: Panes) -> None:
    panes.arrange(THREE)
    panes.resize(300, 700)
    assert panes.layout().direction() == QBoxLayout.Direction.TopToBottom
    panes.resize(900, 300)
    assert panes.layout().direction() == QBoxLayout.Direction.LeftToRight
