from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from napari_gluer.errors import InputError
from napari_gluer.figures.files import save_figure
from napari_gluer.figures.params import SINGLE_COLUMN, FigureParams
from napari_gluer.figures.view import ColorKey, GroupKey, Picture, round_length, view_figure

Fits = Callable[[Figure, float], None]
GREYS = np.repeat(np.linspace(0, 1, 16)[:, None], 3, axis=1)


def picture(
    rows: int = 60, columns: int = 100, level: int = 30, pixel: float | None = None
) -> Picture:
    return Picture(np.full((rows, columns, 4), level, np.uint8), pixel)


def scale_bar(figure: Figure) -> Rectangle:
    (bar,) = [one for one in figure.axes[0].patches if one.get_gid() == "scale bar"]
    return bar


@given(st.floats(1e-6, 1e9))
def test_a_scale_bar_is_round_and_between_a_tenth_and_a_quarter(width: float) -> None:
    found = round_length(width)
    assert width / 10 * (1 - 1e-6) <= found <= width / 4 * (1 + 1e-6)
    digit = float(f"{found:e}".split("e")[0])
    assert digit in (1, 2, 5)


@pytest.mark.parametrize(("width", "length"), [(400, 100), (399, 50), (1000, 200), (0.8, 0.2)])
def test_lengths_of_scale_bars(width: float, length: float) -> None:
    assert round_length(width) == length


@pytest.mark.parametrize("width", [0, -1, np.nan, np.inf])
def test_nothing_has_no_scale(width: float) -> None:
    with pytest.raises(InputError, match="scale"):
        round_length(width)


def test_the_bar_is_as_long_as_it_says(fits: Fits) -> None:
    figure = view_figure(picture(pixel=0.5), title="CD8A: imputed", params=SINGLE_COLUMN)
    fits(figure, 85)
    (text,) = figure.axes[0].texts
    assert text.get_text() == "10 µm"
    assert scale_bar(figure).get_width() * 0.5 == 10
    assert figure.axes[0].get_title(loc="left") == "CD8A: imputed"


def test_without_a_pixel_size_there_is_no_bar() -> None:
    assert not view_figure(picture()).axes[0].patches


@pytest.mark.parametrize(("level", "ink"), [(20, "white"), (230, "black")])
def test_the_bar_stands_out(level: int, ink: str) -> None:
    figure = view_figure(picture(level=level, pixel=1))
    assert figure.axes[0].texts[0].get_color() == ink


@pytest.mark.parametrize("shape", [(60, 100), (200, 80), (50, 300)])
@pytest.mark.parametrize("keyed", [False, True])
def test_the_picture_keeps_its_proportions(shape: tuple[int, int], keyed: bool) -> None:
    key = ColorKey(colors=GREYS, limits=(0.0, 2.0), label="log1p") if keyed else None
    figure = view_figure(picture(*shape), values=key, params=SINGLE_COLUMN)
    box = figure.axes[0].get_window_extent()
    assert box.height / box.width == pytest.approx(shape[0] / shape[1], rel=0.03)


def test_the_colour_bar_has_limits_gamma_and_unit(fits: Fits) -> None:
    key = ColorKey(colors=GREYS, limits=(1.0, 5.0), gamma=2.0, label="CD8A (log1p per 10,000)")
    figure = view_figure(picture(), values=key)
    fits(figure, 174)
    bar = figure.axes[1]
    assert bar.get_ylim() == (1.0, 5.0)
    assert bar.get_ylabel() == "CD8A (log1p per 10,000)"
    mapped = bar._colorbar.mappable
    # the middle of the limits is at a quarter of the colours by gamma 2
    np.testing.assert_allclose(mapped.to_rgba(3.0)[:3], GREYS[4], atol=1e-6)


def test_groups_have_names_colours_and_counts(fits: Fits) -> None:
    groups = [
        GroupKey(name="B cell", color="#ff0000", count=1234),
        GroupKey(name="unmatched", color="#8A8A8A"),
    ]
    figure = view_figure(picture(), groups=groups, params=SINGLE_COLUMN)
    fits(figure, 85)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["B cell (1,234)", "unmatched"]
    assert legend.get_patches()[0].get_facecolor() == (1, 0, 0, 1)


def test_many_groups_and_a_long_title_fit(fits: Fits) -> None:
    groups = [GroupKey(name=f"type number {i}", color="#123456", count=i) for i in range(40)]
    title = "a very long title of what is shown here " * 4
    fits(view_figure(picture(pixel=1), title=title, groups=groups, params=SINGLE_COLUMN), 85)


def test_pixels_are_embedded_as_they_are() -> None:
    rng = np.random.default_rng(0)
    given_picture = rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    figure = view_figure(Picture(given_picture), params=FigureParams(width_mm=60))
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), given_picture)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (0, 4, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="picture"):
        view_figure(Picture(np.zeros(shape, np.uint8)))


def test_text_stays_text_and_the_same_view_is_the_same_file(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        save_figure(view_figure(picture(pixel=0.5), title="CD8A"), tmp_path / name)
    written = (tmp_path / "one.svg").read_text()
    assert ">10 µm<" in written
    assert ">CD8A<" in written
    assert written == (tmp_path / "two.svg").read_text()
