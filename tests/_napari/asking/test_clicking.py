"""Clicks are heard when they are clicks, and left alone when they are anything else."""

import gc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_gluer._napari.asking.clicking import Clicks


def click(viewer: ViewerModel, *moves: tuple[float, float], **facts: Any) -> None:
    """A press at (50, 50), moves to other places, a release; as napari sends them."""
    event = SimpleNamespace(**{
        "type": "mouse_press", "button": 1, "modifiers": (), "pos": (50.0, 50.0), **facts
    })  # fmt: skip
    going = [one(viewer, event) for one in list(viewer.mouse_drag_callbacks)]
    for one in going:
        next(one, None)
    for place in moves:
        event.type, event.pos = "mouse_move", place
        for one in going:
            next(one, None)
    event.type = "mouse_release"
    for one in going:
        next(one, None)


@pytest.fixture
def heard(model: ViewerModel) -> tuple[Clicks, list[Any]]:
    events: list[Any] = []
    clicks = Clicks(model, events.append)
    clicks.switch(on=True)
    return clicks, events


def test_a_click_is_heard_once(model: ViewerModel, heard: tuple[Clicks, list[Any]]) -> None:
    clicks, events = heard
    clicks.switch(on=True)
    click(model)
    click(model, (52.0, 47.0))  # the hand is never quite still
    assert len(events) == 2
    clicks.switch(on=False)
    assert not clicks.is_on
    click(model)
    assert len(events) == 2


@pytest.mark.parametrize(
    "facts",
    [{"button": 2}, {"button": 3}, {"modifiers": ("Shift",)}, {"modifiers": ("Control",)}],
)
def test_other_buttons_and_keys_are_left_alone(
    model: ViewerModel, heard: tuple[Clicks, list[Any]], facts: dict[str, Any]
) -> None:
    click(model, **facts)
    assert heard[1] == []


@pytest.mark.parametrize("moves", [[(60.0, 50.0)], [(50.0, 80.0), (50.0, 50.0)]])
def test_a_drag_is_no_click_even_if_it_comes_back(
    model: ViewerModel, heard: tuple[Clicks, list[Any]], moves: list[tuple[float, float]]
) -> None:
    click(model, *moves)
    assert heard[1] == []


@pytest.mark.parametrize(
    ("mode", "n_heard"), [("pan_zoom", 1), ("paint", 0), ("pick", 0), ("erase", 0), ("fill", 0)]
)
def test_a_layer_that_is_drawn_on_keeps_its_clicks(
    model: ViewerModel, heard: tuple[Clicks, list[Any]], mode: str, n_heard: int
) -> None:
    layer = model.add_labels(np.ones((4, 4), int))
    layer.mode = mode
    click(model)
    assert len(heard[1]) == n_heard


def test_a_widget_that_is_gone_is_not_kept_alive(model: ViewerModel) -> None:
    class Panel:
        heard = 0

        def clicked(self, _: Any) -> None:
            Panel.heard += 1

    panel: Panel | None = Panel()
    Clicks(model, panel.clicked).switch(on=True)
    click(model)
    assert Panel.heard == 1
    panel = None
    gc.collect()
    click(model)
    assert Panel.heard == 1
