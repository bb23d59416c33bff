import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer.analysis.clustering import cluster
from napari_gluer.errors import InputError
from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.imputation import impute
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.integration.transfer import transfer_labels
from napari_gluer.io.cells import read_cells, write_cells
from napari_gluer.track import Cancelled

QUICK_PAPER = IntegrateParams(preset="paper", factorize={"max_iter": 30}, network={"max_epochs": 2})
QUICK = IntegrateParams(network={"max_epochs": 15})
QUICK_NMF = IntegrateParams(
    factorize={"rank": 12, "start": "nndsvd", "update": {"kind": "coordinate"}},
    network={"max_epochs": 2},
)
BOTH = pytest.mark.parametrize("params", [QUICK, QUICK_PAPER], ids=["default", "paper"])


@pytest.fixture(scope="module")
def integrated(typed: Any) -> AnnData:
    return integrate(typed.cells, typed.reference, QUICK)


def dense(matrix: Any) -> np.ndarray:
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def types_of(result: AnnData, reference: AnnData) -> np.ndarray:
    return transfer_labels(result, reference, "cell_type")["cell_type_transferred"].to_numpy(str)


@BOTH
def test_result_keeps_the_data_contract(typed: Any, params: IntegrateParams) -> None:
    result = integrate(typed.cells, typed.reference, params, seed=7)
    n, n_reference = typed.cells.n_obs, typed.reference.n_obs
    rank = result.uns["gluer"]["rank"]
    embedding, weights = result.obsm["X_gluer"], result.obsm["gluer_weights"]
    assert embedding.dtype == np.float32
    assert np.isfinite(embedding).all()
    unmapped = result.obsm["X_gluer_unmapped"]
    assert (unmapped.shape, unmapped.dtype) == ((n, rank), np.float32)
    assert rank == (20 if params is QUICK_PAPER else 24)
    assert embedding.shape[0] == n
    assert (weights.shape, weights.dtype) == ((n, n_reference), np.float32)
    np.testing.assert_allclose(dense(weights).sum(axis=1), 1, atol=1e-5)
    drawn_on = 20 if params is QUICK_PAPER else 15  # a tenth of the reference
    assert (np.diff(weights.indptr) == drawn_on).all()
    assert (weights.data >= 0).all()
    assert result.obs["gluer_confidence"].between(0, 1).all()
    assert result.obs["gluer_unmatched"].dtype == bool
    assert not result.obs["gluer_unmatched"].any()
    known = result.uns["gluer"]
    assert known["reference_factors"].shape == (n_reference, embedding.shape[1])
    assert known["reference_unmapped"].shape == (n_reference, rank)
    assert list(known["reference_names"]) == list(typed.reference.obs_names)
    assert len(known["reference_fingerprint"]) == 64
    assert IntegrateParams.model_validate_json(known["params"]) == params
    assert known["seed"] == 7
    assert known["kind"] == "intensity"
    links = json.loads(known["links"])
    assert links == {f"Protein{i}": f"GENE{i}" for i in range(24)}
    assert set(json.loads(known["timings"])) >= {"features", "factorisation", "network"}
    assert {"python", "numpy", "torch", "napari-gluer"} <= set(json.loads(known["versions"]))
    assert known["n_anchors"] > 0
    said = f"{n} cells integrated with {n_reference} reference cells over 24 linked features"
    assert known["outcome"].startswith(said)


def test_weights_are_those_of_the_embedding(integrated: AnnData) -> None:
    own, reference = integrated.obsm["X_gluer"], integrated.uns["gluer"]["reference_factors"]
    distance = np.linalg.norm(own[:, np.newaxis] - reference[np.newaxis], axis=2)
    nearest = np.sort(distance, axis=1)[:, :15]  # a tenth of 150 cells
    raw = np.exp(-np.square(distance / np.median(nearest, axis=1, keepdims=True)))
    raw[distance > nearest[:, -1:] + 1e-6] = 0
    truth = raw / raw.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(dense(integrated.obsm["gluer_weights"]), truth, atol=1e-3)


def test_types_and_unmeasured_genes_are_found(typed: Any, integrated: AnnData) -> None:
    assert (types_of(integrated, typed.reference) == typed.types).mean() > 0.95
    unmeasured = [f"GENE{i}" for i in range(24, 40)]
    found = impute(integrated, typed.reference, unmeasured)
    of_reference = typed.reference.obs["cell_type"].to_numpy(str)
    counts = dense(typed.reference.X)[:, 24:]
    logs = np.log1p(counts / dense(typed.reference.X).sum(axis=1, keepdims=True) * 1e4)
    truth = np.array([logs[of_reference == name].mean(axis=0) for name in typed.types])
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.95


def test_paper_finds_the_types_when_it_may_train(typed: Any) -> None:
    params = IntegrateParams(preset="paper", network={"max_epochs": 60, "learning_rate": 1e-3})
    result = integrate(typed.cells, typed.reference, params)
    assert (types_of(result, typed.reference) == typed.types).mean() > 0.8


