import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.stats import spearmanr

from napari_gluer.analysis.trajectory import TrajectoryParams, pseudotime_of, trajectory
from napari_gluer.errors import InputError
from napari_gluer.io.cells import write_cells
from napari_gluer.io.h5ad import read_h5ad

PARAMS = TrajectoryParams(root_rule="extreme")


def path(n: int = 400, seed: int = 0) -> tuple[AnnData, np.ndarray]:
    """Cells along a bent path, in random order, and their true places on it."""
    rng = np.random.default_rng(seed)
    place = rng.random(n)
    bend = np.column_stack([place * 12, 3 * np.sin(3 * place), 3 * np.cos(3 * place)])
    points = np.column_stack([bend, np.zeros((n, 3))]) + 0.3 * rng.normal(size=(n, 6))
    return table(points, (place * 4).astype(int).astype(str)), place


def table(points: np.ndarray, groups: np.ndarray) -> AnnData:
    cells = AnnData(np.zeros((len(points), 1), np.float32))
    cells.obs["label"] = np.arange(len(points)) + 100
    cells.obs_names = [f"c{i}" for i in range(len(points))]
    cells.obs["cluster"] = pd.Categorical(groups)
    cells.obsm["X_gluer"] = points.astype(np.float32)
    return cells


def two_islands() -> tuple[AnnData, np.ndarray]:
    """Two paths far from each other, and which cells are on the second."""
    cells, _ = path(240)
    apart = np.arange(240) % 3 == 0
    cells.obsm["X_gluer"] = cells.obsm["X_gluer"] + 1000 * apart[:, None].astype(np.float32)
    return cells, apart


def test_the_order_along_a_path_is_found() -> None:
    cells, place = path()
    found = trajectory(cells, ("cluster", "0"), params=PARAMS).obs["pseudotime"]
    assert found.dtype == np.float32
    assert (found.min(), found.max()) == (0, 1)
    assert spearmanr(place, found)[0] > 0.98
    backwards = trajectory(cells, ("cluster", "3"), params=PARAMS).obs["pseudotime"]
    assert spearmanr(place, backwards)[0] < -0.98


def test_branches_rise_from_where_they_part() -> None:
    rng = np.random.default_rng(0)
    place, branch = rng.random(600), rng.integers(0, 2, 600)
    side = np.maximum(place - 0.4, 0) * 12 * np.where(branch == 0, 1, -1)
    points = np.column_stack([place * 10, side, np.zeros((600, 3))])
    groups = np.where(place < 0.4, "stem", np.where(branch == 0, "left", "right"))
    cells = table(points + 0.25 * rng.normal(size=(600, 5)), groups)
    result = trajectory(cells, ("cluster", "stem"), params=PARAMS)
    times = result.obs["pseudotime"]
    for one in (0, 1):
        own = branch == one
        assert spearmanr(place[own], times[own])[0] > 0.95
    links = result.uns["paga"]["connectivities"].toarray()
    assert list(result.obs["cluster"].cat.categories) == ["left", "right", "stem"]
    assert min(links[2, 0], links[2, 1]) > links[0, 1]  # left and right touch at the fork
    assert result.uns["paga"]["groups"] == "cluster"


