from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from napari_gluer.errors import InputError
from napari_gluer.figures.params import SINGLE_COLUMN
from napari_gluer.figures.violins import violin_figure

Fits = Callable[[Figure, float], None]
N = 120


def sides(genes: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    names = [f"G{i}" for i in range(genes)]
    cells = [f"cell {i}" for i in range(N)]
    return (
        pd.DataFrame(rng.gamma(2, 1, (N, genes)), cells, names),
        pd.DataFrame(rng.gamma(4, 0.5, (N, genes)), cells, names),
    )


def halves(axes: Axes) -> list[np.ndarray]:
    found = [item for item in axes.collections if isinstance(item, PolyCollection)]
    return [item.get_paths()[0].vertices for item in found]


def medians(axes: Axes) -> list[tuple[float, float]]:
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    return [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in lines]


def ticks(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_xticklabels()]


def test_halves_are_densities_on_their_own_side(fits: Fits) -> None:
    original, integrated = sides()
    figure = violin_figure(original, integrated, params=SINGLE_COLUMN)
    fits(figure, 85)
    (axes,) = figure.axes
    drawn = halves(axes)
    assert len(drawn) == 6
    for place, gene in enumerate(original):
        for half, values, sign in (
            (drawn[2 * place], original[gene], -1),
            (drawn[2 * place + 1], integrated[gene], 1),
        ):
            assert half[:, 1].min() == pytest.approx(values.min())
            assert half[:, 1].max() == pytest.approx(values.max())
            offset = sign * (half[:, 0] - place)
            assert offset.min() == pytest.approx(0, abs=1e-9)
            outer = half[offset > 1e-6]
            expected = gaussian_kde(values)(outer[:, 1])
            whole = gaussian_kde(values)(np.linspace(values.min(), values.max(), 128)).max()
            np.testing.assert_allclose(
                sign * (outer[:, 0] - place), 0.42 * expected / whole, atol=1e-3
            )
    assert ticks(axes) == ["G0\nn = 120", "G1\nn = 120", "G2\nn = 120"]


def test_boxes_are_quartiles_and_medians() -> None:
    original, integrated = sides(1)
    (axes,) = violin_figure(original, integrated).axes
    expected = [side["G0"] for side in (original, integrated)]
    np.testing.assert_allclose([y for _, y in medians(axes)], [np.median(x) for x in expected])
    assert [np.sign(x) for x, _ in medians(axes)] == [-1, 1]
    bars = [item for item in axes.collections if isinstance(item, LineCollection)]
    ends = [bar.get_segments()[0][:, 1] for bar in bars]
    np.testing.assert_allclose(ends, [np.percentile(x, [25, 75]) for x in expected])


def test_groups_have_a_violin_each_and_genes_a_row(fits: Fits) -> None:
    original, integrated = sides(2)
    types = pd.Series([f"type {i % 3}" if i else None for i in range(N)], original.index)
    figure = violin_figure(original, integrated, types.iloc[::-1])
    fits(figure, 174)
    assert [axes.get_ylabel() for axes in figure.axes] == ["G0", "G1"]
    assert ticks(figure.axes[0]) == ["type 0\nn = 39", "type 1\nn = 40", "type 2\nn = 40"]
    own = original.loc[types == "type 1", "G1"]
    assert medians(figure.axes[1])[2] == (pytest.approx(0.93), pytest.approx(own.median()))
    other = integrated.loc[types == "type 2", "G0"]
    assert medians(figure.axes[0])[5][1] == pytest.approx(other.median())


def test_missing_values_are_left_out_and_counted(fits: Fits) -> None:
    original, integrated = sides(1)
    original.iloc[:20] = np.nan
    integrated.iloc[5] = np.inf
    figure = violin_figure(original, integrated)
    fits(figure, 174)
    assert ticks(figure.axes[0]) == ["G0\nn = 100 | 119"]
    assert medians(figure.axes[0])[0][1] == pytest.approx(original["G0"].median())


@pytest.mark.parametrize("n", [1, 2, 10])
def test_constant_genes_and_few_cells_are_lines(n: int, fits: Fits) -> None:
    values = pd.DataFrame({"same": np.full(n, 2.0)})
    figure = violin_figure(values, values + 1, params=SINGLE_COLUMN)
    fits(figure, 85)
    (axes,) = figure.axes
    assert halves(axes) == []
    assert [sorted(set(line.get_ydata())) for line in axes.lines] == [[2.0], [3.0]]
    assert [max(map(abs, line.get_xdata())) for line in axes.lines] == [0.42, 0.42]


def test_a_group_without_values_says_so(fits: Fits) -> None:
    original, integrated = sides(1)
    original.iloc[:3] = np.nan
    figure = violin_figure(original, integrated, ["rare"] * 3 + ["type"] * (N - 3))
    fits(figure, 174)
    assert ticks(figure.axes[0])[0] == "rare\nn = 0 | 3"


def test_standardised_values_can_be_compared() -> None:
    original, integrated = sides(1)
    (axes,) = violin_figure(original * 1000, integrated, standardised=True).axes
    values = original["G0"]
    expected = (values.median() - values.mean()) / values.std(ddof=0)
    assert medians(axes)[0][1] == pytest.approx(expected)
    assert axes.get_ylabel() == "Value\n(standardised)"


def test_series_of_one_gene_will_do() -> None:
    original, integrated = sides(1)
    figure = violin_figure(original["G0"], integrated["G0"].rename("imputed"))
    assert ticks(figure.axes[0]) == ["G0\nn = 120"]


def test_without_groups_the_cells_may_be_others() -> None:
    original, integrated = sides(1)
    figure = violin_figure(original.iloc[:50], integrated)
    assert ticks(figure.axes[0]) == ["G0\nn = 50 | 120"]


def test_twenty_groups_with_long_names_fit(fits: Fits) -> None:
    original, integrated = sides(1)
    groups = [f"a type of cells with a long name {i % 20}" for i in range(N)]
    figure = violin_figure(original, integrated, groups)
    fits(figure, 174)
    labels = [text.get_window_extent() for text in figure.axes[0].get_xticklabels()]
    assert not any(a.overlaps(b) for i, a in enumerate(labels) for b in labels[:i])


def test_bad_input_is_named() -> None:
    original, integrated = sides(2)
    with pytest.raises(InputError, match="Original values are of G0, G1, integrated ones of G0"):
        violin_figure(original, integrated[["G0"]])
    with pytest.raises(InputError, match="No cell has an integrated value of G1"):
        violin_figure(original, integrated.assign(G1=np.nan))
    with pytest.raises(InputError, match="other cells, or in another order"):
        violin_figure(original, integrated.iloc[::-1], ["a"] * N)
    with pytest.raises(InputError, match="119 values for 120 cells"):
        violin_figure(original, integrated, ["a"] * (N - 1))
    with pytest.raises(InputError, match="No cell has a value in the grouping"):
        violin_figure(original, integrated, [None] * N)
    with pytest.raises(InputError, match="same name"):
        violin_figure(original.set_axis(["a", "a"], axis=1), integrated)
    with pytest.raises(InputError, match="120 violins cannot be read"):
        violin_figure(original, integrated, range(N))
