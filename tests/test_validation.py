"""The verdict on a result against hand-made truth and known baselines."""

import numpy as np
import pytest
from anndata import AnnData
from scipy.stats import spearmanr

import napari_gluer as ng
from napari_gluer.validation import COSINE, GLUER, TYPE_MEAN, compare_with_truth, matched_truth

QUICK = ng.IntegrateParams(network={"max_epochs": 3}, weights={"n_neighbors": 5})


def two_types(n_cells: int, seed: int, hidden: bool) -> AnnData:
    rng = np.random.default_rng(seed)
    kind = np.arange(n_cells) % 2
    mean = np.where((np.arange(6) < 3) == (kind[:, None] == 0), 20, 2)
    values = np.column_stack([rng.poisson(mean), rng.poisson(1 + 20 * kind)])
    table = AnnData(np.log1p(values if hidden else values[:, :6]).astype(np.float32))
    table.var_names = [f"G{i}" for i in range(6)] + (["HIDDEN"] if hidden else [])
    table.obs["label"] = np.arange(1, n_cells + 1)
    table.obs_names = [f"{seed}_{i}" for i in range(n_cells)]
    table.obs["cell_type"] = np.where(kind == 0, "first", "second")
    return table


@pytest.fixture(scope="module")
def judged() -> tuple[AnnData, AnnData, AnnData]:
    reference, cells = two_types(100, 1, hidden=True), two_types(60, 2, hidden=False)
    truth = two_types(60, 2, hidden=True)
    return ng.integrate(cells, reference, QUICK), reference, truth


def test_right_types_and_genes_are_counted_by_hand(
    judged: tuple[AnnData, AnnData, AnnData],
) -> None:
    cells, reference, truth = judged
    scores = compare_with_truth(cells, reference, truth)
    types = ng.transfer_labels(cells, reference, "cell_type").iloc[:, 0].astype(str)
    right = (types.to_numpy() == truth.obs["cell_type"].to_numpy()).mean()
    assert scores.loc[GLUER, "right_type"] == pytest.approx(right)
    imputed = ng.impute(cells, reference, "HIDDEN")
    true = np.asarray(truth[:, "HIDDEN"].X).ravel()
    expected = spearmanr(imputed, true).statistic
    assert scores.loc[GLUER, "gene_correlation"] == pytest.approx(expected, abs=1e-6)
    assert (scores["n_genes"] == 1).all()
    assert (scores["n_cells"] == 60).all()


def test_baselines_are_what_they_say(judged: tuple[AnnData, AnnData, AnnData]) -> None:
    cells, reference, truth = judged
    scores = compare_with_truth(cells, reference, truth)
    z = [(np.asarray(t.X)[:, :6]) for t in (cells, reference)]
    z = [(one - one.mean(axis=0)) / one.std(axis=0) for one in z]
    z = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in z]
    near = np.argsort(-z[0] @ z[1].T, axis=1)[:, :5]
    hidden = np.asarray(reference[:, "HIDDEN"].X).ravel()
    true = np.asarray(truth[:, "HIDDEN"].X).ravel()
    expected = spearmanr(hidden[near].mean(axis=1), true).statistic
    assert scores.loc[COSINE, "gene_correlation"] == pytest.approx(expected, abs=1e-3)
    types = ng.transfer_labels(cells, reference, "cell_type").iloc[:, 0].astype(str)
    means = {kind: hidden[reference.obs["cell_type"] == kind].mean() for kind in set(types)}
    expected = spearmanr(types.map(means), true).statistic
    assert scores.loc[TYPE_MEAN, "gene_correlation"] == pytest.approx(expected, abs=1e-6)


def test_an_unmatched_cell_is_not_right(judged: tuple[AnnData, AnnData, AnnData]) -> None:
    cells, reference, truth = judged
    worse = cells.copy()
    worse.obs["gluer_unmatched"] = np.arange(60) < 30
    before, after = (
        compare_with_truth(one, reference, truth).loc[GLUER, "right_type"] for one in (cells, worse)
    )
    assert after == pytest.approx(before - 0.5, abs=0.1)


def test_truth_with_other_cells_is_refused(judged: tuple[AnnData, AnnData, AnnData]) -> None:
    cells, reference, truth = judged
    with pytest.raises(ng.InputError, match="60 cells want as many true cells; there are 59"):
        compare_with_truth(cells, reference, truth[:59])


def test_found_cells_are_joined_with_the_true_cell_they_cover() -> None:
    true = np.zeros((6, 12), int)
    true[:, :3], true[:, 4:7], true[:, 8:11] = 30, 10, 20
    found = np.zeros_like(true)
    found[:4, :3] = 7  # within 30
    found[:, 4:9] = 5  # 18 of its 30 pixels in 10
    found[:, 10:] = 9  # half in 20, half in none
    truth, cells = two_types(3, 1, hidden=True), two_types(3, 2, hidden=False)
    truth.obs["label"], cells.obs["label"] = [10, 20, 30], [9, 5, 7]
    own, partners = matched_truth(cells, found, true, truth)
    assert list(own.obs["label"]) == [9, 5, 7]
    assert list(partners.obs["label"]) == [20, 10, 30]


def test_nothing_in_common_is_an_error() -> None:
    table = two_types(1, 1, hidden=True)
    true, found = np.zeros((4, 4), int), np.zeros((4, 4), int)
    true[0, 0], found[3, 3] = 1, 1
    with pytest.raises(ng.InputError, match="No cell that was found lies in a true cell"):
        matched_truth(table, found, true, table)
