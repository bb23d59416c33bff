"""The list keeps up with typing, and says how far genes may be believed."""

import time
from typing import Any

import pandas as pd
import pytest
from qtpy.QtCore import Qt

from napari_gluer._napari.found_list import FoundList, SearchBox
from napari_gluer._napari.paintables import Origin, Paintable, Search
from napari_gluer._napari.painting.grades import Grades

MANY = [Paintable(f"GENE{i}", Origin.GENE) for i in range(30_000)]


@pytest.fixture
def listed(qtbot: Any) -> FoundList:
    found = FoundList()
    qtbot.addWidget(found)
    found.show_found(MANY[:5])
    return found


def test_rows_have_names_and_origins(listed: FoundList) -> None:
    texts = [listed.found.index(1, column).data() for column in (0, 1)]
    assert texts == ["GENE1", "imputed"]
    assert listed.found.headerData(0, Qt.Orientation.Horizontal) == "Name"


def test_a_click_picks_a_row(qtbot: Any, listed: FoundList) -> None:
    listed.show()
    place = listed.visualRect(listed.found.index(3, 0)).center()
    with qtbot.waitSignal(listed.picked) as signal:
        qtbot.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert signal.args == [MANY[3]]


def test_the_first_row_is_picked_by_enter(qtbot: Any, listed: FoundList) -> None:
    with qtbot.waitSignal(listed.picked) as signal:
        listed.pick_first()
    assert signal.args == [MANY[0]]
    listed.show_found([])
    with qtbot.assertNotEmitted(listed.picked):
        listed.pick_first()


def test_the_down_key_leaves_the_search_box_and_letters_do_not(qtbot: Any) -> None:
    box = SearchBox()
    qtbot.addWidget(box)
    with qtbot.waitSignal(box.left):
        qtbot.keyClick(box, Qt.Key.Key_Down)
    with qtbot.assertNotEmitted(box.left):
        qtbot.keyClicks(box, "CD3")
    assert box.text() == "CD3"


def test_entering_the_list_keeps_the_row_that_was_chosen(listed: FoundList) -> None:
    listed.setCurrentIndex(listed.found.index(2, 0))
    listed.enter()
    assert listed.currentIndex().row() == 2
    listed.show_found([])
    listed.enter()
    assert not listed.currentIndex().isValid()


def test_typing_among_30000_genes_does_not_lag(listed: FoundList) -> None:
    search = Search(MANY)
    start = time.perf_counter()
    for text in ("G", "GE", "GENE2", "GENE29", "GENE299"):
        listed.show_found(search(text))
    assert (time.perf_counter() - start) / 5 < 0.05
    assert listed.found.rowCount() == 111


def test_grades_stand_beside_genes_and_nothing_else(listed: FoundList) -> None:
    rows = [Paintable("CD3", Origin.MARKER), *MANY[:3]]
    listed.show_found(rows)
    assert listed.isColumnHidden(2)
    table = pd.DataFrame(
        {
            "grade": ["good", "no better than chance"],
            "predicted": [0.61, 0.01],
            "low": [0.4, -0.2],
            "high": [0.8, 0.2],
        },
        index=["GENE0", "GENE1"],
    )
    grades = dict(table["grade"])
    listed.grade(Grades(table, frozenset({"GENE0"}), grades))
    assert not listed.isColumnHidden(2)
    texts = [[listed.found.index(row, column).data() for column in (1, 2)] for row in range(4)]
    assert texts == [
        ["measured", ""],
        ["imputed + measured", "good"],
        ["imputed", "chance"],
        ["imputed", ""],
    ]
    told = listed.found.index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "Expected rank correlation with the truth 0.61 (0.40 to 0.80" in told
    colors = [listed.found.index(row, 0).data(Qt.ItemDataRole.ForegroundRole) for row in range(4)]
    assert [one is not None for one in colors] == [False, False, True, False]