def test_it_is_what_scanpy_gives_by_hand() -> None:
    sc = pytest.importorskip("scanpy")
    cells, _ = path(150)
    found = trajectory(cells, "c7", seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sc.pp.neighbors(cells, 15, use_rep="X_gluer", random_state=3)
        sc.tl.diffmap(cells, random_state=3)
        cells.uns["iroot"] = 7
        sc.tl.dpt(cells)
    np.testing.assert_allclose(found.obs["pseudotime"], cells.obs["dpt_pseudotime"], atol=1e-5)
    assert found.obs["pseudotime"].iloc[7] == 0


@pytest.mark.parametrize("root", ["c7", 107, np.int64(107)])
def test_a_root_by_name_and_by_label(root: str | int) -> None:
    cells, _ = path(60)
    result = trajectory(cells, root)
    assert result.obs["pseudotime"].iloc[7] == 0
    assert result.uns["gluer"]["trajectory"]["root"] == "c7"


def test_central_and_extreme_roots() -> None:
    points = np.zeros((40, 2))
    points[:20, 0] = np.arange(20)
    points[20:, 0] = np.arange(20) + 25
    cells = table(points, np.repeat(["a", "b"], 20))
    wide = TrajectoryParams(n_neighbors=12, root_rule="extreme")
    assert trajectory(cells, ("cluster", "a"), params=wide).obs["pseudotime"].argmin() == 0
    central = TrajectoryParams(n_neighbors=12)
    assert trajectory(cells, ("cluster", "a"), params=central).obs["pseudotime"].argmin() in (9, 10)
    assert trajectory(cells, ("cluster", "b"), params=wide).obs["pseudotime"].argmin() == 39


def test_same_seed_same_times_and_the_argument_stays() -> None:
    cells, _ = path(120)
    once, again = (trajectory(cells, "c0", seed=1) for _ in range(2))
    np.testing.assert_array_equal(once.obs["pseudotime"], again.obs["pseudotime"])
    assert list(cells.obs) == ["label", "cluster"]
    assert not cells.uns


def test_more_cells_than_are_computed_take_the_mean_of_their_neighbours() -> None:
    cells, place = path(500)
    few = TrajectoryParams(root_rule="extreme", max_cells=150)
    result = trajectory(cells, ("cluster", "0"), params=few, seed=2)
    times = result.obs["pseudotime"]
    assert not times.isna().any()
    assert spearmanr(place, times)[0] > 0.97
    known = result.uns["gluer"]["trajectory"]
    assert (known["n_cells"], known["n_drawn"]) == (500, 150)
    assert "computed on 150 of them" in known["outcome"]
    every = trajectory(cells, ("cluster", "0"), params=PARAMS, seed=2).obs["pseudotime"]
    assert spearmanr(times, every)[0] > 0.98


@pytest.mark.parametrize("most", [100, 20_000])
def test_cells_that_cannot_be_reached_have_no_time(most: int) -> None:
    cells, apart = two_islands()
    start = f"c{np.flatnonzero(~apart)[0]}"
    result = trajectory(cells, start, params=TrajectoryParams(max_cells=most))
    np.testing.assert_array_equal(result.obs["pseudotime"].isna(), apart)
    assert result.obs["pseudotime"].max() <= 1
    assert "80 cells are not connected with it" in result.uns["gluer"]["trajectory"]["outcome"]


def test_unmatched_cells_have_no_say() -> None:
    cells, _ = path(150)
    alone = trajectory(cells[:120].copy(), "c3")
    cells.obs["gluer_unmatched"] = np.arange(150) >= 120
    cells.obsm["X_gluer"][120:] = 0
    found = trajectory(cells, "c3")
    assert found.obs["pseudotime"][120:].isna().all()
    np.testing.assert_array_equal(found.obs["pseudotime"][:120], alone.obs["pseudotime"])
    with pytest.raises(InputError, match="c140', is unmatched"):
        trajectory(cells, "c140")


def test_ten_cells_and_no_groups() -> None:
    cells, _ = path(10)
    del cells.obs["cluster"]
    result = trajectory(cells, "c0", params=TrajectoryParams(groups=""))
    assert result.obs["pseudotime"].between(0, 1).all()
    assert "paga" not in result.uns


def test_one_group_alone_is_connected_with_nothing() -> None:
    cells, _ = path(40)
    cells.obs["cluster"] = "1"
    result = trajectory(cells, "c0")
    assert result.uns["paga"]["connectivities"].toarray().tolist() == [[0]]


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("c999", "cell 'c999', is not in the table"),
        (7, "label 7, is not in the table"),
        (("cluster", "9"), r"No cell of group '9' in obs\['cluster'\] \(it has 0, 1, 2, 3\)"),
        (("type", "9"), r"no obs\['type'\]"),
    ],
)
def test_roots_that_are_not_there(root: object, words: str) -> None:
    cells, _ = path(40)
    with pytest.raises(InputError, match=words):
        trajectory(cells, root)  # type: ignore[arg-type]


