from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from napari_gluer.analysis.comparing import compare_accuracies
from napari_gluer.errors import InputError
from napari_gluer.figures.accuracies import accuracy_figure
from napari_gluer.figures.params import DOUBLE_COLUMN, SINGLE_COLUMN

Fits = Callable[[Figure, float], None]
Found = dict[str, np.ndarray]


@pytest.fixture
def found() -> Found:
    rng = np.random.default_rng(0)
    own = rng.beta(8, 2, 400)
    near = np.clip(own + rng.normal(0, 0.1, 400), 0, 1)
    return {"GLUER": own, "near": near, "Seurat": rng.beta(5, 3, 400)}


def boxes(axes: Axes) -> list[tuple[float, float]]:
    """Lower and upper edge of every box."""
    patches = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    edges = [patch.get_path().vertices[:, 1] for patch in patches]
    return [(edge.min(), edge.max()) for edge in edges]


def brackets(axes: Axes) -> dict[str, np.ndarray]:
    lines = [line for line in axes.lines if str(line.get_label()).startswith("bracket ")]
    return {str(line.get_label())[8:]: np.asarray(line.get_xydata()) for line in lines}


def test_boxes_span_quartiles_and_diamonds_are_means(found: Found, fits: Fits) -> None:
    figure = accuracy_figure(found)
    fits(figure, 85)
    (axes,) = figure.axes
    expected = [np.percentile(values, [25, 75]) for values in found.values()]
    np.testing.assert_allclose(boxes(axes), expected)
    means = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(means, [values.mean() for values in found.values()])
    drawn = np.concatenate([np.ravel(line.get_ydata()) for line in axes.lines])
    for values in found.values():
        low, middle, high = np.percentile(values, [5, 50, 95])
        # whiskers end at the last value inside
        for height in (values[values >= low].min(), middle, values[values <= high].max()):
            assert np.isclose(drawn, height).any()
    assert axes.get_xticklabels()[0].get_text() == "GLUER\nn = 400"
    assert not brackets(axes)


def test_brackets_hold_the_adjusted_p_values(found: Found, fits: Fits) -> None:
    tests = compare_accuracies(found)
    figure = accuracy_figure(found, tests)
    fits(figure, 85)
    (axes,) = figure.axes
    drawn = brackets(axes)
    assert set(drawn) == {"near", "Seurat"}
    assert set(drawn["near"][:, 0]) == {0, 1}
    assert set(drawn["Seurat"][:, 0]) == {0, 2}
    assert drawn["Seurat"][:, 1].max() > drawn["near"][:, 1].max()
    highest = max(np.percentile(values, 95) for values in found.values())
    assert min(points[:, 1].min() for points in drawn.values()) > highest
    p = tests.loc["near", "p_bonferroni"]
    assert 0.001 < p < 1
    assert {text.get_text() for text in axes.texts} == {f"p = {p:.3f}", "p < 0.001"}
    assert max(axes.get_yticks()) <= 1
    assert axes.get_xlabel() == "Paired tests against GLUER, Bonferroni-adjusted"


def test_texts_of_many_brackets_do_not_touch(fits: Fits) -> None:
    rng = np.random.default_rng(0)
    found = {f"method {i}": rng.random(50) for i in range(7)}
    figure = accuracy_figure(found, compare_accuracies(found), params=DOUBLE_COLUMN)
    fits(figure, 174)
    (axes,) = figure.axes
    texts = [text.get_window_extent() for text in axes.texts]
    assert len(texts) == 6
    assert not any(a.overlaps(b) for i, a in enumerate(texts) for b in texts[:i])
    lines = [axes.transData.transform(points)[1:3] for points in brackets(axes).values()]
    for text in texts:
        for (left, height), (right, _) in lines:
            over = max(left, right) > text.x0 and min(left, right) < text.x1
            assert not (over and text.y0 + 1 < height < text.y1 - 1)


def test_the_first_of_the_tests_need_not_be_the_first_box(found: Found) -> None:
    tests = compare_accuracies({"Seurat": found["Seurat"], "GLUER": found["GLUER"]})
    drawn = brackets(accuracy_figure(found, tests).axes[0])
    assert list(drawn) == ["GLUER"]
    assert set(drawn["GLUER"][:, 0]) == {2, 0}


def test_a_frame_and_one_method_will_do(found: Found, fits: Fits) -> None:
    fits(accuracy_figure(pd.DataFrame(found)), 85)
    fits(accuracy_figure({"only": np.full(10, 0.5)}), 85)


def test_long_names_are_read_upright(found: Found, fits: Fits) -> None:
    named = {f"a method with quite a long name, number {i}": found["GLUER"] for i in range(6)}
    figure = accuracy_figure(named, params=SINGLE_COLUMN)
    fits(figure, 85)
    labels = [text.get_window_extent() for text in figure.axes[0].get_xticklabels()]
    assert not any(a.overlaps(b) for i, a in enumerate(labels) for b in labels[:i])


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ({}, "no accuracies"),
        ({"a": np.array([])}, "'a' must be one number a pair"),
        ({"a": np.array([0.5, np.nan])}, "'a' must lie from 0 to 1"),
        ({"a": np.array([0.5, 1.2])}, "'a' must lie from 0 to 1"),
        ({str(i): np.ones(3) for i in range(20)}, "20 methods cannot be read"),
    ],
)
def test_bad_accuracies_are_named(accuracies: Found, said: str) -> None:
    with pytest.raises(InputError, match=said):
        accuracy_figure(accuracies)


def test_tests_of_other_methods_are_refused(found: Found) -> None:
    tests = compare_accuracies(found)
    with pytest.raises(InputError, match="The tests compare GLUER, near, Seurat"):
        accuracy_figure({"GLUER": found["GLUER"], "near": found["near"]}, tests)
    with pytest.raises(InputError, match="no p_bonferroni"):
        accuracy_figure(found, tests.drop(columns="p_bonferroni"))
