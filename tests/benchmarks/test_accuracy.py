"""The accuracy benchmark: its measures, its folds, and the files that methods exchange."""

import json
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from benchmarks.accuracy import running
from benchmarks.accuracy.exchange import Clock, Inputs, Outputs, read_names, write_names
from benchmarks.accuracy.measures import rank_correlation, scores, some_pairs, vote
from benchmarks.accuracy.methods.baselines import cosine, joint_svd, standardised, unit_rows
from benchmarks.accuracy.methods.gluer import tables
from benchmarks.accuracy.problems import (
    Problem,
    Truth,
    hidden_features,
    hidden_transcriptomes,
    make,
)
from benchmarks.accuracy.registry import METHODS, Method
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

GENES = [f"Gene{i}" for i in range(12)]


def paired_tables(n: int = 60, seed: int = 0) -> tuple[ad.AnnData, ad.AnnData]:
    """Counts of the same cells twice; the second has no `Gene10` and `Gene11`."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, n)
    means = rng.uniform(0.5, 8, (3, len(GENES)))[kinds]
    obs = pd.DataFrame({"cell_type": np.array(["a", "b", "c"])[kinds]})
    obs.index = [f"cell{i}" for i in range(n)]
    one, two = (rng.poisson(means).astype(np.float32) + 0.0 for _ in range(2))
    names = pd.DataFrame(index=GENES)
    cells = ad.AnnData(two[:, :10], obs=obs.copy(), var=names.iloc[:10].copy())
    return ad.AnnData(sparse.csr_matrix(one), obs=obs, var=names), cells


def log_normalised(counts: np.ndarray) -> np.ndarray:
    return np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)


@pytest.fixture
def inputs() -> Inputs:
    return Inputs(
        reference=np.array([[0, 1], [2, 3], [4, 5]], np.float32),
        cells=np.asfortranarray([[1, 2], [3, 4]], np.float32),
        features=["CD3", "CD8"],
        genes_of_features=[["CD3D", "CD3E"], ["CD8A"]],
        expression=sparse.csr_matrix(np.array([[0, 2, 4], [1, 0, 0], [6, 8, 0]], np.float32)),
        genes=["CD3D", "CD3E", "CD8A"],
        reference_types=np.array(["T", "", "B cell"]),
        targets=[["CD3D", "CD3E"], ["CD8A"]],
    )


def test_inputs_come_back_as_they_were(inputs: Inputs, tmp_path: Path) -> None:
    inputs.write(tmp_path)
    found = Inputs.read(tmp_path)
    np.testing.assert_array_equal(found.reference, inputs.reference)
    np.testing.assert_array_equal(found.cells, inputs.cells)
    assert (found.expression != inputs.expression).nnz == 0
    assert found.features == inputs.features
    assert found.genes_of_features == inputs.genes_of_features
    assert found.genes == inputs.genes
    assert found.targets == inputs.targets
    assert list(found.reference_types) == list(inputs.reference_types)
    assert not np.load(tmp_path / "cells.npy").flags.f_contiguous  # the reader in R wants rows


def test_targets_are_means_of_their_genes(inputs: Inputs) -> None:
    np.testing.assert_allclose(inputs.target_values(), [[1, 4], [0.5, 0], [7, 0]])


def test_a_name_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line break"):
        write_names(tmp_path / "names.txt", ["good", "b\nad"])
    write_names(tmp_path / "names.txt", ["", "α b", ""])
    assert read_names(tmp_path / "names.txt") == ["", "α b", ""]


def test_outputs_hold_what_there_is(tmp_path: Path) -> None:
    Outputs(types=np.array(["T", ""]), imputed=np.ones((2, 1), np.float32)).write(tmp_path)
    found = Outputs.read(tmp_path)
    assert found.reference is None
    assert found.cells is None
    assert found.types is not None
    assert list(found.types) == ["T", ""]
    np.testing.assert_array_equal(found.imputed, [[1], [1]])


def test_the_clock_tells_times_and_peak(tmp_path: Path) -> None:
    clock = Clock()
    with clock("integration"):
        filled = np.ones(5_000_000)  # 40 MB
    assert filled.sum() == 5_000_000
    clock.write(tmp_path, {"numpy": "1"})
    told = json.loads((tmp_path / "usage.json").read_text())
    assert 0 < told["seconds"]["integration"] < 60
    assert told["peak_mb"] > 40


def test_vote_takes_the_most_frequent_and_the_first_of_equals() -> None:
    types = np.array([["b", "b", "a"], ["c", "b", "a"], ["c", "c", "c"]])
    assert list(vote(types)) == ["b", "a", "c"]


@given(st.integers(0, 1000))
def test_rank_correlation_is_spearmans(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = (rng.integers(0, 5, (30, 4)).astype(float) for _ in range(2))
    expected = [spearmanr(a, b).statistic for a, b in zip(one.T, two.T, strict=True)]
    assert rank_correlation(one, two) == pytest.approx(np.mean(expected))


def test_a_constant_prediction_counts_as_no_correlation() -> None:
    true = np.arange(10.0)[:, None].repeat(2, axis=1)
    imputed = np.column_stack([true[:, 0], np.ones(10)])
    assert rank_correlation(imputed, true) == pytest.approx(0.5)


def test_scores_by_brute_force() -> None:
    rng = np.random.default_rng(0)
    reference, cells = (rng.normal(size=(80, 3)).astype(np.float32) for _ in range(2))
    types = np.array(["a", "b"])[rng.integers(0, 2, 80)]
    values = rng.random((80, 5)).astype(np.float32)
    given_inputs = Inputs(
        reference, cells, ["f"], [["g"]], sparse.csr_matrix(values), list("vwxyz"), types,
        [[gene] for gene in "vwxyz"],
    )  # fmt: skip
    pairs = np.column_stack([np.arange(80)] * 2)
    truth = Truth(types=types[::-1], pairs=pairs, targets=rng.random((80, 5)).astype(np.float32))
    found = scores(given_inputs, truth, Outputs(reference, cells, types, values))
    order = cdist(cells, reference).argsort(axis=1)
    n_a = (types[order[:, :15]] == "a").sum(axis=1)
    assert found["voted_types"] == np.mean(np.where(n_a >= 8, "a", "b") == truth.types)
    assert found["own_types"] == np.mean(types == types[::-1])
    for k in (20, 60):
        imputed = values[order[:, :k]].mean(axis=1)
        assert found[f"genes_{k}"] == pytest.approx(rank_correlation(imputed, truth.targets))
    assert found["genes_own"] == pytest.approx(rank_correlation(values, truth.targets))
    assert {"accuracy", "mixed"} < set(found)


def test_outputs_for_other_cells_or_with_nan_are_refused(inputs: Inputs) -> None:
    bad = np.full((2, 3), np.nan, np.float32)
    with pytest.raises(ValueError, match="NaN"):
        scores(inputs, Truth(), Outputs(np.ones((3, 3), np.float32), bad))
    with pytest.raises(ValueError, match="3 cells"):
        scores(inputs, Truth(), Outputs(np.ones((2, 3), np.float32), bad))


def test_many_pairs_are_sampled_alike_for_all() -> None:
    pairs = np.column_stack([np.arange(9000)] * 2)
    chosen = some_pairs(pairs)
    assert chosen.shape == (3000, 2)
    np.testing.assert_array_equal(chosen, some_pairs(pairs))
    assert len(np.unique(chosen[:, 0])) == 3000


def test_a_problem_holds_the_normalised_linked_features() -> None:
    reference, cells = paired_tables()
    problem = make(reference, cells, Truth())
    assert problem.inputs.features == GENES[:10]
    of_reference = log_normalised(reference.X.toarray())
    np.testing.assert_allclose(problem.inputs.reference, of_reference[:, :10], rtol=1e-5)
    np.testing.assert_allclose(problem.inputs.cells, log_normalised(cells.X), rtol=1e-5)
    np.testing.assert_allclose(problem.inputs.expression.toarray(), of_reference, rtol=1e-5)


def test_our_tables_link_into_the_very_arrays_of_the_problem() -> None:
    problem = make(*paired_tables(), Truth())
    reference, cells = tables(problem.inputs)
    assert list(cells.var_names) == problem.inputs.features
    assert reference.obs["cell_type"].tolist() == problem.inputs.reference_types.tolist()
    wrong = Inputs(**{**vars(problem.inputs), "reference": problem.inputs.reference[::-1]})
    with pytest.raises(AssertionError):
        tables(wrong)


def test_folds_over_genes_hide_every_gene_once_and_leave_no_trace() -> None:
    reference, cells = paired_tables()
    seen: list[str] = []
    for fold in range(5):
        problem = hidden_features(reference, cells, None, (fold, 5))
        hidden = [genes[0] for genes in problem.inputs.targets]
        assert not set(hidden) & set(problem.inputs.features)
        seen += hidden
        left = [name for name in GENES[:10] if name not in hidden]
        # normalised over what is left, else the totals would tell of the hidden genes
        np.testing.assert_allclose(
            problem.inputs.cells, log_normalised(cells[:, left].X), rtol=1e-5
        )
        measured = pd.DataFrame(log_normalised(cells.X), columns=cells.var_names)[hidden]
        np.testing.assert_allclose(problem.truth.targets, measured, rtol=1e-5)
    assert sorted(seen) == sorted(GENES[:10])


def test_folds_over_cells_never_show_the_query_in_the_reference() -> None:
    reference, cells = paired_tables()
    own = log_normalised(reference.X.toarray())
    everything = {tuple(np.round(row, 3)) for row in own}
    assert len(everything) == 60  # rows tell the cells apart
    queried = []
    for fold in range(3):
        problem = hidden_transcriptomes(reference, cells, (fold, 3), n_genes=12)
        shown = {tuple(np.round(row, 3)) for row in problem.inputs.expression.toarray()}
        assert len(shown) == 40
        names = [genes[0] for genes in problem.inputs.targets]
        place = [GENES.index(name) for name in names]
        judged = {tuple(np.round(row, 3)) for row in problem.truth.targets}
        of_query = [i for i, row in enumerate(own) if tuple(np.round(row[place], 3)) in judged]
        assert len(of_query) == 20
        assert not shown & {tuple(np.round(own[i], 3)) for i in of_query}
        np.testing.assert_allclose(
            problem.inputs.cells, log_normalised(cells.X)[of_query], rtol=1e-5
        )
        assert list(problem.truth.types) == reference.obs["cell_type"].iloc[of_query].tolist()
        queried += of_query
    assert sorted(queried) == list(range(60))


def test_baselines_standardise_each_side_and_keep_cosines() -> None:
    inputs = make(*paired_tables(), Truth()).inputs
    found = cosine(inputs, 0, Clock())
    z = (inputs.cells - inputs.cells.mean(0)) / inputs.cells.std(0)
    expected = z / np.linalg.norm(z, axis=1, keepdims=True)
    np.testing.assert_allclose(found.cells, expected, atol=1e-4)
    reduced = joint_svd(inputs, 0, Clock())
    assert reduced.reference.shape == (60, 10)
    # as many singular vectors as features only turn the space
    np.testing.assert_allclose(
        reduced.cells @ reduced.reference.T, found.cells @ found.reference.T, atol=1e-4
    )
    assert not standardised(np.ones((3, 2), np.float32)).any()
    assert not unit_rows(np.zeros((2, 2), np.float32)).any()


def test_a_run_is_kept_and_done_again_when_the_problem_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, cells = paired_tables()
    same = np.column_stack([np.arange(60)] * 2)
    folder = tmp_path / "problem"
    make(reference, cells, Truth(pairs=same)).write(folder)
    monkeypatch.setattr(running, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(running, "problem_folder", lambda _problem, _seed: folder)
    run = running.Run("cosine", "citeseq", 0)
    first = run.done()
    assert not first.error
    assert 0.5 < first.scores["accuracy"] <= 1
    assert first.peak_mb > 10
    kept = (run.folder / "result.json").stat().st_mtime_ns
    assert run.done() == first
    assert (run.folder / "result.json").stat().st_mtime_ns == kept
    make(reference, cells[::-1].copy(), Truth(pairs=same)).write(folder)
    assert run.done().key != first.key


def test_a_method_that_fails_leaves_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "problem"
    problem = make(*paired_tables(), Truth())
    problem.write(folder)
    (folder / "inputs" / "cells.npy").unlink()
    monkeypatch.setattr(running, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(running, "problem_folder", lambda _problem, _seed: folder)
    assert "FileNotFoundError" in running.Run("cosine", "citeseq", 0).done().error
    monkeypatch.setattr("benchmarks.accuracy.registry.ENVIRONMENTS", tmp_path)
    assert "not installed" in running.Run("harmony", "citeseq", 0).done().error


def test_truth_is_kept_apart_from_the_inputs(tmp_path: Path) -> None:
    types, targets = np.array(["a", "b"]), np.ones((2, 1), np.float32)
    problem = make(*paired_tables(), Truth(types, np.zeros((1, 2), np.int64), targets))
    Problem(problem.inputs, problem.truth).write(tmp_path)
    assert {path.name for path in (tmp_path / "truth").iterdir()} == {
        "types.txt", "pairs.npy", "targets.npy"
    }  # fmt: skip
    assert not {"types.txt", "pairs.npy", "targets.npy"} & {
        path.name for path in (tmp_path / "inputs").iterdir()
    }
    found = Truth.read(tmp_path / "truth")
    assert list(found.types) == ["a", "b"]
    np.testing.assert_array_equal(found.targets, targets)


def test_every_method_says_where_it_runs() -> None:
    for method in METHODS.values():
        assert len(method.version()) == 16
        assert method.applies("seqfish")
    assert not METHODS["tangram"].applies("citeseq")


def test_a_method_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "problem"
    make(*paired_tables(), Truth()).write(folder)
    monkeypatch.setattr(running, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(running, "LIMIT_S", 1)
    monkeypatch.setattr(running, "problem_folder", lambda _problem, _seed: folder)
    endless = [sys.executable, "-c", "while True: pass"]
    monkeypatch.setattr(Method, "command", lambda *_: endless)
    assert running.Run("cosine", "citeseq", 0).done().error == running.TOO_LONG
