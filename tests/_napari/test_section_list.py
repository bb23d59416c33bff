"""Other labels layers are listed with ticks that follow them."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt

from napari_gluer._napari.attached import attach
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.section_list import SectionList


@pytest.fixture
def layers(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> list[Labels]:
    made = [model.add_labels(labels, name=name) for name in ("first", "second", "third")]
    for layer in made[:2]:
        attach(layer, cells=cells)
    return made


@pytest.fixture
def sections(qtbot: Any, model: ViewerModel, layers: list[Labels]) -> SectionList:
    made = SectionList(model, lambda: layers[0])
    qtbot.addWidget(made)
    made.show()
    return made


def _shown(sections: SectionList) -> list[str]:
    return [sections.item(i).text() for i in range(sections.count())]


def _click(qtbot: Any, sections: SectionList, row: int) -> None:
    place = sections.visualItemRect(sections.item(row))
    qtbot.mouseClick(
        sections.viewport(),
        Qt.MouseButton.LeftButton,
        pos=place.topLeft() + QPoint(10, place.height() // 2),
    )


def test_the_others_are_listed_and_ticked_by_a_click(
    qtbot: Any, sections: SectionList, layers: list[Labels]
) -> None:
    assert _shown(sections) == ["third (not measured)", "second"]
    assert sections.ticked == []
    with qtbot.waitSignal(sections.changed):
        _click(qtbot, sections, 1)
    assert sections.ticked == [layers[1]]
    _click(qtbot, sections, 1)
    assert sections.ticked == []


def test_ticks_stay_with_layers_that_are_renamed_moved_or_measured(
    qtbot: Any, sections: SectionList, model: ViewerModel, layers: list[Labels], cells: AnnData
) -> None:
    _click(qtbot, sections, 1)
    layers[1].name = "left half"
    model.layers.move(1, 3)
    assert _shown(sections) == ["left half", "third (not measured)"]
    attach(layers[2], cells=cells)
    assert _shown(sections) == ["left half", "third"]
    assert sections.ticked == [layers[1]]


def test_a_removed_layer_is_no_longer_ticked(
    qtbot: Any, sections: SectionList, model: ViewerModel, layers: list[Labels]
) -> None:
    _click(qtbot, sections, 1)
    model.layers.remove(layers[1])
    assert sections.ticked == []
    assert _shown(sections) == ["third (not measured)"]
    model.layers.append(layers[1])
    assert sections.ticked == []


def test_layers_that_were_painted_are_not_listed(
    sections: SectionList, model: ViewerModel, labels: np.ndarray
) -> None:
    model.add_labels(labels, name="types", metadata={"gluer": {PAINTED: True}})
    assert len(_shown(sections)) == 2


def test_the_chosen_layer_is_not_listed_and_loses_its_tick(
    qtbot: Any, model: ViewerModel, layers: list[Labels]
) -> None:
    chosen = [layers[0]]
    sections = SectionList(model, lambda: chosen[0])
    qtbot.addWidget(sections)
    sections.show()
    _click(qtbot, sections, 1)
    chosen[0] = layers[1]
    sections.refresh()
    assert _shown(sections) == ["third (not measured)", "first"]
    assert sections.ticked == []
