"""Features held out: nothing of them is left in what predicts them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.integration.linking import reference_features
from napari_gluer.trust import folds
from napari_gluer.trust.folds import folds_of, predicted_fold, trial_of
from napari_gluer.trust.params import ValidateParams

PARAMS = ng.IntegrateParams(network={"max_epochs": 2}, choice={"folds": 0})


def links(**genes: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({"genes": list(genes.values())}, index=list(genes))


@pytest.mark.parametrize(("n", "asked", "number"), [(2, 5, 2), (4, 2, 4), (5, 3, 3), (24, 5, 5)])
def test_every_feature_is_in_one_fold(n: int, asked: int, number: int) -> None:
    table = links(**{f"P{i}": (f"G{i}",) for i in range(n)})
    found = folds_of(table, asked, seed=3)
    assert len(found) == number
    assert sorted(name for fold in found for name in fold) == sorted(table.index)
    sizes = [len(fold) for fold in found]
    assert max(sizes) - min(sizes) <= 1
    assert found == folds_of(table, asked, seed=3)


def test_features_of_one_gene_stay_together() -> None:
    table = links(a=("X",), b=("X", "Y"), c=("Y",), d=("Z",), e=("W",), f=("V",), g=("U",))
    for seed in range(5):
        own = next(fold for fold in folds_of(table, 3, seed) if "a" in fold)
        assert {"a", "b", "c"} <= set(own)


def test_where_nothing_would_be_left_it_is_refused() -> None:
    with pytest.raises(InputError, match="Only a links cells and reference"):
        folds_of(links(a=("X",)), 5, 0)
    with pytest.raises(InputError, match=r"Only a, b link .* and they stand for one gene"):
        folds_of(links(a=("X",), b=("X",)), 5, 0)


def test_a_trial_draws_cells_with_signal(typed: Any) -> None:
    cells = typed.cells.copy()
    cells.X[[3, 8]] = 0
    few = ValidateParams(max_cells=40, max_reference=70)
    trial = trial_of(cells, typed.reference, PARAMS, few, seed=1)
    assert trial.cells.n_obs == len(trial.rows) == 40
    assert not {3, 8} & set(trial.rows.tolist())
    assert list(trial.cells.obs_names) == list(cells.obs_names[trial.rows])
    assert trial.reference.n_obs == 70
    assert trial.measured.shape == (40, 24)
    totals = cells.X.sum(axis=1, keepdims=True)[trial.rows]
    truth = np.log1p(cells.X[trial.rows] / totals * 1e4)
    np.testing.assert_allclose(trial.measured, truth, rtol=1e-5)


def test_ten_cells_are_too_few(typed: Any) -> None:
    with pytest.raises(InputError, match="10 cells with signal are too few to validate genes on"):
        trial_of(typed.cells[:10].copy(), typed.reference, PARAMS, ValidateParams(), 0)


def test_hidden_features_have_no_part(typed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is predicted is the same whatever was measured of the hidden features."""
    seen: list[list[str]] = []
    true_integrate = folds.integrate

    def watched(cells: Any, *rest: Any, **more: Any) -> Any:
        seen.append(list(cells.var_names))
        return true_integrate(cells, *rest, **more)

    monkeypatch.setattr(folds, "integrate", watched)
    hidden = ["Protein2", "Protein7"]
    trial = trial_of(typed.cells, typed.reference, PARAMS, ValidateParams(), 0)
    once = predicted_fold(trial, hidden, PARAMS, others=["GENE30"])
    other = typed.cells.copy()
    other.X[:, [2, 7]] = np.random.default_rng(0).permutation(other.X[:, [2, 7]])
    changed = trial_of(other, typed.reference, PARAMS, ValidateParams(), 0)
    again = predicted_fold(changed, hidden, PARAMS, others=["GENE30"])
    assert all(not set(hidden) & set(names) for names in seen)
    np.testing.assert_array_equal(once.values, again.values)
    assert once.names == hidden
    assert once.values.shape == (90, 2)
    assert once.others.shape == (90, 1)
    assert not set(once.stand_in) & set(hidden)
    assert (np.abs(once.stand_in_correlation) <= 1).all()
    assert (once.within > 0.3).all()


def test_imputed_values_are_weights_times_the_reference(typed: Any) -> None:
    trial = trial_of(typed.cells, typed.reference, PARAMS, ValidateParams(), 0)
    found = predicted_fold(trial, ["Protein5"], PARAMS)
    outside = typed.cells[:, typed.cells.var_names != "Protein5"].copy()
    params = PARAMS.model_copy(
        update={"absence": PARAMS.absence.model_copy(update={"max_cells": 0})}
    )
    cells = ng.integrate(outside, typed.reference, params)
    truth = cells.obsm["gluer_weights"] @ reference_features(trial.expressed, trial.links)
    np.testing.assert_allclose(found.values[:, 0], truth.toarray()[:, 5], atol=1e-5)
