"""What a run leaves in its folder, and that a failing one leaves nothing."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import tifffile
from anndata import AnnData
from matplotlib.image import imread

import napari_gluer as ng
from napari_gluer.pipeline.finding import is_table
from napari_gluer.pipeline.planning import plan
from napari_gluer.pipeline.recipes.from_run import steps_of_run
from napari_gluer.pipeline.records import RECORD, UNFINISHED, read_record
from napari_gluer.pipeline.writing import how_known

T = TypeVar("T")
QUICK = ng.PipelineParams(integrate={"network": {"max_epochs": 3}}, genes=("GENE0", "HIDDEN/1"))
FILES = {
    "cells.h5ad",
    "labels.ome.tif",
    "gene_GENE0.png",
    "gene_HIDDEN_1.png",
    "clusters.png",
    "cell_type_transferred.png",
    "run.json",
}


@pytest.fixture
def inputs(tmp_path: Path) -> ng.Inputs:
    """Two types of cells; the reference has a gene that the cells lack and only one type has."""
    rng = np.random.default_rng(0)
    kind = np.arange(90) % 2
    mean = np.where((np.arange(8) < 4) == (kind[:, None] == 0), 20, 2)
    reference = AnnData(np.column_stack([rng.poisson(mean), 30 * kind]).astype(np.float32))
    reference.var_names = [*(f"GENE{i}" for i in range(8)), "HIDDEN/1"]
    reference.obs_names = [f"ref{i}" for i in range(90)]
    reference.obs["cell_type"] = np.where(kind == 0, "first", "second")
    cells = AnnData(rng.poisson(mean[:50]).astype(np.float32))
    cells.var_names = [f"GENE{i}" for i in range(8)]
    cells.obsm["spatial"] = rng.uniform(0, 400, (50, 2))
    cells.write_h5ad(tmp_path / "cells.h5ad")
    reference.write_h5ad(tmp_path / "reference.h5ad")
    return ng.Inputs(tmp_path / "cells.h5ad", tmp_path / "reference.h5ad")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_the_folder_holds_tables_labels_pictures_and_the_record(
    inputs: ng.Inputs, out: Path
) -> None:
    result = ng.run(inputs, out, QUICK, seed=5)
    assert {path.name for path in out.iterdir()} == FILES
    assert {path.name for path in result.files} == FILES
    assert list(result.painted) == ["GENE0", "HIDDEN/1"]
    assert all(path in result.files and path.exists() for path in result.painted.values())
    labels = tifffile.imread(out / "labels.ome.tif")
    np.testing.assert_array_equal(labels, result.found.labels)
    with tifffile.TiffFile(out / "labels.ome.tif") as file:
        assert file.pages[0].is_tiled
        assert file.pages[0].compression != 1
    cells = ng.read_cells(out / "cells.h5ad")
    np.testing.assert_allclose(cells.obsm["X_gluer"], result.cells.obsm["X_gluer"])
    assert imread(out / "gene_GENE0.png").std() > 0.05


def test_the_record_names_inputs_params_versions_and_seconds(inputs: ng.Inputs, out: Path) -> None:
    ng.run(inputs, out, QUICK, seed=5)
    record = json.loads((out / "run.json").read_text())
    for name in ("source", "reference"):
        path = Path(record["inputs"][name]["path"])
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert record["inputs"][name]["sha256"] == digest
    assert ng.PipelineParams.model_validate(record["params"]) == QUICK
    assert record["seed"] == 5
    assert record["versions"]["anndata"] == version("anndata")
    assert all(step["seconds"] >= 0 for step in record["steps"].values())
    assert {"integrate", "cluster", "write"} <= set(record["steps"])
    assert set(record["files"]) == FILES


def test_what_was_imputed_is_that_types_gene(inputs: ng.Inputs, out: Path) -> None:
    result = ng.run(inputs, out, QUICK)
    values = ng.impute(result.cells, result.reference, "HIDDEN/1")
    has_it = np.arange(50) % 2 == 1
    assert values[has_it].mean() > 5 * max(values[~has_it].mean(), 0.1)


def test_the_same_seed_gives_the_same_result(inputs: ng.Inputs, out: Path) -> None:
    first, second = (ng.run(inputs, out / name, QUICK, seed=3) for name in "ab")
    np.testing.assert_array_equal(first.cells.obsm["X_gluer"], second.cells.obsm["X_gluer"])
    assert list(first.cells.obs["cluster"]) == list(second.cells.obs["cluster"])


def test_a_failing_run_leaves_the_folder_as_it_was(inputs: ng.Inputs, out: Path) -> None:
    out.mkdir()
    (out / "run.json").write_text("earlier")
    with pytest.raises(ng.InputError):
        ng.run(ng.Inputs(inputs.source, inputs.source), out, ng.PipelineParams(genes=("X",)))
    assert [path.name for path in out.iterdir()] == ["run.json"]
    assert (out / "run.json").read_text() == "earlier"


@pytest.mark.parametrize("step", ["Joint factorisation", "Training the map", "Painting"])
def test_a_cancelled_run_leaves_nothing(inputs: ng.Inputs, out: Path, step: str) -> None:
    def cancelling(items: Iterable[T], desc: str, /) -> Iterator[T]:
        for item in items:
            if desc == step:
                raise ng.Cancelled
            yield item

    with pytest.raises(ng.Cancelled):
        ng.run(inputs, out, QUICK, track=cancelling)
    assert not out.exists() or not list(out.iterdir())


def test_a_second_run_replaces_the_first_and_nothing_else(inputs: ng.Inputs, out: Path) -> None:
    ng.run(inputs, out, QUICK.model_copy(update={"genes": ("GENE1", "GENE2")}), seed=1)
    (out / "notes.txt").write_text("mine")
    ng.run(inputs, out, QUICK, seed=2)
    assert json.loads((out / "run.json").read_text())["seed"] == 2
    assert {path.name for path in out.iterdir()} == FILES | {"notes.txt"}


def test_a_run_over_a_stopped_one_replaces_it_and_says_so(inputs: ng.Inputs, out: Path) -> None:
    ng.run(inputs, out, QUICK, seed=1)
    (out / RECORD).rename(out / UNFINISHED)  # as after a kill before the record came
    (out / "gene_OLD.png").write_text("of the run before")
    mark = json.loads((out / UNFINISHED).read_text()) | {"files": [*FILES, "gene_OLD.png"]}
    (out / UNFINISHED).write_text(json.dumps(mark))
    result = ng.run(inputs, out, QUICK, seed=1)
    assert result.log.outcomes["write"] == "replaces a run that was stopped before it was finished"
    assert read_record(out)["steps"]["write"]["outcome"] == result.log.outcomes["write"]
    assert {path.name for path in out.iterdir()} == FILES


@pytest.mark.parametrize("ending", [".zarr", ".zarr.zip"])
def test_cells_come_from_zarr_as_from_h5ad(inputs: ng.Inputs, tmp_path: Path, ending: str) -> None:
    table = tmp_path / f"table{ending}"
    ng.write_cells(ng.read_cells(inputs.source), table)
    assert ng.read_cells(table).n_obs == 50
    from_zarr = ng.run(ng.Inputs(table, inputs.reference), tmp_path / "z", QUICK)
    from_h5ad = ng.run(inputs, tmp_path / "h", QUICK)
    np.testing.assert_array_equal(from_zarr.found.labels, from_h5ad.found.labels)
    np.testing.assert_array_equal(from_zarr.cells.obsm["X_gluer"], from_h5ad.cells.obsm["X_gluer"])
    outcome = read_record(tmp_path / "z")["steps"]["read cells"]["outcome"]
    assert outcome == "50 cells × 8 features (counts)"
    (skipped,) = ng.run_many([ng.Inputs(table, inputs.reference)], tmp_path / "many", QUICK)
    assert skipped.status == "done"
    (skipped,) = ng.run_many([ng.Inputs(table, inputs.reference)], tmp_path / "many", QUICK)
    assert (skipped.status, skipped.name) == ("skipped", "table")
    planned = plan([ng.Inputs(table, inputs.reference)], [tmp_path / "new"], QUICK, 0)[0]
    assert planned.size == "50 cells × 8 features"
    assert planned.steps[0] == "draw the cells as discs"
    first = steps_of_run(read_record(tmp_path / "z"))[0]
    assert (first.kind, first.cells.path) == ("table", str(table))


def test_a_zarr_that_is_an_image_is_no_table(tmp_path: Path) -> None:
    ng.write_labels(np.ones((20, 20), np.uint16), tmp_path / "tissue.zarr")
    assert not is_table(tmp_path / "tissue.zarr")
    assert not is_table("https://example.org/cells.zarr")
    assert not is_table(tmp_path / "missing.zarr")


def test_a_folder_that_cannot_be_written_is_said_before_the_work(
    inputs: ng.Inputs, out: Path
) -> None:
    out.write_text("a file, not a folder")
    started = []
    with pytest.raises(ng.InputError, match="Cannot write to"):
        ng.run(inputs, out, QUICK, track=lambda items, desc: started.append(desc) or items)
    assert not started
    assert out.read_text() == "a file, not a folder"


def test_a_disk_that_fills_up_is_said_and_leaves_the_earlier_run(
    inputs: ng.Inputs, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ng.run(inputs, out, QUICK, seed=1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_gluer.pipeline.writing.write_labels", full)
    with pytest.raises(ng.InputError, match="No space left on device"):
        ng.run(inputs, out, QUICK, seed=2)
    assert {path.name for path in out.iterdir()} == FILES
    assert json.loads((out / "run.json").read_text())["seed"] == 1


def test_pictures_tell_measured_genes_from_others(inputs: ng.Inputs, out: Path) -> None:
    cells = ng.run(inputs, out, QUICK).cells
    assert how_known("HIDDEN/1", cells) == "imputed, not measured"
    assert how_known("GENE0", cells) == "imputed; measured too, as GENE0"


def test_inputs_in_memory_are_recorded_as_such(inputs: ng.Inputs, out: Path) -> None:
    cells, reference = ng.read_cells(inputs.source), ng.read_reference(inputs.reference)
    result = ng.run(ng.Inputs(cells, reference), out, QUICK)
    record = json.loads((out / "run.json").read_text())
    assert record["inputs"]["source"] == {"in_memory": "AnnData", "shape": [50, 8]}
    assert record["steps"]["read cells"]["seconds"] is None
    assert record["numbers"]["cells"] == 50
    assert record["numbers"]["clusters"] == result.cells.obs["cluster"].nunique()
