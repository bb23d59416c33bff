"""Held-out genes: found where types tell them, not promised where nothing does."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.trust.held_out import GRADES, chance_level, graded, validate_genes
from napari_gluer.trust.params import ValidateParams

PARAMS = ng.IntegrateParams(network={"max_epochs": 2}, choice={"folds": 0})
TWO = ValidateParams(folds=2)


def test_every_number_is_that_of_the_values(typed: Any) -> None:
    found = validate_genes(typed.cells, typed.reference, PARAMS, TWO)
    table = found.genes
    assert sorted(table.index) == sorted(typed.cells.var_names)
    assert (np.diff(table["spearman"]) <= 0).all()
    assert list(found.predicted.columns) == list(found.truth.columns) == list(table.index)
    assert list(found.truth.index) == list(typed.cells.obs_names[found.rows])
    totals = typed.cells.X.sum(axis=1, keepdims=True)
    truth = np.log1p(typed.cells.X / totals * 1e4)
    for name, row in table.iterrows():
        place = typed.cells.var_names.get_loc(name)
        np.testing.assert_allclose(found.truth[name], truth[found.rows, place], rtol=1e-4)
        own = spearmanr(found.predicted[name], found.truth[name]).statistic
        np.testing.assert_allclose(row["spearman"], own, atol=1e-6)
        assert row["genes"] == f"GENE{place}"
        assert row["stand_in"] in typed.cells.var_names.drop(name)
    assert table["spearman"].median() > 0.5
    assert found.correlation == pytest.approx(table["spearman"].mean())
    assert found.gap >= 1
    json.dumps(found.to_dict(), allow_nan=False)
    assert f"The best is {table.index[0]}" in found.text


def test_it_repeats_and_changes_nothing(typed: Any) -> None:
    before = typed.cells.copy()
    once, again = (validate_genes(typed.cells, typed.reference, PARAMS, TWO, seed=2) for _ in "ab")
    assert once.to_dict() == again.to_dict()
    np.testing.assert_array_equal(typed.cells.X, before.X)
    assert set(typed.cells.obs) == set(before.obs)


def test_a_feature_of_noise_is_no_better_than_chance(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(3, n_reference=200, n_cells=300)
    cells = typed.cells.copy()
    cells.X[:, 4] = np.random.default_rng(0).permutation(cells.X[:, 4])
    found = validate_genes(cells, typed.reference, PARAMS, TWO)
    assert found.genes.loc["Protein4", "grade"] in {"weak", "no better than chance"}
    assert abs(found.genes.loc["Protein4", "spearman"]) < 0.25
    assert (found.genes["grade"] == "good").sum() > 6


def test_some_features_by_the_names_of_their_genes(typed: Any) -> None:
    found = validate_genes(typed.cells, typed.reference, PARAMS, TWO, genes=["GENE3", "Protein9"])
    assert {"Protein3", "Protein9"} <= set(found.genes.index)
    with pytest.raises(InputError, match="link nothing: GENE99"):
        validate_genes(typed.cells, typed.reference, PARAMS, TWO, genes=["GENE99"])


def test_a_constant_gene_is_not_judged_and_said(typed: Any) -> None:
    cells = typed.cells.copy()
    cells.uns["gluer"] = {"kind": "log1p"}
    cells.X = np.log1p(cells.X)
    cells.X[:, 6] = 1
    found = validate_genes(cells, typed.reference, PARAMS, TWO)
    assert "Protein6" not in found.genes.index
    assert "Protein6" in found.not_judged
    assert "Not judged: Protein6" in found.text


def test_two_features_are_left_out_one_by_one(typed: Any) -> None:
    cells = typed.cells[:, :3].copy()
    found = validate_genes(cells, typed.reference, PARAMS, ValidateParams())
    assert found.n_folds == 3
    assert np.isfinite(found.genes["spearman"]).all()


def test_a_reference_of_fifty_cells(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(3, n_reference=50)
    found = validate_genes(typed.cells, typed.reference, PARAMS, TWO)
    assert found.n_reference == 50
    assert len(found.genes) >= 20


def test_grades() -> None:
    spearman = np.array([0.9, 0.5, 0.49, 0.3, 0.1, 0.9])
    better = np.array([True, True, True, True, True, False])
    assert graded(spearman, better, ValidateParams()) == [
        "good", "good", "fair", "fair", "weak", GRADES[3],
    ]  # fmt: skip


def test_chance_is_what_unrelated_genes_reach() -> None:
    rng = np.random.default_rng(0)
    reached, related = rng.normal(0, 0.3, (1, 200)), np.linspace(0, 1, 200)[None]
    alike = np.ones((1, 200), bool)
    found = chance_level(reached, related, alike, 500)
    np.testing.assert_allclose(found, np.quantile(reached[0, :50], 0.975))
    quiet = chance_level(np.zeros((1, 200)), related, alike, 500)
    np.testing.assert_allclose(quiet, 1.96 / np.sqrt(499), rtol=1e-3)
