"""Parts of the co-embedding: how they add up, where anchors come from, what the map is of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.integration.canonical import canonical_map
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.integration.spaces import Anchoring, Shares, Spaces, mapped_factors
from napari_gluer.neighbours import unit_rows

PARAMS = IntegrateParams(anchors={"n_neighbors": 10, "largest_share": 1.0})


def units(n: int, k: int, rng: np.random.Generator) -> np.ndarray:
    X = rng.normal(size=(n, k))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


def squared_distances(sides: list[np.ndarray]) -> np.ndarray:
    rows = np.concatenate(sides).astype(float)
    return np.asarray(((rows[:, np.newaxis] - rows[np.newaxis]) ** 2).sum(axis=2))


@given(st.integers(0, 2**16), st.floats(0, 1), st.floats(0, 1))
def test_squared_distances_add_up_by_their_shares(seed: int, told: float, turned: float) -> None:
    rng = np.random.default_rng(seed)
    factors, mapped, transcriptome = ([units(n, k, rng) for n in (5, 4, 3)] for k in (3, 3, 6))
    found = Spaces(factors, mapped, transcriptome).blend(Shares(told, turned))
    parts = [squared_distances(part) for part in (factors, mapped, transcriptome)]
    shares = [(1 - told) * (1 - turned), (1 - told) * turned, told]
    truth = sum(w * part for w, part in zip(shares, parts, strict=True))
    np.testing.assert_allclose(squared_distances(found), truth, atol=1e-4)


def test_parts_without_a_share_take_no_room_and_missing_ones_none_of_the_rest() -> None:
    rng = np.random.default_rng(0)
    factors, mapped, told = ([units(n, 3, rng) for n in (5, 4)] for _ in range(3))
    every = Spaces(factors, mapped, told)
    assert [side.shape for side in every.blend(Shares(0, 1))] == [(5, 3), (4, 3)]
    np.testing.assert_array_equal(every.blend(Shares(0, 1))[0], mapped[0])
    np.testing.assert_array_equal(every.blend(Shares(1, 0.3))[1], told[1])
    np.testing.assert_array_equal(Spaces(factors).blend(Shares(0.5, 1))[0], factors[0])


def test_shares_of_parts_that_could_not_be_made_are_none() -> None:
    sides = [units(n, 3, np.random.default_rng(n)) for n in (5, 4)]
    assert Spaces(sides).present(Shares(0.4, 0.8)) == (0, 0)
    assert Spaces(sides, mapped=sides).present(Shares(0.4, 0.8)) == (0, 0.8)
    assert Spaces(sides, transcriptome=sides).present(Shares(0.4, 0.8)) == (0.4, 0)


def anchoring(
    sizes: list[int],
    pairs: list[np.ndarray | None],
    params: IntegrateParams = PARAMS,
    seed: int = 0,
) -> Anchoring:
    return Anchoring([np.ones(n, bool) for n in sizes], pairs, params, seed)


def test_given_pairs_are_the_anchors() -> None:
    sides = [units(n, 3, np.random.default_rng(n)) for n in (6, 5)]
    pairs = np.array([[5, 0], [0, 4]])
    assert anchoring([6, 5], [pairs]).between(sides, 1) is pairs


def brute_force(sides: list[np.ndarray], usable: list[np.ndarray], n: int) -> set[tuple[int, int]]:
    """Mutual nearest neighbours among usable cells, one by one."""
    likeness = sides[0].astype(float) @ sides[1].T.astype(float)
    likeness[~usable[0]] = -np.inf
    likeness[:, ~usable[1]] = -np.inf
    near_cells = [set(np.argsort(-row)[:n]) for row in likeness]
    near_reference = [set(np.argsort(-column)[:n]) for column in likeness.T]
    return {
        (i, j)
        for i in np.flatnonzero(usable[0])
        for j in np.flatnonzero(usable[1])
        if j in near_cells[i] and i in near_reference[j]
    }


def test_sought_anchors_are_rows_of_the_whole_tables() -> None:
    """Cells that are not usable take no part, and do not shift the others."""
    rng = np.random.default_rng(1)
    sides = [units(40, 4, rng), units(30, 4, rng)]
    usable = [rng.random(40) < 0.6, rng.random(30) < 0.6]
    params = IntegrateParams(anchors={"n_neighbors": 4, "max_partners": 50, "largest_share": 1.0})
    found = Anchoring(usable, [None], params).between(sides, 1)
    assert set(map(tuple, found.tolist())) == brute_force(sides, usable, 4)


def test_anchors_are_confirmed_by_the_features() -> None:
    rng = np.random.default_rng(2)
    sides, features = ([units(n, 4, rng) for n in (40, 30)] for _ in range(2))
    params = IntegrateParams(
        anchors={
            "n_neighbors": 8,
            "max_partners": 50,
            "largest_share": 1.0,
            "confirm_neighbors": 9,
        }
    )
    every = [np.ones(40, bool), np.ones(30, bool)]
    found = Anchoring(every, [None], params).between(sides, 1, confirming=features)
    truth = brute_force(sides, every, 8) & brute_force(features, every, 9)
    assert set(map(tuple, found.tolist())) == truth


def test_anchors_in_a_sample_are_of_the_sample_and_of_the_seed() -> None:
    rng = np.random.default_rng(3)
    sides = [units(300, 3, rng), units(200, 3, rng)]
    params = IntegrateParams(anchors={"max_cells": 50})
    once, again, other = (
        anchoring([300, 200], [None], params, seed).between(sides, 1) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)
    assert len(set(once[:, 0])) <= 50
    assert len(set(once[:, 1])) <= 50
    assert once[:, 0].max() > 200  # rows of all cells, not of the sample


def test_the_map_is_that_of_the_given_pairs() -> None:
    rng = np.random.default_rng(4)
    factors = [units(80, 4, rng), units(60, 4, rng), units(50, 4, rng)]
    pairs = [np.column_stack([np.arange(n), rng.permutation(n)]) for n in (60, 50)]
    found = mapped_factors(factors, anchoring([80, 60, 50], pairs))
    assert found is not None
    of_reference = np.concatenate([factors[0][p[:, 0]] for p in pairs])
    of_cells = np.concatenate([factors[i][p[:, 1]] for i, p in enumerate(pairs, start=1)])
    turns = canonical_map(of_reference, of_cells, PARAMS.canonical.ridge)
    truth = [turns[0].of(factors[0]), turns[1].of(factors[1]), turns[1].of(factors[2])]
    for one, two in zip(found, truth, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("n_pairs", "enough"), [(19, False), (20, True)])
def test_too_few_anchors_hold_no_map(n_pairs: int, enough: bool) -> None:
    """Five anchors for each of four factors."""
    rng = np.random.default_rng(5)
    factors = [units(40, 4, rng), units(30, 4, rng)]
    pairs = np.repeat(np.arange(n_pairs)[:, np.newaxis], 2, axis=1)
    assert (mapped_factors(factors, anchoring([40, 30], [pairs])) is not None) == enough


def test_a_distorted_side_comes_back_to_its_partners() -> None:
    """Anchors are sought, none are given: the map brings true partners nearer than they were."""
    rng = np.random.default_rng(6)
    shared = rng.normal(size=(400, 4))
    private = [size * rng.normal(size=(400, 1)) for size in (0.5, 1.5)]
    reference = unit_rows(np.concatenate([shared, private[0]], axis=1).astype(np.float32))
    cells = unit_rows(np.concatenate([shared, private[1]], axis=1).astype(np.float32))
    found = mapped_factors([reference, cells], anchoring([400, 400], [None]))
    assert found is not None

    def rank_of_partner(sides: list[np.ndarray]) -> float:
        likeness = sides[1] @ sides[0].T
        return float((likeness > likeness.diagonal()[:, np.newaxis]).sum(axis=1).mean())

    assert rank_of_partner(found) < 0.8 * rank_of_partner([reference, cells])
