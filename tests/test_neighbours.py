import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from napari_gluer import neighbours
from napari_gluer.errors import InputError
from napari_gluer.neighbours import nearest_by_cosine, nearest_by_distance, unit_rows
from napari_gluer.track import Cancelled

SEARCHES = [nearest_by_distance, nearest_by_cosine]
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


@given(st.integers(0, 2**16), st.integers(1, 60), st.integers(1, 700), st.integers(1, 20))
def test_of_equal_distances_the_lower_row_comes_first(seed: int, n: int, m: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    query, half = (rng.integers(-1, 2, (size, 3)).astype(float) for size in (n, m))
    points = np.concatenate([half, -half])  # about 0, so that every number stays whole
    squares = ((query[:, np.newaxis] - points) ** 2).sum(axis=2)
    truth = np.argsort(squares, axis=1, kind="stable")[:, :k]
    indices, distances = nearest_by_distance(query, points, k)
    np.testing.assert_array_equal(indices, truth)
    expected = np.sqrt(np.take_along_axis(squares, truth, axis=1))
    np.testing.assert_allclose(distances, expected, rtol=1e-6)


@pytest.mark.parametrize("search", SEARCHES)
def test_of_copies_the_lower_comes_first(search: Callable[..., Any]) -> None:
    rng = np.random.default_rng(6)
    few = rng.normal(size=(7, 5))
    points = few[rng.integers(0, 7, 3000)]
    indices, _ = search(few, points, 40)
    for row, found in zip(few, indices, strict=True):
        np.testing.assert_array_equal(found, np.flatnonzero((points == row).all(axis=1))[:40])
    alike, _ = search(few, np.ones((1000, 5)), 12)
    np.testing.assert_array_equal(alike, np.tile(np.arange(12), (7, 1)))


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_points_in_the_worst_order(search: Callable[..., Any], order: str) -> None:
    angles = np.linspace(0.3, 1.2, 5000)
    query, points = np.array([[1.0, 0]] * 3), np.column_stack([np.cos(angles), np.sin(angles)])
    if order == "ascending":
        points = points[::-1]
    indices, _ = search(query, points, 50)
    last = np.arange(50) if order == "descending" else np.arange(4999, 4949, -1)
    np.testing.assert_array_equal(indices, np.tile(last, (3, 1)))


@pytest.mark.parametrize("width", [1, 7, 8, 31, 33, 64, 300])
@pytest.mark.parametrize("n", [255, 256, 257, 2000])
def test_every_width_and_every_last_tile(width: int, n: int) -> None:
    query, points = sides(width, 20, n, width)
    every = np.sqrt(((query[:, np.newaxis] - points) ** 2).sum(axis=2))
    indices, distances = nearest_by_distance(query, points, 70)
    if width > 1:
        np.testing.assert_array_equal(indices, np.argsort(every, axis=1)[:, :70])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :70], rtol=1e-5, atol=1e-6)
    cosines = unit_rows(query).astype(float) @ unit_rows(points).astype(float).T
    _, similarities = nearest_by_cosine(query, points, 70)
    np.testing.assert_allclose(similarities, -np.sort(-cosines, axis=1)[:, :70], atol=1e-6)


@pytest.mark.parametrize("search", SEARCHES)
def test_blocks_and_threads_change_nothing(
    search: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    query, points = sides(3, 701, 900, 11)
    before = torch.get_num_threads()
    seen: list[tuple[int, str]] = []

    def track(items: Any, desc: str) -> Any:
        seen.append((len(items), desc))
        return items

    whole = search(query, points, 40)
    for rows, threads, blocks in ((32, 1, 22), (32, 3, 22), (100, 2, 8)):
        monkeypatch.setattr(neighbours, "_BLOCK_ELEMENTS", rows * 900)
        torch.set_num_threads(threads)
        try:
            parts = search(query, points, 40, track=track, desc="Search")
        finally:
            torch.set_num_threads(before)
        assert seen.pop() == (blocks, "Search")
        np.testing.assert_array_equal(parts[0], whole[0])
        np.testing.assert_array_equal(parts[1], whole[1])


@pytest.mark.parametrize("search", SEARCHES)
def test_cancelled_leaves_no_work_behind(
    search: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK_ELEMENTS", 1)
    threads = threading.active_count()
    done = []

    def stop_at_the_third(items: Iterable[Any], _desc: str) -> Iterator[Any]:
        for i, item in enumerate(items):
            if i == 2:
                raise Cancelled
            done.append(i)
            yield item

    query, points = sides(8, 20_000, 3000)
    start = time.perf_counter()
    search(query[:640], points, 5)
    whole = (time.perf_counter() - start) * len(query) / 640
    start = time.perf_counter()
    with pytest.raises(Cancelled):
        search(query, points, 5, track=stop_at_the_third)
    assert done == [0, 1]
    assert time.perf_counter() - start < whole / 2
    assert threading.active_count() == threads


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(
    search: Callable[..., Any], side: int, bad: float
) -> None:
    both = sides(9, 10, 12)
    both[side][3, 1] = bad
    with pytest.raises(InputError, match="NaN or infinite"):
        search(*both, 3)


@pytest.mark.parametrize("search", SEARCHES)
def test_the_path_by_pytorch_finds_the_same(
    search: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of a GPU, taken on PyTorch's `cpu` here and on `cuda` where there is one."""
    query, points = sides(10, 150, 400, 9)
    here = search(query, points, 30)
    monkeypatch.setattr(neighbours, "_GPU_ELEMENTS", 400 * 17)
    monkeypatch.setattr(neighbours, "_compiled_on", lambda _device: False)
    for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else [])):
        there = search(query, points, 30, device=device)
        np.testing.assert_array_equal(there[0], here[0])
        np.testing.assert_array_equal(there[1], here[1])


@pytest.mark.parametrize("search", SEARCHES)
def test_nobody_asks(search: Callable[..., Any]) -> None:
    indices, values = search(np.zeros((0, 3)), np.ones((5, 3)), 2)
    assert indices.shape == values.shape == (0, 2)


@pytest.mark.parametrize("search", SEARCHES)
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
