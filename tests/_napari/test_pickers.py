"""Choosers that follow the layers, and channels to tick."""

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_gluer._napari.pickers import ChannelList, Picker, labels_picker


@pytest.fixture
def picker(qtbot: Any, model: ViewerModel) -> Picker:
    made = labels_picker(model)
    qtbot.addWidget(made)
    return made


def _add(model: ViewerModel, name: str) -> Any:
    return model.add_labels(np.ones((4, 4), int), name=name)


def test_the_newest_layer_is_offered_first_and_the_chosen_one_stays(
    picker: Picker, model: ViewerModel
) -> None:
    assert picker.value is None
    first = _add(model, "first")
    assert picker.value is first
    second = _add(model, "second")
    assert picker.value is first
    assert [picker.itemText(i) for i in range(2)] == ["second", "first"]
    picker.choose(second)
    model.layers.remove(second)
    assert picker.value is first


def test_a_change_is_told_only_when_the_choice_changes(
    qtbot: Any, picker: Picker, model: ViewerModel
) -> None:
    with qtbot.waitSignal(picker.currentIndexChanged):
        first = _add(model, "first")
    with qtbot.assertNotEmitted(picker.currentIndexChanged):
        _add(model, "second")
    with qtbot.waitSignal(picker.currentIndexChanged):
        model.layers.remove(first)


def test_a_long_name_is_whole_under_the_mouse(picker: Picker, model: ViewerModel) -> None:
    layer = _add(model, "true masks of a tissue with a long name")
    assert picker.toolTip() == layer.name
    layer.name = "masks"
    assert picker.toolTip() == "masks"


def test_what_is_not_listed_is_not_chosen(picker: Picker, model: ViewerModel) -> None:
    first = _add(model, "first")
    picker.choose("something else")
    assert picker.value is first


def test_ticked_channels_are_seen_and_read_in_order(qtbot: Any) -> None:
    channels = ChannelList()
    qtbot.addWidget(channels)
    names = [f"CD{i}" for i in range(40)]
    channels.show_channels(names, ["CD33", "CD3"])
    channels.show()
    assert channels.channels == tuple(names)
    assert channels.ticked == ("CD3", "CD33")
    row = channels.visualItemRect(channels.item(33))
    assert channels.viewport().rect().intersects(row)
    assert channels.sizeHint().width() < 200
