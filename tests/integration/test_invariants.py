"""What must not change a result: order of cells, depth, labels, threads; and what is random."""

from typing import Any

import numpy as np
import pytest
import torch
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from threadpoolctl import threadpool_limits

import napari_gluer as ng

QUICK = ng.IntegrateParams(network={"max_epochs": 15})
FEW = settings(max_examples=4, deadline=None)
seeds = st.integers(0, 2**16)


def dense(matrix: Any) -> np.ndarray:
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def types_of(result: AnnData, reference: AnnData) -> np.ndarray:
    return ng.transfer_labels(result, reference, "cell_type").iloc[:, 0].to_numpy(str)


@pytest.fixture(scope="module")
def plain(typed: Any) -> AnnData:
    return ng.integrate(typed.cells, typed.reference, QUICK)


@FEW
@given(seeds)
def test_order_of_the_cells(typed: Any, plain: AnnData, seed: int) -> None:
    """Rows are carried along; the network sees its pairs in another order, hence the tolerance."""
    order = np.random.default_rng(seed).permutation(typed.cells.n_obs)
    found = ng.integrate(typed.cells[order].copy(), typed.reference, QUICK)
    assert list(found.obs_names) == list(typed.cells.obs_names[order])
    own, other = found.obsm["X_gluer_unmapped"], plain.obsm["X_gluer_unmapped"][order]
    # directions that count nearly as much may turn by rounding; likeness of cells may not
    np.testing.assert_allclose(own @ own.T, other @ other.T, atol=1e-4)
    apart = np.linalg.norm(found.obsm["X_gluer"] - plain.obsm["X_gluer"][order], axis=1)
    assert apart.mean() < 0.1  # of vectors of length 1
    genes = [f"GENE{i}" for i in range(24, 40)]
    imputed = [ng.impute(result, typed.reference, genes) for result in (found, plain)]
    assert np.corrcoef(imputed[0].ravel(), imputed[1][order].ravel())[0, 1] > 0.99
    same = types_of(found, typed.reference) == types_of(plain, typed.reference)[order]
    assert same.mean() > 0.97


