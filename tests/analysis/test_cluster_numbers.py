from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from napari_gluer.analysis.cluster_numbers import ClusterNumberParams, cluster_numbers
from napari_gluer.analysis.clustering import ClusterParams, cluster
from napari_gluer.errors import InputError

FEW = ClusterNumberParams(resolutions=(3.0, 0.3), n_seeds=3)


def blobs(apart: float = 20) -> AnnData:
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.repeat(np.arange(4), (90, 60, 35, 20)))
    cells = AnnData(np.ones((len(truth), 1), np.float32))
    points = apart * np.eye(5)[truth] + rng.normal(size=(len(truth), 5))
    cells.obsm["X_gluer"] = points.astype(np.float32)
    cells.obs["type"] = [f"type {one}" for one in truth]
    return cells


def rand_by_pairs(one: np.ndarray, other: np.ndarray) -> float:
    """Adjusted Rand index from its definition over all pairs of cells."""
    pairs = list(combinations(range(len(one)), 2))
    same_one = np.array([one[i] == one[j] for i, j in pairs])
    same_other = np.array([other[i] == other[j] for i, j in pairs])
    expected = same_one.sum() * same_other.sum() / comb(len(one), 2)
    largest = (same_one.sum() + same_other.sum()) / 2
    return float(((same_one & same_other).sum() - expected) / (largest - expected))


def test_numbers_are_those_of_cluster_and_scikit_learn() -> None:
    cells = blobs(apart=4)
    found = cluster_numbers(cells, "type", params=FEW, seed=5)
    assert found["resolution"].tolist() == [0.3, 3.0]
    for _, row in found.iterrows():
        params = ClusterParams(resolution=row["resolution"])
        own = [cluster(cells, params, seed=s).obs["cluster"].to_numpy(str) for s in (5, 6, 7)]
        truth = cells.obs["type"].to_numpy(str)
        assert row["adjusted_rand"] == pytest.approx(
            np.mean([adjusted_rand_score(truth, one) for one in own])
        )
        assert row["adjusted_rand"] == pytest.approx(
            np.mean([rand_by_pairs(truth, one) for one in own])
        )
        assert row["mutual_information"] == pytest.approx(
            np.mean([normalized_mutual_info_score(truth, one) for one in own])
        )
        counts = [len(set(one)) for one in own]
        assert row["n_clusters"] == np.median(counts)
        assert (row["n_clusters_min"], row["n_clusters_max"]) == (min(counts), max(counts))
        pairs = [adjusted_rand_score(one, other) for one, other in combinations(own, 2)]
        assert row["stability"] == pytest.approx(np.mean(pairs))


def test_the_true_number_fits_best() -> None:
    found = cluster_numbers(blobs(), "type", params=FEW)
    assert found.attrs["best_fit"] == 0.3
    assert found.attrs["most_stable"] == 0.3
    assert found["adjusted_rand"][0] == pytest.approx(1)
    assert found["mutual_information"][0] == pytest.approx(1)
    assert found.attrs["outcome"].startswith(
        "4 known types of 205 of 205 cells are fitted best by 4 clusters (resolution 0.3"
    )


def test_unmatched_cells_and_cells_without_a_type() -> None:
    cells = blobs()
    expected = cluster_numbers(cells, "type", params=FEW)
    more = AnnData(np.ones((225, 1), np.float32))
    more.obsm["X_gluer"] = np.concatenate([cells.obsm["X_gluer"], np.zeros((20, 5), "f4")])
    more.obs["type"] = [*cells.obs["type"], *["type 9"] * 20]
    more.obs["gluer_unmatched"] = np.arange(225) >= 205
    pd.testing.assert_frame_equal(cluster_numbers(more, "type", params=FEW), expected)
    cells.obs.loc[cells.obs_names[:30], "type"] = "unknown"
    found = cluster_numbers(cells, "type", params=FEW)
    assert found.attrs["n_typed"] == 175
    assert found["adjusted_rand"][0] == pytest.approx(1)


def test_the_argument_stays_and_the_same_seed_gives_the_same() -> None:
    cells = blobs(3)
    once, again = (cluster_numbers(cells, "type", params=FEW, seed=2) for _ in range(2))
    pd.testing.assert_frame_equal(once, again)
    assert list(cells.obs) == ["type"]
    assert not cells.uns


def test_ten_cells() -> None:
    cells = blobs()[:10].copy()
    found = cluster_numbers(cells, "type", params=FEW)
    assert np.isfinite(found.to_numpy(float)).all()


def test_what_cannot_be_compared() -> None:
    cells = blobs()
    with pytest.raises(InputError, match=r"no obs\['kind'\]"):
        cluster_numbers(cells, "kind")
    with pytest.raises(InputError, match="4 cells are too few"):
        cluster_numbers(cells[:4].copy(), "type")
    cells.obs["type"] = "same"
    with pytest.raises(InputError, match="1 types"):
        cluster_numbers(cells, "type")
    bare = AnnData(np.ones((9, 1), np.float32))
    bare.obs["type"] = "a"
    with pytest.raises(InputError, match=r"ng\.integrate\(cells, reference\)"):
        cluster_numbers(bare, "type")
