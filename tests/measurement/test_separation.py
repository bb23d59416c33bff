"""Noise is one kind of cells, however skewed; two kinds are found where they stand apart."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.measurement.separation import judge

Draw = Callable[[np.random.Generator, int], np.ndarray]

NOISE: dict[str, Draw] = {
    "log-normal 0.5": lambda rng, n: rng.lognormal(3, 0.5, n),
    "log-normal 1": lambda rng, n: rng.lognormal(3, 1, n),
    "log-normal 2": lambda rng, n: rng.lognormal(3, 2, n),
    "gamma 0.5": lambda rng, n: rng.gamma(0.5, 100, n),
    "gamma 1": lambda rng, n: rng.gamma(1, 100, n),
    "gamma 3": lambda rng, n: rng.gamma(3, 100, n),
    "Gaussian": lambda rng, n: rng.normal(100, 10, n),
    "Gaussian about 0": lambda rng, n: rng.normal(0, 30, n),
    "Gaussian cut at 0": lambda rng, n: np.clip(rng.normal(10, 30, n), 0, None),
    "ground and log-normal": lambda rng, n: 200 + rng.lognormal(3, 1, n),
    "few counts": lambda rng, n: rng.poisson(0.3, n) / rng.lognormal(5, 0.3, n),
}


@pytest.mark.parametrize("kind", NOISE)
@pytest.mark.parametrize("n", [300, 3000])
def test_noise_is_hardly_ever_two_kinds(kind: str, n: int) -> None:
    rng = np.random.default_rng(11)
    columns = np.column_stack([NOISE[kind](rng, n) for _ in range(60)])
    assert judge(columns).separated.mean() <= 0.05


@pytest.mark.parametrize(
    ("n", "share", "fold", "least"),
    [(300, 0.2, 10, 0.95), (300, 0.05, 30, 0.9), (3000, 0.05, 10, 0.9), (3000, 0.5, 6, 0.95)],
)
def test_signal_well_above_its_ground_is_found(
    n: int, share: float, fold: float, least: float
) -> None:
    rng = np.random.default_rng(12)
    positive = rng.random((n, 40)) < share
    values = rng.lognormal(3, 0.5, (n, 40)) * np.where(positive, fold, 1)
    assert judge(values).separated.mean() >= least


def test_two_bells_on_the_scale_of_measuring_are_found() -> None:
    rng = np.random.default_rng(13)
    both = np.r_[rng.normal(100, 10, 800), rng.normal(200, 10, 400)][:, np.newaxis]
    found = judge(both)
    assert found.separated[0]
    assert found.ashman[0] > 5


def test_the_scale_is_that_of_the_noise() -> None:
    rng = np.random.default_rng(14)
    columns = np.column_stack(
        [rng.lognormal(3, 1, 5000), rng.normal(100, 30, 5000).clip(1), rng.gamma(2, 10, 5000)]
    )
    power = judge(columns).power
    assert power[0] == 0
    assert power[1] >= 0.8
    assert 0.2 <= power[2] <= 0.5  # the cube root makes a gamma nearly Gaussian


@given(st.integers(0, 2**16), st.floats(0.01, 1000))
def test_units_and_order_of_cells_do_not_matter(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.lognormal(3, 1, (200, 2)) * np.where(rng.random((200, 2)) < 0.4, 20, 1)
    values[:, 1] = rng.gamma(2, 10, 200)
    one, other = judge(values), judge(values[::-1] * unit)
    np.testing.assert_array_equal(one.separated, other.separated)
    np.testing.assert_array_equal(one.power, other.power)


@given(st.integers(0, 2**16), st.integers(2, 120), st.floats(0, 1))
def test_odd_columns_are_judged_without_complaint(seed: int, n: int, zeros: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.exponential(50, (n, 2)).round(-1) * (rng.random((n, 2)) > zeros)
    values[:, 1] -= 30
    values[0] += 1000
    found = judge(values)
    assert np.isfinite(found.ashman).all()
    assert not found.separated[(values > 0).sum(axis=0) < 50].any() or n >= 50


def test_too_few_cells_with_any_signal_never_separate() -> None:
    values = np.zeros((500, 1))
    values[:49, 0] = np.r_[np.full(24, 1.0), np.full(25, 900.0)] + np.linspace(0, 0.5, 49)
    assert not judge(values).separated[0]
