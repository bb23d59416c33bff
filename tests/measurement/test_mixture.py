from pathlib import Path

import numpy as np
import pytest
from anndata import read_h5ad
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.mixture import GaussianMixture

from napari_gluer.measurement.mixture import Mixture, fit

RNG = np.random.default_rng(0)
N = 3000
COLUMNS = {
    "apart": np.r_[RNG.normal(0, 1, 2000), RNG.normal(12, 2, 1000)],
    "wide and narrow": np.r_[RNG.normal(100, 5, 2400), RNG.normal(400, 120, 600)],
    "large units": 1e4 * np.r_[RNG.normal(1, 0.1, 1500), RNG.normal(3, 0.5, 1500)],
    "overlapping": np.r_[RNG.normal(0, 1, 1800), RNG.normal(3, 1.5, 1200)],
}
VALUES = np.column_stack(list(COLUMNS.values()))


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    return fit(VALUES)


@pytest.mark.parametrize("column", range(len(COLUMNS)), ids=list(COLUMNS))
def test_cumulative_equals_scikit_learn(mixture: Mixture, column: int) -> None:
    values = VALUES[:, [column]]
    scale = values.std()
    model = GaussianMixture(2, tol=1e-10, max_iter=5000, random_state=0).fit(values / scale)
    high = model.means_.argmax()
    deviation = np.sqrt(model.covariances_[high, 0, 0])
    truth = stats.norm.cdf(values / scale, model.means_[high, 0], deviation)
    assert np.abs(mixture.cumulative(VALUES)[:, [column]] - truth).max() < 1e-3
    posterior = model.predict_proba(values / scale)[:, high]
    inside = (values > mixture.means[0, column]) & (values < mixture.means[1, column])
    ours = mixture.posterior(VALUES)[:, column]
    assert np.abs(ours - posterior)[inside.ravel()].max() < 2e-3


def test_all_markers_at_once_equal_each_alone(mixture: Mixture) -> None:
    for column in range(VALUES.shape[1]):
        alone = fit(VALUES[:, [column]])
        np.testing.assert_allclose(alone.means[:, 0], mixture.means[:, column], rtol=1e-9)
        np.testing.assert_allclose(alone.weights[:, 0], mixture.weights[:, column], rtol=1e-9)


def sklearn_cumulative(values: np.ndarray) -> np.ndarray:
    """With the start that `fit` has: means of the two halves, standardised values."""
    standard = (values - values.mean()) / values.std()
    cut = (standard.min() + standard.max()) / 2
    for _ in range(100):
        cut = (standard[standard > cut].mean() + standard[standard <= cut].mean()) / 2
    means = np.array([[standard[standard <= cut].mean()], [standard[standard > cut].mean()]])
    model = GaussianMixture(2, tol=1e-8, max_iter=5000, means_init=means, random_state=0)
    model.fit(standard[:, np.newaxis])
    high = model.means_.argmax()
    deviation = np.sqrt(model.covariances_[high, 0, 0])
    return stats.norm.cdf(standard, model.means_[high, 0], deviation)


