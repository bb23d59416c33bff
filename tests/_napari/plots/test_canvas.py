from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from napari.components import ViewerModel

from napari_gluer._napari.plots.canvas import FigureView
from napari_gluer._napari.plots.theming import recolored, screen_colors
from napari_gluer.errors import InputError
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


def test_a_figure_is_as_wide_as_the_panel(qtbot: Any, view: FigureView) -> None:
    view.show_figure(violins, FigureParams())
    canvas = view.widget()
    assert canvas is not None
    assert 300 < canvas.width() <= 400
    view.resize(600, 300)
    qtbot.waitUntil(lambda: view.widget().width() > 500)
    assert view.widget().width() <= 600


def test_what_is_too_wide_is_scrolled(view: FigureView) -> None:
    view.show_figure(lambda params: violins(params, 30), FigureParams())
    canvas = view.widget()
    assert canvas is not None
    assert canvas.width() > 600


def test_what_fits_no_width_is_refused_and_the_old_one_stays(view: FigureView) -> None:
    view.show_figure(violins, FigureParams())
    before = view.figure

    def never(params: FigureParams) -> Figure:
        raise InputError("too many")

    with pytest.raises(InputError, match="too many"):
        view.show_figure(never, FigureParams())
    assert view.figure is before


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_figures_wear_the_theme(
    qtbot: Any, view: FigureView, model: ViewerModel, theme: str
) -> None:
    view.show_figure(violins, FigureParams())
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
