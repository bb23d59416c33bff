"""Work in a thread: results, progress, errors, and a cancel that answers at once."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QProgressDialog

from napari_gluer._napari.jobs import Job, start, while_waiting
from napari_gluer.errors import InputError
from napari_gluer.track import Track


class Told:
    """What a job told the window."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.errors: list[Exception] = []
        self.progress: list[tuple[str, int, int]] = []

    def start(self, work: Callable[[Track], Any]) -> Job[Any]:
        return start(
            "a job",
            work,
            done=self.results.append,
            failed=self.errors.append,
            progressed=lambda *seen: self.progress.append(seen),
        )


@pytest.fixture
def told() -> Told:
    return Told()


def _slow(track: Track) -> str:
    for _ in track(range(1000), "Counting"):
        time.sleep(0.02)
    return "done"


def test_the_result_arrives_in_the_windows_thread(qtbot: Any, told: Told) -> None:
    def work(track: Track) -> list[int]:
        return [i * i for i in track(range(5), "Squares")]

    told.start(work)
    qtbot.waitUntil(lambda: bool(told.results))
    assert told.results == [[0, 1, 4, 9, 16]]
    assert told.progress[0] == ("Squares", 0, 5)
    assert told.progress[-1] == ("Squares", 5, 5)


def test_progress_is_throttled(qtbot: Any, told: Told) -> None:
    told.start(lambda track: sum(1 for _ in track(iter(range(20_000)), "Many")))
    qtbot.waitUntil(lambda: bool(told.results))
    assert told.results == [20_000]
    assert len(told.progress) < 50
    assert told.progress[-1][2] == 0


def test_cancel_answers_at_once_and_ends_the_work_soon(qtbot: Any, told: Told) -> None:
    job = told.start(_slow)
    ended: list[float] = []
    job.finished.connect(lambda: ended.append(time.monotonic()))
    qtbot.waitUntil(lambda: len(told.progress) > 1)
    asked = time.monotonic()
    job.cancel()
    assert time.monotonic() - asked < 0.2
    qtbot.waitUntil(lambda: bool(ended))
    assert ended[0] - asked < 2
    assert not told.results
    assert not told.errors


def test_nothing_is_told_after_cancel_even_if_the_result_was_on_its_way(
    qtbot: Any, told: Told
) -> None:
    job = told.start(lambda _track: "result")
    qtbot.waitUntil(lambda: not job.is_running or True)
    job.cancel()
    qtbot.wait(100)
    assert not told.results


def test_an_error_arrives_whole(qtbot: Any, told: Told) -> None:
    def work(_track: Track) -> None:
        raise InputError("no nuclei")

    told.start(work)
    qtbot.waitUntil(lambda: bool(told.errors))
    assert str(told.errors[0]) == "no nuclei"


def test_a_wait_shows_a_window_and_keeps_the_others_alive(qtbot: Any) -> None:
    seen: list[str] = []

    def look() -> None:
        window = QApplication.activeModalWidget()
        seen.append(window.labelText() if isinstance(window, QProgressDialog) else "none")

    QTimer.singleShot(150, look)
    assert while_waiting("Drawing …", lambda: time.sleep(0.6) or 7) == 7
    assert seen == ["Drawing …"]
    assert QApplication.activeModalWidget() is None


def test_an_error_ends_the_wait(qtbot: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        while_waiting("Dividing …", lambda: 1 // 0)
    assert QApplication.activeModalWidget() is None
