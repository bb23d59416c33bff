import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.analysis.accuracy import (
    integration_accuracies,
    integration_accuracy,
    mixed_neighbours,
)
from napari_gluer.errors import InputError


def naive(reference: np.ndarray, query: np.ndarray, pairs: np.ndarray) -> float:
    joint = np.concatenate([reference, query])
    scores = []
    for i, j in pairs:
        for a, partner in ((i, len(reference) + j), (len(reference) + j, i)):
            distance = np.sqrt(((joint - joint[a]) ** 2).sum(axis=1))
            others = [b for b in range(len(joint)) if b not in (a, partner)]
            nearer = sum(distance[b] < distance[partner] for b in others)
            scores.append(1 - nearer / len(others))
    return float(np.mean(scores))


def diagonal(n: int) -> np.ndarray:
    return np.repeat(np.arange(n)[:, np.newaxis], 2, axis=1)


@given(st.integers(0, 2**16), st.integers(2, 15), st.integers(1, 15), st.integers(1, 20))
def test_equals_the_naive_loops(seed: int, n: int, m: int, n_pairs: int) -> None:
    rng = np.random.default_rng(seed)
    reference, query = rng.normal(size=(n, 3)), rng.normal(size=(m, 3)) + 0.5
    pairs = np.column_stack([rng.integers(0, n, n_pairs), rng.integers(0, m, n_pairs)])
    found = integration_accuracy(reference, query, pairs)
    assert found == pytest.approx(naive(reference, query, pairs), abs=1e-9)


def test_true_partners_in_one_place_are_perfect() -> None:
    points = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
    assert integration_accuracy(points, points, diagonal(80)) == 1
    shuffled = np.random.default_rng(1).permutation(80)
    pairs = np.column_stack([shuffled, np.arange(80)])
    assert integration_accuracy(points, points[shuffled], pairs) == 1


def test_partners_as_far_as_can_be_are_none() -> None:
    line = np.array([[0.0], [1.0], [2.0]])
    assert integration_accuracy(line, line[[1]] + 0.1, np.array([[0, 0]])) == pytest.approx(
        naive(line, line[[1]] + 0.1, np.array([[0, 0]]))
    )
    two = np.array([[-10.0], [0.0]]), np.array([[10.0], [0.0]])
    assert integration_accuracy(*two, np.array([[0, 0]])) == 0


def test_chance_is_a_half() -> None:
    rng = np.random.default_rng(0)
    reference, query = rng.normal(size=(400, 6)), rng.normal(size=(400, 6))
    assert integration_accuracy(reference, query, diagonal(400)) == pytest.approx(0.5, abs=0.03)


def test_many_pairs_in_blocks() -> None:
    rng = np.random.default_rng(0)
    reference, query = rng.normal(size=(6, 2)), rng.normal(size=(5, 2))
    pairs = np.column_stack([rng.integers(0, 6, 1500), rng.integers(0, 5, 1500)])
    found = integration_accuracy(reference, query, pairs)
    assert found == pytest.approx(naive(reference, query, pairs), abs=1e-9)


def test_far_from_the_origin_the_digits_are_kept() -> None:
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(40, 3))
    query = reference + rng.normal(size=(40, 3)) * 0.3
    near = integration_accuracy(reference, query, diagonal(40))
    far = integration_accuracy(reference + 1e6, query + 1e6, diagonal(40))
    assert far == pytest.approx(near, abs=1e-9)


@pytest.mark.parametrize("pairs", [np.zeros((0, 2), int), np.arange(4), np.zeros((2, 3), int)])
def test_what_is_no_list_of_pairs(pairs: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"must be \(n, 2\)"):
        integration_accuracy(np.ones((3, 2)), np.ones((3, 2)), pairs)


def test_mixing_of_data_sets_that_lie_apart_is_none() -> None:
    rng = np.random.default_rng(0)
    reference, query = rng.normal(size=(60, 3)), rng.normal(size=(40, 3)) + 100
    assert mixed_neighbours(reference, query, 10) == 0


@pytest.mark.parametrize("n", [200, 600])
def test_mixing_of_one_population_is_full(n: int) -> None:
    rng = np.random.default_rng(0)
    found = mixed_neighbours(rng.normal(size=(400, 3)), rng.normal(size=(n, 3)))
    assert 0.93 < found <= 1


def test_mixing_by_hand() -> None:
    reference, query = np.array([[0.0], [1.0], [10.0]]), np.array([[0.4], [11.0], [11.5]])
    # nearest: 0 → 0.4, 1 → 0.4, 10 → 11; 0.4 → 0, 11 → 11.5, 11.5 → 11
    expected = (1 + (1 / 3) / (1 / 2)) / 2
    assert mixed_neighbours(reference, query, 1) == pytest.approx(expected)


def test_a_twin_in_one_place_counts_on_both_sides() -> None:
    points = np.random.default_rng(0).normal(size=(50, 4))
    assert mixed_neighbours(points, points, 1) == 1


def one_by_one(reference: np.ndarray, query: np.ndarray, pair: tuple[int, int]) -> float:
    """The definition, for one pair."""
    joint = np.concatenate([reference, query])
    there = (pair[0], pair[1] + len(reference))
    shares = []
    for a, partner in (there, there[::-1]):
        distances = np.linalg.norm(joint - joint[a], axis=1)
        others = np.delete(distances, [a, partner])
        shares.append((others < distances[partner]).sum() / (len(joint) - 2))
    return 1 - float(np.mean(shares))


def test_every_pair_has_its_own_accuracy() -> None:
    rng = np.random.default_rng(5)
    reference, query = rng.normal(size=(30, 4)), rng.normal(size=(25, 4))
    pairs = np.column_stack([rng.permutation(30)[:20], rng.permutation(25)[:20]])
    found = integration_accuracies(reference, query, pairs)
    expected = [one_by_one(reference, query, (int(a), int(b))) for a, b in pairs]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert integration_accuracy(reference, query, pairs) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("pair", [(30, 0), (0, 25), (-1, 0)])
def test_pairs_outside_the_data_are_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="30 reference and 25 query cells"):
        integration_accuracies(np.zeros((30, 2)), np.zeros((25, 2)), np.array([pair]))


def test_a_collapsed_space_is_no_better_than_chance() -> None:
    same = np.ones((12, 3))
    pairs = np.column_stack([np.arange(12)] * 2)
    np.testing.assert_array_equal(integration_accuracies(same, same, pairs), 0.5)


def test_what_is_no_number_has_no_accuracy() -> None:
    points = np.random.default_rng(0).normal(size=(5, 2))
    broken = points.copy()
    broken[2, 1] = np.nan
    for sides in ((broken, points), (points, broken)):
        with pytest.raises(InputError, match="NaN or infinite"):
            integration_accuracies(*sides, np.array([[0, 0]]))
    with pytest.raises(InputError, match="three cells"):
        integration_accuracies(points[:1], points[:1], np.array([[0, 0]]))
