from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from napari_gluer.errors import InputError
from napari_gluer.figures.dot_figure import dot_plot_figure
from napari_gluer.figures.dots import dot_plot
from napari_gluer.figures.params import SINGLE_COLUMN

Fits = Callable[[Figure, float], None]


def side(n_features: int = 4, n: int = 300, seed: int = 0, prefix: str = "gene") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = [f"{prefix} {i}" for i in range(n_features)]
    values = pd.DataFrame(
        rng.poisson(np.linspace(0.2, 2, n_features), (n, n_features)), columns=names
    )
    return dot_plot(values, [f"type {i % 3}" for i in range(n)])


def dots(axes: Axes) -> PathCollection:
    (found,) = [item for item in axes.collections if isinstance(item, PathCollection)]
    return found


def key(figure: Figure) -> dict[str, float]:
    """Area of the dot that stands for each share in the legend."""
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    return {
        name: float(line.get_markersize()) ** 2
        for name, line in zip(names, legend.get_lines(), strict=True)
    }


def test_areas_are_shares_and_places_are_groups(fits: Fits) -> None:
    table = side()
    figure = dot_plot_figure(table)
    fits(figure, 174)
    found = dots(figure.axes[0])
    areas = key(figure)
    np.testing.assert_allclose(
        [areas[name] for name in ("25%", "50%", "75%", "100%")],
        areas["100%"] * np.array([0.25, 0.5, 0.75, 1]),
    )
    np.testing.assert_allclose(found.get_sizes(), areas["100%"] * table["share"])
    places = np.asarray(found.get_offsets())
    np.testing.assert_array_equal(places[:, 1], np.repeat([0, 1, 2], 4))
    np.testing.assert_array_equal(places[:, 0], np.tile(range(4), 3))
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert rows == ["type 0 (100)", "type 1 (100)", "type 2 (100)"]
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()][1] == "gene 1"


def test_colours_run_from_the_lowest_to_the_highest_group() -> None:
    table = side()
    figure = dot_plot_figure(table)
    colors = dots(figure.axes[0]).get_facecolors()
    means = table["mean"].to_numpy().reshape(3, 4)
    for feature in range(4):
        own = colors[feature::4]
        light = own[:, :3] @ [0.2126, 0.7152, 0.0722]
        assert light.argmin() == means[:, feature].argmax()  # dark is much
        assert light.argmax() == means[:, feature].argmin()
    np.testing.assert_allclose(figure.axes[-1].get_ylim(), [0, 1])


def test_means_as_they_are() -> None:
    table = side()
    figure = dot_plot_figure(table, standardised=False)
    bar = figure.axes[-1]
    np.testing.assert_allclose(bar.get_ylim(), [table["mean"].min(), table["mean"].max()])
    assert bar.get_ylabel() == "Mean"


def test_two_data_sets_share_groups_and_keys(fits: Fits) -> None:
    sides = {"RNA": side(6), "protein": side(2, n=150, seed=1, prefix="protein")}
    figure = dot_plot_figure(sides)
    fits(figure, 174)
    rna, protein, bar = figure.axes
    assert (rna.get_title(), protein.get_title()) == ("RNA", "protein")
    assert len(dots(rna).get_offsets()) == 18
    assert len(dots(protein).get_offsets()) == 6
    labels = [text.get_text() for text in rna.get_yticklabels()]
    assert labels[0] == "type 0 (100 | 50)"
    shared = [protein.transData.transform((0, i))[1] for i in range(3)]
    np.testing.assert_allclose([rna.transData.transform((0, i))[1] for i in range(3)], shared)
    pitch = [
        np.diff(axes.transData.transform([(0, 0), (1, 0)])[:, 0])[0] for axes in (rna, protein)
    ]
    assert pitch[0] == pytest.approx(pitch[1], rel=0.15)
    assert bar.get_ylabel().startswith("Mean")


def test_a_group_that_one_side_lacks_has_no_dots_there() -> None:
    whole = side()
    part = whole[whole["group"] != "type 1"]
    figure = dot_plot_figure({"RNA": whole, "protein": part})
    assert len(dots(figure.axes[0]).get_offsets()) == 12
    places = np.asarray(dots(figure.axes[1]).get_offsets())
    assert set(places[:, 1]) == {0, 2}
    assert "type 1 (100 | 0)" in [text.get_text() for text in figure.axes[0].get_yticklabels()]


def test_constant_and_missing_features(fits: Fits) -> None:
    values = pd.DataFrame({"same": np.ones(6), "none": np.full(6, np.nan), "some": range(6)})
    figure = dot_plot_figure(dot_plot(values, list("aabbcc")), params=SINGLE_COLUMN)
    fits(figure, 85)
    found = dots(figure.axes[0])
    assert set(np.asarray(found.get_offsets())[:, 0]) == {0, 2}
    same = found.get_facecolors()[np.asarray(found.get_offsets())[:, 0] == 0]
    assert len(np.unique(same, axis=0)) == 1


def test_one_group_and_one_feature(fits: Fits) -> None:
    values = pd.DataFrame({"a gene of a rather long name": [0.0, 1]})
    fits(dot_plot_figure(dot_plot(values, ["only", "only"]), params=SINGLE_COLUMN), 85)


def test_forty_groups_fit(fits: Fits) -> None:
    values = pd.DataFrame(np.random.default_rng(0).random((400, 12)))
    types = [f"a type of cells with a long name {i % 40}" for i in range(400)]
    figure = dot_plot_figure(dot_plot(values, types))
    fits(figure, 174)
    pitch = abs(np.diff(figure.axes[0].transData.transform([(0, 0), (0, 1)])[:, 1])[0])
    largest = np.sqrt(dots(figure.axes[0]).get_sizes().max()) / 72 * figure.dpi
    assert largest < pitch  # dots of neighbours do not touch


def test_bad_tables_are_named() -> None:
    table = side()
    with pytest.raises(InputError, match="no table"):
        dot_plot_figure({})
    with pytest.raises(InputError, match="lacks share"):
        dot_plot_figure(table.drop(columns="share"))
    with pytest.raises(InputError, match="twice"):
        dot_plot_figure(pd.concat([table, table]))
    with pytest.raises(InputError, match="share no group"):
        dot_plot_figure({"a": table, "b": table.assign(group="other").iloc[:4]})
    with pytest.raises(InputError, match="holds no means"):
        dot_plot_figure(table.assign(mean=np.nan))
    with pytest.raises(InputError, match="200 features cannot be read"):
        dot_plot_figure(side(200))
