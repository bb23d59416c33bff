import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, gaussian_kde
from sklearn.metrics import roc_auc_score

from napari_gluer.figures.statistics import (
    area_under_curve,
    calibration_error,
    density,
    reliability_curve,
    wilson,
)

CONFIDENCE = np.array([0.05, 0.15, 0.1, 0.95, 1.0, 0.5])
RIGHT = np.array([False, True, False, True, True, True])


@pytest.mark.parametrize(("found", "n"), [(0, 7), (3, 10), (10, 10), (480, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilsons_interval_is_scipys(found: int, n: int, level: float) -> None:
    low, high = wilson(np.array([found]), np.array([n]), level)
    truth = binomtest(found, n).proportion_ci(level, method="wilson")
    np.testing.assert_allclose([low[0], high[0]], [truth.low, truth.high], atol=1e-12)


def test_an_empty_bin_has_no_interval() -> None:
    low, high = wilson(np.array([0, 1]), np.array([0, 2]))
    assert np.isnan([low[0], high[0]]).all()
    assert np.isfinite([low[1], high[1]]).all()


def test_a_reliability_curve_by_hand() -> None:
    curve = reliability_curve(CONFIDENCE, RIGHT, 10)
    assert curve["n"].tolist() == [1, 2, 1, 2]  # 0.1 falls in the second bin, 1.0 in the last
    np.testing.assert_allclose(curve["left"], [0, 0.1, 0.5, 0.9])
    np.testing.assert_allclose(curve["confidence"], [0.05, 0.125, 0.5, 0.975])
    np.testing.assert_allclose(curve["right"], [0, 0.5, 1, 1])
    # (0.05 · 1 + 0.375 · 2 + 0.5 · 1 + 0.025 · 2) / 6
    assert calibration_error(curve) == pytest.approx(1.35 / 6)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_bins_lose_no_cell(cells: list[tuple[float, bool]]) -> None:
    confidence, right = (np.array(side) for side in zip(*cells, strict=True))
    curve = reliability_curve(confidence, right, 7)
    assert curve["n"].sum() == len(cells)
    assert (curve["n"] * curve["right"]).sum() == pytest.approx(right.sum())
    assert (curve["n"] * curve["confidence"]).sum() == pytest.approx(confidence.sum())
    assert (curve["low"] <= curve["right"] + 1e-12).all()
    assert (curve["right"] <= curve["high"] + 1e-12).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60))
def test_the_area_under_the_curve_is_scikit_learns(cells: list[tuple[int, bool]]) -> None:
    score, right = (np.array(side) for side in zip(*cells, strict=True))
    area = area_under_curve(score.astype(float), right)
    if right.all() or not right.any():
        assert np.isnan(area)
    else:
        assert area == pytest.approx(roc_auc_score(right, score))


@pytest.mark.parametrize("n", [2, 5, 300, 40_000])
@pytest.mark.parametrize("shape", [0.3, 2.0])
def test_the_density_is_nearly_scipys(n: int, shape: float) -> None:
    values = np.random.default_rng(n).gamma(shape, size=n)
    grid, height = density(values, 50)
    np.testing.assert_allclose(grid[[0, -1]], [values.min(), values.max()])
    truth = gaussian_kde(values)(grid)
    assert np.abs(height - truth).max() < 1e-3 * truth.max()


def test_a_value_far_from_all_others_keeps_its_place_in_the_density() -> None:
    values = np.array([*np.random.default_rng(0).normal(size=999), 1e6])
    grid, height = density(values, 101)
    truth = gaussian_kde(values)(grid)
    assert np.abs(height - truth).max() < 1e-3 * truth.max()
    assert height[-1] == pytest.approx(truth[-1], rel=1e-3)
