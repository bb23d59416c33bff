import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from napari_gluer import slots
from napari_gluer.analysis.clustering import ClusterParams, cluster, leiden
from napari_gluer.errors import InputError

SIZES = (90, 60, 35, 20)
LOW = ClusterParams(resolution=0.3)


def blobs(seed: int = 0, apart: float = 20) -> tuple[np.ndarray, np.ndarray]:
    """Points and which of four blobs, of unequal sizes and in random order, each is in."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat(np.arange(4), SIZES))
    centres = apart * np.eye(5)[:4]
    return (centres[truth] + rng.normal(size=(len(truth), 5))).astype(np.float32), truth


def table(points: np.ndarray) -> AnnData:
    cells = AnnData(np.ones((len(points), 1), np.float32))
    cells.obsm["X_gluer"] = points
    return cells


@pytest.mark.parametrize("seed", range(3))
def test_separate_blobs_are_found_exactly(seed: int) -> None:
    points, truth = blobs(seed)
    found = cluster(table(points), LOW, seed=seed).obs["cluster"]
    assert adjusted_rand_score(truth, found) == 1
    assert found.value_counts()[list("1234")].to_list() == list(SIZES)
    np.testing.assert_array_equal(found.to_numpy(str), np.array(list("1234"))[truth])


@pytest.mark.parametrize("seed", range(3))
def test_no_cluster_spans_two_blobs_at_the_usual_resolution(seed: int) -> None:
    points, truth = blobs(seed)
    found = leiden(points, ClusterParams(), seed=seed)
    assert all(len(set(truth[found == number])) == 1 for number in set(found))
    assert adjusted_rand_score(truth, found) > 0.5


def test_touching_blobs_are_mostly_found() -> None:
    points, truth = blobs(0, apart=4)
    assert adjusted_rand_score(truth, leiden(points, LOW, seed=0)) > 0.8


@settings(max_examples=15)
@given(st.integers(0, 2**16), st.integers(0, 60), st.integers(2, 70))
def test_numbers_fall_with_size_and_every_cell_has_one(seed: int, n: int, k: int) -> None:
    points = np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)
    found = leiden(points, ClusterParams(n_neighbors=k), seed=0)
    assert found.shape == (n,)
    sizes = np.bincount(found)
    assert (sizes > 0).all()
    assert (np.diff(sizes) <= 0).all()


def test_higher_resolution_gives_more_clusters() -> None:
    points, _ = blobs()
    few, many = (leiden(points, ClusterParams(resolution=r), seed=0) for r in (0.1, 5))
    assert many.max() > few.max()


def test_names_are_ordered_categories_and_the_argument_stays() -> None:
    points, _ = blobs()
    cells = table(points)
    result = cluster(cells, LOW, seed=5)
    assert list(result.obs["cluster"].cat.categories) == list("1234")
    assert "cluster" not in cells.obs
    assert cells.uns == {}
    known = result.uns["gluer"]
    assert ClusterParams.model_validate_json(known["cluster_params"]) == LOW
    assert known["cluster_seed"] == 5


def test_names_beyond_nine_are_in_the_order_of_size() -> None:
    points = np.repeat(50 * np.eye(12), np.arange(30, 18, -1), axis=0)
    points += np.random.default_rng(0).normal(size=points.shape) * 0.1
    found = cluster(table(points), LOW).obs["cluster"]
    assert list(found.cat.categories) == [str(i) for i in range(1, 13)]
    assert found.value_counts(sort=False).to_list() == list(range(30, 18, -1))


def test_unmatched_cells_are_missing_and_have_no_say() -> None:
    points, truth = blobs()
    unmatched = np.arange(len(points) + 40) % 6 == 2
    everyone = np.zeros((len(unmatched), 5), np.float32)
    everyone[~unmatched] = points[: (~unmatched).sum()]
    cells = table(everyone)
    cells.obs["gluer_unmatched"] = unmatched
    found = cluster(cells, LOW).obs["cluster"]
    assert found[unmatched].isna().all()
    assert adjusted_rand_score(truth[: (~unmatched).sum()], found[~unmatched]) == 1
    assert not found[~unmatched].isna().any()


def test_nothing_but_unmatched_cells() -> None:
    cells = table(np.ones((4, 2), np.float32))
    cells.obs["gluer_unmatched"] = True
    found = cluster(cells).obs["cluster"]
    assert found.isna().all()
    assert isinstance(found.dtype, pd.CategoricalDtype)


def test_same_seed_same_clusters() -> None:
    points = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    once, again = (leiden(points, ClusterParams(), seed=3) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_order_of_the_cells_does_not_matter() -> None:
    points, truth = blobs()
    order = np.random.default_rng(1).permutation(len(points))
    found = leiden(points[order], LOW, seed=0)
    np.testing.assert_array_equal(found, truth[order])


def test_cells_that_are_not_integrated() -> None:
    with pytest.raises(InputError, match=r"ng\.integrate\(cells, reference\)"):
        cluster(AnnData(np.ones((3, 2), np.float32)))


def test_clusters_are_found_over_all_sections_and_unmatched_cells_have_none() -> None:
    rng = np.random.default_rng(0)
    tables = []
    for sizes in ((60, 20), (15, 45)):
        groups = np.repeat([0, 1], sizes)
        table = AnnData(obs=pd.DataFrame(index=[f"c{i}" for i in range(len(groups))]))
        table.obsm[slots.EMBEDDING] = rng.normal(20 * groups[:, None], 0.1, (len(groups), 2))
        table.obs[slots.UNMATCHED] = np.arange(len(groups)) == 0
        tables.append(table)
    first, second = cluster(tables, seed=0)
    assert first.obs["cluster"].isna().tolist() == [True] + [False] * 79
    assert list(first.obs["cluster"].cat.categories) == list(second.obs["cluster"].cat.categories)
    groups = [set(one.obs["cluster"].astype(object)[1:]) for one in (first, second)]
    assert groups[0] == groups[1]
    halves = (first.obs["cluster"][1:60], second.obs["cluster"][1:15])
    others = (first.obs["cluster"][60:], second.obs["cluster"][15:])
    names = [{*a.astype(str), *b.astype(str)} for a, b in (halves, others)]
    assert names[0].isdisjoint(names[1])
    assert "cluster_params" in slots.info(second)
    assert slots.CLUSTER not in tables[0].obs


def test_a_table_among_several_gives_what_it_gives_alone() -> None:
    table = AnnData(obs=pd.DataFrame(index=[f"c{i}" for i in range(40)]))
    table.obsm[slots.EMBEDDING] = np.random.default_rng(2).normal(size=(40, 3))
    alone, (among,) = cluster(table, seed=5), cluster([table], seed=5)
    assert alone.obs["cluster"].tolist() == among.obs["cluster"].tolist()


@pytest.mark.parametrize(
    ("key", "value"), [("seed", 2), ("linked_values_sha256", "b"), (slots.FINGERPRINT, "c")]
)
def test_tables_of_different_integrations_are_refused(key: str, value: object) -> None:
    tables = []
    for _ in range(2):
        table = AnnData(obs=pd.DataFrame(index=["a", "b"]), obsm={slots.EMBEDDING: np.eye(2)})
        slots.note(table, seed=1, linked_values_sha256="a", reference_fingerprint="x")
        tables.append(table)
    assert len(cluster(tables)) == 2
    slots.note(tables[1], **{key: value})
    with pytest.raises(InputError, match="Table 2 of 2 was not integrated together"):
        cluster(tables)


def test_no_table_is_refused() -> None:
    with pytest.raises(InputError, match="no table to cluster"):
        cluster([])
