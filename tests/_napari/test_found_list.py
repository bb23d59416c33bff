"""The list keeps up with typing, and the legend shows what was painted."""

import time
from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_gluer._napari.found_list import FoundList, Legend, SearchBox
from napari_gluer._napari.layers import LegendEntry
from napari_gluer._napari.paintables import Origin, Paintable, Search

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
    assert (time.perf_counter() - start) / 5 < 0.1
    assert listed.found.rowCount() == 111


def test_the_legend_leaves_out_what_no_cell_has(qtbot: Any) -> None:
    legend = Legend()
    qtbot.addWidget(legend)
    legend.show_entries([LegendEntry("T", "#E69F00", 1200), LegendEntry("B", "#56B4E9", 0)])
    assert legend.topLevelItemCount() == 1
    item = legend.topLevelItem(0)
    assert (item.text(0), item.text(1)) == ("T", "1,200")
    color = item.icon(0).pixmap(8, 8).toImage().pixelColor(4, 4)
    assert color.name().upper() == "#E69F00"
