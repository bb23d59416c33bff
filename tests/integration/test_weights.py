import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.errors import InputError
from napari_gluer.integration.params import WeightParams
from napari_gluer.integration.weights import neighbour_weights, support


def brute_force(
    reference: np.ndarray, cells: np.ndarray, usable: np.ndarray, k: int, temperature: float
) -> np.ndarray:
    weights = np.zeros((len(cells), len(reference)))
    for i, cell in enumerate(cells):
        distance = {j: np.sqrt(((cell - reference[j]) ** 2).sum()) for j in np.flatnonzero(usable)}
        near = sorted(distance, key=lambda j: distance[j])[:k]
        raw = np.exp([-distance[j] / temperature for j in near])
        weights[i, near] = raw / raw.sum()
    return weights


@given(
    st.integers(0, 2**16),
    st.integers(1, 40),
    st.integers(0, 12),
    st.integers(1, 50),
    st.sampled_from([0.05, 0.3, 1.0, 10.0]),
)
def test_equals_the_softmax_over_the_nearest(
    seed: int, n_reference: int, n_cells: int, k: int, temperature: float
) -> None:
    rng = np.random.default_rng(seed)
    reference, cells = rng.normal(size=(n_reference, 3)), rng.normal(size=(n_cells, 3))
    usable = rng.random(n_reference) < 0.7
    usable[0] = True
    params = WeightParams(n_neighbors=k, temperature=temperature)
    found = neighbour_weights(reference, cells, usable, params).weights
    assert found.shape == (n_cells, n_reference)
    assert found.dtype == np.float32
    dense = found.toarray()
    np.testing.assert_allclose(dense.sum(axis=1), 1, atol=1e-5)
    assert not dense[:, ~usable].any()
    truth = brute_force(reference, cells, usable, k, temperature)
    np.testing.assert_allclose(dense, truth, atol=2e-4)
    assert (np.diff(found.indptr) == min(k, usable.sum())).all()


@pytest.mark.parametrize("temperature", [1e-3, 1.0])
def test_far_cells_still_have_weights(temperature: float) -> None:
    reference = np.random.default_rng(0).normal(size=(30, 3))
    cells = np.array([[1e4, 0, 0], [0, -1e6, 0]])
    params = WeightParams(temperature=temperature)
    weights = neighbour_weights(reference, cells, np.ones(30, bool), params).weights
    assert np.isfinite(weights.data).all()
    np.testing.assert_allclose(weights.toarray().sum(axis=1), 1, atol=1e-5)
    assert weights[0].toarray().argmax() == reference[:, 0].argmax()


def test_a_cell_on_a_reference_cell_trusts_it_most() -> None:
    reference = np.random.default_rng(0).normal(size=(40, 5))
    weights = neighbour_weights(
        reference, reference, np.ones(40, bool), WeightParams(temperature=0.01)
    ).weights
    np.testing.assert_allclose(weights.diagonal(), 1, atol=1e-3)


def supported(reference: np.ndarray, cells: np.ndarray, usable: np.ndarray) -> np.ndarray:
    distances = neighbour_weights(reference, cells, usable).distances
    return support(reference, distances, usable)


def test_no_usable_reference_cell() -> None:
    with pytest.raises(InputError, match="No reference cell expresses any linked feature"):
        neighbour_weights(np.ones((3, 2)), np.ones((1, 2)), np.zeros(3, bool))


def test_support_of_cells_like_the_reference_is_uniform() -> None:
    found = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        reference, alike = rng.normal(size=(1500, 4)), rng.normal(size=(1500, 4))
        found.append(supported(reference, alike, np.ones(1500, bool)))
    quantiles = [0.1, 0.25, 0.5, 0.75, 0.9]
    np.testing.assert_allclose(np.quantile(found, quantiles), quantiles, atol=0.03)
    assert np.min(found) >= 0
    assert np.max(found) <= 1


