import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from skimage.color import rgb2lab

from napari_gluer.errors import InputError
from napari_gluer.figures.embedding import embedding_figure
from napari_gluer.figures.files import save_figure
from napari_gluer.figures.params import SINGLE_COLUMN, FigureParams
from napari_gluer.palette import GREY, colors_of

N, N_REFERENCE = 60, 25
Fits = Callable[[Figure, float], None]


def table(n: int = N, n_reference: int = N_REFERENCE, n_types: int = 3) -> AnnData:
    rng = np.random.default_rng(0)
    joint = AnnData(rng.random((n, 2)).astype(np.float32))
    joint.var_names = ["CD3E", "CD4"]
    joint.obsm["X_umap"] = rng.normal(size=(n, 2))
    joint.obsm["X_umap_before"] = rng.normal(size=(n, 2)) + 5
    joint.obs["source"] = pd.Categorical(
        np.where(np.arange(n) < n_reference, "reference", "cells"), ["reference", "cells"]
    )
    joint.obs["type"] = [f"type {i % n_types + 10}" for i in range(n)]
    joint.obs["score"] = np.linspace(0, 1, n)
    return joint


def points(figure: Figure, panel: int) -> list[PathCollection]:
    found = [item for item in figure.axes[panel].collections if isinstance(item, PathCollection)]
    assert all(item.get_rasterized() for item in found)
    return found


