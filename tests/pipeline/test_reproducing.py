"""Integrating again from what the result remembers."""

import json
from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData

import napari_gluer as ng
from napari_gluer.pipeline.reproducing import TOLERANCE, reproduce


def table(n_cells: int, seed: int, n_genes: int = 10) -> AnnData:
    rng = np.random.default_rng(seed)
    kind = np.arange(n_cells) % 2
    mean = np.where((np.arange(n_genes) < n_genes // 2) == (kind[:, None] == 0), 20, 2)
    made = AnnData(rng.poisson(mean).astype(np.float32))
    made.var_names = [f"GENE{i}" for i in range(n_genes)]
    made.obs_names = [f"r{i}" for i in range(n_cells)]
    return made


@pytest.fixture(scope="module")
def reference() -> AnnData:
    return table(60, 2)


@pytest.fixture(scope="module")
def cells(reference: AnnData) -> AnnData:
    pairs = [[f"r{i}", f"r{i}"] for i in range(0, 40, 3)]
    return ng.integrate(table(50, 1), reference, seed=7, pairs=pairs)


def test_the_same_result_comes_out_again(
    cells: AnnData, reference: AnnData, tmp_path: Path
) -> None:
    ng.write_cells(cells, tmp_path / "cells.h5ad")
    (found,) = reproduce(ng.read_cells(tmp_path / "cells.h5ad"), reference)
    assert found.equal
    assert (found.embedding, found.weights, found.versions) == (0, 0, {})
    assert found.text.startswith("The same result.")


def test_later_steps_do_not_matter(cells: AnnData, reference: AnnData) -> None:
    later = ng.cluster(cells)
    later.obs[["type"]] = "x"
    assert reproduce(later, reference)[0].equal


@pytest.mark.parametrize("slot", ["X_gluer", "gluer_weights"])
def test_another_result_is_told(cells: AnnData, reference: AnnData, slot: str) -> None:
    changed = cells.copy()
    values = changed.obsm[slot].copy()
    (values.data if slot == "gluer_weights" else values.ravel())[3] += 2 * TOLERANCE
    changed.obsm[slot] = values
    (found,) = reproduce(changed, reference)
    assert not found.equal
    largest = found.weights if slot == "gluer_weights" else found.embedding
    assert largest == pytest.approx(2 * TOLERANCE, rel=1e-3)
    assert found.text.startswith("NOT the same result.")


def test_changed_inputs_and_versions_are_told(cells: AnnData, reference: AnnData) -> None:
    changed = cells.copy()
    changed.X = changed.X + np.eye(*changed.shape, dtype=np.float32) * 30
    versions = json.loads(changed.uns["gluer"]["versions"]) | {"numpy": "1.0"}
    changed.uns["gluer"]["versions"] = json.dumps(versions)
    (found,) = reproduce(changed, reference)
    assert not found.same_inputs
    assert not found.equal
    assert found.versions == {"numpy": ("1.0", np.__version__)}
    assert "numpy: 1.0 then" in found.text
    assert "not those of the first run" in found.text


def test_tables_of_one_call_are_needed_together(reference: AnnData) -> None:
    both = ng.integrate([table(50, 1), table(44, 3)], reference, seed=1)
    assert all(found.equal for found in reproduce(both, reference))
    for wrong in (both[0], both[1], both[::-1], [both[0], both[0]]):
        with pytest.raises(ng.InputError, match="all 2 tables are needed"):
            reproduce(wrong, reference)


def test_what_cannot_be_reproduced(cells: AnnData, reference: AnnData) -> None:
    with pytest.raises(ng.InputError, match="another reference"):
        reproduce(cells, reference[::-1].copy())
    with pytest.raises(ng.InputError, match="Only integrated cells"):
        reproduce(table(50, 1), reference)
    forgetful = cells.copy()
    del forgetful.uns["gluer"]["seed"]
    with pytest.raises(ng.InputError, match="does not remember seed"):
        reproduce(forgetful, reference)


@pytest.mark.parametrize("slot", ["X_gluer", "gluer_weights"])
def test_nan_is_not_the_same_result(cells: AnnData, reference: AnnData, slot: str) -> None:
    damaged = cells.copy()
    values = damaged.obsm[slot].copy()
    (values.data if slot == "gluer_weights" else values.ravel())[3] = np.nan
    damaged.obsm[slot] = values
    assert not reproduce(damaged, reference)[0].equal


def test_half_a_result_is_refused(cells: AnnData, reference: AnnData) -> None:
    half = cells.copy()
    del half.obsm["gluer_weights"]
    with pytest.raises(ng.InputError, match="Only integrated cells"):
        reproduce(half, reference)
    with pytest.raises(ng.InputError, match="no table of cells"):
        reproduce([], reference)
