from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from napari_gluer.errors import InputError
from napari_gluer.figures.params import SINGLE_COLUMN
from napari_gluer.figures.profile import COLUMNS, along, profile, profile_figure

Fits = Callable[[Figure, float], None]
BENT = np.array([[0.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def test_distances_along_a_bent_line() -> None:
    places = [[1, 4], [5, 12], [0, -1], [11, 10], [2, 8]]
    distance, apart = along(places, BENT)
    np.testing.assert_allclose(distance, [4, 15, np.nan, np.nan, 8])
    np.testing.assert_allclose(apart[[0, 1, 4]], [1, 2, 2])


def test_outside_of_a_corner_is_at_the_corner() -> None:
    distance, apart = along([[-3, 14]], BENT)
    np.testing.assert_allclose([distance[0], apart[0]], [10, 5])


def test_corners_on_top_of_each_other_do_no_harm() -> None:
    doubled = np.repeat(BENT, 2, axis=0)
    places = np.random.default_rng(0).uniform(-2, 12, (50, 2))
    np.testing.assert_allclose(along(places, doubled), along(places, BENT))


@given(
    st.floats(0, 2 * np.pi), st.tuples(st.floats(-50, 50), st.floats(-50, 50)), st.integers(0, 99)
)
def test_turned_and_moved_tissue_has_the_same_profile(
    angle: float, shift: tuple[float, float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(-5, 15, (30, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before, after = along(places, BENT), along(places @ turn.T + shift, BENT @ turn.T + shift)
    np.testing.assert_allclose(after[1], before[1], atol=1e-6)
    known = np.isfinite(before[0]) & np.isfinite(after[0])
    np.testing.assert_allclose(after[0][known], before[0][known], atol=1e-5)


def test_a_point_has_no_length() -> None:
    with pytest.raises(InputError, match="no length"):
        along([[0, 0]], [[1, 1], [1, 1]])


def test_bins_are_those_of_pandas() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform([0, -20], [100, 20], (400, 2))
    values = pd.DataFrame({"A": rng.normal(size=400), "B": rng.normal(size=400)})
    values.loc[::7, "B"] = np.nan
    table = profile(values, places, [[0, 0], [100, 0]], width=20, bin_width=12.5)
    assert tuple(table.columns) == COLUMNS
    near = np.abs(places[:, 1]) <= 10
    cut = pd.cut(places[near, 0], np.arange(0, 101, 12.5), right=False, labels=False)
    for gene in values:
        own = table[table["gene"] == gene].set_index("bin")
        expected = values.loc[near, gene].groupby(cut + 1).agg(["count", "mean", "std"])
        np.testing.assert_array_equal(own["n"], expected["count"])
        np.testing.assert_allclose(own["mean"], expected["mean"])
        np.testing.assert_allclose(own["sd"], expected["std"])


def test_the_last_bin_ends_with_the_line_and_holds_its_end() -> None:
    values = pd.DataFrame({"A": [1.0, 5.0]})
    table = profile(values, [[0, 0], [0, 25]], [[0, 0], [0, 25]], width=2, bin_width=10)
    assert table["from"].tolist() == [0, 10, 20]
    assert table["to"].tolist() == [10, 20, 25]
    assert table["n"].tolist() == [1, 0, 1]
    assert np.isnan(table["mean"][1])
    assert table["sd"].isna().all()


def test_lines_through_volumes() -> None:
    values = pd.DataFrame({"A": [1.0, 2.0]})
    line = [[0, 0, 0], [10, 0, 0]]
    table = profile(values, [[2, 1, 1], [8, 3, 3]], line, width=4, bin_width=10)
    assert table["n"].tolist() == [1]
    assert table["mean"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"width": 0}, "above 0"),
        ({"bin_width": -1}, "above 0"),
        ({"bin_width": 1e-3}, "bins longer"),
        ({"width": 1e-9}, "No cell has its centre"),
    ],
)
def test_what_cannot_be_drawn_is_said(changed: dict[str, float], says: str) -> None:
    settings = {"width": 4.0, "bin_width": 5.0, **changed}
    with pytest.raises(InputError, match=says):
        profile(pd.DataFrame({"A": [1.0]}), [[5, 1]], [[0, 0], [10, 0]], **settings)


def test_the_figure_shows_the_table(fits: Fits) -> None:
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.gamma(2, size=(300, 2)), columns=["CD8A (imputed)", "CD3"])
    places = rng.uniform(0, 100, (300, 2))
    table = profile(values, places, [[0, 50], [100, 50]], width=60, bin_width=10)
    figure = profile_figure(table, params=SINGLE_COLUMN)
    fits(figure, 85)
    first, second, counts = figure.axes
    own = table[table["gene"] == "CD3"]
    np.testing.assert_allclose(second.lines[0].get_ydata(), own["mean"])
    np.testing.assert_allclose(second.lines[0].get_xdata(), np.arange(5, 100, 10))
    assert [bar.get_height() for bar in counts.patches] == own["n"].tolist()
    assert first.get_ylabel() == "CD8A (imputed)"
    assert counts.get_xlabel() == "Distance along the line (µm)"
