"""Which cells an outline holds: those of brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer._napari.selecting.inside import labels_inside
from napari_gluer.polygons import Polygon, rasterised


def _box(top: float, left: float, bottom: float, right: float) -> np.ndarray:
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)], float)


def _brute_force(labels: np.ndarray, outline: np.ndarray, rule: str) -> list[int]:
    covered = rasterised([Polygon((outline,))], labels.shape) > 0
    share = {int(one): covered[labels == one].mean() for one in np.unique(labels) if one}
    return [one for one, part in share.items() if (part >= 0.5 if rule == "most" else part > 0)]


@pytest.mark.parametrize(("rule", "expected"), [("most", [3]), ("any", [3, 6])])
def test_a_cell_is_inside_by_its_pixels(labels: np.ndarray, rule: str, expected: list[int]) -> None:
    # cells are 10 pixels wide, with 4 between; the second is covered by 4 columns
    found = labels_inside(labels, _box(0, 0, 13, 19.5), rule)
    assert found.tolist() == expected
    assert found.dtype == np.int64


def test_half_of_a_cell_is_enough(labels: np.ndarray) -> None:
    assert labels_inside(labels, _box(0, 0, 13, 6.5), "most").tolist() == [3]
    assert labels_inside(labels, _box(0, 0, 13, 5.5), "most").tolist() == []


@given(seed=st.integers(0, 2**32 - 1), rule=st.sampled_from(["most", "any"]))
def test_as_brute_force_on_cells_of_any_form(seed: int, rule: str) -> None:
    rng = np.random.default_rng(seed)
    values = np.r_[0, rng.choice(10**9, 8, replace=False) + 1]
    # long cells, far across the outline's surroundings
    labels = np.repeat(values[rng.integers(0, 9, (90, 2))], 60, axis=1)
    outline = rng.uniform(-20, (110, 140), (rng.integers(3, 9), 2))
    found = labels_inside(labels, outline, rule)
    assert found.tolist() == sorted(_brute_force(labels, outline, rule))


def test_outlines_beside_the_image_hold_nothing(labels: np.ndarray) -> None:
    for corner in ((-90, -90), (500, 500), (0, 500)):
        outline = _box(*corner, corner[0] + 50, corner[1] + 50)
        assert labels_inside(labels, outline, "any").size == 0


def test_only_the_surroundings_are_read() -> None:
    class Plane:
        shape = (100_000, 100_000)
        read = 0

        def __getitem__(self, box: tuple[slice, slice]) -> np.ndarray:
            size = tuple(part.stop - part.start for part in box)
            self.read += size[0] * size[1]
            found = np.zeros(size, np.int32)
            found[size[0] // 2, size[1] // 2] = 7
            return found

    plane = Plane()
    assert labels_inside(plane, _box(500, 500, 540, 540), "most").tolist() == [7]
    assert plane.read < 50_000
