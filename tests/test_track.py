import time

import pytest
from tqdm import tqdm

from napari_gluer.track import Cancelled, Timings, Track, silently


def doubled(track: Track) -> list[int]:
    return [2 * item for item in track(range(4), "Doubling")]


def test_the_silent_default_passes_items_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert doubled(silently) == [0, 2, 4, 6]
    assert list(silently([], "Nothing")) == []
    assert capsys.readouterr() == ("", "")


def test_tqdm_is_a_track(capsys: pytest.CaptureFixture[str]) -> None:
    assert doubled(tqdm) == [0, 2, 4, 6]
    assert "Doubling" in capsys.readouterr().err


def test_cancelled_is_no_bad_input() -> None:
    assert not issubclass(Cancelled, ValueError)


def test_timings_add_up_by_step_and_pass_values_on() -> None:
    timings = Timings()
    assert timings.timed("sleep", lambda: time.sleep(0.02) or "value") == "value"
    first = timings["sleep"]
    assert 0.02 <= first < 2
    timings.timed("sleep", lambda: time.sleep(0.02))
    assert timings["sleep"] >= first + 0.02
    timings.timed("other", int)
    assert list(timings) == ["sleep", "other"]
