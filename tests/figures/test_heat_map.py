from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from napari_gluer.errors import InputError
from napari_gluer.figures.heat_map import (
    cell_heat_map_figure,
    group_means,
    heat_map_figure,
    sorted_cells,
    standardised_rows,
)
from napari_gluer.figures.params import SINGLE_COLUMN

Fits = Callable[[Figure, float], None]
SHARES = (0.6, 0.3, 0.09, 0.01)


def values_and_groups(n: int = 400, n_genes: int = 5) -> tuple[pd.DataFrame, pd.Categorical]:
    rng = np.random.default_rng(0)
    codes = rng.choice(len(SHARES), n, p=SHARES)
    groups = pd.Categorical.from_codes(codes, ["B cell", "T cell", "Myeloid", "NK"])
    genes = {f"GENE{i}": rng.gamma(1 + i + codes) for i in range(n_genes)}
    return pd.DataFrame(genes, index=[f"c{i}" for i in range(n)]), groups


def shown(figure: Figure, place: int = 0) -> np.ndarray:
    return np.asarray(figure.axes[place].images[0].get_array())


def test_means_are_those_of_pandas_in_order() -> None:
    values, groups = values_and_groups()
    values.iloc[::5, 1] = np.nan
    means = group_means(values, groups)
    expected = values.groupby(np.asarray(groups)).mean().T[list(groups.categories)]
    assert list(means.index) == list(values.columns)
    assert list(means.columns) == list(groups.categories)
    np.testing.assert_allclose(means, expected)


def test_rows_run_from_0_to_1_and_flat_ones_are_0() -> None:
    table = pd.DataFrame([[1.0, 3.0, 2.0], [4.0, 4.0, 4.0], [np.nan, 2.0, 6.0]])
    expected = [[0, 1, 0.5], [0, 0, 0], [np.nan, 0, 1]]
    np.testing.assert_allclose(standardised_rows(table), expected)


@pytest.mark.parametrize("standardised", [True, False])
def test_the_map_shows_the_means(fits: Fits, standardised: bool) -> None:
    values, groups = values_and_groups()
    figure = heat_map_figure(values, groups, standardised=standardised, params=SINGLE_COLUMN)
    fits(figure, 85)
    means = group_means(values, groups)
    np.testing.assert_allclose(shown(figure), standardised_rows(means) if standardised else means)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == list(values.columns)
    sizes = pd.Series(groups).value_counts()
    names = [text.get_text() for text in axes.get_xticklabels()]
    assert names == [f"{name}\nn = {sizes[name]}" for name in groups.categories]


def test_too_many_groups_are_refused() -> None:
    values, _ = values_and_groups()
    with pytest.raises(InputError, match="side by side"):
        heat_map_figure(values, np.arange(len(values)) % 100, params=SINGLE_COLUMN)


@given(st.integers(1, 500), st.integers(0, 5))
def test_every_group_keeps_its_share_and_a_cell(most: int, seed: int) -> None:
    values, groups = values_and_groups()
    cells = sorted_cells(values, groups, most=most, seed=seed)
    sizes, drawn = pd.Series(groups).value_counts(), cells["group"].value_counts()
    for name, size in sizes.items():
        wanted = max(1, int(size * min(1, most / len(values))))
        assert abs(drawn[name] - wanted) <= 1
    assert cells.index.is_unique
    own = pd.Series(groups, index=values.index)
    assert (own[cells.index].to_numpy() == cells["group"].to_numpy()).all()
    pd.testing.assert_frame_equal(cells.drop(columns="group"), values.loc[cells.index])
    assert cells["group"].is_monotonic_increasing


def test_the_draw_is_of_the_seed() -> None:
    values, groups = values_and_groups()
    one, same, other = (sorted_cells(values, groups, most=50, seed=i) for i in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert set(one.index) != set(other.index)


def test_cells_without_a_group_are_not_drawn() -> None:
    values, groups = values_and_groups()
    without = pd.Series(groups, index=values.index).where(groups != "NK")
    assert "NK" not in set(sorted_cells(values, without)["group"])


def test_cells_beneath_the_colours_of_their_groups(fits: Fits) -> None:
    values, groups = values_and_groups()
    cells = sorted_cells(values, groups, most=120)
    figure = cell_heat_map_figure(cells, params=SINGLE_COLUMN)
    fits(figure, 85)
    np.testing.assert_array_equal(shown(figure, 0)[0], cells["group"].cat.codes)
    drawn = shown(figure, 1)
    assert drawn.shape == (5, len(cells))
    np.testing.assert_allclose([drawn.min(axis=1), drawn.max(axis=1)], [[0] * 5, [1] * 5])
    (legend,) = figure.legends
    counts = cells["group"].value_counts()
    named = [text.get_text() for text in legend.get_texts()]
    assert named == [f"{name} ({counts[name]})" for name in groups.categories]


def test_values_as_they_are() -> None:
    values, groups = values_and_groups()
    cells = sorted_cells(values, groups, most=120)
    figure = cell_heat_map_figure(cells, standardised=False)
    np.testing.assert_allclose(shown(figure, 1), cells.drop(columns="group").T)


def test_many_genes_make_a_high_figure(fits: Fits) -> None:
    values, groups = values_and_groups(n_genes=60)
    figure = cell_heat_map_figure(sorted_cells(values, groups, most=100), params=SINGLE_COLUMN)
    fits(figure, 85)
    assert figure.get_figheight() > 8
