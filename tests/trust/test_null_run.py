"""Null runs: real links beat permuted ones, noise does not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import t

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.trust.folds import trial_of
from napari_gluer.trust.null_run import judged, null_run, permutations, renamed
from napari_gluer.trust.params import ValidateParams

PARAMS = ng.IntegrateParams(network={"max_epochs": 2}, choice={"folds": 0})
TWO = ValidateParams(folds=2)


def test_no_permuted_feature_stays_in_its_place() -> None:
    orders = list(permutations(7, 20, seed=0))
    assert len({tuple(order) for order in orders}) == 20
    for order in orders:
        assert sorted(order) == list(range(7))
        assert not (order == np.arange(7)).any()
    assert len(list(permutations(3, 20, seed=0))) == 2  # there are no more


def test_renamed_features_take_their_values_along(typed: Any) -> None:
    trial = trial_of(typed.cells, typed.reference, PARAMS, TWO, 0)
    order = np.roll(np.arange(24), 1)
    found = renamed(trial, order)
    np.testing.assert_array_equal(found.cells.X, trial.cells.X[:, order])
    np.testing.assert_array_equal(found.measured, trial.measured[:, order])
    np.testing.assert_array_equal(trial.cells.X, typed.cells.X)


def test_types_that_are_there_beat_chance_and_it_repeats(typed: Any) -> None:
    once = null_run(typed.cells, typed.reference, PARAMS, TWO, n=4)
    assert once.verdict == "clearly better than chance"
    assert once.real > 0.5 > once.null.max()
    assert once.n_features == 24
    assert f"({once.real:.2f} against {once.null.mean():.2f}" in once.text
    assert "4 permuted runs" in once.text
    again = null_run(typed.cells, typed.reference, PARAMS, TWO, n=4)
    assert once.to_dict() == again.to_dict()


def test_noise_is_no_better_than_chance(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(5)
    verdicts = []
    for seed in range(3):
        cells = typed.cells.copy()
        rng = np.random.default_rng(seed)
        cells.X = rng.permuted(cells.X, axis=0)  # every feature by itself: no cell has a type
        found = null_run(cells, typed.reference, PARAMS, TWO, n=4)
        assert found.real < 0.15
        assert found.verdict in found.text
        verdicts.append(found.verdict)
    # one in twenty is "probably" better by chance
    assert verdicts.count("no better than chance") >= 2
    assert "clearly better than chance" not in verdicts


def test_bounds_by_hand() -> None:
    null = np.array([0.1, 0.2, 0.0, 0.1])
    scale = null.std(ddof=1) * np.sqrt(1 + 1 / 4)
    truth = [null.mean() + t.ppf(p, 3) * scale for p in (0.95, 0.99)]
    between = (truth[0] + truth[1]) / 2
    assert judged(truth[1] + 0.01, null, 9).verdict == "clearly better than chance"
    assert judged(between, null, 9).verdict == "probably better than chance"
    assert judged(truth[0] - 0.01, null, 9).verdict == "no better than chance"
    np.testing.assert_allclose(judged(0, null, 9).bounds, truth)


def test_to_beat_runs_below_zero_is_no_merit() -> None:
    assert judged(-0.05, np.array([-0.3, -0.31, -0.29]), 9).verdict == "no better than chance"


def test_with_few_runs_nothing_is_told() -> None:
    found = judged(0.9, np.array([0.1, 0.1]), 3)
    assert found.verdict == "cannot be told from chance"
    assert found.to_dict()["bounds"] == [None, None]
    assert "can hardly be permuted" in found.text


def test_bad_numbers(typed: Any) -> None:
    with pytest.raises(InputError, match="at least 1 permuted run; 0 were"):
        null_run(typed.cells, typed.reference, PARAMS, n=0)
    one = typed.cells[:, :1].copy()
    one.uns["gluer"] = {"kind": "log1p"}
    one.X = np.log1p(one.X)
    with pytest.raises(InputError, match="Link at least two features"):
        null_run(one, typed.reference, PARAMS)
