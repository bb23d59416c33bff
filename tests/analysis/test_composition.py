import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2_contingency, hypergeom

from napari_gluer.analysis.composition import fisher_tests, independence, wilson_interval


@given(st.integers(0, 40), st.integers(1, 40), st.sampled_from([0.8, 0.95, 0.99]))
def test_intervals_are_those_of_scipy(count: int, total: int, confidence: float) -> None:
    count = min(count, total)
    low, high = wilson_interval(np.array([count]), np.array([total]), confidence)
    expected = binomtest(count, total).proportion_ci(confidence, method="wilson")
    assert low[0] == pytest.approx(expected.low, abs=1e-12)
    assert high[0] == pytest.approx(expected.high, abs=1e-12)


def test_no_interval_of_nothing() -> None:
    low, high = wilson_interval(np.array([0]), np.array([0]), 0.95)
    assert np.isnan([low[0], high[0]]).all()


def test_fisher_by_the_hypergeometric_distribution() -> None:
    counts, every = np.array([[8, 2], [1, 5]]), np.array([12, 15])
    odds, p = fisher_tests(counts, every)
    assert odds[0, 0] == pytest.approx(8 * 13 / (2 * 4))
    draws = hypergeom(27, 12, 10).pmf(np.arange(11))
    assert p[0, 0] == pytest.approx(draws[draws <= draws[8] * (1 + 1e-9)].sum())
    assert p[0, 1] == pytest.approx(p[0, 0])
    assert odds[1, 1] == pytest.approx(5 * 11 / (1 * 10))


def test_regions_of_nothing_and_of_everything_are_not_tested() -> None:
    odds, p = fisher_tests(np.array([[0, 0], [4, 6], [4, 0]]), np.array([4, 6]))
    assert np.isnan(p[:2]).all()
    assert np.isnan(odds[:2]).all()
    assert odds[2].tolist() == [np.inf, 0]


def test_the_whole_table() -> None:
    counts = np.array([[30, 10, 0], [10, 25, 0], [0, 0, 0], [5, 9, 0]])
    found = independence(counts)
    expected = chi2_contingency(counts[[0, 1, 3]][:, :2], correction=False)
    assert found.chi_square == pytest.approx(expected.statistic)
    assert found.degrees_of_freedom == 2
    assert found.p == pytest.approx(expected.pvalue)
    assert found.cramers_v == pytest.approx(np.sqrt(expected.statistic / 89))
    assert found.low_expected == 0
    assert independence(np.diag([50, 50])).cramers_v == pytest.approx(1)
    assert np.isnan(independence(np.array([[4, 5]])).p)
