"""Sums by vector instructions equal sums pixel by pixel, at every edge of what they read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.measurement.narrow_sums import narrow_sums

HIGHEST = {"u1": 255, "u2": 65535}


def by_hand(flat, step, number, where, n) -> np.ndarray:
    total = np.zeros((n, number), np.int64)
    for first, length, group in zip(*where, strict=True):
        for channel in range(number):
            start = channel * step + first
            total[group, channel] += int(flat[start : start + length].astype(np.int64).sum())
    return total


def runs(at, lengths, group) -> tuple[np.ndarray, ...]:
    return np.array(at, np.int64), np.array(lengths, np.int64), np.array(group, np.int32)


@given(
    kind=st.sampled_from(["u1", "u2"]),
    number=st.integers(1, 9),
    step=st.integers(1, 300),
    seed=st.integers(0, 2**16),
)
def test_equals_the_sums_by_hand(kind: str, number: int, step: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    flat = rng.integers(0, HIGHEST[kind] + 1, step * number).astype(kind)
    at = rng.integers(0, step, 12)
    where = runs(at, [rng.integers(1, step - one + 1) for one in at], rng.integers(0, 5, 12))
    found = narrow_sums(flat, step, number, where, 5)
    np.testing.assert_array_equal(found, by_hand(flat, step, number, where, 5))


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("length", [1, 2, 31, 32, 33, 63, 64, 65, 96, 129])
def test_runs_around_the_width_of_a_step(kind: str, length: int) -> None:
    flat = np.full(4 * 200, HIGHEST[kind], kind)
    found = narrow_sums(flat, 200, 4, runs([3], [length], [0]), 1)
    assert found.tolist() == [[length * HIGHEST[kind]] * 4]


def test_the_longest_row_of_the_brightest_pixels_does_not_run_over() -> None:
    flat = np.full(65_536, 65_535, np.uint16)
    found = narrow_sums(flat, 65_536, 1, runs([0], [65_536], [0]), 1)
    assert found[0, 0] == 65_536 * 65_535


def test_a_run_that_ends_with_the_memory_reads_nothing_beyond_it() -> None:
    memory = np.arange(1000, dtype=np.uint16)
    flat = memory[:70]  # the pixels after it would be seen in the sum
    found = narrow_sums(flat, 70, 1, runs([0, 60], [5, 10], [0, 1]), 2)
    assert found.ravel().tolist() == [sum(range(5)), sum(range(60, 70))]


def test_less_memory_than_a_step_reads() -> None:
    found = narrow_sums(np.arange(5, dtype=np.uint8), 5, 1, runs([1], [3], [0]), 1)
    assert found.tolist() == [[1 + 2 + 3]]


def test_no_run_gives_zeros() -> None:
    found = narrow_sums(np.zeros(100, np.uint8), 50, 2, runs([], [], []), 3)
    assert found.tolist() == [[0, 0]] * 3
