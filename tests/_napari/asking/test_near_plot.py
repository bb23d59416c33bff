"""The small map of cells: all are there in their colours, and the asked one is marked."""

from typing import Any

import numpy as np
import pytest

from napari_gluer._napari.asking.near_plot import NearPlot


@pytest.fixture
def plot(qtbot: Any) -> NearPlot:
    made = NearPlot()
    qtbot.addWidget(made)
    return made


def points(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)


def test_the_asked_cell_is_marked(plot: NearPlot) -> None:
    places = points(30)
    plot.show_cell(places, 4, None, "#222222")
    assert plot.place == pytest.approx(tuple(places[4]))
    axes = plot.figure.axes[0]
    np.testing.assert_allclose(axes.collections[0].get_offsets(), places)
    for line in axes.lines:
        np.testing.assert_allclose(line.get_xydata(), places[4:5])


def test_colours_are_the_tissues_and_transparent_cells_are_grey(plot: NearPlot) -> None:
    colors = np.tile(np.array([[255, 0, 0, 255]], np.uint8), (10, 1))
    colors[3] = 0
    plot.show_cell(points(10), 0, colors, "white")
    drawn = np.asarray(plot.figure.axes[0].collections[0].get_facecolor())
    np.testing.assert_allclose(drawn[[0, 9]], [[1, 0, 0, 1]] * 2)
    assert drawn[3, 0] == drawn[3, 1] == drawn[3, 2]


def test_of_very_many_cells_a_part_is_drawn_and_the_asked_one_always(plot: NearPlot) -> None:
    places = points(20_000)
    plot.show_cell(places, 19_999, np.zeros((20_000, 4), np.uint8), "white")
    axes = plot.figure.axes[0]
    offsets = np.asarray(axes.collections[0].get_offsets())
    assert len(offsets) == 5000
    assert {tuple(one) for one in offsets.astype(np.float32).tolist()} <= {
        tuple(one) for one in places.tolist()
    }
    np.testing.assert_allclose(axes.lines[0].get_xydata(), places[-1:])


def test_another_cell_takes_its_place_and_none_clears_it(plot: NearPlot) -> None:
    plot.show_cell(points(10), 0, None, "white")
    plot.show_cell(points(10), 5, None, "white")
    assert len(plot.figure.axes) == 1
    assert len(plot.figure.axes[0].lines) == 2
    plot.clear()
    assert plot.place is None
    assert plot.figure.axes == []
