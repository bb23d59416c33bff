"""Work in the pauses of the window: whole, in order, and the window answers between the parts."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from qtpy.QtCore import QEventLoop, QTimer

from napari_gluer._napari.session.pauses import in_pauses


class _Work:
    """Counts its parts; fails at one of them, if asked."""

    def __init__(self, parts: int, fails_at: int | None = None) -> None:
        self.parts, self.fails_at = parts, fails_at
        self.events: list[str] = []

    def run(self) -> Iterator[None]:
        for i in range(self.parts):
            if i == self.fails_at:
                raise ValueError(f"part {i}")
            self.events.append(f"part {i}")
            yield

    def start(self, stop: Any = None) -> None:
        def done() -> None:
            self.events.append("done")
            if stop is not None:
                stop()

        def failed(error: Exception) -> None:
            self.events.append(f"failed: {error}")
            if stop is not None:
                stop()

        in_pauses(self.run(), done, failed)


@pytest.mark.parametrize(
    ("fails_at", "events"),
    [
        (None, ["part 0", "part 1", "part 2", "done"]),
        (0, ["failed: part 0"]),
        (2, ["part 0", "part 1", "failed: part 2"]),
    ],
)
@pytest.mark.parametrize("in_a_window", [True, False])
def test_every_part_in_order_and_one_end(
    qapp: object, fails_at: int | None, events: list[str], in_a_window: bool
) -> None:
    work = _Work(3, fails_at)
    if not in_a_window:
        work.start()
    else:
        loop = QEventLoop()
        QTimer.singleShot(0, lambda: work.start(loop.quit))
        QTimer.singleShot(20_000, loop.quit)
        loop.exec_() if hasattr(loop, "exec_") else loop.exec()
    assert work.events == events


def test_the_window_answers_between_the_parts(qapp: object) -> None:
    work, loop = _Work(6), QEventLoop()
    ticks = QTimer()
    ticks.timeout.connect(lambda: work.events.append("window"))
    ticks.setInterval(0)

    def start() -> None:
        ticks.start()
        work.start(loop.quit)

    QTimer.singleShot(0, start)
    QTimer.singleShot(20_000, loop.quit)
    loop.exec_() if hasattr(loop, "exec_") else loop.exec()
    ticks.stop()
    parts = [i for i, one in enumerate(work.events) if one.startswith("part")]
    assert len(parts) == 6
    for one, other in pairwise(parts):
        assert "window" in work.events[one:other]