@FEW
@given(seeds)
def test_order_of_the_reference(typed: Any, plain: AnnData, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(typed.reference.n_obs)
    shuffled = typed.reference[order].copy()
    found = ng.integrate(typed.cells, shuffled, QUICK)
    assert list(found.uns["gluer"]["reference_names"]) == list(shuffled.obs_names)
    own, other = found.obsm["X_gluer_unmapped"], plain.obsm["X_gluer_unmapped"]
    np.testing.assert_allclose(own @ own.T, other @ other.T, atol=1e-4)
    same = types_of(found, shuffled) == types_of(plain, typed.reference)
    assert same.mean() > 0.97


@FEW
@given(seeds, st.booleans())
def test_depth_of_raw_counts(typed: Any, plain: AnnData, seed: int, of_reference: bool) -> None:
    """A cell counted two to nine times as deeply is the same cell."""
    tables = [typed.cells.copy(), typed.reference.copy()]
    deeper = tables[of_reference]
    times = np.random.default_rng(seed).integers(2, 10, (deeper.n_obs, 1))
    deeper.X = sparse.csr_matrix(dense(deeper.X) * times)
    found = ng.integrate(*tables, QUICK)
    np.testing.assert_allclose(found.obsm["X_gluer"], plain.obsm["X_gluer"], atol=5e-3)
    np.testing.assert_array_equal(types_of(found, tables[1]), types_of(plain, typed.reference))


@FEW
@given(seeds)
def test_labels_are_never_looked_at(typed: Any, plain: AnnData, seed: int) -> None:
    reference = typed.reference.copy()
    labels = reference.obs["cell_type"].to_numpy(str)
    reference.obs["cell_type"] = np.random.default_rng(seed).permutation(labels)
    found = ng.integrate(typed.cells, reference, QUICK)
    np.testing.assert_array_equal(found.obsm["X_gluer"], plain.obsm["X_gluer"])
    assert found.uns["gluer"]["chosen"] == plain.uns["gluer"]["chosen"]


@pytest.mark.parametrize("of_cells", [False, True])
@pytest.mark.parametrize("of_reference", [False, True])
def test_stored_sparse_or_dense(
    typed: Any, plain: AnnData, of_cells: bool, of_reference: bool
) -> None:
    """Stored zeros included."""
    tables = [typed.cells.copy(), typed.reference.copy()]
    for table, kept_sparse in zip(tables, (of_cells, of_reference), strict=True):
        values = dense(table.X)
        stored = sparse.csr_matrix(np.ones_like(values))
        stored.data = values.ravel().copy()
        table.X = stored if kept_sparse else values
    found = ng.integrate(*tables, QUICK)
    np.testing.assert_allclose(found.obsm["X_gluer"], plain.obsm["X_gluer"], atol=1e-3)


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_number_of_threads(typed: Any, preset: str) -> None:
    """To 1e-4, whatever sums are added up in which order."""
    params = ng.IntegrateParams(
        preset=preset,
        network={"max_epochs": 5},
        **({"factorize": {"max_iter": 30}} if preset == "paper" else {}),
    )
    before, results = torch.get_num_threads(), []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        try:
            with threadpool_limits(n_threads):
                results.append(ng.integrate(typed.cells, typed.reference, params))
        finally:
            torch.set_num_threads(before)
    one, two = results
    np.testing.assert_allclose(one.obsm["X_gluer"], two.obsm["X_gluer"], atol=1e-4)
    np.testing.assert_allclose(
        dense(one.obsm["gluer_weights"]), dense(two.obsm["gluer_weights"]), atol=1e-4
    )
    np.testing.assert_allclose(one.obs["gluer_confidence"], two.obs["gluer_confidence"], atol=0.01)


@pytest.mark.parametrize("seed", [0, 5])
def test_same_seed_twice_is_the_same_to_the_last_bit(typed: Any, seed: int) -> None:
    once, again = (ng.integrate(typed.cells, typed.reference, QUICK, seed=seed) for _ in range(2))
    for key in once.obsm:
        np.testing.assert_array_equal(dense(once.obsm[key]), dense(again.obsm[key]))
    assert once.obs.equals(again.obs)
    for key in ("reference_factors", "reference_unmapped"):
        np.testing.assert_array_equal(once.uns["gluer"][key], again.uns["gluer"][key])
    assert once.uns["gluer"]["chosen"] == again.uns["gluer"]["chosen"]


def test_random_state_of_others_is_left_alone(typed: Any) -> None:
    numpys, torchs = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 - of others
    ng.integrate(typed.cells, typed.reference, QUICK)
    now = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(now[1], numpys[1])
    assert now[2] == numpys[2]
    assert torch.equal(torch.get_rng_state(), torchs)


def test_one_table_is_several_tables_of_one(typed: Any, plain: AnnData) -> None:
    (listed,) = ng.integrate([typed.cells], typed.reference, QUICK)
    np.testing.assert_array_equal(listed.obsm["X_gluer"], plain.obsm["X_gluer"])


def test_several_tables_each_know_their_unmatched(typed: Any) -> None:
    parts = [typed.cells[:40].copy(), typed.cells[40:].copy()]
    parts[0].X[[2, 39]] = 0
    parts[1].X[7] = 0
    results = ng.integrate(parts, typed.reference, QUICK)
    unmatched = [list(np.flatnonzero(result.obs["gluer_unmatched"])) for result in results]
    assert unmatched == [[2, 39], [7]]
    said = [result.uns["gluer"]["outcome"] for result in results]
    assert "2 cells without signal are unmatched" in said[0]
    assert "1 cell without signal is unmatched" in said[1]
    right = [types_of(result, typed.reference) for result in results]
    kept = ~np.isin(np.arange(90), [2, 39, 47])
    assert (np.concatenate(right)[kept] == typed.types[kept]).mean() > 0.95