def test_support_of_outliers_is_nearly_none() -> None:
    rng = np.random.default_rng(0)
    reference, far = rng.normal(size=(500, 4)), rng.normal(size=(20, 4)) + 30
    found = supported(reference, far, np.ones(500, bool))
    assert found.dtype == np.float32
    assert found.max() < 0.01


def test_support_counts_reference_cells_that_are_lonelier() -> None:
    rng = np.random.default_rng(1)
    reference, cells = rng.normal(size=(60, 2)), rng.normal(size=(9, 2)) * 2
    usable = np.arange(60) % 3 > 0
    points = reference[usable]

    def mean_of_ten(point: np.ndarray, others: np.ndarray) -> float:
        return float(np.sort(np.linalg.norm(others - point, axis=1))[:10].mean())

    usual = [mean_of_ten(point, np.delete(points, i, axis=0)) for i, point in enumerate(points)]
    truth = [np.mean([u >= mean_of_ten(cell, points) for u in usual]) for cell in cells]
    np.testing.assert_allclose(supported(reference, cells, usable), truth, atol=1e-6)


def test_support_of_a_single_reference_cell_is_none() -> None:
    found = supported(np.ones((1, 2)), np.ones((3, 2)), np.ones(1, bool))
    np.testing.assert_array_equal(found, 0)


def test_temperature_0_is_a_bell_as_wide_as_the_median() -> None:
    reference = np.array([[0.0], [1.0], [2.0], [4.0], [99.0]])
    params = WeightParams(n_neighbors=4, temperature=0)
    # 10 are drawn on at the least where a share is set, and 4 where four are asked for
    found = neighbour_weights(reference, np.array([[0.0]]), np.ones(5, bool), params)
    raw = np.exp(-np.square(np.array([0, 1, 2, 4]) / 1.5))
    np.testing.assert_allclose(found.weights.toarray()[0, :4], raw / raw.sum(), rtol=1e-5)
    assert found.weights[0, 4] == 0
    np.testing.assert_allclose(found.distances, [[0, 1, 2, 4]], atol=1e-6)


@given(st.integers(0, 2**16), st.sampled_from([1e-6, 1.0, 1e6]), st.floats(0, 1))
def test_temperature_0_knows_no_units(seed: int, scale: float, same: float) -> None:
    """Also where many reference cells are the very cell."""
    rng = np.random.default_rng(seed)
    reference, cells = rng.normal(size=(40, 2)), rng.normal(size=(6, 2))
    reference[rng.random(40) < same] = cells[0]
    params = WeightParams(n_neighbors=12, temperature=0)
    every = np.ones(40, bool)
    found = neighbour_weights(reference * scale, cells * scale, every, params).weights.toarray()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    apart = np.linalg.norm(cells[:, np.newaxis] - reference[np.newaxis], axis=2)
    near = np.sort(apart, axis=1)[:, :12]
    median = np.maximum(np.median(near, axis=1, keepdims=True), 1e-12)
    squares = np.square(near / median)
    raw = np.exp(np.min(squares, axis=1, keepdims=True) - squares)
    np.testing.assert_allclose(
        -np.sort(-found, axis=1)[:, :12], raw / raw.sum(axis=1, keepdims=True), atol=2e-3
    )


@pytest.mark.parametrize(
    ("n_usable", "share", "drawn_on"), [(200, 0.1, 20), (1000, 0.1, 80), (50, 0.1, 10), (6, 1, 6)]
)
def test_no_more_than_a_share_of_the_reference_is_drawn_on(
    n_usable: int, share: float, drawn_on: int
) -> None:
    reference = np.random.default_rng(0).normal(size=(n_usable + 30, 2))
    usable = np.arange(len(reference)) < n_usable
    params = WeightParams(n_neighbors=80, temperature=0, largest_share=share)
    found = neighbour_weights(reference, reference[:3], usable, params)
    assert (np.diff(found.weights.indptr) == drawn_on).all()
    assert found.distances.shape == (3, drawn_on)
    assert found.weights.indices.max() < n_usable
