import re

import numpy as np
import pytest

from napari_gluer.palette import GREY, UNMATCHED, colors_of


def parts(color: str) -> np.ndarray:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])


def test_colours_are_hex_and_all_different() -> None:
    colors = colors_of([str(i) for i in range(120)])
    assert all(re.fullmatch(r"#[0-9A-F]{6}", color) for color in colors)
    assert len(set(colors)) == len(colors)
    assert GREY not in colors


def test_the_first_sixteen_are_far_apart() -> None:
    colors = [parts(color) for color in [*colors_of(list("abcdefghijklmnop")), GREY]]
    nearest = min(np.linalg.norm(a - b) for i, a in enumerate(colors) for b in colors[:i])
    assert nearest > 30


@pytest.mark.parametrize("n", [0, 1, 5, 40])
def test_position_decides_not_the_name_or_the_number(n: int) -> None:
    assert colors_of(["x"] * n) == colors_of([str(i) for i in range(60)])[:n]


def test_unmatched_is_grey_and_shifts_nobody() -> None:
    assert colors_of(["a", UNMATCHED, "b"]) == [
        colors_of(["a"])[0],
        GREY,
        colors_of(["a", "x", "b"])[2],
    ]
