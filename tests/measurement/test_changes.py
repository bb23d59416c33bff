"""Labels edited after they were measured: found by their pixels, and only their rows are new."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.labels import compact
from napari_gluer.measurement.changes import OnlyThese, changed_labels, with_rows_of

_IDS = st.sampled_from([0, 1, 2, 3, 7, 9_000_000_000])
_PICTURES = arrays(np.int64, (5, 6), elements=_IDS)


def _plainly(before: np.ndarray, now: np.ndarray) -> list[int]:
    """Cells that do not have the same pixels, one by one."""
    ids = np.union1d(before, now)
    return [int(i) for i in ids[ids != 0] if not np.array_equal(before == i, now == i)]


@given(before=_PICTURES, now=_PICTURES)
@settings(deadline=None)
def test_labels_with_other_pixels_are_found(before: np.ndarray, now: np.ndarray) -> None:
    assert changed_labels(*compact(before), now).tolist() == _plainly(before, now)


def test_all_are_changed_where_the_shapes_differ() -> None:
    before, now = np.array([[1, 2], [0, 2]]), np.array([[2, 5, 0]], np.uint16)
    assert changed_labels(*compact(before), now).tolist() == [1, 2, 5]


def test_large_labels_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_gluer.measurement.changes._BLOCK", 7)
    rng = np.random.default_rng(0)
    before = rng.integers(0, 4000, (90, 70))
    now = np.where(rng.random(before.shape) < 0.3, rng.integers(0, 4000, before.shape), before)
    found = changed_labels(*compact(before), now)
    assert found.tolist() == _plainly(before, now)
    assert len(found) > 1024


def test_volumes_and_other_types() -> None:
    before = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    now = before.astype(np.float32)
    now[1, 2, 3] = 5
    assert changed_labels(*compact(before), now).tolist() == [5, 23]


@given(labels=_PICTURES, kept=st.lists(_IDS, max_size=3))
@settings(deadline=None)
def test_only_some_labels_are_left(labels: np.ndarray, kept: list[int]) -> None:
    only = OnlyThese(labels, np.array(kept, np.int64))
    expected = np.where(np.isin(labels, kept), labels, 0)
    np.testing.assert_array_equal(np.asarray(only), expected)
    np.testing.assert_array_equal(only[1:3, 2:], expected[1:3, 2:])
    assert (only.shape, only.dtype, only.ndim) == (labels.shape, labels.dtype, 2)


@pytest.fixture
def image() -> MultiplexImage:
    pixels = np.random.default_rng(0).uniform(0, 100, (3, 30, 40)).astype(np.float32)
    return MultiplexImage(pixels, ["DAPI", "CD3", "CD8"], 0.5)


@pytest.fixture
def labels() -> np.ndarray:
    drawn = np.zeros((30, 40), np.int32)
    for i in range(6):
        drawn[2 + 14 * (i // 3) :, 2 + 12 * (i % 3) :][:9, :9] = 5 * (i + 1)
    return drawn


@pytest.fixture
def integrated(image: MultiplexImage, labels: np.ndarray) -> AnnData:
    """Cells with what an integration adds, and with columns of a person's own."""
    cells = ng.measure(image, labels)
    n = cells.n_obs
    cells.obsm[slots.EMBEDDING] = np.arange(2 * n, dtype=np.float32).reshape(n, 2) + 1
    cells.obsm[slots.WEIGHTS] = sparse.identity(n, np.float32, format="csr")
    cells.obsm["X_umap"] = np.ones((n, 2), np.float32)
    cells.obsm["notes"] = pd.DataFrame({"note": ["x"] * n}, index=cells.obs_names)
    cells.obs[slots.CONFIDENCE] = np.linspace(0.1, 0.9, n, dtype=np.float32)
    cells.obs[slots.UNMATCHED] = False
    cells.obs[slots.CLUSTER] = pd.Categorical(["1", "2"] * 3)
    cells.obs["chosen"] = True
    cells.obs["visits"] = 3
    cells.layers["raw"] = cells.X.copy()
    slots.note(cells, seed=7)
    return cells[::-1].copy()  # in an order of its own


