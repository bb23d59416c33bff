import numpy as np
import pytest
from scipy import ndimage

from napari_gluer.segmentation.scale import Grid


def test_steps_are_told_in_steps_along_x() -> None:
    grid = Grid.of(3, (2.0, 0.5, 0.25))
    assert grid.ratio == (8.0, 2.0, 1.0)
    assert grid.step_um == 0.25
    assert grid.known
    assert grid.sigma(4.0) == [0.5, 2.0, 4.0]
    assert grid.window(4.0) == [1, 3, 5]


def test_unknown_steps_are_pixels() -> None:
    assert Grid.of(2, None) == Grid((1.0, 1.0), 1.0, known=False)


@pytest.mark.parametrize("spacing", [None, (0.5, 0.5), (1.5, 0.5, 0.5)])
def test_areas_are_those_of_drawn_discs_and_balls(spacing: tuple[float, ...] | None) -> None:
    grid = Grid.of(len(spacing or (0, 0)), spacing)
    centre = np.ones((81,) * len(grid.ratio), bool)
    centre[(40,) * centre.ndim] = False
    inside = ndimage.distance_transform_edt(centre, sampling=grid.ratio) <= 15
    assert grid.area(30.0) == pytest.approx(inside.sum(), rel=0.02)
