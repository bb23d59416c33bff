from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

from napari_gluer.errors import InputError
from napari_gluer.figures.reliability import reliability_figure

Fits = Callable[[Figure, float], None]


def points(figure: Figure) -> np.ndarray:
    containers = [c for c in figure.axes[0].containers if isinstance(c, ErrorbarContainer)]
    found = np.concatenate([np.asarray(c.lines[0].get_xydata()) for c in containers])
    return found[np.argsort(found[:, 0])]


def intervals(figure: Figure) -> list[tuple[float, float]]:
    containers = [c for c in figure.axes[0].containers if isinstance(c, ErrorbarContainer)]
    bars = [seg for c in containers for seg in c.lines[2][0].get_segments()]
    return sorted((seg[0, 1], seg[1, 1]) for seg in bars)


def test_the_curve_is_scikit_learns(fits: Fits) -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(3000)
    right = rng.random(3000) < confidence**2
    figure = reliability_figure(confidence, right, bins=8)
    fits(figure, 85)
    shares, means = calibration_curve(right, confidence, n_bins=8)
    np.testing.assert_allclose(points(figure), np.column_stack([means, shares]))
    title = figure.axes[0].get_title()
    assert f"AUROC {roc_auc_score(right, confidence):.3f}" in title
    assert f"n = 3,000, {right.mean():.1%} right" in title.replace("\n", ", ")
    counts = np.histogram(confidence, 8, (0, 1))[0]
    (bars,) = [c for c in figure.axes[1].containers if isinstance(c, BarContainer)]
    assert [bar.get_height() for bar in bars] == counts.tolist()
    error = (np.abs(shares - means) * counts).sum() / 3000
    assert f"calibration error {error:.3f}" in title


def test_intervals_are_wilsons() -> None:
    confidence = np.repeat([0.25, 0.75], [20, 40])
    right = np.concatenate([np.arange(20) < 5, np.arange(40) < 30])
    figure = reliability_figure(confidence, right, bins=2)
    both = [binomtest(k, n).proportion_ci(0.95, method="wilson") for k, n in ((5, 20), (30, 40))]
    np.testing.assert_allclose(intervals(figure), [(ends.low, ends.high) for ends in both])


def test_bins_of_few_cells_are_hollow(fits: Fits) -> None:
    confidence = np.repeat([0.15, 0.95], [9, 10])
    figure = reliability_figure(confidence, np.ones(19, bool))
    fits(figure, 85)
    containers = [c for c in figure.axes[0].containers if isinstance(c, ErrorbarContainer)]
    faces = {float(c.lines[0].get_xdata()[0]): c.lines[0].get_markerfacecolor() for c in containers}
    assert faces[0.15] == "white"
    assert faces[0.95] != "white"
    assert figure.legends[0].get_texts()[-1].get_text() == "fewer than 10 cells"


@pytest.mark.parametrize(("flag", "said"), [(True, "all are right"), (False, "none is right")])
def test_calls_that_are_all_alike_have_no_area(flag: bool, said: str, fits: Fits) -> None:
    figure = reliability_figure(np.linspace(0, 1, 10), np.full(10, flag))
    fits(figure, 85)
    assert f"AUROC not defined: {said}" in figure.axes[0].get_title()


def test_cells_without_a_confidence_are_counted() -> None:
    confidence = pd.Series([0.2, np.nan, 0.9, np.nan])
    figure = reliability_figure(confidence, pd.Series([0, 1, 1, 0]))
    assert "n = 2, 50.0% right, 2 without a confidence" in figure.axes[0].get_title()


def test_one_cell_is_drawn(fits: Fits) -> None:
    figure = reliability_figure([1.0], [True])
    fits(figure, 85)
    np.testing.assert_allclose(points(figure), [[1, 1]])


@pytest.mark.parametrize(
    ("confidence", "right", "said"),
    [
        ([0.5, 0.6], [True], r"shape \(2,\) and calls of shape \(1,\)"),
        ([], [], "No cell has a confidence"),
        ([np.nan, np.nan], [True, False], "No cell has a confidence"),
        ([0.5, 1.5], [True, False], "from 0.5 to 1.5"),
        ([0.5, -0.1], [True, False], "from -0.1 to 0.5"),
        ([0.5, 0.6], ["T cell", "B cell"], "true or false"),
        ([0.5, 0.6], [1.0, np.nan], "true or false"),
        (pd.Series([0.5, 0.6]), pd.Series([True, False], index=[1, 0]), "another order"),
    ],
)
def test_bad_input_is_named(confidence: list[float], right: list[object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        reliability_figure(confidence, right)


@pytest.mark.parametrize("bins", [0, 101])
def test_bins_that_cannot_be_drawn_are_refused(bins: int) -> None:
    with pytest.raises(InputError, match=f"{bins} bins"):
        reliability_figure([0.5], [True], bins=bins)
