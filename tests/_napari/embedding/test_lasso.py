"""What an outline holds, and what keys ask for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import Qt

from napari_gluer._napari.embedding.lasso import asked, inside

KEYS = Qt.KeyboardModifier


@given(st.integers(0, 2**32 - 1))
def test_a_circle_holds_the_points_nearer_than_its_radius(seed: int) -> None:
    rng = np.random.default_rng(seed)
    middle, radius = rng.uniform(-5, 5, 2), rng.uniform(0.5, 3)
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    outline = middle + radius * np.c_[np.cos(angles), np.sin(angles)]
    points = rng.uniform(-8, 8, (200, 2)).astype(np.float32)
    distance = np.linalg.norm(points - middle, axis=1)
    sure = np.abs(distance - radius) > 0.01
    np.testing.assert_array_equal(inside(outline, points)[sure], (distance < radius)[sure])


def test_a_hollow_outline_leaves_its_hollow_out() -> None:
    outline = [(0, 0), (10, 0), (10, 10), (9, 10), (9, 1), (1, 1), (1, 10), (0, 10)]
    points = np.array([[0.5, 5], [5, 5], [9.5, 5], [5, 0.5]], np.float32)
    assert inside(outline, points).tolist() == [True, False, True, True]


@pytest.mark.parametrize("outline", [[], [(0, 0)], [(0, 0), (5, 5)]])
def test_what_is_no_outline_holds_nothing(outline: list[tuple[int, int]]) -> None:
    assert not inside(outline, np.array([[0, 0], [2, 2]], np.float32)).any()


def test_points_without_a_place_are_outside() -> None:
    square = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    points = np.array([[np.nan, 0], [0, 0], [np.inf, 0]], np.float32)
    assert inside(square, points).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("keys", "how"),
    [
        (KEYS.NoModifier, "common"),
        (KEYS.ShiftModifier, "add"),
        (KEYS.AltModifier, "remove"),
        (KEYS.ControlModifier, "common"),
        (KEYS.ShiftModifier | KEYS.KeypadModifier, "add"),
    ],
)
def test_held_keys_win_over_the_button(keys: Qt.KeyboardModifier, how: str) -> None:
    assert asked(keys, "common") == how
