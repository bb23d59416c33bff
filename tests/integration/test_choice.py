"""Shares chosen by held-out features: planted problems of which the right answer is known."""

from typing import Any

import numpy as np
import pytest

from napari_gluer.integration.choice import (
    LEAST_FEATURES,
    Choice,
    _best,
    candidates,
    chosen_shares,
    spaces_of,
)
from napari_gluer.integration.params import ChoiceParams, IntegrateParams
from napari_gluer.integration.spaces import Anchoring, Shares
from napari_gluer.integration.standard import Standardized, standardized
from napari_gluer.neighbours import unit_rows

PARAMS = IntegrateParams()
NO_MAP = IntegrateParams(canonical={"share": 0})
N, FEATURES, LATENT = 300, 20, 3


class Planted:
    """The same cells seen twice through the same loadings, with noise and private variation."""

    def __init__(self, seed: int = 0, noise: float = 0.5, private: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        self.latent = rng.normal(size=(N, LATENT))
        loadings = rng.normal(size=(LATENT, FEATURES))
        nuisance = np.outer(rng.normal(size=N), rng.normal(size=FEATURES))
        seen = [self.latent @ loadings + noise * rng.normal(size=(N, FEATURES)) for _ in range(2)]
        seen[1] += private * nuisance
        self.sides: list[Standardized] = [standardized(X.astype(np.float32)) for X in seen]
        self.pairs = np.repeat(np.arange(N)[:, np.newaxis], 2, axis=1)

    def anchoring(self, params: IntegrateParams, pairs: np.ndarray | None = None) -> Anchoring:
        return Anchoring([np.ones(N, bool)] * 2, [pairs], params)

    def choice(
        self, params: IntegrateParams, pairs: np.ndarray | None = None, targets: Any = None
    ) -> Choice:
        return chosen_shares(self.sides, targets, self.anchoring(params, pairs))


def test_candidates_are_with_and_without_each_part() -> None:
    assert candidates(PARAMS, rich=True) == [
        Shares(0, 0),
        Shares(0, 0.5),
        Shares(0, 1),
        Shares(0.5, 0),
        Shares(0.5, 0.5),
        Shares(0.5, 1),
    ]
    assert candidates(PARAMS, rich=False) == [Shares(0, 0), Shares(0, 0.5), Shares(0, 1)]
    assert candidates(NO_MAP, rich=True) == [Shares(0, 0), Shares(0.5, 0)]
    assert candidates(IntegrateParams(preset="paper"), rich=True) == [Shares(0, 0)]


def test_where_one_side_varies_by_itself_the_linear_map_is_taken() -> None:
    problem = Planted(private=4)
    found = problem.choice(PARAMS, problem.pairs)
    assert found.shares == Shares(0, 1)
    assert found.agreement[Shares(0, 1)] > found.agreement[Shares(0, 0)] + 0.02


def test_where_anchors_mislead_the_factors_stay_as_they_are() -> None:
    problem = Planted(noise=0.3)
    wrong = np.column_stack([np.arange(N), np.random.default_rng(1).permutation(N)])
    found = problem.choice(PARAMS, wrong)
    assert found.shares == Shares(0, 0)
    assert found.agreement[Shares(0, 0)] > found.agreement[Shares(0, 1)] + 0.05


def test_where_the_transcriptome_tells_it_is_taken() -> None:
    """Noisy features, and a transcriptome that knows what is behind them."""
    problem = Planted(noise=3)
    found = problem.choice(NO_MAP, targets=unit_rows(problem.latent.astype(np.float32)))
    assert found.shares == Shares(0.5, 0)
    assert found.agreement[Shares(0.5, 0)] > found.agreement[Shares(0, 0)]


def test_where_the_transcriptome_says_other_things_it_is_not() -> None:
    problem = Planted(noise=0.3)
    other = np.random.default_rng(2).normal(size=(N, 2)).astype(np.float32)
    found = problem.choice(NO_MAP, targets=unit_rows(other))
    assert found.shares == Shares(0, 0)


def test_agreement_is_that_of_a_space_made_without_the_hidden_features() -> None:
    """Held-out features, folds and neighbours one by one, for the factors alone."""
    problem = Planted()
    params = IntegrateParams(canonical={"share": 0}, choice={"folds": 4, "n_neighbors": 7})
    targets = unit_rows(problem.latent.astype(np.float32))
    found = problem.choice(params, targets=targets)
    order = np.random.default_rng(0).permutation(FEATURES)
    dense = [side.dense() for side in problem.sides]
    scores = np.zeros(FEATURES)
    for fold in range(4):
        hidden = order[fold::4]
        kept = [side.columns(np.sort(np.setdiff1d(order, hidden))) for side in problem.sides]
        space = spaces_of(kept, None, problem.anchoring(params)).factors
        apart = np.linalg.norm(space[1][:, np.newaxis] - space[0][np.newaxis], axis=2)
        to_cells = dense[0][np.argsort(apart, axis=1)[:, :7]].mean(axis=1)
        to_reference = dense[1][np.argsort(apart.T, axis=1)[:, :7]].mean(axis=1)
        for j in hidden:
            both = [(to_cells[:, j], dense[1][:, j]), (to_reference[:, j], dense[0][:, j])]
            scores[j] = np.mean([np.corrcoef(a, b)[0, 1] for a, b in both])
    assert found.agreement[Shares(0, 0)] == pytest.approx(scores.mean(), abs=1e-3)


def test_same_seed_same_choice() -> None:
    problem = Planted(noise=1, private=1)
    params = IntegrateParams(choice={"max_cells": 150})
    once, again = (problem.choice(params) for _ in range(2))
    assert once.agreement == again.agreement
    assert once.shares == again.shares


def test_chosen_cells_keep_their_partners() -> None:
    """Tried on a part of the cells, true pairs still hold: shuffled rows change no outcome."""
    problem = Planted(private=4)
    order = np.random.default_rng(3).permutation(N)
    problem.sides[1] = problem.sides[1].rows(order)
    params = IntegrateParams(choice={"max_cells": 150})
    found = problem.choice(params, np.column_stack([order, np.arange(N)]))
    assert found.shares == Shares(0, 1)
    assert found.agreement[Shares(0, 1)] > found.agreement[Shares(0, 0)] + 0.02


@pytest.mark.parametrize("n_features", [1, LEAST_FEATURES - 1])
def test_few_features_leave_nothing_to_choose_by(n_features: int) -> None:
    problem = Planted()
    problem.sides = [side.columns(np.arange(n_features)) for side in problem.sides]
    found = problem.choice(PARAMS)
    assert (found.shares, found.agreement) == (Shares(0, 1), {})


def test_without_folds_shares_are_taken_as_given() -> None:
    params = IntegrateParams(choice={"folds": 0}, canonical={"share": 0.7})
    found = Planted().choice(params)
    assert (found.shares, found.agreement) == (Shares(0, 0.7), {})


def test_more_of_the_map_is_taken_within_one_standard_error() -> None:
    """Four features: the map loses 0.1 on average with a standard error of 0.1."""
    best = np.array([0.8, 0.6, 0.5, 0.5])
    lost = np.array([0.3, -0.1, 0.3, -0.1])
    assert lost.mean() == pytest.approx(0.1)
    assert lost.std() / 2 == pytest.approx(0.1)
    scores = {Shares(0, 0): best, Shares(0, 1): best - lost, Shares(0.5, 1): best - 0.01}
    for errors, taken in ((0.9, Shares(0, 0)), (1.1, Shares(0, 1))):
        found = _best(scores, ChoiceParams(standard_errors=errors))
        assert found.shares == taken  # of the same share of the transcriptome
        assert found.agreement[Shares(0, 0)] == pytest.approx(0.6)
        assert found.agreement[Shares(0.5, 1)] == pytest.approx(0.59)


def test_progress_is_told_by_the_fold() -> None:
    told: list[tuple[int, str]] = []

    def track(items: Any, desc: str) -> Any:
        for item in items:
            told.append((item, desc))
            yield item

    problem = Planted()
    chosen_shares(problem.sides, None, problem.anchoring(PARAMS), track=track)
    assert told == [(fold, "Choosing by held-out features") for fold in range(5)]
