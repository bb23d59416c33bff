"""A kept map gives what the integration gave, and nothing else passes for it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.io.maps import VERSION, TrainedMap, load_map, save_map
from napari_gluer.mapping.applying import MapParams, map_cells, mapped_space, sha256_of
from napari_gluer.mapping.learning import learn_map, map_of
from napari_gluer.sample import SampleTissue

SEED = 4


@pytest.fixture(scope="module")
def cells(tissue: SampleTissue) -> AnnData:
    return ng.clean(ng.measure(tissue.image, tissue.labels))


@pytest.fixture(scope="module")
def result(cells: AnnData, tissue: SampleTissue) -> AnnData:
    return ng.integrate(cells, tissue.reference, seed=SEED)


@pytest.fixture(scope="module")
def trained(cells: AnnData, tissue: SampleTissue) -> TrainedMap:
    return learn_map(cells, tissue.reference, seed=SEED)


def same(one: AnnData, other: AnnData) -> bool:
    weights = one.obsm[slots.WEIGHTS] != other.obsm[slots.WEIGHTS]
    columns = (slots.CONFIDENCE, slots.SUPPORT, slots.ANCHORED, slots.UNMATCHED)
    return (
        np.array_equal(one.obsm[slots.EMBEDDING], other.obsm[slots.EMBEDDING])
        and np.array_equal(one.obsm[slots.UNMAPPED], other.obsm[slots.UNMAPPED])
        and weights.nnz == 0
        and all(one.obs[column].equals(other.obs[column]) for column in columns)
    )


def test_the_learnt_from_cells_get_the_result_of_the_integration(
    cells: AnnData, tissue: SampleTissue, trained: TrainedMap, result: AnnData, tmp_path: Path
) -> None:
    before = cells.copy()
    mapped = map_cells(cells, tissue.reference, trained)
    assert same(mapped, result)
    save_map(trained, tmp_path / "map.safetensors")
    loaded = load_map(tmp_path / "map.safetensors")
    assert same(map_cells(cells, tissue.reference, loaded), result)
    assert sha256_of(loaded) == sha256_of(trained)
    assert loaded.header == trained.header
    assert slots.EMBEDDING not in cells.obsm
    np.testing.assert_array_equal(cells.X, before.X)
    known = slots.info(mapped)
    assert json.loads(known[slots.MAPPED_BY])["sha256"] == sha256_of(trained)
    assert known["links"] == slots.info(result)["links"]
    assert known["outcome"].startswith("2,709 cells mapped with a map of 25 features")
    assert "map of 25 features" in str(trained)


def test_other_functions_work_on_mapped_cells(
    cells: AnnData, tissue: SampleTissue, trained: TrainedMap, result: AnnData
) -> None:
    mapped = map_cells(cells, tissue.reference, trained)
    gene = str(tissue.reference.var_names[0])
    np.testing.assert_array_equal(
        ng.impute(mapped, tissue.reference, gene), ng.impute(result, tissue.reference, gene)
    )
    assert ng.transfer_labels(mapped, tissue.reference, "cell_type").equals(
        ng.transfer_labels(result, tissue.reference, "cell_type")
    )
    label = int(mapped.obs["label"].iloc[5])
    assert ng.explain_cell(mapped, tissue.reference, label).label == label
    with pytest.raises(InputError, match="does not remember linked_values_sha256"):
        ng.reproduce(mapped, tissue.reference)
    with pytest.raises(InputError, match="mapped with a map"):
        map_of(mapped, tissue.reference)
    assert slots.MAPPED_BY not in slots.info(ng.integrate(mapped, tissue.reference))


def test_a_cell_is_mapped_alike_whatever_other_cells_there_are(
    cells: AnnData, trained: TrainedMap, result: AnnData
) -> None:
    rows = np.random.default_rng(0).permutation(cells.n_obs)[:40]
    few = mapped_space(cells[rows].copy(), trained)
    np.testing.assert_allclose(few.space, result.obsm[slots.EMBEDDING][rows], atol=2e-6)
    shuffled = cells[:, ::-1].copy()
    np.testing.assert_array_equal(
        mapped_space(shuffled, trained).space, mapped_space(cells, trained).space
    )


def test_another_section_finds_its_types(tissue: SampleTissue, trained: TrainedMap) -> None:
    """Cells of another seed, that the map never saw, against their own truth (measured: .81)."""
    other = ng.sample_tissue(1)
    part = np.s_[:900, :900]
    image = replace(other.image, data=other.image.data[:, *part])
    section = ng.clean(ng.measure(image, other.labels[part]))
    mapped = map_cells(section, tissue.reference, trained)
    found = ng.transfer_labels(mapped, tissue.reference, "cell_type")["cell_type_transferred"]
    truth = other.truth.obs.set_index("label")["cell_type"].loc[mapped.obs["label"]]
    right = found.astype("string").fillna("").to_numpy() == truth.astype(str).to_numpy()
    assert mapped.n_obs > 400
    assert right.mean() > 0.76


def test_own_mean_and_spread_undo_another_staining(
    cells: AnnData, trained: TrainedMap, result: AnnData
) -> None:
    stained = cells.copy()
    stained.X = cells.X * 3
    own = mapped_space(stained, trained, MapParams(standardize_by="own"))
    np.testing.assert_allclose(own.space, result.obsm[slots.EMBEDDING], atol=1e-4)
    training = mapped_space(stained, trained)
    assert np.abs(training.space - result.obsm[slots.EMBEDDING]).max() > 0.1
    with pytest.raises(InputError, match="too few to be standardised by their own"):
        mapped_space(stained[:20].copy(), trained, MapParams(standardize_by="own"))


def test_the_map_of_an_integrated_table(
    result: AnnData, tissue: SampleTissue, trained: TrainedMap
) -> None:
    assert sha256_of(map_of(result, tissue.reference)) == sha256_of(trained)
    changed = result.copy()
    changed.X = result.X[::-1].copy()
    with pytest.raises(InputError, match="gives another map"):
        map_of(changed, tissue.reference)
    slots.note(changed, n_tables=2)
    with pytest.raises(InputError, match="integrated with other tables"):
        map_of(changed, tissue.reference)


def test_sparse_counts_and_given_pairs(typed_of: Callable[..., Any]) -> None:
    typed = typed_of(3)
    counts = typed.cells.copy()
    counts.X = sparse.csr_matrix(counts.X)
    counts.uns["gluer"] = {"kind": "counts"}
    pairs = np.column_stack([np.arange(80), np.arange(80)])
    expected = ng.integrate(counts, typed.reference, pairs=pairs, seed=2)
    learnt = learn_map(counts, typed.reference, pairs=pairs, seed=2)
    assert same(map_cells(counts, typed.reference, learnt), expected)
    assert sha256_of(map_of(expected, typed.reference)) == sha256_of(learnt)


def test_what_does_not_fit_a_map_is_refused(
    cells: AnnData, tissue: SampleTissue, trained: TrainedMap
) -> None:
    lacking = cells[:, [name for name in cells.var_names if name != "CD3"]].copy()
    with pytest.raises(InputError, match=r"needs 25 features and these cells lack CD3"):
        map_cells(lacking, tissue.reference, trained)
    raw = ng.measure(tissue.image, tissue.labels)
    with pytest.raises(InputError, match=r"cleaned intensity; these cells hold uncleaned intens"):
        map_cells(raw, tissue.reference, trained)
    with pytest.raises(InputError, match="learnt with another reference"):
        map_cells(cells, tissue.reference[::-1].copy(), trained)
    with pytest.raises(InputError, match="preset='default'"):
        learn_map(cells, tissue.reference, ng.IntegrateParams(preset="paper"))


def tampered(source: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The map with another header."""
    with safe_open(source, "np") as file:
        metadata = dict(file.metadata())
    header = json.loads(metadata["napari_gluer"])
    change(header)
    metadata["napari_gluer"] = json.dumps(header)
    save_file(load_file(source), target, metadata=metadata)
    return target


