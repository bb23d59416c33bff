"""The line of a step shows its state, and its outcome as far as it fits."""

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_gluer._napari.guide.header import Elided, StepHeader
from napari_gluer._napari.guide.states import State


@pytest.fixture
def header(qtbot: Any) -> StepHeader:
    made = StepHeader(2, "Cells")
    qtbot.addWidget(made)
    made.show()
    return made


def test_later_now_and_done_look_different(header: StepHeader) -> None:
    seen = []
    for state in (State("Cells", "", False), State("Cells", "", True), State("Cells", "9", True)):
        header.show_state(state, is_open=False, before="Image")
        seen.append(header.button.text())
    assert len(set(seen)) == 3
    assert all("2  Cells" in text for text in seen)


def test_what_has_to_come_first_is_said(header: StepHeader) -> None:
    header.show_state(State("Cells", "", False), is_open=False, before="Image")
    assert not header.button.isEnabled()
    assert header.button.toolTip() == "Opens when Image is done."
    header.show_state(State("Cells", "", True), is_open=True, before="Image")
    assert header.button.isEnabled()
    assert header.button.isChecked()
    assert header.button.toolTip() == ""  # nothing came of it yet


def test_the_outcome_is_one_line_that_ends_where_the_room_ends(qtbot: Any) -> None:
    line = Elided()
    qtbot.addWidget(line)
    text = "2,711 cells; 116 dropped: 67 too small, 29 too large, 20 blanks too bright"
    line.resize(150, 20)
    line.show_text(text)
    assert line.text() != text
    assert line.text().endswith("…")
    assert (line.whole, line.toolTip()) == (text, text)
    line.resize(2000, 20)
    qtbot.waitUntil(lambda: line.text() == text)


def test_no_outcome_takes_no_room(header: StepHeader) -> None:
    header.show_state(State("Cells", "64 cells", True), is_open=False, before="")
    assert header.line.isVisible()
    header.show_state(State("Cells", "", True), is_open=False, before="")
    assert not header.line.isVisible()


def test_keys_open_it(qtbot: Any, header: StepHeader) -> None:
    header.show_state(State("Cells", "", True), is_open=False, before="")
    told: list[bool] = []
    header.button.clicked.connect(told.append)
    header.button.setFocus()
    qtbot.keyClick(header.button, Qt.Key.Key_Space)
    assert told == [True]
