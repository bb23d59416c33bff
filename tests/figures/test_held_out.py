from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from napari_gluer.errors import InputError
from napari_gluer.figures.held_out import held_out_figure
from napari_gluer.figures.params import DOUBLE_COLUMN

Fits = Callable[[Figure, float], None]
GRADES = ["good", "fair", "weak", "no better than chance"]


def genes(n: int = 40) -> pd.DataFrame:
    values = np.random.default_rng(0).permutation(np.linspace(-0.1, 0.7, n))
    grade = np.select([values > 0.5, values > 0.3, values > 0.1], GRADES[:3], GRADES[3])
    names = [f"Gene{i:02d}" for i in range(n)]
    return pd.DataFrame({"gene": names, "correlation": values, "grade": grade})


def points(axes: Axes) -> dict[str, np.ndarray]:
    return {str(line.get_label()): np.asarray(line.get_xydata()) for line in axes.lines}


def named(axes: Axes) -> list[list[str]]:
    return [text.get_text().split("\n") for text in axes.texts]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def band(axes: Axes) -> np.ndarray:
    (found,) = [item for item in axes.collections if isinstance(item, PolyCollection)]
    return np.concatenate([path.vertices for path in found.get_paths()])


def test_genes_are_ranked_and_coloured_by_grade(fits: Fits) -> None:
    table = genes()
    figure = held_out_figure(table)
    fits(figure, 85)
    drawn = points(figure.axes[0])
    ranked = table.sort_values("correlation", ascending=False).reset_index(drop=True)
    for grade in GRADES:
        own = ranked[ranked["grade"] == grade]
        np.testing.assert_allclose(drawn[grade], np.column_stack([own.index + 1, own.correlation]))
    sizes = ranked["grade"].value_counts()
    assert legend(figure) == [f"{grade} ({sizes[grade]})" for grade in GRADES]
    styles = {
        (line.get_color(), line.get_marker())
        for line in figure.axes[0].lines
        if line.get_label() in GRADES
    }
    assert len({color for color, _ in styles}) == len({marker for _, marker in styles}) == 4


def test_both_ends_are_named_and_ringed() -> None:
    table = genes()
    (axes,) = held_out_figure(table, named=3).axes
    ranked = table.sort_values("correlation", ascending=False)
    best, worst = named(axes)
    assert best[0] == "Highest"
    assert worst[0] == "Lowest"
    shown = [line.split("  ") for line in (*best[1:], *worst[1:])]
    ends = [*ranked["gene"][:3], *ranked["gene"][-3:]]
    assert [name for name, _ in shown] == ends
    values = [float(value.replace("−", "-")) for _, value in shown]
    np.testing.assert_allclose(
        values, [*ranked["correlation"][:3], *ranked["correlation"][-3:]], atol=0.0051
    )
    np.testing.assert_allclose(points(axes)["Highest"][:, 0], [1, 2, 3])
    np.testing.assert_allclose(points(axes)["Lowest"][:, 0], [38, 39, 40])


def test_no_minus_before_zero() -> None:
    table = pd.DataFrame({"gene": ["a", "b"], "correlation": [0.5, -0.001], "grade": "weak"})
    assert named(held_out_figure(table).axes[0])[1] == ["Lowest", "b  0.00"]


def test_names_lie_beside_the_panel(fits: Fits) -> None:
    table = genes().assign(gene=[f"a gene of a very long name {i}" for i in range(40)])
    for params in (DOUBLE_COLUMN, DOUBLE_COLUMN.model_copy(update={"width_mm": 60.0})):
        figure = held_out_figure(table, params=params)
        fits(figure, params.width_mm)
        (axes,) = figure.axes
        best, worst = (text.get_window_extent() for text in axes.texts)
        assert min(best.x0, worst.x0) > axes.get_window_extent().x1
        assert not best.overlaps(worst)


