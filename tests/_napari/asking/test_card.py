"""The card of a cell: what it lists, and what is copied from it."""

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication

from napari_gluer._napari.asking.card import Card, RowTable, selectable
from napari_gluer._napari.asking.facts import CellFacts

ROWS = [("r1", "B cell", "0.91"), ("r2", "T cell", "0.55"), ("r3", "T cell", "0.54")]


def clipboard() -> str:
    found = QGuiApplication.clipboard()
    assert found is not None
    return found.text()


@pytest.fixture
def table(qtbot: Any) -> RowTable:
    made = RowTable(["Cell", "Type", "Likeness"])
    qtbot.addWidget(made)
    made.show_rows(ROWS)
    made.show()
    return made


def test_all_rows_are_copied_where_none_is_marked(qtbot: Any, table: RowTable) -> None:
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard().split("\n") == [
        "Cell\tType\tLikeness",
        "r1\tB cell\t0.91",
        "r2\tT cell\t0.55",
        "r3\tT cell\t0.54",
    ]


def test_marked_rows_alone_are_copied(qtbot: Any, table: RowTable) -> None:
    for i in (0, 2):
        item = table.topLevelItem(i)
        assert item is not None
        item.setSelected(True)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert [line.split("\t")[0] for line in clipboard().split("\n")] == ["Cell", "r1", "r3"]


def test_other_keys_still_move_through_the_rows(qtbot: Any, table: RowTable) -> None:
    table.setCurrentItem(table.topLevelItem(0))
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.currentItem() is table.topLevelItem(1)


def test_other_columns_take_the_place_of_the_old_ones(table: RowTable) -> None:
    table.show_rows([("CD3", "high")], ["Feature", "Says"])
    assert table.columnCount() == 2
    assert table.text == "Feature\tSays\nCD3\thigh"
    first = table.topLevelItem(0)
    assert first is not None
    assert first.toolTip(1) == "high"


def test_the_card_shows_one_cell_and_then_another(qtbot: Any) -> None:
    card = Card()
    qtbot.addWidget(card)
    card.show()
    card.show_facts(CellFacts(7, 0, (("type", "B cell"), ("area", "31 µm²")), ("It is stale.",)))
    assert card.title.text() == "Cell 7"
    assert {name: one.text() for name, one in card.values.items()} == {
        "type": "B cell",
        "area": "31 µm²",
    }
    assert card.notes.isVisible()
    card.add_line("CD8A", "0.4")
    card.add_line("type", "T cell")
    assert card.values["type"].text() == "T cell"
    assert list(card.values) == ["type", "area", "CD8A"]
    card.show_facts(CellFacts(12, 1, (("type", "NK cell"),)))
    assert (card.title.text(), list(card.values)) == ("Cell 12", ["type"])
    assert not card.notes.isVisible()


def test_text_is_plain_and_can_be_marked(qtbot: Any) -> None:
    label = selectable("<b>IL2</b> & a_very_long_name_that_does_not_break_anywhere_at_all")
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert label.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
    assert label.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByKeyboard
    assert label.minimumWidth() == 1