def test_edited_cells_get_new_rows_and_others_keep_theirs(
    image: MultiplexImage, labels: np.ndarray, integrated: AnnData
) -> None:
    now = labels.copy()
    now[2:5, 2:11] = 0  # of 5
    now[now == 10] = 0  # gone
    now[now == 20] = 15  # merged
    now[27:, 35:] = 99  # new
    changed = changed_labels(*compact(labels), now)
    assert changed.tolist() == [5, 10, 15, 20, 99]
    every = ng.measure(image, now)
    there = np.intersect1d(changed, now)
    fresh = ng.measure(image, OnlyThese(now, there))
    result = with_rows_of(integrated, fresh, changed)

    assert result.obs["label"].tolist() == [5, 15, 25, 30, 99]
    np.testing.assert_allclose(result.X, every.X, rtol=1e-6)
    for column in ("volume_px", "area_um2", "touches_border"):
        assert result.obs[column].tolist() == every.obs[column].tolist()
    np.testing.assert_allclose(result.obsm["spatial"], every.obsm["spatial"])

    kept = result[np.isin(result.obs["label"], [25, 30])]
    before = integrated[kept.obs_names]
    for key in (slots.EMBEDDING, "X_umap"):
        np.testing.assert_array_equal(kept.obsm[key], before.obsm[key])
    assert (kept.obsm[slots.WEIGHTS] != before.obsm[slots.WEIGHTS]).nnz == 0
    assert kept.obs["cluster"].tolist() == before.obs["cluster"].tolist()
    assert kept.obsm["notes"]["note"].tolist() == ["x", "x"]

    new = result[np.isin(result.obs["label"], changed)]
    assert new.obs[slots.UNMATCHED].all()
    assert new.obs[[slots.CONFIDENCE, slots.CLUSTER, "visits"]].isna().all(axis=None)
    assert not new.obs["chosen"].any()
    assert not new.obsm[slots.EMBEDDING].any()
    assert not new.obsm[slots.WEIGHTS].nnz
    assert np.isnan(new.obsm["X_umap"]).all()
    assert new.obsm["notes"].isna().all(axis=None)
    assert slots.info(result)["seed"] == 7
    assert result.obs[slots.CLUSTER].dtype == "category"
    assert result.obs[slots.UNMATCHED].dtype == bool
    assert result.obsm[slots.WEIGHTS].shape == (5, 6)
    assert integrated.n_obs == 6


def test_nothing_new_where_labels_were_only_erased(integrated: AnnData) -> None:
    result = with_rows_of(integrated, None, np.array([5, 30]))
    assert sorted(result.obs["label"]) == [10, 15, 20, 25]
    with pytest.raises(InputError, match="No cell is left"):
        with_rows_of(integrated, None, np.arange(5, 35, 5))


def test_rows_of_unchanged_cells_are_passed_over(integrated: AnnData) -> None:
    fresh = integrated.copy()
    fresh.X = fresh.X + 100
    result = with_rows_of(integrated, fresh, np.array([15]))
    differs = (result.X != integrated[result.obs_names].X).any(axis=1)
    assert result.obs["label"][differs].tolist() == [15]


def test_another_image_is_refused(integrated: AnnData, labels: np.ndarray) -> None:
    other = ng.measure(MultiplexImage(np.ones((1, 30, 40)), ["CD4"]), labels)
    with pytest.raises(InputError, match="measured in DAPI, CD3, CD8, and this image has CD4"):
        with_rows_of(integrated, other, np.array([15]))


def test_sparse_counts_stay_sparse(integrated: AnnData) -> None:
    counts: Any = integrated.copy()
    counts.X = sparse.csr_matrix(counts.X)
    result = with_rows_of(counts, counts[counts.obs["label"] == 15], np.array([15]))
    assert sparse.issparse(result.X)
    assert (result.X != counts[result.obs_names].X).nnz == 0
