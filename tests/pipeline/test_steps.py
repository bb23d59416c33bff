"""The steps in order, on small tissues whose cells are known."""

from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData

import napari_gluer as ng
from napari_gluer.pipeline import compute

QUICK = ng.PipelineParams(integrate={"network": {"max_epochs": 3}})


def small_table(n_cells: int = 60, n_genes: int = 8, seed: int = 0) -> AnnData:
    """Counts of two types: the first half of the genes marks one, the second the other."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n_cells) % 2
    mean = np.where((np.arange(n_genes) < n_genes // 2) == (kind[:, None] == 0), 20, 2)
    table = AnnData(rng.poisson(mean).astype(np.float32))
    table.var_names = [f"GENE{i}" for i in range(n_genes)]
    table.obs["cell_type"] = np.where(kind == 0, "first", "second")
    table.obsm["spatial"] = rng.uniform(0, 500, (n_cells, 2))
    return table


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A table of cells and a reference on disk, of the same two types."""
    cells, reference = small_table(seed=1), small_table(80, seed=2)
    reference.obs_names = [f"ref{i}" for i in range(reference.n_obs)]
    cells.write_h5ad(tmp_path / "cells.h5ad")
    reference.write_h5ad(tmp_path / "reference.h5ad")
    return tmp_path / "cells.h5ad", tmp_path / "reference.h5ad"


def test_a_table_without_image_is_drawn_and_integrated(files: tuple[Path, Path]) -> None:
    result = compute(ng.Inputs(*files), QUICK)
    assert set(np.unique(result.found.labels)) == {0, *result.cells.obs["label"]}
    own = np.array(["first", "second"] * 30)
    assert (result.cells.obs["cell_type_transferred"].astype(str) == own).mean() > 0.9
    assert result.cells.obs["cluster"].notna().all()


def test_every_step_has_seconds_and_most_an_outcome(files: tuple[Path, Path]) -> None:
    log = compute(ng.Inputs(*files), QUICK).log
    steps = ["read reference", "read cells", "draw", "clean", "integrate", "cluster", "transfer"]
    assert list(log.seconds) == steps
    assert list(log.outcomes) == steps
    assert "60 cells × 8 features (counts)" in log.outcomes["read cells"]


def test_masks_of_a_table_are_used_and_must_be_its_own(files: tuple[Path, Path]) -> None:
    table = small_table(seed=1)
    table.obs["label"] = np.random.default_rng(0).permutation(60) + 1
    table.write_h5ad(files[0])
    masks = np.zeros((70, 10), np.int32)
    masks[:60, 0] = np.arange(1, 61)
    result = compute(ng.Inputs(*files, masks), QUICK)
    assert result.found.labels is not None
    np.testing.assert_array_equal(result.found.labels, masks)
    assert list(result.cells.obs["label"]) == list(table.obs["label"])
    masks[59, 0] = 0
    with pytest.raises(ng.InputError, match="1 of 60 cells of the table are not in the labels"):
        compute(ng.Inputs(*files, masks), QUICK)


def test_masks_do_not_fit_a_table_whose_rows_we_numbered(files: tuple[Path, Path]) -> None:
    masks = np.arange(61).reshape(61, 1)
    with pytest.raises(ng.InputError, match=r"had no obs\['label'\].* cannot be matched"):
        compute(ng.Inputs(*files, masks), QUICK)


def test_a_table_in_memory_is_as_good_as_a_file(files: tuple[Path, Path]) -> None:
    result = compute(ng.Inputs(ng.read_cells(files[0]), files[1]), QUICK)
    assert result.cells.n_obs == 60


def test_the_papers_cleaning_comes_with_its_preset_unless_given() -> None:
    assert not ng.PipelineParams(integrate={"preset": "paper"}).clean.signal.zero_at_zero
    assert ng.PipelineParams().clean.signal.zero_at_zero
    given = ng.PipelineParams(integrate=ng.IntegrateParams(preset="paper"), clean=ng.CleanParams())
    assert given.clean.signal.zero_at_zero


def test_unknown_genes_and_columns_are_refused_before_the_long_work(
    files: tuple[Path, Path],
) -> None:
    with pytest.raises(ng.InputError, match=r"NOGENE\. It has GENE0"):
        compute(ng.Inputs(*files), ng.PipelineParams(genes=("NOGENE",)))
    with pytest.raises(ng.InputError, match=r"'type'.*cell_type"):
        compute(ng.Inputs(*files), ng.PipelineParams(label_column="type"))


def test_a_reference_without_types_still_integrates(files: tuple[Path, Path]) -> None:
    reference = small_table(80, seed=2)
    del reference.obs["cell_type"]
    result = compute(ng.Inputs(files[0], reference), QUICK)
    assert not [name for name in result.cells.obs if name.endswith("_transferred")]


def test_an_image_is_segmented_and_measured() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:160, :160]
    centres = [(20 + 30 * i, 20 + 30 * j) for i in range(5) for j in range(5)]
    nuclei = sum(np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 40) for cy, cx in centres)
    bright = sum(
        (i % 2) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 60)
        for i, (cy, cx) in enumerate(centres)
    )
    noise = rng.poisson(5, (3, 160, 160))
    planes = np.stack([1000 * nuclei, 800 * bright, 800 * (nuclei - bright)]) + noise
    image = ng.MultiplexImage(planes.clip(0).astype(np.uint16), ["DAPI", "GENE0", "GENE7"], 0.5)
    reference = small_table(80, seed=2)
    no_filter = ng.PipelineParams(
        clean={"size": {"kind": "skip"}}, integrate={"network": {"max_epochs": 3}}
    )
    result = compute(ng.Inputs(image, reference), no_filter)
    assert result.cells.n_obs == 25
    assert result.found.spacing_um == (0.5, 0.5)
    spatial = result.cells.obsm["spatial"]
    order = np.lexsort((spatial[:, 0].round(), spatial[:, 1].round()))
    expected = np.array([(cx / 2, cy / 2) for cy, cx in centres])
    np.testing.assert_allclose(spatial[order], expected, atol=1.0)
    types = result.cells.obs["cell_type_transferred"].astype(str).to_numpy()[order]
    assert (types == np.where(np.arange(25) % 2, "first", "second")).all()