def test_the_band_is_one_for_all(fits: Fits) -> None:
    figure = held_out_figure(genes(), null=(-0.05, 0.12))
    fits(figure, 85)
    corners = band(figure.axes[0])
    assert set(np.round(corners[:, 1], 6)) == {-0.05, 0.12}
    assert (corners[:, 0].min(), corners[:, 0].max()) == (0.5, 40.5)
    assert legend(figure)[-1] == "permuted runs, 5–95%"


def test_the_band_belongs_to_each_gene() -> None:
    table = genes(10)
    table["null_low"], table["null_high"] = -table.index / 100, table.index / 50
    table.loc[4, ["null_low", "null_high"]] = np.nan
    corners = band(held_out_figure(table).axes[0])
    ranked = table.sort_values("correlation", ascending=False).reset_index(drop=True)
    for rank, row in ranked.iterrows():
        inside = corners[np.abs(corners[:, 0] - (rank + 1)) <= 0.5]
        if row["gene"] == "Gene04":
            continue
        assert np.isclose(inside[:, 1], row["null_low"]).any()
        assert np.isclose(inside[:, 1], row["null_high"]).any()


def test_without_permuted_runs_there_is_no_band() -> None:
    table = genes().assign(null_low=np.nan, null_high=np.nan)
    assert not held_out_figure(table).axes[0].collections
    assert not held_out_figure(genes()).axes[0].collections


def test_genes_without_a_correlation_are_counted(fits: Fits) -> None:
    table = genes()
    table.loc[:6, "correlation"] = np.nan
    figure = held_out_figure(table)
    fits(figure, 85)
    assert figure.axes[0].get_xlabel() == "Genes by rank, n = 33\n7 without a correlation"


@pytest.mark.parametrize("n", [1, 2, 3, 11])
def test_few_genes_are_named_once(n: int, fits: Fits) -> None:
    figure = held_out_figure(genes(n))
    fits(figure, 85)
    shown = [line for part in named(figure.axes[0]) for line in part[1:]]
    assert len(set(shown)) == len(shown) == min(10, max(1, n // 2 * 2))


def test_other_grades_and_none_are_shown(fits: Fits) -> None:
    table = genes(6).assign(grade=["A", "B", None, "A", "good", "B"])
    figure = held_out_figure(table, named=0)
    fits(figure, 85)
    assert legend(figure) == ["good (1)", "A (2)", "B (2)", "no grade (1)"]
    assert not figure.axes[0].texts


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"correlation": np.nan}, "No gene has a correlation"),
        ({"correlation": 1.5}, "from -1 to 1"),
        ({"gene": "same"}, "more than once: same"),
        ({"null_low": 0.5, "null_high": 0.1}, "lies above"),
    ],
)
def test_bad_values_are_named(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        held_out_figure(genes().assign(**change))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="lacks grade; it has gene, correlation"):
        held_out_figure(genes().drop(columns="grade"))
    with pytest.raises(InputError, match="No gene has"):
        held_out_figure(genes().iloc[:0])


def test_what_validate_genes_returns_is_drawn_as_it_is(fits: Fits) -> None:
    table = genes().rename(columns={"correlation": "spearman"}).set_index("gene")
    table["pearson"] = -table["spearman"]
    table["spearman_by_chance"] = 0.08
    table["pearson_by_chance"] = np.linspace(0, 0.1, 40)
    figure = held_out_figure(table)
    fits(figure, 85)
    assert set(points(figure.axes[0])["by_chance"][:, 1]) == {0.08}
    assert named(figure.axes[0])[0][1] == f"{table['spearman'].idxmax()}  0.70"
    other = held_out_figure(table, correlation="pearson").axes[0]
    ranked = table.sort_values("pearson", ascending=False)
    np.testing.assert_allclose(points(other)["by_chance"][:, 1], ranked["pearson_by_chance"])
    assert legend(figure)[-1] == "unrelated genes"
    with pytest.raises(InputError, match="lacks kendall"):
        held_out_figure(table, correlation="kendall")