def drawn(figure: Figure, panel: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and colours of the points on top."""
    own = points(figure, panel)[-1]
    return np.asarray(own.get_offsets()), own.get_facecolors()


def rows_of(joint: AnnData, places: np.ndarray, basis: str = "X_umap") -> np.ndarray:
    distances = np.abs(joint.obsm[basis][None] - places[:, None]).sum(axis=2)
    assert (distances.min(axis=1) == 0).all()
    return distances.argmin(axis=1)


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_cell_is_drawn_once_where_it_lies_in_its_colour(fits: Fits) -> None:
    joint = table()
    figure = embedding_figure(joint, "type")
    fits(figure, 174)
    palette = dict(zip(["type 10", "type 11", "type 12"], colors_of(["", "", ""]), strict=True))
    for panel, own in enumerate((range(N), range(N_REFERENCE), range(N_REFERENCE, N))):
        places, colors = drawn(figure, panel)
        rows = rows_of(joint, places)
        assert sorted(rows) == list(own)
        expected = [palette[name] for name in joint.obs["type"].iloc[rows]]
        assert [to_hex(color, keep_alpha=False).upper() for color in colors] == expected


def test_others_lie_pale_behind_a_source() -> None:
    joint = table()
    behind, own = points(embedding_figure(joint, "type"), 2)
    assert sorted(rows_of(joint, np.asarray(behind.get_offsets()))) == list(range(N_REFERENCE))
    assert len(behind.get_facecolors()) == 1
    assert len(own.get_offsets()) == N - N_REFERENCE
    assert len(points(embedding_figure(joint, "type"), 0)) == 1


def test_titles_and_legend_count_cells() -> None:
    joint = table()
    joint.obsm["X_umap"][3] = np.nan  # has no place
    figure = embedding_figure(joint)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["joint\nn = 59", "reference\nn = 24", "cells\nn = 35"]
    assert legend(figure) == ["reference (25)", "cells (35)"]
    assert len(drawn(figure, 0)[0]) == N - 1


def test_before_and_after_have_a_row_each_or_stand_side_by_side(fits: Fits) -> None:
    joint = table()
    bases = {"before": "X_umap_before", "after": "X_umap"}
    each = embedding_figure(joint, basis=bases)
    fits(each, 174)
    assert len(each.axes) == 6
    rows_of(joint, drawn(each, 1)[0], "X_umap_before")
    rows_of(joint, drawn(each, 4)[0], "X_umap")
    assert each.axes[4].get_title() == "after: reference\nn = 25"
    assert each.axes[0].get_xlabel() == "UMAP 1"
    both = embedding_figure(joint, basis=bases, panels="joint", params=SINGLE_COLUMN)
    fits(both, 85)
    assert [axes.get_title() for axes in both.axes] == ["before\nn = 60", "after\nn = 60"]
    rows_of(joint, drawn(both, 0)[0], "X_umap_before")


def test_the_order_is_random_but_the_same_every_time() -> None:
    joint = table(400, 200)
    first = rows_of(joint, drawn(embedding_figure(joint), 0)[0])
    again = rows_of(joint, drawn(embedding_figure(joint), 0)[0])
    other = rows_of(joint, drawn(embedding_figure(joint, seed=1), 0)[0])
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    late = np.flatnonzero(first < 200).mean() / 399  # neither source lies on top
    assert 0.4 < late < 0.6


def test_unmatched_and_missing_are_grey_and_first(fits: Fits) -> None:
    joint = table()
    joint.obs["gluer_unmatched"] = np.arange(N) >= N - 4
    joint.obs.loc[joint.obs_names[:3], "type"] = None
    joint.obs.loc[joint.obs_names[3:5], "type"] = "unmatched"
    figure = embedding_figure(joint, "type")
    fits(figure, 174)
    places, colors = drawn(figure, 0)
    rows = rows_of(joint, places)
    assert set(rows[:9]) == {*range(5), *range(N - 4, N)}
    unmatched = {3, 4, *range(N - 4, N)}
    for row, color in zip(rows[:9], colors, strict=False):
        assert np.ptp(color[:3]) < 0.05  # grey
        assert (tuple(color) == to_rgba(GREY)) == (row in unmatched)
    assert all(np.ptp(color[:3]) > 0.2 for color in colors[9:])
    assert legend(figure)[-2:] == ["unmatched (6)", "no value (3)"]
    assert sum(int(re.findall(r"\((\d+)\)", text)[0]) for text in legend(figure)) == N


def test_the_column_of_unmatched_cells_can_be_shown_itself() -> None:
    joint = table()
    joint.obs["gluer_unmatched"] = np.arange(N) < 7
    assert legend(embedding_figure(joint, "gluer_unmatched")) == ["no (53)", "yes (7)"]


def test_numbers_have_a_colour_bar_from_percentile_to_percentile(fits: Fits) -> None:
    joint = table()
    joint.obs.loc[joint.obs_names[0], "score"] = np.nan
    joint.obs.loc[joint.obs_names[1], "score"] = np.inf
    figure = embedding_figure(joint, "score")
    fits(figure, 174)
    held = joint.obs["score"].to_numpy()[2:]
    bar = figure.axes[-1]
    np.testing.assert_allclose(bar.get_ylim(), np.percentile(held, [1, 99]), atol=1e-6)
    places, colors = drawn(figure, 0)
    rows = rows_of(joint, places)
    assert set(rows[:2]) == {0, 1}
    light = colors[2:, :3] @ [0.2126, 0.7152, 0.0722]
    order = np.argsort(joint.obs["score"].to_numpy()[rows[2:]])
    assert (np.diff(light[order]) >= -1e-9).all()  # viridis rises in lightness
    assert legend(figure) == ["no value (2)"]


def test_a_gene_of_the_table_is_a_colour_too() -> None:
    joint = table()
    bar = embedding_figure(joint, "CD4").axes[-1]
    values = joint[:, "CD4"].X.ravel()
    np.testing.assert_allclose(bar.get_ylim(), np.percentile(values, [1, 99]), rtol=1e-5)


def test_a_constant_value_is_drawn(fits: Fits) -> None:
    joint = table()
    joint.obs["score"] = 3.0
    figure = embedding_figure(joint, "score")
    fits(figure, 174)
    assert len(np.unique(drawn(figure, 0)[1], axis=0)) == 1


def test_a_gene_of_few_cells_is_not_all_one_colour() -> None:
    joint = table(400, 200)
    joint.obs["score"] = 0.0
    joint.obs.loc[joint.obs_names[:2], "score"] = 1.0
    assert len(np.unique(drawn(embedding_figure(joint, "score"), 0)[1], axis=0)) == 2


def test_forty_types_are_numbered_in_readable_columns(fits: Fits) -> None:
    joint = table(800, 300, 40)
    joint.obsm["X_umap"] += 8 * np.array([(i % 40 % 8, i % 40 // 8) for i in range(800)])
    figure = embedding_figure(joint, "type")
    fits(figure, 174)
    numbers = {text.get_text(): text for text in figure.axes[0].texts}
    assert sorted(map(int, numbers)) == list(range(1, 41))
    assert legend(figure)[0] == "1  type 10 (20)"
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in numbers.values()]
    shrunk = [box.shrunk_to_aspect(1).padded(-0.25 * box.height) for box in boxes]
    assert not any(a.overlaps(b) for i, a in enumerate(shrunk) for b in shrunk[:i])
    own = np.median(joint.obsm["X_umap"][joint.obs["type"] == "type 10"], axis=0)
    assert np.abs(np.array(numbers["1"].get_position()) - own).max() < 4
    fits(embedding_figure(joint, "type", panels="joint", params=SINGLE_COLUMN), 85)


def seen(colors: list[str], matrix: np.ndarray) -> np.ndarray:
    """CIELAB values of colours as the colour-blind see them."""
    srgb = np.array([to_rgba(color)[:3] for color in colors])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    mixed = np.clip(linear @ matrix.T, 0, 1)
    return rgb2lab(np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(3),
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.01182, 0.04294, 0.968881],
        ],
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ],
    ids=["all colours", "deuteranopia", "protanopia"],
)
def test_colours_without_numbers_are_told_apart(matrix: list[list[float]]) -> None:
    # Machado et al., IEEE Trans Vis Comput Graph 2009, severity 1
    lab = seen(colors_of([""] * 9), np.array(matrix))
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=2)[np.triu_indices(9, 1)]
    assert distances.min() > 13


@pytest.mark.parametrize(("types", "numbers"), [(9, 0), (10, 10)])
def test_more_groups_than_colours_are_numbered(types: int, numbers: int) -> None:
    figure = embedding_figure(table(200, 90, types), "type")
    assert len(figure.axes[0].texts) == numbers
    assert not figure.axes[1].texts
    assert legend(figure)[0] == ("1  type 10 (20)" if numbers else "type 10 (23)")


def test_many_sections_go_on_in_another_row(fits: Fits) -> None:
    joint = table()
    joint.obs["source"] = [f"section {i % 6}" for i in range(N)]
    figure = embedding_figure(joint)
    fits(figure, 174)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == 7
    assert len({round(axes.get_position().y0, 3) for axes in shown}) == 2
    sizes = {round(float(axes.get_window_extent().width)) for axes in shown}
    assert len(sizes) == 1


def test_panels_are_square_and_show_all_cells() -> None:
    joint = table()
    joint.obsm["X_umap"][:, 1] *= 20
    (axes, *_) = embedding_figure(joint).axes
    box = axes.get_window_extent()
    assert box.width == pytest.approx(box.height, rel=0.01)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert right - left == pytest.approx(top - bottom)
    low, high = joint.obsm["X_umap"].min(axis=0), joint.obsm["X_umap"].max(axis=0)
    assert left < low[0] < high[0] < right
    assert bottom < low[1] < high[1] < top


def test_ten_cells_of_one_type_at_one_place(fits: Fits) -> None:
    joint = table(10, 5, 1)
    joint.obsm["X_umap"][:] = 2.0
    figure = embedding_figure(joint, "type")
    fits(figure, 174)
    assert legend(figure) == ["type 10 (10)"]


def test_a_table_without_sources_has_one_panel(fits: Fits) -> None:
    joint = table()
    del joint.obs["source"]
    figure = embedding_figure(joint, "type", params=SINGLE_COLUMN)
    fits(figure, 85)
    assert len(figure.axes) == 1


def test_given_colours_are_used() -> None:
    params = FigureParams(colors={"reference": "#000000"})
    _, colors = drawn(embedding_figure(table(), params=params), 1)
    assert {tuple(color) for color in colors} == {(0, 0, 0, 1)}


def test_many_points_make_no_large_file(tmp_path: Path) -> None:
    joint = table(60_000, 30_000)
    save_figure(embedding_figure(joint, panels="joint", params=SINGLE_COLUMN), tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text("utf-8")
    assert len(svg) < 1e6
    assert svg.count("<image") >= 1
    assert svg.count("<use") < 200
    assert "UMAP 1" in re.findall(r">([^<>]+)</text>", svg)


@pytest.mark.parametrize(
    ("color", "basis", "said"),
    [
        ("type", "X_tsne", r"no obsm\['X_tsne'\].*X_umap"),
        ("tpye", "X_umap", "no 'tpye' to colour by; it has: source, type"),
        ("empty", "X_umap", "No cell has a value in 'empty'"),
        ("nan", "X_umap", "'nan' holds no number"),
        ("type", "flat", "has shape"),
        ("type", "lost", "places no cell"),
        ("type", (), "at least one map"),
    ],
)
def test_bad_input_is_named(color: str, basis: str, said: str) -> None:
    joint = table()
    joint.obs["empty"] = pd.Categorical([None] * N, ["a"])
    joint.obs["nan"] = np.nan
    joint.obsm["flat"] = np.zeros((N, 1))
    joint.obsm["lost"] = np.full((N, 2), np.nan)
    with pytest.raises(InputError, match=said):
        embedding_figure(joint, color, basis=basis)
