"""Prediction intervals: on cells that they were made without they cover what was asked."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.trust.held_out import validate_genes
from napari_gluer.trust.intervals import (
    calibrated,
    covered,
    cross_calibrated,
    interval_coverage,
    least_expressed,
    prediction_intervals,
    widened,
)
from napari_gluer.trust.params import ValidateParams

QUICK = ng.IntegrateParams(network={"max_epochs": 2}, choice={"folds": 0})


def measured_and_predicted(seed: int, n: int, zeros: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    predicted = rng.gamma(2, 1, n)
    measured = predicted * rng.lognormal(0, 0.5, n)
    measured[rng.random(n) < zeros] = 0
    return predicted, measured


@pytest.mark.parametrize("zeros", [0.0, 0.4, 0.9])
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_held_out_cells_are_covered_as_asked(zeros: float, level: float) -> None:
    found = []
    for seed in range(20):
        predicted, measured = measured_and_predicted(seed, 3000, zeros)
        bands = calibrated(predicted[:2000], measured[:2000], level)
        low, high = bands.of(predicted[2000:])
        found.append(covered(low, high, measured[2000:]))
    every, expressed = np.mean(found, axis=0)
    assert expressed == pytest.approx(level, abs=0.03)
    assert every >= level - 0.02


def test_every_cell_is_calibrated_without_itself() -> None:
    predicted, measured = measured_and_predicted(3, 2000, 0.3)
    low, high = cross_calibrated(predicted, measured)
    assert covered(low, high, measured)[1] == pytest.approx(0.9, abs=0.03)
    changed = measured.copy()
    changed[7] = 1e6
    again = cross_calibrated(predicted, changed)
    assert (low[7], high[7]) == (again[0][7], again[1][7])


def test_a_gene_that_few_cells_express_is_calibrated_in_every_fold() -> None:
    measured = np.zeros(500)
    measured[:30] = np.arange(1, 31)
    for seed in range(30):
        low, high = cross_calibrated(np.zeros(500), measured, seed=seed)
        assert (high > 0).all()
        assert (low == 0).all()


@given(st.integers(0, 2**16), st.floats(0.5, 0.95))
def test_scales_do_not_matter(seed: int, level: float) -> None:
    predicted, measured = measured_and_predicted(seed, 400, 0.2)
    low, high = calibrated(predicted, measured, level).of(predicted)
    other = calibrated(predicted**3 + 5, 100 * measured, level).of(predicted**3 + 5)
    np.testing.assert_allclose(other[0], 100 * low, rtol=1e-5)
    np.testing.assert_allclose(other[1], 100 * high, rtol=1e-5)
    assert (low <= high).all()
    assert (low >= 0).all()


def test_a_good_prediction_has_narrower_intervals() -> None:
    predicted, measured = measured_and_predicted(0, 3000, 0.0)
    low, high = calibrated(predicted, measured).of(predicted)
    flat_low, flat_high = calibrated(np.zeros(3000), measured).of(np.zeros(3000))
    assert (high - low).mean() < 0.75 * (flat_high - flat_low).mean()
    assert (high - low)[predicted < 1].mean() < (high - low)[predicted > 3].mean()


def test_too_few_expressed_cells_and_odd_levels_are_refused() -> None:
    assert least_expressed(0.9) == 20
    with pytest.raises(InputError, match=r"19 calibration cells express .* 20 are needed"):
        calibrated(np.zeros(99), np.r_[np.ones(19), np.zeros(80)])
    for level in (0, 1, 1.2):
        with pytest.raises(InputError, match="lies between 0 and 1"):
            calibrated(np.zeros(99), np.ones(99), level)


def test_widening_by_hand() -> None:
    low, high = np.array([1.0, 1, 3], np.float32), np.array([3.0, 3, 4], np.float32)
    centre = np.array([2.0, 1.5, 2], np.float32)
    found = widened(low, high, centre, 2)
    np.testing.assert_allclose(found[0], [0, 0.5, 3])
    np.testing.assert_allclose(found[1], [4, 4.5, 6])
    same = widened(low, high, centre, 1)
    np.testing.assert_array_equal(same, (low, high))


def test_in_an_integration(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(1, n_reference=400, n_cells=300)
    cells = ng.integrate(typed.cells, typed.reference, QUICK)
    low, high = prediction_intervals(cells, typed.reference, "GENE33")
    assert low.shape == high.shape == (300,)
    assert low.dtype == np.float32
    assert ((low <= high) & (low >= 0)).all()
    imputed = ng.impute(cells, typed.reference, "GENE33")
    assert ((imputed >= low) & (imputed <= high)).mean() > 0.9
    counts = typed.reference.X.toarray()
    truth = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)[:, 33]
    assert np.quantile(truth, 0.9) == pytest.approx(high.max(), rel=0.5)


def test_validated_features_are_on_their_own_scale(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(2, n_reference=300, n_cells=300)
    few = ValidateParams(folds=2)
    validation = validate_genes(typed.cells, typed.reference, QUICK, few)
    coverage = interval_coverage(validation)
    assert set(coverage.index) <= set(typed.cells.var_names)
    assert coverage["covered_expressed"].mean() == pytest.approx(0.9, abs=0.04)
    cells = ng.integrate(typed.cells, typed.reference, QUICK)
    name = coverage.index[0]
    low, high = prediction_intervals(cells, typed.reference, name, validation=validation)
    totals = typed.cells.X.sum(axis=1, keepdims=True)
    truth = np.log1p(typed.cells.X / totals * 1e4)[:, typed.cells.var_names.get_loc(name)]
    assert covered(low, high, truth)[1] > 0.85
    gap = prediction_intervals(cells, typed.reference, "GENE33", validation=validation)
    plain = prediction_intervals(cells, typed.reference, "GENE33")
    assert ((gap[1] - gap[0]) >= (plain[1] - plain[0]) - 1e-6).all()
    with pytest.raises(InputError, match="validation is of other cells"):
        prediction_intervals(cells[::-1].copy(), typed.reference, name, validation=validation)