def test_a_label_of_two_sections_is_no_root() -> None:
    cells, _ = path(40)
    cells.obs["label"] = np.arange(40) % 20
    with pytest.raises(InputError, match="label 5, is there 2 times"):
        trajectory(cells, 5)


def test_what_has_no_trajectory() -> None:
    cells, _ = path(40)
    with pytest.raises(InputError, match="4 cells are too few"):
        trajectory(cells[:4].copy(), "c0")
    bare = cells.copy()
    del bare.obs["cluster"]
    with pytest.raises(InputError, match=r"no obs\['cluster'\]"):
        trajectory(bare, "c0")
    with pytest.raises(InputError, match=r"ng\.integrate\(cells, reference\)"):
        trajectory(AnnData(np.zeros((9, 1), np.float32)), "0")
    far = cells.copy()
    far.obsm["X_gluer"][:4] += 1000
    with pytest.raises(InputError, match="connected with 3 other cells only"):
        trajectory(far, "c0", params=TrajectoryParams(n_neighbors=3))


def joint_of(cells: AnnData) -> AnnData:
    """A joint table: twenty reference cells, then the cells in another order."""
    rng = np.random.default_rng(9)
    order = rng.permutation(cells.n_obs)
    rows = np.r_[rng.integers(0, cells.n_obs, 20), order]
    joint = table(cells.obsm["X_gluer"][rows], np.full(len(rows), "1"))
    joint.obs["label"] = np.r_[np.full(20, np.nan), cells.obs["label"].to_numpy()[order]]
    joint.obs["source"] = pd.Categorical(["reference"] * 20 + ["cells"] * cells.n_obs)
    joint.obs_names = [f"reference_{i}" for i in range(20)] + [
        f"cell_{name}" for name in cells.obs_names[order]
    ]
    return joint


def test_times_come_back_to_the_cells_by_name(tmp_path: Path) -> None:
    cells, _ = path(200)
    joint = trajectory(joint_of(cells), "cell_c3")
    write_cells(joint, tmp_path / "joint.h5ad")
    joint = read_h5ad(tmp_path / "joint.h5ad")
    times = pseudotime_of(cells, joint)
    assert list(times.index) == list(cells.obs_names)
    assert times.dtype == np.float32
    for name in ("c0", "c57", "c199"):
        assert times[name] == joint.obs.loc[f"cell_{name}", "pseudotime"]
    assert times["c3"] == 0
    assert joint.uns["gluer"]["trajectory"]["n_cells"] == 220


def test_other_cells_are_refused() -> None:
    cells, _ = path(60)
    joint = joint_of(cells)
    with pytest.raises(InputError, match=r"ng\.trajectory on it first"):
        pseudotime_of(cells, joint)
    joint = trajectory(joint, "cell_c3")
    with pytest.raises(InputError, match="has 60 cells and they are not these 59"):
        pseudotime_of(cells[:59].copy(), joint)
    renamed = cells.copy()
    renamed.obs_names = [f"d{i}" for i in range(60)]
    with pytest.raises(InputError, match="they are not these 60"):
        pseudotime_of(renamed, joint)
    relabelled = cells.copy()
    relabelled.obs["label"] = relabelled.obs["label"].to_numpy()[::-1]
    with pytest.raises(InputError, match="other labels"):
        pseudotime_of(relabelled, joint)
    with pytest.raises(InputError, match="called 'left'"):
        pseudotime_of(cells, joint, "left")
