from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from napari_gluer import neighbours
from napari_gluer.neighbours import nearest_by_cosine, nearest_by_distance, unit_rows

sizes = st.integers(1, 30)


def sides(seed: int, n: int, m: int, width: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)), rng.normal(size=(m, width))


@given(st.integers(0, 2**16), sizes, sizes, st.integers(1, 40))
def test_cosine_equals_brute_force(seed: int, n: int, m: int, k: int) -> None:
    query, points = sides(seed, n, m)
    lengths = np.linalg.norm(query, axis=1)[:, np.newaxis] * np.linalg.norm(points, axis=1)
    cosines = query @ points.T / lengths
    truth = np.argsort(-cosines, axis=1)[:, :k]
    indices, similarities = nearest_by_cosine(query, points, k)
    np.testing.assert_array_equal(indices, truth)
    expected = np.take_along_axis(cosines, truth, axis=1)
    np.testing.assert_allclose(similarities, expected, atol=1e-6)
    assert (indices.dtype, similarities.dtype) == (np.int64, np.float32)


@given(st.integers(0, 2**16), sizes, sizes, st.integers(1, 40))
def test_distance_equals_brute_force(seed: int, n: int, m: int, k: int) -> None:
    query, points = sides(seed, n, m)
    every = np.sqrt(((query[:, np.newaxis] - points) ** 2).sum(axis=2))
    truth = np.argsort(every, axis=1)[:, :k]
    indices, distances = nearest_by_distance(query, points, k)
    np.testing.assert_array_equal(indices, truth)
    expected = np.take_along_axis(every, truth, axis=1)
    np.testing.assert_allclose(distances, expected, atol=1e-5)
    assert (indices.dtype, distances.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize(
    ("metric", "ours"), [("euclidean", nearest_by_distance), ("cosine", nearest_by_cosine)]
)
def test_equals_scikit_learn(metric: str, ours: Callable[..., Any]) -> None:
    query, points = sides(0, 300, 500, 12)
    model = NearestNeighbors(n_neighbors=15, metric=metric, algorithm="brute").fit(points)
    distances, indices = model.kneighbors(query)
    found, values = ours(query, points, 15)
    np.testing.assert_array_equal(found, indices)
    theirs = distances if metric == "euclidean" else 1 - distances
    np.testing.assert_allclose(values, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("offset", "dtype"), [(1e3, np.float64), (1e6, np.float64), (1e9, np.float64), (1e3, "f4")]
)
def test_far_from_the_origin_the_digits_are_kept(offset: float, dtype: Any) -> None:
    query, points = ((side + offset).astype(dtype) for side in sides(1, 50, 200))
    exact = np.sqrt(((query[:, np.newaxis].astype(float) - points.astype(float)) ** 2).sum(axis=2))
    truth = np.argsort(exact, axis=1)[:, :10]
    indices, distances = nearest_by_distance(query, points, 10)
    np.testing.assert_array_equal(indices, truth)
    np.testing.assert_allclose(distances, np.take_along_axis(exact, truth, axis=1), atol=1e-4)


def test_query_far_from_all_points() -> None:
    _, points = sides(2, 1, 60)
    query = np.array([[1e4, 0, 0, 0]])
    indices, distances = nearest_by_distance(query, points, 1)
    assert indices[0, 0] == points[:, 0].argmax()
    np.testing.assert_allclose(distances, 1e4 - points[:, 0].max(), rtol=1e-6)


@pytest.mark.parametrize("search", [nearest_by_distance, nearest_by_cosine])
def test_blocks_give_what_one_piece_gives(
    search: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    query, points = sides(3, 101, 40)
    whole = search(query, points, 6)
    seen: list[tuple[int, str]] = []

    def track(items: Any, desc: str) -> Any:
        seen.append((len(list(items)), desc))
        return items

    for elements, blocks in ((400, 11), (1, 101)):
        monkeypatch.setattr(neighbours, "_BLOCK_ELEMENTS", elements)
        parts = search(query, points, 6, track=track, desc="Search")
        assert seen.pop() == (blocks, "Search")
        np.testing.assert_array_equal(parts[0], whole[0])
        np.testing.assert_allclose(parts[1], whole[1], atol=1e-6)


@pytest.mark.parametrize("search", [nearest_by_distance, nearest_by_cosine])
def test_nobody_asks(search: Callable[..., Any]) -> None:
    indices, values = search(np.zeros((0, 3)), np.ones((5, 3)), 2)
    assert indices.shape == values.shape == (0, 2)


@pytest.mark.parametrize("search", [nearest_by_distance, nearest_by_cosine])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arguments_stay_as_they_were(search: Callable[..., Any], dtype: type) -> None:
    query, points = (side.astype(dtype) for side in sides(4, 20, 30))
    before = query.copy(), points.copy()
    search(query, points, 3)
    np.testing.assert_array_equal(query, before[0])
    np.testing.assert_array_equal(points, before[1])


def test_nearest_first_and_a_point_is_its_own_nearest() -> None:
    _, points = sides(5, 1, 200)
    for search, sign in ((nearest_by_distance, 1), (nearest_by_cosine, -1)):
        indices, values = search(points, points, 8)
        np.testing.assert_array_equal(indices[:, 0], np.arange(200))
        assert (np.diff(sign * values, axis=1) >= 0).all()
    assert not nearest_by_distance(points, points, 1)[1].any()


def test_unit_rows() -> None:
    rows = unit_rows(np.array([[3.0, 4], [0, 0], [0, -2e-5], [1e15, 0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0], [0, -1], [1, 0]], rtol=1e-6)
    assert rows.dtype == np.float32
