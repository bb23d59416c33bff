import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from napari.components import ViewerModel

from napari_gluer._napari.plots.canvas import FigureView, Make, Sheet, pictured
from napari_gluer._napari.plots.theming import recolored, screen_colors
from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import styled
from napari_gluer.figures.group_violins import group_violin_figure
from napari_gluer.figures.params import FigureParams


def violins(params: FigureParams, n_groups: int = 4) -> Figure:
    values = pd.DataFrame({"CD8A": np.random.default_rng(0).normal(size=90)})
    return group_violin_figure(values, np.arange(90) % n_groups, params=params)


@pytest.fixture
def view(qtbot: Any, model: ViewerModel) -> FigureView:
    made = FigureView(model)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def show(view: FigureView, make: Make) -> None:
    view.show_picture(pictured(make, view.sheet(FigureParams())), make, FigureParams())


def test_a_figure_is_as_wide_as_the_panel(qtbot: Any, view: FigureView) -> None:
    show(view, violins)
    canvas = view.widget()
    assert canvas is not None
    assert 300 < canvas.width() <= 400
    view.resize(600, 300)
    qtbot.waitUntil(lambda: view.widget().width() > 500)
    assert view.widget().width() <= 600


def test_what_is_too_wide_is_scrolled(view: FigureView) -> None:
    show(view, lambda params: violins(params, 30))
    canvas = view.widget()
    assert canvas is not None
    assert canvas.width() > 600


def test_what_fits_no_width_is_refused_and_the_old_one_stays(view: FigureView) -> None:
    show(view, violins)
    before = view.figure

    def never(params: FigureParams) -> Figure:
        raise InputError("too many")

    with pytest.raises(InputError, match="too many"):
        show(view, never)
    assert view.figure is before


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_figures_wear_the_theme(
    qtbot: Any, view: FigureView, model: ViewerModel, theme: str
) -> None:
    show(view, violins)
    model.theme = theme
    ground, ink = screen_colors(model)
    figure = lambda: view.figure  # noqa: E731
    qtbot.waitUntil(lambda: to_hex(figure().get_facecolor()) == ground)
    axes = figure().axes[0]
    assert to_hex(axes.yaxis.label.get_color()) == ink
    assert {to_hex(text.get_color()) for text in axes.get_xticklabels()} == {ink}
    assert to_hex(axes.spines["left"].get_edgecolor()) == ink


def test_colours_that_mean_something_stay() -> None:
    figure = violins(FigureParams())
    before = [body.get_facecolor() for body in figure.axes[0].collections]
    recolored(figure, "#101010", "#f0f0f0")
    after = [body.get_facecolor() for body in figure.axes[0].collections]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_picture_has_the_dots_of_the_screen(view: FigureView) -> None:
    show(view, violins)
    width = view.widget().width()
    fine = replace(view.sheet(FigureParams()), ratio=2.0)
    picture = pictured(violins, fine)
    assert picture.dots.shape[1] == pytest.approx(2 * width, abs=2)
    view.show_picture(picture, violins, FigureParams())
    assert view.widget().width() == pytest.approx(width, abs=1)


def test_what_is_seen_is_what_was_drawn(qtbot: Any, view: FigureView) -> None:
    def red(params: FigureParams) -> Figure:
        figure = Figure((2, 1), dpi=params.dpi)
        axes = figure.add_axes((0, 0, 0.5, 1))
        axes.set_axis_off()
        axes.axhspan(0, 1, color="red")
        return figure

    show(view, red)
    grabbed = view.widget().grab().toImage()
    assert grabbed.pixelColor(20, 48).name() == "#ff0000"
    assert grabbed.pixelColor(150, 48).name() == screen_colors(view._viewer)[0]


def test_figures_are_made_one_after_another() -> None:
    """Matplotlib's settings are one for all threads."""
    told: list[str] = []

    def make(name: str) -> Callable[[FigureParams], Figure]:
        def made(params: FigureParams) -> Figure:
            with styled(params):
                told.append(name)
                time.sleep(0.05)
                told.append(name)
                return Figure()

        return made

    sheet = Sheet(FigureParams(), 300, 1.0, "#000000", "#ffffff")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: pictured(make(name), sheet), "abcd"))
    assert [told[i] for i in range(0, 8, 2)] == [told[i] for i in range(1, 8, 2)]
