"""The legend by clicks and keys."""

from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog

from napari_gluer._napari.layers import LegendEntry
from napari_gluer._napari.painting.legend import Legend

ENTRIES = [
    LegendEntry("T", "#E69F00", 1200),
    LegendEntry("B", "#56B4E9", 0),
    LegendEntry("NK", "#009E73", 3),
    LegendEntry("unmatched", "#8A8A8A", 7, "The reference says nothing about these cells."),
]


@pytest.fixture
def legend(qtbot: Any) -> Legend:
    made = Legend()
    qtbot.addWidget(made)
    made.resize(300, 200)
    made.show_entries(ENTRIES)
    made.show()
    return made


def click(qtbot: Any, legend: Legend, row: int, *, swatch: bool = False, **how: Any) -> None:
    place = legend.list.visualItemRect(legend.topLevelItem(row))
    at = QPoint(10, place.center().y()) if swatch else place.center()
    act = qtbot.mouseDClick if how.pop("double", False) else qtbot.mouseClick
    act(legend.list.viewport(), Qt.MouseButton.LeftButton, pos=at, **how)


def test_what_no_cell_has_is_left_out(legend: Legend) -> None:
    rows = [legend.topLevelItem(i) for i in range(legend.topLevelItemCount())]
    texts = [(row.text(0), row.text(1)) for row in rows]
    assert texts == [("T", "1,200"), ("NK", "3"), ("unmatched", "7")]
    color = rows[0].icon(0).pixmap(8, 8).toImage().pixelColor(4, 4)
    assert color.name().upper() == "#E69F00"


def test_a_click_shows_one_alone_and_another_click_all(qtbot: Any, legend: Legend) -> None:
    with qtbot.waitSignal(legend.isolated) as told:
        click(qtbot, legend, 0)
    assert told.args == [("T",)]
    legend.show_entries(ENTRIES, ("T",))
    assert legend.all.isVisible()
    with qtbot.waitSignal(legend.isolated) as told:
        click(qtbot, legend, 0)
    assert told.args == [()]
    with qtbot.waitSignal(legend.isolated) as told:
        qtbot.mouseClick(legend.all, Qt.MouseButton.LeftButton)
    assert told.args == [()]


def test_ctrl_adds_and_takes_away(qtbot: Any, legend: Legend) -> None:
    ctrl = {"modifier": Qt.KeyboardModifier.ControlModifier}
    legend.show_entries(ENTRIES, ("T",))
    with qtbot.waitSignal(legend.isolated) as told:
        click(qtbot, legend, 1, **ctrl)
    assert told.args == [("T", "NK")]
    legend.show_entries(ENTRIES, ("T", "NK"))
    with qtbot.waitSignal(legend.isolated) as told:
        click(qtbot, legend, 0, **ctrl)
    assert told.args == [("NK",)]
    with qtbot.waitSignal(legend.isolated) as told:
        click(qtbot, legend, 1)
    assert told.args == [("NK",)]


def test_a_double_click_on_a_swatch_edits_the_colour(
    qtbot: Any, legend: Legend, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def choose(initial: QColor, *_: Any) -> QColor:
        asked.append(initial.name())
        return QColor("#123456")

    monkeypatch.setattr(QColorDialog, "getColor", choose)
    with qtbot.assertNotEmitted(legend.isolated), qtbot.waitSignal(legend.recolored) as told:
        click(qtbot, legend, 1, swatch=True)
        click(qtbot, legend, 1, swatch=True, double=True)
    assert (told.args, asked) == (["NK", "#123456"], ["#009e73"])


def test_a_dialog_that_is_cancelled_changes_nothing(
    qtbot: Any, legend: Legend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor())
    with qtbot.assertNotEmitted(legend.recolored):
        click(qtbot, legend, 0, swatch=True, double=True)


def test_rows_that_are_no_category_do_nothing(
    qtbot: Any, legend: Legend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: pytest.fail("asked"))
    with qtbot.assertNotEmitted(legend.isolated):
        click(qtbot, legend, 2)
    click(qtbot, legend, 2, swatch=True, double=True)


def test_keys_do_what_the_mouse_does(
    qtbot: Any, legend: Legend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#abcdef"))
    legend.list.setCurrentItem(legend.topLevelItem(0))
    qtbot.keyClick(legend.list, Qt.Key.Key_Down)
    with qtbot.waitSignal(legend.isolated) as told:
        qtbot.keyClick(legend.list, Qt.Key.Key_Space)
    assert told.args == [("NK",)]
    with qtbot.waitSignal(legend.recolored) as colored:
        qtbot.keyClick(legend.list, Qt.Key.Key_F2)
    assert colored.args == ["NK", "#ABCDEF"]


def test_the_row_of_the_keyboard_stays_when_colours_change(qtbot: Any, legend: Legend) -> None:
    legend.list.setCurrentItem(legend.topLevelItem(1))
    legend.show_entries(ENTRIES, ("NK",))
    assert legend.list.currentItem().text(0) == "NK"
    assert (
        legend.topLevelItem(0).foreground(0).color() != legend.topLevelItem(1).foreground(0).color()
    )


def test_two_hundred_categories_are_listed(legend: Legend) -> None:
    legend.show_entries([LegendEntry(f"type {i}", "#E69F00", i + 1) for i in range(200)])
    assert legend.topLevelItemCount() == 200
