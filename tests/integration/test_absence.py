"""Absent types: planted ones are found, types that nothing tells apart are not called."""

from typing import Any

import numpy as np
import pytest

from napari_gluer.integration import absence
from napari_gluer.integration.absence import Absence, absent_cells
from napari_gluer.integration.params import AbsenceParams

PARAMS = AbsenceParams(max_cells=2000)
TYPES = list("ABCDE")


def clouds(
    seed: int, kinds: str, n: int, *, apart: float = 6, dimensions: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """`n` points of each kind around a centre of its own, and their codes."""
    centres = np.random.default_rng(99).normal(size=(len(TYPES), dimensions))
    centres *= apart / np.linalg.norm(centres, axis=1, keepdims=True)
    codes = np.repeat([TYPES.index(kind) for kind in kinds], n)
    noise = np.random.default_rng(seed).normal(size=(len(codes), dimensions))
    return (centres[codes] + noise).astype(np.float32), codes


def nearest_type(cells: np.ndarray, reference: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """What a readout would call each cell: the type of the closest reference cell."""
    apart = ((cells[:, None] - reference[None]) ** 2).sum(axis=2)
    return codes[apart.argmin(axis=1)]


def problem(kinds: str = "ABCD", *, apart: float = 6) -> tuple[Any, ...]:
    """Reference of `kinds`; cells of all five."""
    reference, codes = clouds(1, kinds, 60, apart=apart)
    cells, truth = clouds(2, "ABCDE", 40, apart=apart)
    return (reference, cells), codes, nearest_type(cells, reference, codes), truth


def test_a_planted_type_is_found_and_the_others_are_not_called() -> None:
    scores, codes, called, truth = problem()
    found = absent_cells(scores, codes, called, TYPES, PARAMS)
    assert found.detectable
    assert found.absent[truth == 4].mean() > 0.9
    assert found.absent[truth != 4].mean() < 0.1
    assert set(found.auroc) == set("ABCD")
    assert min(found.auroc.values()) > 0.95
    assert found.text.startswith(f"{found.absent.sum()} cells have no counterpart")


def test_where_all_types_are_there_few_are_called() -> None:
    scores, codes, called, _ = problem("ABCDE")
    found = absent_cells(scores, codes, called, TYPES, PARAMS)
    assert found.detectable
    assert found.absent.mean() < 0.1


@pytest.mark.parametrize("apart", [0, 0.5])
def test_types_that_nothing_tells_apart_are_not_called(apart: float) -> None:
    scores, codes, called, _ = problem(apart=apart)
    found = absent_cells(scores, codes, called, TYPES, PARAMS)
    assert not found.detectable
    assert not found.absent.any()
    assert min(found.auroc.values()) < PARAMS.least_auroc
    assert found.text.startswith("absent types cannot be detected here (")
    worst = min(found.auroc, key=lambda name: found.auroc[name])
    share = round(100 * found.auroc[worst])
    assert f"hardest to tell was {worst}, in {share} of 100 pairs" in found.text


def test_the_bound_on_the_auroc_decides() -> None:
    scores, codes, called, _ = problem(apart=3)
    loose = absent_cells(
        scores, codes, called, TYPES, PARAMS.model_copy(update={"least_auroc": 0.5})
    )
    worst = min(loose.auroc.values())
    assert 0.5 < worst < 1
    strict = PARAMS.model_copy(update={"least_auroc": worst + 1e-6})
    assert loose.detectable
    assert not absent_cells(scores, codes, called, TYPES, strict).detectable


@pytest.mark.parametrize("kinds", ["AB", "ABC"])
def test_fewer_than_four_types_cannot_be_tried(kinds: str) -> None:
    scores, codes, called, _ = problem(kinds)
    found = absent_cells(scores, codes, called, TYPES, PARAMS)
    assert (found.auroc, found.detectable, found.absent.any()) == ({}, False, False)
    assert found.text == "absent types cannot be detected here (fewer than 4 could be tried)"


def test_types_of_few_cells_are_not_left_out_on_trial() -> None:
    (reference, cells), codes, called, _ = problem("ABCDE")
    kept = (codes != 1) | (np.cumsum(codes == 1) <= 19)
    found = absent_cells((reference[kept], cells), codes[kept], called, TYPES, PARAMS)
    assert set(found.auroc) == set("ACDE")


def test_cells_and_reference_cells_without_a_type_have_no_say() -> None:
    (reference, cells), codes, called, _ = problem()
    noise = np.random.default_rng(5).normal(size=(200, 8)).astype(np.float32)
    more = np.concatenate([reference, noise]), np.concatenate([cells, noise[:50]])
    truth = absent_cells((reference, cells), codes, called, TYPES, PARAMS)
    found = absent_cells(
        more, np.r_[codes, np.full(200, -1)], np.r_[called, np.full(50, -1)], TYPES, PARAMS
    )
    assert found.auroc == truth.auroc
    assert not found.absent[len(cells) :].any()
    assert (found.absent[: len(cells)] == truth.absent).mean() > 0.99


def test_a_sample_of_the_cells_is_enough_and_repeats() -> None:
    scores, codes, called, truth = problem()
    few = PARAMS.model_copy(update={"max_cells": 120})
    once, again = (absent_cells(scores, codes, called, TYPES, few, seed=3) for _ in range(2))
    np.testing.assert_array_equal(once.absent, again.absent)
    assert once.auroc == again.auroc
    assert once.absent[truth == 4].mean() > 0.9
    assert once.absent[truth != 4].mean() < 0.1


def test_a_cell_whose_own_neighbours_are_there_is_not_called() -> None:
    """One stray among cells that are present is no type."""
    cells = np.array([[0.0, 1], [0.1, 1], [0.2, 1], [0, -1], [0.1, -1], [0.2, -1]], np.float32)
    poorer = np.array([True, True, True, True, False, False])
    params = AbsenceParams(n_neighbors=2, majority=0.66)
    found = absence._with_neighbours(poorer, cells, params)
    assert list(found) == [True, True, True, False, False, False]


def test_the_bound_is_where_found_and_spared_are_most() -> None:
    """By brute force over the quantiles that may be taken."""
    rng = np.random.default_rng(0)
    gone = [rng.normal(3, 1, 50), rng.normal(2, 1, 80)]
    there = [rng.normal(0, 1, 200), rng.normal(0.2, 1, 300)]
    bounds = np.quantile(np.concatenate(there), np.linspace(0.95, 0.99, 41))
    gains = [
        sum((part > b).mean() for part in gone) + sum((part <= b).mean() for part in there)
        for b in bounds
    ]
    assert absence._bound(gone, there) == bounds[int(np.argmax(gains))]


def test_words_for_one_cell() -> None:
    found = Absence(np.array([True, False]), {"A": 0.9, "B": 0.97, "C": 1.0}, detectable=True)
    assert found.text == (
        "1 cell has no counterpart in the reference (every type was left out on trial; hardest "
        "to tell was A, in 90 of 100 pairs with other cells, 50 being chance)"
    )
