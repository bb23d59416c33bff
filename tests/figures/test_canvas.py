import matplotlib as mpl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.lines import Line2D

from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import (
    group_colors,
    legend_outside,
    new_figure,
    readable,
    require_room,
    settle,
    styled,
)
from napari_gluer.figures.params import DOUBLE_COLUMN, SINGLE_COLUMN, FigureParams
from napari_gluer.palette import GREY, colors_of


@given(st.text(max_size=80), st.integers(1, 30), st.integers(1, 3))
def test_no_line_is_longer_than_asked(name: str, letters: int, lines: int) -> None:
    found = readable(name, letters, lines).split("\n")
    if name.split():
        assert len(found) <= lines
        assert max(map(len, found)) <= max(letters, 4)


def test_a_short_name_stays_as_it_is() -> None:
    assert readable("CD4+ T cells", 20) == "CD4+ T cells"
    assert readable("CD4+ central memory T cells", 12) == "CD4+ central\nmemory T…"


@pytest.mark.parametrize("height", [20.0, 90.0, None])
def test_a_panel_gets_the_height_that_was_asked_for(height: float | None) -> None:
    with styled(SINGLE_COLUMN):
        figure = new_figure(SINGLE_COLUMN)
        upper, lower = figure.subplots(2, 1)
        upper.set_title("two\nlines")
        lower.set_xlabel("below")
        settle(figure, upper, height, 0.5)
    for axes in (upper, lower):
        box = axes.get_window_extent()
        wanted = box.width if height is None else height / 25.4 * figure.dpi
        assert box.height == pytest.approx(wanted, abs=0.3 / 72 * figure.dpi)


@pytest.mark.parametrize("width", [60, 85, 174])
@pytest.mark.parametrize(
    "names",
    [
        ["a"],
        [f"type {i}" for i in range(40)],
        ["a very long name of a cell type that no journal would print " * 2, "b"],
        ["_hidden", "a$b$c", ""],
    ],
    ids=["one", "forty", "long", "odd"],
)
def test_a_legend_is_as_wide_as_the_page_at_most(width: float, names: list[str]) -> None:
    params = FigureParams(width_mm=width)
    with styled(params):
        figure = new_figure(params)
        axes = figure.add_subplot()
        legend = legend_outside(
            figure, [Line2D([], [], label=name) for name in names], params, title="type"
        )
        settle(figure, axes, 40)
    figure.canvas.draw()
    own, panel = legend.get_window_extent(), axes.get_window_extent()
    assert len(legend.get_texts()) == len(names)
    assert own.x0 >= 0
    assert own.x1 <= figure.bbox.x1
    assert not own.overlaps(panel)
    assert panel.height == pytest.approx(40 / 25.4 * figure.dpi, abs=1.5)
    assert figure.legends == [legend]  # those that were tried are gone


def test_more_columns_than_can_be_read_are_refused() -> None:
    # 7 points of text take 1.25 · 7 / 72 · 25.4 = 3.09 mm
    require_room(32, "groups", 99, DOUBLE_COLUMN)
    with pytest.raises(InputError, match=r"33 groups .* 32 can"):
        require_room(33, "groups", 99, DOUBLE_COLUMN)


def test_colours_of_groups_are_the_palettes_unless_given() -> None:
    params = FigureParams(colors={"b": "red"})
    names = ["a", "b", "unmatched"]
    assert group_colors(names, params) == [colors_of(names)[0], "red", GREY]
    assert group_colors(names, DOUBLE_COLUMN) == colors_of(names)


def test_the_callers_settings_come_back() -> None:
    before = dict(mpl.rcParams)
    with styled(FigureParams(font_size=9)):
        assert mpl.rcParams["font.size"] == 9
    assert dict(mpl.rcParams) == before