def simulated(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Columns that a fit must bear: overlap, skew, zeros, rare signal."""
    return {
        "overlapping": lambda: np.r_[rng.normal(5, 1, 1500), rng.normal(7, 1.5, 500)],
        "skewed": lambda: rng.lognormal(3, 1, 2000),
        "zeros": lambda: rng.gamma(0.5, 100, 2000) * (rng.random(2000) < 0.6),
        "rare": lambda: np.r_[rng.normal(100, 20, 1960), rng.normal(900, 100, 40)],
        "one bell": lambda: rng.normal(100, 10, 2000),
    }[kind]()


@pytest.mark.parametrize("kind", ["overlapping", "skewed", "zeros", "rare", "one bell"])
def test_simulated_markers_equal_scikit_learn(kind: str) -> None:
    values = simulated(kind, np.random.default_rng(7))
    ours = fit(values[:, np.newaxis]).cumulative(values[:, np.newaxis]).ravel()
    assert np.abs(ours - sklearn_cumulative(values)).max() < 1e-3


@pytest.mark.shared_data
def test_all_spleen_markers_equal_scikit_learn(shared_data: Path) -> None:
    table = read_h5ad(shared_data / "codex_human_spleen/codex_spleen_10000x28.h5ad")
    values = np.asarray(table.X.toarray(), np.float64)
    ours = fit(values).cumulative(values)
    for column, name in enumerate(table.var_names):
        truth = sklearn_cumulative(values[:, column])
        assert np.abs(ours[:, column] - truth).max() < 1e-3, name


@given(st.integers(0, 2**16))
def test_counts_stand_for_repeated_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.r_[rng.normal(0, 1, 20), rng.normal(8, 1, 20)].round(1)[:, np.newaxis]
    counts = rng.integers(1, 9, values.shape)
    repeated = fit(np.repeat(values, counts.ravel(), axis=0))
    counted = fit(values, counts.astype(np.float64))
    np.testing.assert_allclose(counted.means, repeated.means, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(counted.deviations, repeated.deviations, rtol=1e-6)


def test_densities_are_equal_at_the_threshold_and_nan_where_one_always_wins(
    mixture: Mixture,
) -> None:
    at = mixture.thresholds
    low, high = mixture.density(at)
    np.testing.assert_allclose(low, high, rtol=1e-9)
    one = np.ones((2, 1))
    equal = Mixture(one / 2, one * [[0.0], [4.0]], one)
    assert equal.thresholds[0] == pytest.approx(2)
    swamped = Mixture(one * [[0.999], [0.001]], one * [[0.0], [1.0]], one)
    assert np.isnan(swamped.thresholds[0])


def test_zero_becomes_zero_and_order_is_kept(mixture: Mixture) -> None:
    grid = np.linspace(0, VALUES.max(axis=0), 200)
    rescaled = mixture.rescaled_cumulative(grid)
    np.testing.assert_array_equal(rescaled[0], 0)
    assert (np.diff(rescaled, axis=0) >= 0).all()
    assert rescaled.max() <= 1
    plain, at_zero = mixture.cumulative(grid), mixture.cumulative(grid[:1])
    np.testing.assert_allclose(rescaled, (plain - at_zero) / (1 - at_zero), atol=1e-12)
    np.testing.assert_array_equal(mixture.rescaled_cumulative(-grid), 0)


def test_rescaling_keeps_its_digits_where_nearly_all_is_above() -> None:
    one = np.ones((2, 1))
    far = Mixture(one / 2, one * [[-12.0], [-9.0]], one)
    values = np.array([[0.0], [0.1], [5.0]])
    z = values + 9
    truth = 1 - stats.norm.sf(z) / stats.norm.sf(9)
    np.testing.assert_allclose(far.rescaled_cumulative(values), truth, atol=1e-9)


def test_posterior_never_falls(mixture: Mixture) -> None:
    grid = np.linspace(VALUES.min(axis=0), VALUES.max(axis=0), 500)
    posterior = mixture.posterior(grid)
    assert (np.diff(posterior, axis=0) >= 0).all()
    assert (posterior >= 0).all()
    assert (posterior <= 1).all()


@given(st.integers(0, 2**16), st.integers(2, 40), st.floats(0, 1))
def test_odd_columns_give_finite_values(seed: int, n: int, zeros: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.exponential(50, (n, 3)).round(1) * (rng.random((n, 3)) > zeros)
    values[0] += 1000  # never constant
    values[1] = 0
    fitted = fit(values)
    for signal in (fitted.cumulative, fitted.rescaled_cumulative, fitted.posterior):
        found = signal(values)
        assert np.isfinite(found).all()
        assert found.min() >= 0
        assert found.max() <= 1


def test_many_rows_are_sampled_evenly() -> None:
    rng = np.random.default_rng(2)
    values = np.r_[rng.normal(0, 1, 90_000), rng.normal(10, 1, 60_000)][:, np.newaxis]
    fitted = fit(values)
    np.testing.assert_allclose(fitted.means.ravel(), [0, 10], atol=0.05)
    np.testing.assert_allclose(fitted.weights.ravel(), [0.6, 0.4], atol=0.01)
