from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from scipy.stats import binomtest

from napari_gluer.errors import InputError
from napari_gluer.figures.coverage import coverage_figure

Fits = Callable[[Figure, float], None]


def table(levels: tuple[float, ...] = (0.5, 0.9), genes: int = 20) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (f"G{i}", kind, level, np.clip(level + rng.normal(0, 0.03), 0, 1), 100 + i)
        for level in levels
        for kind in ("all values", "expressed values")
        for i in range(genes)
    ]
    return pd.DataFrame(rows, columns=["gene", "kind", "asked", "found", "n"])


def together(axes: Axes) -> list[tuple[float, float, float, float]]:
    """Place, middle, low and high of every large point."""
    found = []
    for container in axes.containers:
        assert isinstance(container, ErrorbarContainer)
        ((x, y),) = np.asarray(container.lines[0].get_xydata())
        (segment,) = container.lines[2][0].get_segments()
        found.append((x, y, segment[0, 1], segment[1, 1]))
    return found


def clouds(axes: Axes) -> list[np.ndarray]:
    return [np.asarray(line.get_xydata()) for line in axes.lines if line.get_marker() == "."]


def test_genes_are_drawn_and_pooled(fits: Fits) -> None:
    held = table()
    figure = coverage_figure(held)
    fits(figure, 85)
    (axes,) = figure.axes
    drawn = sorted(together(axes))
    assert len(drawn) == 4
    groups = held.groupby(["asked", "kind"])
    for (x, middle, low, high), ((asked, _), rows) in zip(drawn, groups, strict=True):
        hits, n = (rows["found"] * rows["n"]).sum(), rows["n"].sum()
        assert x == pytest.approx(asked, abs=0.05)
        assert middle == pytest.approx(hits / n)
        near = binomtest(round(hits), int(n)).proportion_ci(0.95, method="wilson")
        np.testing.assert_allclose([low, high], [near.low, near.high], atol=1e-3)
    shown = np.sort(np.concatenate([cloud[:, 1] for cloud in clouds(axes)]))
    np.testing.assert_allclose(shown, np.sort(held["found"]))
    for cloud, x in zip(clouds(axes), [x for x, *_ in together(axes)], strict=True):
        assert np.abs(cloud[:, 0] - x).max() < 0.1 * 0.4  # of the step between levels


def test_without_numbers_of_cells_medians_and_quartiles() -> None:
    held = table((0.9,)).query("kind == 'all values'").drop(columns=["n", "kind"])
    figure = coverage_figure(held)
    ((_, middle, low, high),) = together(figure.axes[0])
    np.testing.assert_allclose([low, middle, high], np.percentile(held["found"], [25, 50, 75]))
    assert figure.legends[0].get_texts()[0].get_text() == "all values"


def test_the_line_is_where_found_is_asked() -> None:
    (axes,) = coverage_figure(table()).axes
    (line,) = [line for line in axes.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(line.get_xdata(), line.get_ydata())
    (band,) = [item for item in axes.collections if len(item.get_paths()[0].vertices) > 4]
    corners = band.get_paths()[0].vertices
    np.testing.assert_allclose(np.abs(corners[:, 1] - corners[:, 0]), 0.03)


@pytest.mark.parametrize("levels", [(0.9,), (0.5, 0.8, 0.9, 0.95, 0.99)])
def test_levels_are_named_without_touching(levels: tuple[float, ...], fits: Fits) -> None:
    figure = coverage_figure(table(levels))
    fits(figure, 85)
    (axes,) = figure.axes
    np.testing.assert_allclose(axes.get_xticks(), levels)
    labels = [text.get_window_extent() for text in axes.get_xticklabels()]
    assert not any(a.overlaps(b) for i, a in enumerate(labels) for b in labels[:i])


def test_rows_without_a_number_are_left_out_and_counted(fits: Fits) -> None:
    held = table()
    held.loc[:2, "found"] = np.nan
    figure = coverage_figure(held)
    fits(figure, 85)
    assert figure.axes[0].get_xlabel() == "Coverage asked, 3 rows without a number left out"
    assert sum(map(len, clouds(figure.axes[0]))) == 77


def test_one_row_is_one_point(fits: Fits) -> None:
    figure = coverage_figure(pd.DataFrame({"asked": [0.9], "found": [0.88], "n": [50]}))
    fits(figure, 85)
    assert clouds(figure.axes[0]) == []
    assert together(figure.axes[0])[0][1] == pytest.approx(0.88)


def test_many_genes_are_pixels() -> None:
    held = table((0.9,), 3000)
    (axes,) = coverage_figure(held).axes
    assert all(line.get_rasterized() for line in axes.lines if line.get_marker() == ".")


def test_five_kinds_have_colours_of_their_own() -> None:
    held = table((0.9,), 20).assign(kind=[f"kind {i % 5}" for i in range(40)])
    (axes,) = coverage_figure(held).axes
    colors = {line.get_color() for line in axes.lines if line.get_marker() == "."}
    assert len(colors) == 5


def test_what_interval_coverage_returns_is_drawn_by_level(fits: Fits) -> None:
    rng = np.random.default_rng(0)
    levels = {
        level: pd.DataFrame(
            {"covered": level + rng.normal(0, 0.02, 9), "covered_expressed": level - 0.1}
        )
        for level in (0.5, 0.8)
    }
    figure = coverage_figure(levels)
    fits(figure, 85)
    drawn = sorted(together(figure.axes[0]))
    expected = [levels[0.5]["covered"].median(), 0.4, levels[0.8]["covered"].median(), 0.7]
    np.testing.assert_allclose([middle for _, middle, *_ in drawn], expected)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:2] == ["all values", "expressed values"]
    with pytest.raises(InputError, match=r"Coverage at 0\.9 lacks covered; it has width"):
        coverage_figure({0.9: pd.DataFrame({"width": [1.0]})})
    with pytest.raises(InputError, match="no coverage"):
        coverage_figure({})


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (pd.DataFrame({"asked": [0.9]}), "lacks found"),
        (pd.DataFrame({"asked": [0.9], "found": [np.nan]}), "No row tells both"),
        (pd.DataFrame({"asked": [90.0], "found": [0.9]}), "from 0 to 1"),
        (pd.DataFrame({"asked": [0.9], "found": [-0.1]}), "from 0 to 1"),
    ],
)
def test_bad_tables_are_named(held: pd.DataFrame, said: str) -> None:
    with pytest.raises(InputError, match=said):
        coverage_figure(held)