def test_files_that_are_no_map_or_of_a_newer_version(trained: TrainedMap, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    save_map(trained, good)
    assert [one.name for one in tmp_path.iterdir()] == ["good.safetensors"]

    def newer(header: dict[str, Any]) -> None:
        header.update(version=VERSION + 1, software="9.1", something_new=3)

    with pytest.raises(InputError, match=r"newer napari-gluer \(9\.1; map version 2, .* up to 1"):
        load_map(tampered(good, bad, newer))
    with pytest.raises(InputError, match="no map of napari-gluer"):
        load_map(tampered(good, bad, lambda header: header.update(format="x")))
    with pytest.raises(InputError, match=r"header is damaged \(seed: "):
        load_map(tampered(good, bad, lambda header: header.pop("seed")))
    with pytest.raises(InputError, match="cell_mean has wrong numbers"):
        load_map(tampered(good, bad, lambda header: header["features"].pop("CD3")))
    save_file({"a": np.ones(3)}, bad)
    with pytest.raises(InputError, match="no map of napari-gluer"):
        load_map(bad)
    bad.write_bytes(good.read_bytes()[:-100])
    with pytest.raises(InputError, match="is no map, or damaged"):
        load_map(bad)
    with pytest.raises(InputError, match="There is no file"):
        load_map(tmp_path / "none.safetensors")
    with pytest.raises(InputError, match=r"ends in \.safetensors"):
        save_map(trained, tmp_path / "map.pt")


def test_a_network_that_does_not_fit_is_refused(cells: AnnData, trained: TrainedMap) -> None:
    arrays = dict(trained.arrays)
    arrays["network.layers.0.weight"] = np.ones((2, 2), np.float32)
    with pytest.raises(InputError, match="does not fit its parameters"):
        mapped_space(cells, TrainedMap(trained.header, arrays))
