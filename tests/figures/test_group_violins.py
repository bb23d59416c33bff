from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from napari_gluer.errors import InputError
from napari_gluer.figures.group_violins import group_violin_figure
from napari_gluer.figures.params import SINGLE_COLUMN, FigureParams

Fits = Callable[[Figure, float], None]


def values_and_groups(n: int = 300) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    index = [f"c{i}" for i in range(n)]
    groups = pd.Series(np.array(["A", "B", "C"])[np.arange(n) % 3], index)
    genes = {f"GENE{i}": rng.normal(i + np.arange(n) % 3, 0.3) for i in range(2)}
    return pd.DataFrame(genes, index=index), groups


def bodies(figure: Figure, row: int = 0) -> list[FillBetweenPolyCollection]:
    return [
        one for one in figure.axes[row].collections if isinstance(one, FillBetweenPolyCollection)
    ]


def medians(figure: Figure, row: int = 0) -> list[float]:
    dots = [line for line in figure.axes[row].lines if line.get_marker() == "o"]
    return [float(line.get_ydata()[0]) for line in dots]


def test_a_row_for_every_gene_and_a_violin_for_every_group(fits: Fits) -> None:
    values, groups = values_and_groups()
    figure = group_violin_figure(values, groups, params=SINGLE_COLUMN)
    fits(figure, 85)
    assert [axes.get_ylabel() for axes in figure.axes] == list(values.columns)
    for row, gene in enumerate(values):
        assert len(bodies(figure, row)) == 3
        expected = values[gene].groupby(groups).median()
        np.testing.assert_allclose(medians(figure, row), expected)
    last = [text.get_text() for text in figure.axes[-1].get_xticklabels()]
    assert last == ["A\nn = 100", "B\nn = 100", "C\nn = 100"]


def test_groups_are_joined_by_name() -> None:
    values, groups = values_and_groups()
    shuffled = groups.sample(frac=1, random_state=0)
    found = [medians(group_violin_figure(values, one)) for one in (groups, shuffled)]
    assert found[0] == found[1]


def test_numbers_of_cells_are_told_by_gene_where_they_differ() -> None:
    values, groups = values_and_groups()
    values.iloc[:30, 0] = np.nan
    figure = group_violin_figure(values, groups)
    names = [[text.get_text() for text in axes.get_xticklabels()] for axes in figure.axes]
    assert names[0][0] == "A\nn = 90"
    assert names[1][0] == "A\nn = 100"


def test_a_violin_spans_its_values_and_has_its_colour() -> None:
    values, groups = values_and_groups()
    figure = group_violin_figure(values, groups, params=FigureParams(colors={"B": "#123456"}))
    body = bodies(figure)[1]
    own = values["GENE0"][groups == "B"]
    heights = body.get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([heights.min(), heights.max()], [own.min(), own.max()])
    np.testing.assert_allclose(body.get_facecolor()[0][:3], to_rgba("#123456")[:3])


def test_few_or_equal_values_are_a_line_at_the_median() -> None:
    values = pd.DataFrame({"G": [1.0, 1, 1, 1, 5, 7]})
    figure = group_violin_figure(values, ["flat"] * 4 + ["two"] * 2)
    assert not bodies(figure)
    assert [line.get_ydata()[0] for line in figure.axes[0].lines] == [1, 6]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda values, groups: (values * np.nan, groups), "No cell of the groups has a value"),
        (lambda values, groups: (values[[]], groups), "at least one gene"),
        (lambda values, groups: (values, groups[:5]), "values for"),
        (lambda values, _: (values, np.arange(len(values))), "side by side"),
    ],
)
def test_what_cannot_be_drawn_is_said(change: Callable[..., tuple], says: str) -> None:
    with pytest.raises(InputError, match=says):
        group_violin_figure(*change(*values_and_groups()))
