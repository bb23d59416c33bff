"""How long work will still take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer._napari.time_left import TimeLeft, in_words


class Clock:
    """Seconds that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_is_left_follows_the_pace(clock: Clock) -> None:
    left = TimeLeft(clock)
    assert left.said("Joint factorisation", 0, 200) == "Joint factorisation … 0 %"
    clock.now += 8
    assert left.said("Joint factorisation", 80, 200) == (
        "Joint factorisation … 40 %, about 12 s left"
    )
    clock.now += 30
    assert left.said("Joint factorisation", 190, 200).endswith("95 %, about 2 s left")
    assert left.said("Joint factorisation", 200, 200) == "Joint factorisation … 100 %"


def test_nothing_is_said_before_it_is_known(clock: Clock) -> None:
    left = TimeLeft(clock)
    left.said("Tiles", 0, 10)
    clock.now += 0.5
    assert left.said("Tiles", 1, 10) == "Tiles … 10 %"
    assert left.said("Leiden", 0, 1) == "Leiden …"
    assert left.said("Reading", 17, 0) == "Reading …"
    clock.now += 90
    assert left.said("Other", 0, 10) == "Other … 0 %"


def test_a_loop_that_starts_again_is_reckoned_anew(clock: Clock) -> None:
    left = TimeLeft(clock)
    left.said("Epochs", 0, 100)
    clock.now += 100
    left.said("Epochs", 100, 100)
    left.said("Epochs", 0, 100)
    clock.now += 2
    assert left.said("Epochs", 50, 100) == "Epochs … 50 %, about 2 s left"


def test_loops_within_loops_do_not_disturb_each_other(clock: Clock) -> None:
    left = TimeLeft(clock)
    for tile in range(3):
        left.said("Tiles", tile, 6)
        for step in range(4):
            left.said("Steps", step, 4)
            clock.now += 5
    assert left.said("Tiles", 3, 6) == "Tiles … 50 %, about 1 min left"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (12.4, "12 s"),
        (23, "25 s"),
        (57, "55 s"),
        (59, "1 min"),
        (200, "3 min"),
        (3590, "1 h"),
        (4900, "1 h 22 min"),
        (7200, "2 h"),
    ],
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@given(st.floats(0, 1e6))
def test_words_are_near_the_time(seconds: float) -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    parts = in_words(seconds).split()
    numbers = zip(map(int, parts[::2]), parts[1::2], strict=True)
    said = sum(number * units[unit] for number, unit in numbers)
    assert abs(said - seconds) <= max(1, 0.51 * {"s": 5, "min": 60, "h": 60}[parts[-1]])
