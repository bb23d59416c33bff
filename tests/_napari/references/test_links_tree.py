"""The markers of the cells, which of them link, and what a person leaves out."""

from typing import Any

import pandas as pd
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QStyle, QStyleOptionViewItem, QTreeWidgetItem

from napari_gluer._napari.references.links_tree import LinksTree
from napari_gluer.integration.linking import LINKED, SILENT

LINKS = pd.DataFrame(
    {
        "genes": [(), ("CD3D", "CD3E"), ("MS4A1",), ("FOXP3",)],
        "found": ["", "an alias", "by name", "by name"],
        "detected": [float("nan"), 0.312, 0.08, 0.001],
        "state": ["no gene", LINKED, LINKED, SILENT],
        "note": ["a dye", "", "", ""],
    },
    index=["DAPI", "CD3", "CD20", "FOXP3"],
)
NAME, GENES, HOW = range(3)
FOREGROUND = Qt.ItemDataRole.ForegroundRole


@pytest.fixture
def tree(qtbot: Any) -> LinksTree:
    made = LinksTree()
    qtbot.addWidget(made)
    made.resize(320, 200)
    made.show()
    made.show_links(LINKS, ["CD20"])
    return made


def rows(tree: LinksTree) -> list[list[str]]:
    items = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return [[one.text(i) for i in range(3)] for one in items if one is not None]


def item(tree: LinksTree, name: str) -> QTreeWidgetItem:
    return tree.findItems(name, Qt.MatchFlag.MatchExactly)[0]


def click_tick(qtbot: Any, tree: LinksTree, name: str) -> None:
    """A click on the box itself."""
    option = QStyleOptionViewItem()
    tree.initViewItemOption(option)
    option.rect = tree.visualItemRect(item(tree, name))
    option.features |= QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
    style = tree.style()
    assert style is not None
    box = style.subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, tree)
    place: QPoint = box.center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_those_that_link_come_first_and_the_others_say_why(tree: LinksTree) -> None:
    assert rows(tree) == [
        ["CD3", "CD3D, CD3E", "31.2%"],
        ["CD20", "MS4A1", "left out by you"],
        ["DAPI", "", "no gene"],
        ["FOXP3", "FOXP3", "silent: 0.1%"],
    ]


def test_only_those_that_link_have_a_tick(tree: LinksTree) -> None:
    ticks = {
        name: item(tree, name).data(NAME, Qt.ItemDataRole.CheckStateRole) for name in LINKS.index
    }
    assert ticks["DAPI"] is None
    assert ticks["FOXP3"] is None
    assert item(tree, "CD3").checkState(NAME) == Qt.CheckState.Checked
    assert item(tree, "CD20").checkState(NAME) == Qt.CheckState.Unchecked


def test_those_that_do_not_link_are_grey(tree: LinksTree) -> None:
    grey = {name: item(tree, name).data(GENES, FOREGROUND) is not None for name in LINKS.index}
    assert grey == {"CD3": False, "CD20": True, "DAPI": True, "FOXP3": True}


def test_a_click_leaves_a_marker_out_and_another_takes_it_back(qtbot: Any, tree: LinksTree) -> None:
    heard: list[tuple[str, bool]] = []
    tree.ticked.connect(lambda name, on: heard.append((name, on)))
    click_tick(qtbot, tree, "CD3")
    assert heard == [("CD3", False)]
    assert item(tree, "CD3").text(HOW) == "left out by you"
    assert item(tree, "CD3").data(GENES, FOREGROUND) is not None
    click_tick(qtbot, tree, "CD3")
    assert heard == [("CD3", False), ("CD3", True)]
    assert item(tree, "CD3").text(HOW) == "31.2%"
    assert item(tree, "CD3").data(GENES, FOREGROUND) is None


def test_the_space_key_ticks(qtbot: Any, tree: LinksTree) -> None:
    tree.setCurrentItem(item(tree, "CD20"))
    with qtbot.waitSignal(tree.ticked) as heard:
        qtbot.keyClick(tree, Qt.Key.Key_Space)
    assert heard.args == ["CD20", True]
    assert item(tree, "CD20").text(HOW) == "8.0%"


def test_the_tooltip_says_everything(tree: LinksTree) -> None:
    assert item(tree, "CD3").toolTip(GENES).split("\n") == [
        "CD3",
        "CD3D, CD3E",
        "in 31.2% of cells (an alias)",
    ]
    assert item(tree, "DAPI").toolTip(NAME).split("\n") == ["DAPI", "no gene", "a dye"]


def test_without_a_reference_it_is_empty(tree: LinksTree) -> None:
    tree.show_links(None, [])
    assert rows(tree) == []


def test_its_columns_fit_a_narrow_dock(tree: LinksTree) -> None:
    header = tree.header()
    assert header is not None
    assert sum(tree.columnWidth(i) for i in range(3)) <= header.width()
