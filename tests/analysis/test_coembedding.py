from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, read_h5ad
from sklearn.metrics import adjusted_rand_score

from napari_gluer.analysis.clustering import ClusterParams
from napari_gluer.analysis.coembedding import CoembedParams, coembed
from napari_gluer.analysis.layouts import Tsne, Umap
from napari_gluer.errors import InputError
from napari_gluer.expression import expression, fingerprint
from napari_gluer.io.cells import write_cells

N_REFERENCE, N_CELLS = 60, 45
PARAMS = CoembedParams(layout=Umap(n_neighbors=10), cluster=ClusterParams(resolution=0.3))


def sides() -> tuple[AnnData, AnnData, np.ndarray]:
    """Cells, reference and the blob of every row, the reference's first."""
    rng = np.random.default_rng(0)
    truth = np.concatenate([rng.permutation(np.arange(n) % 3) for n in (N_REFERENCE, N_CELLS)])
    points = (10 * np.eye(4)[truth] + rng.normal(size=(len(truth), 4))).astype(np.float32)
    reference = AnnData(
        np.ones((N_REFERENCE, 2), np.float32),
        obs=pd.DataFrame(
            {"cell_type": pd.Categorical(truth[:N_REFERENCE].astype(str))},
            index=[str(i) for i in range(N_REFERENCE)],
        ),
    )
    cells = AnnData(np.ones((N_CELLS, 3), np.float32))
    cells.obs["label"] = np.arange(7, 7 + N_CELLS)
    cells.obs["cluster"] = "own"
    cells.obsm["X_gluer"] = points[N_REFERENCE:]
    cells.uns["gluer"] = {
        "reference_factors": points[:N_REFERENCE],
        "reference_names": np.array(reference.obs_names, object),
        "reference_fingerprint": fingerprint(reference, expression(reference)),
    }
    return cells, reference, truth


@pytest.fixture(scope="module")
def joint() -> AnnData:
    cells, reference, _ = sides()
    return coembed(cells, reference, PARAMS, seed=1)


def test_reference_first_then_cells_each_in_its_order(joint: AnnData) -> None:
    cells, reference, _ = sides()
    assert joint.shape == (N_REFERENCE + N_CELLS, 0)
    expected = [*(f"reference_{i}" for i in range(60)), *(f"cell_{i}" for i in range(45))]
    assert list(joint.obs_names) == expected
    assert list(joint.obs["source"]) == ["reference"] * 60 + ["cells"] * 45
    np.testing.assert_array_equal(
        joint.obsm["X_gluer"],
        np.concatenate([cells.uns["gluer"]["reference_factors"], cells.obsm["X_gluer"]]),
    )
    assert list(joint.obs["cell_type"][:60]) == list(reference.obs["cell_type"])
    assert joint.obs["cell_type"][60:].isna().all()
    assert list(joint.obs["label"][60:]) == list(cells.obs["label"])


def test_clusters_are_the_blobs_of_both_sides_together(joint: AnnData) -> None:
    _, _, truth = sides()
    assert adjusted_rand_score(truth, joint.obs["cluster"]) == 1
    assert set(joint.obs["cluster"]) == {"1", "2", "3"}


def test_umap_keeps_the_blobs_apart(joint: AnnData) -> None:
    _, _, truth = sides()
    umap = joint.obsm["X_umap"]
    assert umap.shape == (N_REFERENCE + N_CELLS, 2)
    assert umap.dtype == np.float32
    centres = np.array([umap[truth == blob].mean(axis=0) for blob in range(3)])
    distance = np.linalg.norm(umap[:, np.newaxis] - centres, axis=2)
    np.testing.assert_array_equal(distance.argmin(axis=1), truth)


def test_same_seed_same_map_and_arguments_stay(joint: AnnData) -> None:
    cells, reference, _ = sides()
    again = coembed(cells, reference, PARAMS, seed=1)
    np.testing.assert_array_equal(again.obsm["X_umap"], joint.obsm["X_umap"])
    before, same, _ = sides()
    pd.testing.assert_frame_equal(cells.obs, before.obs)
    pd.testing.assert_frame_equal(reference.obs, same.obs)
    assert list(cells.uns["gluer"]) == list(before.uns["gluer"])
    assert list(cells.obsm) == ["X_gluer"]


def test_a_handful_of_cells_is_enough() -> None:
    cells, reference, _ = sides()
    cells = cells[:6].copy()
    reference = reference[:9].copy()
    for key in ("reference_factors", "reference_names"):
        cells.uns["gluer"][key] = cells.uns["gluer"][key][:9]
    cells.uns["gluer"]["reference_fingerprint"] = fingerprint(reference, expression(reference))
    assert np.isfinite(coembed(cells, reference, PARAMS).obsm["X_umap"]).all()


def test_another_reference_is_refused() -> None:
    cells, reference, _ = sides()
    for other in (reference[::-1].copy(), reference[:-1].copy()):
        with pytest.raises(InputError, match="This is another reference"):
            coembed(cells, other, PARAMS)


def test_cells_that_are_not_integrated() -> None:
    _, reference, _ = sides()
    with pytest.raises(InputError, match=r"ng\.integrate\(cells, reference\)"):
        coembed(AnnData(np.ones((3, 2), np.float32)), reference, PARAMS)


