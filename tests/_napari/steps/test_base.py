"""What all steps share: running, cancelling, telling, tabs."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QPushButton

from napari_gluer._napari.steps.base import Outcome, Step
from napari_gluer.errors import InputError
from napari_gluer.track import Track


class Counting(Step):
    """Counts slowly, or fails as it is told."""

    title = "Counting"
    hint = "Counts."
    steps = 3
    fails: Exception | None = None
    finished: tuple[int, ...] = ()

    def prepare(self) -> Callable[[Track], int]:
        if self.steps < 0:
            raise InputError("Less than nothing cannot be counted.")
        fails, steps = self.fails, self.steps

        def work(track: Track) -> int:
            for _ in track(range(steps), "Counting"):
                time.sleep(0.02)
            if fails is not None:
                raise fails
            return steps

        return work

    def finish(self, result: int) -> Outcome:
        self.finished = (*self.finished, result)
        return Outcome(f"Counted to {result}.", "One by one." if result > 4 else "")


@pytest.fixture
def step(qtbot: Any, model: ViewerModel) -> Counting:
    counting = Counting(model)
    qtbot.addWidget(counting)
    counting.show()
    return counting


def _click(qtbot: Any, button: Any) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_run_ends_with_the_outcome(qtbot: Any, step: Counting, finish: Any) -> None:
    assert step.outcome.text() == "Counts."
    _click(qtbot, step.run)
    assert step.busy
    assert not step.run.isEnabled()
    assert step.cancel.isEnabled()
    assert step.progress.isVisible()
    assert finish(step) == "Counted to 3."
    assert step.finished == (3,)
    assert step.run.isEnabled()
    assert not step.progress.isVisible()


def test_further_buttons_wait_too(qtbot: Any, step: Counting, finish: Any) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    step.waiting.append(button)
    _click(qtbot, step.run)
    assert not button.isEnabled()
    finish(step)
    assert button.isEnabled()


def test_progress_is_shown_in_words_and_as_a_bar(qtbot: Any, step: Counting) -> None:
    step.steps = 500
    _click(qtbot, step.run)
    qtbot.waitUntil(lambda: step.progress.value() > 2)
    assert step.progress.maximum() == 500
    assert re.fullmatch(r"Counting … [0-9] %", step.outcome.text())
    qtbot.waitUntil(lambda: "left" in step.outcome.text())
    assert re.fullmatch(r"Counting … \d+ %, about \d+ s left", step.outcome.text())
    _click(qtbot, step.cancel)


def test_cancel_answers_at_once_and_keeps_the_last_result(
    qtbot: Any, step: Counting, finish: Any
) -> None:
    _click(qtbot, step.run)
    finish(step)
    step.steps = 1000
    _click(qtbot, step.run)
    qtbot.wait(100)
    asked = time.monotonic()
    _click(qtbot, step.cancel)
    assert time.monotonic() - asked < 0.2
    assert not step.busy
    assert step.run.isEnabled()
    assert step.outcome.text() == "Cancelled. Everything is as it was."
    qtbot.wait(200)
    assert step.finished == (3,)


def test_a_cancelled_run_does_not_disturb_the_next(qtbot: Any, step: Counting, finish: Any) -> None:
    step.steps = 1000
    _click(qtbot, step.run)
    qtbot.wait(50)
    _click(qtbot, step.cancel)
    step.steps = 5
    _click(qtbot, step.run)
    assert finish(step) == "Counted to 5. (Point here for details.)"
    assert step.outcome.toolTip() == "One by one."
    assert step.finished == (5,)


def test_bad_input_is_told_and_nothing_runs(
    qtbot: Any, step: Counting, notified: list[Any]
) -> None:
    step.steps = -1
    _click(qtbot, step.run)
    assert not step.busy
    assert [one.message for one in notified] == ["Less than nothing cannot be counted."]
    assert step.outcome.text() == "Less than nothing cannot be counted."


@pytest.mark.parametrize(
    ("error", "severity", "text"),
    [
        (InputError("No nuclei."), "warning", "No nuclei."),
        (
            RuntimeError("odd"),
            "error",
            (
                "Something unexpected went wrong (RuntimeError: odd). Try again; if it happens "
                "again, send the details to the developers."
            ),
        ),
    ],
)
def test_an_error_in_the_thread_is_told(
    step: Counting, notified: list[Any], run: Any, error: Exception, severity: str, text: str
) -> None:
    step.fails = error
    assert run(step) == text
    assert [one.severity.value for one in notified] == [severity]
    assert not step.finished


@pytest.mark.parametrize("place", ["prepare", "finish"])
def test_an_unexpected_error_in_the_window_is_told_once(
    qtbot: Any,
    step: Counting,
    notified: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(step, place, broken)
    _click(qtbot, step.run)
    qtbot.waitUntil(lambda: not step.busy)
    assert "unexpected" in step.outcome.text()
    assert len(notified) == 1
    assert [text for text, _ in notified[0].actions] == ["Details …"]
    assert step.run.isEnabled()


def test_a_widget_that_is_gone_stops_its_job(qtbot: Any, model: ViewerModel) -> None:
    step = Counting(model)
    step.steps = 1000
    step.show()
    _click(qtbot, step.run)
    job = step._running.job
    assert job is not None
    ended: list[bool] = []
    job.finished.connect(lambda: ended.append(True))
    step.deleteLater()
    qtbot.waitUntil(lambda: bool(ended), timeout=2000)
    assert job.cancelled


def _docked(qtbot: Any, viewer: Any) -> tuple[Counting, Any]:
    """A step in the window whose job runs."""
    step = Counting(viewer)
    step.steps = 1000
    viewer.window.add_dock_widget(step, name="Counting")
    _click(qtbot, step.run)
    return step, step._running.job


def test_a_dock_closed_during_a_job_is_no_crash(
    qtbot: Any, make_napari_viewer: Any, notified: list[Any]
) -> None:
    viewer = make_napari_viewer()
    step, job = _docked(qtbot, viewer)
    ended: list[bool] = []
    job.finished.connect(lambda: ended.append(True))
    viewer.window.remove_dock_widget(step)
    step.deleteLater()
    qtbot.waitUntil(lambda: bool(ended), timeout=5000)
    assert job.cancelled
    assert not notified


def test_a_viewer_closed_during_a_job_is_no_crash(
    qtbot: Any, make_napari_viewer: Any, notified: list[Any]
) -> None:
    viewer = make_napari_viewer()
    _, job = _docked(qtbot, viewer)
    ended: list[bool] = []
    job.finished.connect(lambda: ended.append(True))
    viewer.close()
    qtbot.waitUntil(lambda: bool(ended), timeout=5000)
    assert not notified


def test_docked_steps_share_tabs(qtbot: Any, model: ViewerModel) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    docks = []
    for title in ("Counting (napari-gluer)", "again"):
        dock = QDockWidget(title, window)
        dock.setWidget(Counting(model))
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        docks.append(dock)
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(docks[0]) == [docks[1]])
    assert docks[0].windowTitle() == "Counting"
