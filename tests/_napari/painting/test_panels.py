"""The folded panels ask for what a person sets, and show what is."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.blend_panel import BlendPanel
from napari_gluer._napari.painting.blending import Channel
from napari_gluer._napari.painting.panels import ColoursPanel, ConfidencePanel
from napari_gluer._napari.painting.style import PaintStyle, Uncertain

SHOWN = Shown(
    what=Paintable("CD8A", Origin.GENE),
    title="CD8A",
    labels=np.array([1, 2]),
    values=np.array([0, 2], np.float32),
    limits=(0.0, 1.234567),
    unit="counts",
)


@pytest.fixture
def colours(qtbot: Any) -> ColoursPanel:
    made = ColoursPanel()
    qtbot.addWidget(made)
    made.show_style(PaintStyle())
    return made


@pytest.fixture
def confidence(qtbot: Any) -> ConfidencePanel:
    made = ConfidencePanel()
    qtbot.addWidget(made)
    made.show_style(PaintStyle())
    return made


def test_showing_a_style_asks_for_nothing(
    qtbot: Any, colours: ColoursPanel, confidence: ConfidencePanel
) -> None:
    style = PaintStyle(
        colormap="magma", low=3, high=90, gamma=2, uncertain=Uncertain.HIDE, bound=0.7
    )
    with qtbot.assertNotEmitted(colours.asked), qtbot.assertNotEmitted(confidence.asked):
        colours.show_style(style)
        confidence.show_style(style)
    assert (colours.colormap.currentText(), colours.low.value()) == ("magma", 3)
    assert (confidence.what.currentText(), confidence.bound.value()) == ("Hide", 0.7)


def test_a_colour_map_of_napari_is_shown_too(colours: ColoursPanel) -> None:
    colours.show_style(PaintStyle(colormap="bop blue"))
    assert colours.colormap.currentText() == "bop blue"


def test_a_number_is_taken_when_it_is_typed_in_full(qtbot: Any, colours: ColoursPanel) -> None:
    colours.high.selectAll()
    with qtbot.assertNotEmitted(colours.asked):
        qtbot.keyClicks(colours.high, "95")
    with qtbot.waitSignal(colours.asked) as told:
        qtbot.keyClick(colours.high, Qt.Key.Key_Return)
    assert told.args == [{"high": 95.0}]


def test_a_choice_is_taken_by_keys(
    qtbot: Any, colours: ColoursPanel, confidence: ConfidencePanel
) -> None:
    with qtbot.waitSignal(colours.asked) as told:
        qtbot.keyClick(colours.colormap, Qt.Key.Key_Down)
    assert told.args == [{"colormap": "cividis"}]
    with qtbot.waitSignal(confidence.asked) as told:
        qtbot.keyClick(confidence.what, Qt.Key.Key_Down)
    assert told.args == [{"uncertain": Uncertain.FADE}]


def test_limits_are_said_with_their_unit(colours: ColoursPanel) -> None:
    colours.show_limits(SHOWN)
    assert colours.limits.text() == "From 0 to 1.23 counts"
    assert colours.gamma.isEnabled()
    colours.show_limits(replace(SHOWN, values=None, codes=np.array([0, 0]), names=("T",)))
    assert not colours.gamma.isEnabled()


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (("confidence", 1204, 9186), "1,204 of 9,186 cells are below, by confidence."),
        (("", 0, 0), "Nothing tells how sure these cells are: integrate them first."),
    ],
)
def test_how_many_cells_are_below_is_said(
    confidence: ConfidencePanel, told: Any, text: str
) -> None:
    confidence.tell(*told)
    assert confidence.told.text() == text


def test_only_what_is_continuous_and_new_may_join_a_blend(qtbot: Any) -> None:
    panel = BlendPanel()
    qtbot.addWidget(panel)
    assert not panel.add.isEnabled()
    panel.offer(SHOWN, ())
    assert (panel.add.text(), panel.add.isEnabled()) == ("Add “CD8A” to the blend", True)
    channel = Channel(SHOWN, "green", "CD8A (imputed)")
    panel.offer(SHOWN, (channel,))
    assert not panel.add.isEnabled()
    assert panel.show_again.isEnabled()
    assert panel.rows[0].text.text() == "CD8A  0 to 1.23"
    with qtbot.waitSignal(panel.removed) as told:
        qtbot.mouseClick(panel.rows[0].remove, Qt.MouseButton.LeftButton)
    assert told.args == [SHOWN.what]