def test_the_joint_table_can_be_written(joint: AnnData, tmp_path: Path) -> None:
    assert joint.obs["gluer_unmatched"].dtype == bool
    write_cells(joint, tmp_path / "joint.h5ad")
    assert list(read_h5ad(tmp_path / "joint.h5ad").obs_names) == list(joint.obs_names)


def test_a_reference_of_other_values_is_refused() -> None:
    cells, reference, _ = sides()
    reference.X[0, 0] = 5
    with pytest.raises(InputError, match="other values"):
        coembed(cells, reference, PARAMS)


def sections() -> tuple[list[AnnData], AnnData, np.ndarray]:
    """The cells as two sections of 20 and 25 cells."""
    cells, reference, truth = sides()
    return [cells[:20].copy(), cells[20:].copy()], reference, truth


def test_several_sections_follow_each_other() -> None:
    tables, reference, truth = sections()
    joint = coembed(tables, reference, PARAMS, seed=1)
    assert list(joint.obs["source"].cat.categories) == ["reference", "cells 1", "cells 2"]
    assert joint.obs["source"].value_counts().to_dict() == {
        "reference": 60,
        "cells 1": 20,
        "cells 2": 25,
    }
    together = coembed(sides()[0], reference, PARAMS, seed=1)
    np.testing.assert_array_equal(joint.obsm["X_gluer"], together.obsm["X_gluer"])
    np.testing.assert_array_equal(joint.obsm["X_umap"], together.obsm["X_umap"])
    assert joint.obs_names.is_unique
    assert adjusted_rand_score(truth, joint.obs["cluster"]) == 1


def test_sections_have_the_names_that_are_given() -> None:
    tables, reference, _ = sections()
    joint = coembed(dict(zip(["left", "right"], tables, strict=True)), reference, PARAMS)
    assert list(joint.obs["source"][60:]) == ["left"] * 20 + ["right"] * 25
    assert joint.obs_names[60] == f"left_{tables[0].obs_names[0]}"
    with pytest.raises(InputError, match="called 'reference'"):
        coembed({"reference": tables[0]}, reference, PARAMS)


def test_sections_of_two_integrations_lie_in_two_spaces() -> None:
    tables, reference, _ = sections()
    tables[1].uns["gluer"]["reference_factors"] = tables[1].uns["gluer"][
        "reference_factors"
    ] + np.float32(1)
    with pytest.raises(InputError, match="'cells 1' and 'cells 2' were not integrated in one call"):
        coembed(tables, reference, PARAMS)
    with pytest.raises(InputError, match="no table of cells"):
        coembed([], reference, PARAMS)


def test_factors_before_the_map_come_along() -> None:
    cells, reference, _ = sides()
    cells.obsm["X_gluer_unmapped"] = cells.obsm["X_gluer"][:, :2]
    cells.uns["gluer"]["reference_unmapped"] = cells.uns["gluer"]["reference_factors"][:, :2] + 1
    joint = coembed(cells, reference, PARAMS)
    np.testing.assert_array_equal(joint.obsm["X_gluer_unmapped"][60:], cells.obsm["X_gluer"][:, :2])
    np.testing.assert_array_equal(
        joint.obsm["X_gluer_unmapped"][:60], cells.uns["gluer"]["reference_factors"][:, :2] + 1
    )


def test_tsne_keeps_the_blobs_apart_and_repeats() -> None:
    cells, reference, truth = sides()
    params = CoembedParams(layout=Tsne(perplexity=12), cluster=PARAMS.cluster)
    joint, again = (coembed(cells, reference, params, seed=2) for _ in range(2))
    placed = joint.obsm["X_tsne"]
    assert "X_umap" not in joint.obsm
    np.testing.assert_array_equal(placed, again.obsm["X_tsne"])
    centres = np.array([placed[truth == blob].mean(axis=0) for blob in range(3)])
    distance = np.linalg.norm(placed[:, np.newaxis] - centres, axis=2)
    np.testing.assert_array_equal(distance.argmin(axis=1), truth)


# scanpy calls what matplotlib will drop
@pytest.mark.filterwarnings("ignore:The set_bad function:PendingDeprecationWarning")
def test_scanpy_plots_it_at_once(joint: AnnData) -> None:
    sc = pytest.importorskip("scanpy")
    figure = sc.pl.embedding(joint, "umap", color="source", show=False, return_fig=True)
    assert len(figure.axes[0].collections[0].get_offsets()) == joint.n_obs


def test_columns_of_true_and_false_that_one_side_lacks_are_written(tmp_path: Path) -> None:
    cells, reference, _ = sides()
    cells.obs["touches_border"] = np.arange(N_CELLS) % 2 == 0
    joined = coembed(cells, reference, PARAMS)
    write_cells(joined, tmp_path / "joint.h5ad")
    found = read_h5ad(tmp_path / "joint.h5ad").obs["touches_border"]
    assert found[:N_REFERENCE].isna().all()
    assert found[N_REFERENCE:].astype(bool).tolist() == cells.obs["touches_border"].tolist()