@BOTH
def test_same_seed_same_result(typed: Any, params: IntegrateParams) -> None:
    once, again, other = (
        integrate(typed.cells, typed.reference, params, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(once.obsm["X_gluer"], again.obsm["X_gluer"])
    np.testing.assert_array_equal(
        dense(once.obsm["gluer_weights"]), dense(again.obsm["gluer_weights"])
    )
    assert not np.allclose(once.obsm["X_gluer"], other.obsm["X_gluer"])


@BOTH
def test_arguments_stay_as_they_were(typed: Any, params: IntegrateParams) -> None:
    cells, reference = typed.cells.copy(), typed.reference.copy()
    integrate(cells, reference, params)
    for now, then in ((cells, typed.cells), (reference, typed.reference)):
        np.testing.assert_array_equal(dense(now.X), dense(then.X))
        pd.testing.assert_frame_equal(now.obs, then.obs)
        pd.testing.assert_frame_equal(now.var, then.var)
        assert not now.obsm
        assert now.uns == then.uns


def test_several_tables_each_get_a_map(typed: Any) -> None:
    parts = [typed.cells[:40].copy(), typed.cells[40:, ::-1].copy()]
    parts[1] = parts[1][:, :-2].copy()
    results = integrate(parts, typed.reference, QUICK)
    assert [len(result) for result in results] == [40, 50]
    names = [list(result.var_names) for result in results]
    assert names == [list(part.var_names) for part in parts]
    links = [json.loads(result.uns["gluer"]["links"]) for result in results]
    assert links[0] == links[1]
    assert set(links[0]) == set(names[1])
    found = np.concatenate([types_of(result, typed.reference) for result in results])
    assert (found == typed.types).mean() > 0.95
    np.testing.assert_array_equal(*(result.uns["gluer"]["reference_factors"] for result in results))


def partners(typed: Any, wanted: np.ndarray) -> np.ndarray:
    """For every cell a reference cell of the wanted type."""
    of_reference = typed.reference.obs["cell_type"].to_numpy(str)
    rng = np.random.default_rng(0)
    rows = [rng.choice(np.flatnonzero(of_reference == name)) for name in wanted]
    return np.column_stack([rows, np.arange(len(wanted))])


@BOTH
def test_given_pairs_are_used_in_place_of_anchors(typed: Any, params: IntegrateParams) -> None:
    swap = {"B cell": "T cell", "T cell": "Myeloid", "Myeloid": "B cell"}
    swapped = np.array([swap[name] for name in typed.types])
    network = {"max_epochs": 150, "learning_rate": 3e-3, "patience": 0}
    given = IntegrateParams.model_validate(
        params.model_dump() | {"network": params.network.model_dump() | network}
    )
    for wanted in (typed.types, swapped):
        pairs = partners(typed, wanted)
        result = integrate(typed.cells, typed.reference, given, pairs=pairs)
        assert (types_of(result, typed.reference) == wanted).mean() > 0.8
        assert result.uns["gluer"]["n_anchors"] == len(pairs)


def test_pairs_by_name_equal_pairs_by_position(typed: Any) -> None:
    pairs = partners(typed, typed.types)
    names = list(
        zip(
            typed.reference.obs_names[pairs[:, 0]],
            typed.cells.obs_names[pairs[:, 1]],
            strict=True,
        )
    )
    one, two = (integrate(typed.cells, typed.reference, QUICK, pairs=p) for p in (pairs, names))
    np.testing.assert_array_equal(one.obsm["X_gluer"], two.obsm["X_gluer"])


def test_pairs_of_several_tables(typed: Any) -> None:
    parts = [typed.cells[:45].copy(), typed.cells[45:].copy()]
    pairs = partners(typed, typed.types)
    each = [pairs[:45], pairs[45:] - [0, 45]]
    listed = integrate(parts, typed.reference, QUICK, pairs=each)
    stacked = integrate(parts, typed.reference, QUICK, pairs=np.stack(each))
    for one, two in zip(listed, stacked, strict=True):
        assert one.uns["gluer"]["n_anchors"] == 45
        np.testing.assert_array_equal(one.obsm["X_gluer"], two.obsm["X_gluer"])
    with pytest.raises(InputError, match="2 tables of cells want as many lists of pairs"):
        integrate(parts, typed.reference, QUICK, pairs=each[:1])


@BOTH
def test_cells_without_signal_are_unmatched(typed: Any, params: IntegrateParams) -> None:
    cells = typed.cells.copy()
    cells.X[[3, 50]] = 0
    result = integrate(cells, typed.reference, params)
    assert list(np.flatnonzero(result.obs["gluer_unmatched"])) == [3, 50]
    assert not result.obs["gluer_confidence"].iloc[[3, 50]].any()
    if params is QUICK:  # after two epochs the paper's network still maps all to one point
        assert (result.obs["gluer_confidence"] > 0).sum() > 60
    np.testing.assert_allclose(dense(result.obsm["gluer_weights"]).sum(axis=1), 1, atol=1e-5)
    assert "2 cells without signal are unmatched" in result.uns["gluer"]["outcome"]


def test_reference_cells_without_signal_are_never_drawn_on(typed: Any) -> None:
    reference = typed.reference.copy()
    counts = dense(reference.X)
    counts[:30, :24] = 0
    reference.X = sparse.csr_matrix(counts)
    result = integrate(typed.cells, reference, QUICK)
    assert not dense(result.obsm["gluer_weights"])[:, :30].any()


def test_no_linked_feature_names_both_sides(typed: Any) -> None:
    cells = typed.cells.copy()
    cells.var["genes"] = ""
    with pytest.raises(InputError, match=r"Protein0, Protein1.*reference has GENE0, GENE1"):
        integrate(cells, typed.reference, QUICK)


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_cells_with_negative_or_nan_values(typed: Any, bad: float) -> None:
    cells = typed.cells.copy()
    cells.X[4, 4] = bad
    with pytest.raises(InputError, match="negative, NaN or infinite"):
        integrate(cells, typed.reference, QUICK)


def test_a_scaled_reference(typed: Any) -> None:
    reference = typed.reference.copy()
    reference.X = dense(reference.X) - 1
    with pytest.raises(InputError, match="no usable expression"):
        integrate(typed.cells, reference, QUICK)


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_cells(typed: Any, n: int) -> None:
    with pytest.raises(InputError, match=f"{n} cells are too few"):
        integrate(typed.cells[:n].copy(), typed.reference, QUICK)


def test_no_table_of_cells(typed: Any) -> None:
    with pytest.raises(InputError):
        integrate([], typed.reference, QUICK)


def test_few_cells_and_features_are_enough(typed: Any) -> None:
    few = typed.cells[:5, :2].copy()
    result = integrate(few, typed.reference[:8].copy(), QUICK)
    assert result.obsm["X_gluer_unmapped"].shape[1] == result.uns["gluer"]["rank"] == 2
    np.testing.assert_allclose(dense(result.obsm["gluer_weights"]).sum(axis=1), 1, atol=1e-5)


def test_cleaned_intensities_work_beside_a_sparse_reference(typed: Any) -> None:
    cells = typed.cells.copy()
    cells.X = cells.X / cells.X.sum(axis=1, keepdims=True)
    cells.uns["gluer"] = {"kind": "intensity", "clean": "{}"}
    for params in (QUICK, QUICK_PAPER, QUICK_NMF):
        result = integrate(cells, typed.reference, params)
        assert np.isfinite(result.obsm["X_gluer"]).all()


def test_cancelled_comes_through(typed: Any) -> None:
    for wanted in ("Joint factorisation", "Training the map", "Weights"):

        def stop(items: Iterable[Any], desc: str, wanted: str = wanted) -> Iterator[Any]:
            if desc == wanted:
                raise Cancelled
            yield from items

        with pytest.raises(Cancelled):
            integrate(typed.cells, typed.reference, QUICK, track=stop)


def test_written_and_read_back_unchanged(typed: Any, integrated: AnnData, tmp_path: Path) -> None:
    write_cells(integrated, tmp_path / "cells.h5ad")
    back = read_cells(tmp_path / "cells.h5ad")
    np.testing.assert_array_equal(dense(back.X), dense(integrated.X))
    pd.testing.assert_frame_equal(back.obs, integrated.obs)
    pd.testing.assert_frame_equal(back.var.astype(str), integrated.var.astype(str))
    np.testing.assert_array_equal(back.obsm["X_gluer"], integrated.obsm["X_gluer"])
    np.testing.assert_array_equal(
        dense(back.obsm["gluer_weights"]), dense(integrated.obsm["gluer_weights"])
    )
    for key, value in integrated.uns["gluer"].items():
        np.testing.assert_array_equal(back.uns["gluer"][key], value)
    np.testing.assert_array_equal(
        impute(back, typed.reference, ["GENE30", "GENE2"]),
        impute(integrated, typed.reference, ["GENE30", "GENE2"]),
    )


def test_a_second_integration_leaves_nothing_of_the_first(typed: Any) -> None:
    first = cluster(integrate(typed.cells, typed.reference, QUICK))
    types = transfer_labels(first, typed.reference, "cell_type")
    first.obs[types.columns] = types
    first.obs["region"] = "mine"
    second = integrate(first, typed.reference, QUICK, seed=1)
    ours = ["gluer_confidence", "gluer_support", "gluer_anchored", "gluer_unmatched"]
    assert list(second.obs) == ["label", "region", *ours]
    assert "cluster_params" not in second.uns["gluer"]
    assert second.uns["gluer"]["seed"] == 1
    assert "cluster" in first.obs
