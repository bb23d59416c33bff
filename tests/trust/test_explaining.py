"""Explanations of cells, against sums written out by hand and the stored weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.trust.explaining import Explainer, contributions, explain_cell, integrated_links

QUICK: dict[str, Any] = {"network": {"max_epochs": 3}}


TypedOf = Callable[..., Any]


@pytest.fixture(scope="module")
def integrated(typed: Any) -> tuple[AnnData, AnnData]:
    return ng.integrate(typed.cells, typed.reference, ng.IntegrateParams(**QUICK)), typed.reference


@given(st.integers(0, 2**16), st.integers(1, 6), st.integers(1, 5))
def test_parts_add_up_to_the_cosine(seed: int, n_features: int, n_others: int) -> None:
    rng = np.random.default_rng(seed)
    cell = rng.normal(size=n_features).astype(np.float32)
    others = rng.normal(size=(n_others, n_features)).astype(np.float32)
    cosines = others @ cell / np.linalg.norm(cell) / np.linalg.norm(others, axis=1)
    np.testing.assert_allclose(contributions(cell, others).sum(axis=1), cosines, atol=1e-5)


def test_a_cell_of_means_has_no_part_in_anything() -> None:
    assert not contributions(np.zeros(3, np.float32), np.ones((2, 3), np.float32)).any()


def z_scores(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean(axis=0)) / values.std(axis=0))


def test_neighbours_weights_and_features_are_those_of_the_integration(
    integrated: tuple[AnnData, AnnData],
) -> None:
    cells, reference = integrated
    row, label = 17, int(cells.obs["label"].iloc[17])
    found = explain_cell(cells, reference, label, column="cell_type")
    weights = cells.obsm["gluer_weights"][row].toarray().ravel()
    assert found.label == label
    assert found.name == str(label)
    near = reference.obs_names.get_indexer(found.neighbours.index)
    np.testing.assert_array_equal(found.neighbours["weight"], weights[near])
    assert set(near) == set(np.flatnonzero(weights))
    assert (np.diff(found.neighbours["weight"]) <= 0).all()
    factors = cells.uns["gluer"]["reference_factors"]
    apart = np.linalg.norm(factors[near] - cells.obsm["X_gluer"][row], axis=1)
    np.testing.assert_allclose(found.neighbours["distance"], apart, atol=1e-6)
    assert list(found.neighbours["cell_type"]) == list(reference.obs["cell_type"].iloc[near])

    totals = cells.X.sum(axis=1, keepdims=True)
    own = z_scores(np.log1p(cells.X / totals * 1e4))[row]
    counts = reference.X.toarray()
    logged = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
    others = z_scores(logged[:, : cells.n_vars])[near]
    by_name = found.features.loc[cells.var_names]
    np.testing.assert_allclose(by_name["cell"], own, atol=1e-3)
    np.testing.assert_allclose(by_name["neighbours"], weights[near] @ others, atol=1e-3)
    cosines = others @ own / np.linalg.norm(own) / np.linalg.norm(others, axis=1)
    np.testing.assert_allclose(found.neighbours["likeness"], cosines, atol=1e-3)
    np.testing.assert_allclose(
        found.features["spoke_for"].sum(), weights[near] @ cosines, atol=1e-3
    )
    assert list(by_name["genes"]) == list(cells.var["genes"])


def test_types_are_the_neighbours_weights_and_mostly_right(typed_of: TypedOf) -> None:
    typed = typed_of(3)
    cells = ng.integrate(typed.cells, typed.reference, ng.IntegrateParams(**QUICK))
    explainer = Explainer(cells, typed.reference, "cell_type")
    right = 0
    for label, truth in zip(cells.obs["label"], typed.types, strict=True):
        found = explainer.explain(int(label))
        sums = found.neighbours.groupby("cell_type")["weight"].sum()
        np.testing.assert_allclose(found.types["weight"], sums.loc[found.types.index], atol=1e-6)
        np.testing.assert_allclose(found.types["weight"].sum(), 1, atol=1e-5)
        right += found.types.index[0] == truth
        assert found.text.startswith(
            f"Cell {label} lies among reference cells of {found.types.index[0]}"
        )
    assert right > 0.85 * cells.n_obs


def test_a_feature_turned_round_speaks_against(typed_of: TypedOf) -> None:
    typed = typed_of(1)
    cells = ng.integrate(typed.cells, typed.reference, ng.IntegrateParams(**QUICK))
    label = int(cells.obs["label"].iloc[5])
    before = explain_cell(cells, typed.reference, label).features
    strongest = before.index[0]
    column = cells.var_names.get_loc(strongest)
    other = cells[:, strongest].X.max() if before["cell"].iloc[0] < 0 else 0
    cells.X[5, column] = other
    after = explain_cell(cells, typed.reference, label)
    assert after.features.loc[strongest, "spoke_for"] < 0 < before["spoke_for"].iloc[0]
    assert after.features.index[-1] == strongest
    assert f"against them {strongest}" in after.text


def test_the_row_does_not_matter_only_the_label(integrated: tuple[AnnData, AnnData]) -> None:
    cells, reference = integrated
    label = int(cells.obs["label"].iloc[3])
    turned = cells[::-1].copy()
    here, there = (explain_cell(table, reference, label) for table in (cells, turned))
    assert list(here.neighbours.index) == list(there.neighbours.index)
    np.testing.assert_allclose(here.features["spoke_for"], there.features["spoke_for"], atol=1e-5)
    assert here.types.empty


def test_an_unmatched_cell_is_said_to_be_so(integrated: tuple[AnnData, AnnData]) -> None:
    cells, reference = integrated[0].copy(), integrated[1]
    cells.obs["gluer_unmatched"] = True
    label = int(cells.obs["label"].iloc[0])
    assert "is unmatched" in explain_cell(cells, reference, label, column="cell_type").text


def test_batches_are_those_of_the_integration(typed_of: TypedOf) -> None:
    typed = typed_of(2)
    reference = typed.reference.copy()
    reference.obs["donor"] = np.where(np.arange(reference.n_obs) % 2, "a", "b")
    params = ng.IntegrateParams(**QUICK, reference_batch="donor")
    cells = ng.integrate(typed.cells, reference, params)
    found = explain_cell(cells, reference, int(cells.obs["label"].iloc[0]))
    counts = reference.X.toarray()
    logged = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)[:, : cells.n_vars]
    scores = np.empty_like(logged)
    for donor in "ab":
        rows = (reference.obs["donor"] == donor).to_numpy()
        scores[rows] = z_scores(logged[rows])
    near = reference.obs_names.get_indexer(found.neighbours.index)
    mean = found.neighbours["weight"].to_numpy() @ scores[near]
    np.testing.assert_allclose(found.features.loc[cells.var_names, "neighbours"], mean, atol=1e-3)


def test_what_cannot_be_explained_is_refused(
    typed: Any, integrated: tuple[AnnData, AnnData]
) -> None:
    cells, reference = integrated
    with pytest.raises(
        InputError, match=r"No cell has the label 5; the 90 cells have .* 11 to 100"
    ):
        explain_cell(cells, reference, 5)
    with pytest.raises(InputError, match="no obs\\['kind'\\]"):
        explain_cell(cells, reference, 11, column="kind")
    with pytest.raises(InputError, match="Integrate the cells first"):
        explain_cell(typed.cells, reference, 11)
    with pytest.raises(InputError, match="reference"):
        explain_cell(cells, reference[::-1].copy(), 11)


def test_links_that_changed_are_refused(integrated: tuple[AnnData, AnnData]) -> None:
    cells, reference = integrated[0].copy(), integrated[1]
    assert list(integrated_links(cells, reference).index) == list(cells.var_names)
    cells.var["genes"] = cells.var["genes"].replace("GENE3", "GENE30")
    with pytest.raises(InputError, match="Links changed since the integration: Protein3"):
        integrated_links(cells, reference)
