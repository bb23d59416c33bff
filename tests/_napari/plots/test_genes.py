import time
from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.plots.genes import GeneList

MANY = [
    Paintable("CD3", Origin.MARKER),
    *(Paintable(f"GENE{i}", Origin.GENE) for i in range(30_000)),
]


@pytest.fixture
def genes(qtbot: Any) -> GeneList:
    made = GeneList()
    qtbot.addWidget(made)
    made.offer(MANY)
    made.resize(300, 150)
    made.show()
    return made


def add(qtbot: Any, genes: GeneList, text: str) -> None:
    qtbot.keyClicks(genes.line, text)
    qtbot.keyClick(genes.line, Qt.Key.Key_Return)


def test_genes_are_added_by_typing_and_enter(qtbot: Any, genes: GeneList) -> None:
    heard: list[int] = []
    genes.changed.connect(lambda: heard.append(len(genes.chosen)))
    add(qtbot, genes, "cd3")
    add(qtbot, genes, "GENE77")
    add(qtbot, genes, "GENE77")
    assert genes.chosen == (Paintable("CD3", Origin.MARKER), Paintable("GENE77", Origin.GENE))
    assert heard == [1, 2]
    assert genes.line.text() == ""


def test_the_popup_completes_and_a_choice_is_added(qtbot: Any, genes: GeneList) -> None:
    qtbot.keyClicks(genes.line, "gene2999")
    popup = genes.completer.popup()
    assert popup is not None
    assert popup.isVisible()
    assert genes.found.rows[0].name == "GENE2999"
    qtbot.keyClick(popup, Qt.Key.Key_Down)
    qtbot.keyClick(popup, Qt.Key.Key_Down)
    second = genes.found.rows[1]
    qtbot.keyClick(popup, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(genes.chosen) == 1)
    assert genes.chosen == (second,)


def test_several_names_at_once(qtbot: Any, genes: GeneList) -> None:
    add(qtbot, genes, "GENE1, CD3,GENE5,,nothing of that name")
    assert [one.name for one in genes.chosen] == ["GENE1", "CD3", "GENE5"]


def test_marked_ones_are_removed_by_the_delete_key(qtbot: Any, genes: GeneList) -> None:
    genes.choose(MANY[:4])
    item = genes.list.item(1)
    assert item is not None
    item.setSelected(True)
    with qtbot.waitSignal(genes.changed):
        qtbot.keyClick(genes.list, Qt.Key.Key_Delete)
    assert genes.chosen == (MANY[0], *MANY[2:4])


def test_what_is_no_longer_offered_leaves_the_list(genes: GeneList) -> None:
    genes.choose(MANY[:4])
    genes.offer(MANY[2:])
    assert genes.chosen == tuple(MANY[2:4])


def test_typing_among_30_000_names_does_not_lag(qtbot: Any, genes: GeneList) -> None:
    qtbot.keyClicks(genes.line, "g")
    slowest = 0.0
    for letter in "ene123":
        start = time.perf_counter()
        qtbot.keyClicks(genes.line, letter)
        slowest = max(slowest, time.perf_counter() - start)
    assert slowest < 0.5  # 0.05 s on a quiet machine
