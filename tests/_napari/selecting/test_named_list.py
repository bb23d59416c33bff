"""The list of named selections by mouse and keys."""

from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QLineEdit

from napari_gluer._napari.selecting.how import HowBar
from napari_gluer._napari.selecting.named_list import NamedList

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def named(qtbot: Any) -> NamedList:
    made = NamedList()
    qtbot.addWidget(made)
    made.resize(300, 200)
    made.show_named({"rim": 1200, "core": 30, "edge": 5})
    made.show()
    return made


def _place(named: NamedList, row: int, x: int = 20) -> QPoint:
    return QPoint(x, named.visualItemRect(named.topLevelItem(row)).center().y())


def _click(
    qtbot: Any, named: NamedList, row: int, keys: Any = Qt.KeyboardModifier.NoModifier
) -> None:
    qtbot.mouseClick(named.viewport(), LEFT, keys, _place(named, row))


def test_names_and_counts_are_listed(named: NamedList) -> None:
    assert named.names == ["rim", "core", "edge"]
    assert [named.topLevelItem(i).text(1) for i in range(3)] == ["1,200", "30", "5"]


def test_a_click_chooses_and_marks(qtbot: Any, named: NamedList) -> None:
    with qtbot.waitSignal(named.recalled) as told:
        _click(qtbot, named, 1)
    assert told.args == ["core"]
    assert named.marked == ["core"]


def test_ctrl_click_marks_several_in_the_order_of_clicks(qtbot: Any, named: NamedList) -> None:
    told: list[str] = []
    _click(qtbot, named, 2)
    named.recalled.connect(told.append)
    _click(qtbot, named, 0, Qt.KeyboardModifier.ControlModifier)
    assert named.marked == ["edge", "rim"]
    assert told == []


@pytest.mark.parametrize("way", ["F2", "double click", "double click on the count"])
def test_a_name_is_edited_in_place(qtbot: Any, named: NamedList, way: str) -> None:
    _click(qtbot, named, 1)
    if way == "F2":
        qtbot.keyClick(named, Qt.Key.Key_F2)
    else:
        at = _place(named, 1, 280 if "count" in way else 20)
        qtbot.mouseClick(named.viewport(), LEFT, pos=at)
        qtbot.mouseDClick(named.viewport(), LEFT, pos=at)
    line = named.findChild(QLineEdit)
    assert line.text() == "core"
    line.selectAll()
    qtbot.keyClicks(line, "follicle")
    with qtbot.waitSignal(named.renamed) as told:
        qtbot.keyClick(line, Qt.Key.Key_Return)
    assert told.args == ["core", "follicle"]


def test_keys_delete_and_choose(qtbot: Any, named: NamedList) -> None:
    _click(qtbot, named, 0)
    with qtbot.waitSignal(named.recalled) as told:
        qtbot.keyClick(named, Qt.Key.Key_Down)
        qtbot.keyClick(named, Qt.Key.Key_Return)
    assert told.args == ["core"]
    with qtbot.waitSignal(named.deleted):
        qtbot.keyClick(named, Qt.Key.Key_Delete)


def test_marks_stay_with_their_names(named: NamedList) -> None:
    named.mark(["edge", "rim"])
    named.show_named({"new": 1, "edge": 5, "rim": 2})
    assert named.marked == ["edge", "rim"]


def test_a_free_name(named: NamedList) -> None:
    assert named.free_name() == "selection 1"
    assert named.free_name("blood vessel") == "blood vessel"
    assert named.free_name("core") == "core 2"


def test_one_way_of_choosing_is_on(qtbot: Any) -> None:
    bar = HowBar()
    qtbot.addWidget(bar)
    assert bar.value == "replace"
    for how, button in bar.buttons.items():
        qtbot.mouseClick(button, LEFT)
        assert bar.value == how
