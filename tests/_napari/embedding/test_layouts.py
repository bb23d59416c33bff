"""A layout is found again for the same values, and for no others."""

from pathlib import Path

import anndata
import numpy as np
import pytest
from anndata import AnnData
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.embedding.layouts import key_of, placed, remember, remembered, store
from napari_gluer._napari.embedding.spaces import Placed, sides_of
from napari_gluer.analysis.layouts import Tsne, Umap
from napari_gluer.analysis.sampled_layouts import SampledLayoutParams

PARAMS = SampledLayoutParams(layout=Umap(n_neighbors=7))
PLANE = np.random.default_rng(0).normal(size=(104, 2)).astype(np.float32)


def _remember(layer: Labels, cells: AnnData) -> None:
    sides = sides_of(cells, "after")
    remember(layer, sides, key_of(PARAMS, 0), placed(sides, (PLANE, 104), PARAMS))


def test_a_layout_is_split_into_reference_and_cells(integrated: AnnData) -> None:
    found = placed(sides_of(integrated, "after"), (PLANE, 104), PARAMS)
    np.testing.assert_array_equal(found.reference, PLANE[:40])
    np.testing.assert_array_equal(found.cells, PLANE[40:])
    assert found.axes == ("UMAP 1", "UMAP 2")


def test_it_is_remembered_with_the_layer(masks: Labels, integrated: AnnData) -> None:
    _remember(masks, integrated)
    sides = sides_of(integrated, "after")
    found = remembered(masks, integrated, sides, PARAMS, 0)
    assert found is not None
    np.testing.assert_array_equal(found.cells, PLANE[40:])


@pytest.mark.parametrize(
    ("params", "seed"),
    [
        (PARAMS, 1),
        (SampledLayoutParams(layout=Umap(n_neighbors=8)), 0),
        (SampledLayoutParams(layout=Tsne()), 0),
        (SampledLayoutParams(layout=PARAMS.layout, max_cells=200), 0),
    ],
)
def test_other_parameters_have_no_layout(
    masks: Labels, integrated: AnnData, params: SampledLayoutParams, seed: int
) -> None:
    _remember(masks, integrated)
    assert remembered(masks, integrated, sides_of(integrated, "after"), params, seed) is None


def test_reordered_cells_never_take_each_others_places(masks: Labels, integrated: AnnData) -> None:
    _remember(masks, integrated)
    store(integrated, sides_of(integrated, "after"), _found(integrated), PARAMS, 0)
    turned = integrated[::-1].copy()
    assert remembered(masks, turned, sides_of(turned, "after"), PARAMS, 0) is None


def _found(cells: AnnData) -> Placed:
    return placed(sides_of(cells, "after"), (PLANE, 90), PARAMS)


def test_scanpy_finds_it_and_a_file_keeps_it(
    masks: Labels, integrated: AnnData, tmp_path: Path
) -> None:
    store(integrated, sides_of(integrated, "after"), _found(integrated), PARAMS, 0)
    np.testing.assert_array_equal(integrated.obsm["X_umap"], PLANE[40:])
    integrated.write_h5ad(tmp_path / "cells.h5ad")
    read = anndata.read_h5ad(tmp_path / "cells.h5ad")
    found = remembered(masks, read, sides_of(read, "after"), PARAMS, 0)
    assert found is not None
    assert found.n_laid_out == 90
    np.testing.assert_array_equal(found.reference, PLANE[:40])


def test_somebodys_own_map_stays(integrated: AnnData) -> None:
    integrated.obsm["X_umap"] = own = np.zeros((64, 2))
    store(integrated, sides_of(integrated, "after"), _found(integrated), PARAMS, 0)
    assert integrated.obsm["X_umap"] is own
    assert "layout_umap" not in slots.info(integrated)


def test_ours_goes_with_the_other_results(integrated: AnnData) -> None:
    store(integrated, sides_of(integrated, "after"), _found(integrated), PARAMS, 0)
    integrated.obsm["X_tsne"] = np.zeros((64, 2))
    slots.drop_results(integrated)
    assert list(integrated.obsm) == ["spatial", "X_tsne"]
    assert not any("umap" in key for key in slots.info(integrated))


def test_a_layer_keeps_the_last_few(masks: Labels, integrated: AnnData) -> None:
    sides = sides_of(integrated, "after")
    for seed in range(12):
        remember(masks, sides, key_of(PARAMS, seed), _found(integrated))
    kept = [remembered(masks, integrated, sides, PARAMS, seed) is not None for seed in range(12)]
    assert kept == [False] * 4 + [True] * 8
