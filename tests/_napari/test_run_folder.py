"""A folder of a run opens with its image, cells, results, reference and a first painting."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import Notification

import napari_gluer as ng
from napari_gluer._napari.attached import cells_of, reference_of
from napari_gluer._napari.captions import title
from napari_gluer._napari.history import history_of
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.paintables import Origin
from napari_gluer._napari.run_folder import (
    first_painting,
    is_run_folder,
    read_run_folder,
    run_layers,
)
from napari_gluer.errors import InputError
from napari_gluer.io.image_writing import write_image
from napari_gluer.pipeline.recipes.from_run import steps_of_run

GENE = "NKG7"
_FAST = {"canonical": {"rounds": 1}, "network": {"max_epochs": 2}, "choice": {"folds": 2}}


@pytest.fixture(scope="module")
def folder(tissue: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a corner of the tissue; image and reference lie beside it."""
    base = tmp_path_factory.mktemp("runs")
    pixels = np.ascontiguousarray(tissue.image.data[:, 700:1000, 700:1000])
    corner = ng.MultiplexImage(pixels, tissue.image.channels, tissue.image.pixel_size_um)
    write_image(corner, base / "tissue.ome.tif")
    tissue.reference.write_h5ad(base / "atlas.h5ad")
    params = ng.PipelineParams(integrate=ng.IntegrateParams(**_FAST), genes=(GENE,))
    inputs = ng.Inputs(base / "tissue.ome.tif", base / "atlas.h5ad")
    ng.run(inputs, base / "out", params, seed=2)
    return base / "out"


def test_it_opens_with_everything(make_napari_viewer: Any, folder: Path) -> None:
    viewer = make_napari_viewer()
    viewer.open(str(folder), plugin="napari-gluer")
    names = [layer.name for layer in viewer.layers]
    assert names[-2:] != []
    layer = viewer.layers["out"]
    assert set(ng.read_image(folder.parent / "tissue.ome.tif").channels) < set(names)
    assert f"{GENE} (imputed)" in names
    np.testing.assert_array_equal(layer.data, ng.read_labels(folder / "labels.ome.tif"))
    table = cells_of(layer)
    assert table.obsm["X_gluer"].shape[0] == table.n_obs
    np.testing.assert_allclose(layer.scale, viewer.layers[names[0]].scale)
    assert title(viewer).startswith(f"{GENE}: imputed")
    shown = linked_of(layer).shown
    expected = np.where(
        table.obs["gluer_unmatched"], np.nan, ng.impute(table, reference_of(layer), GENE)
    )
    np.testing.assert_allclose(shown.values, expected, rtol=1e-6)
    kinds = [step.kind for step in history_of(layer).steps]
    assert kinds == ["segment", "measure", "clean", "reference", "integrate"]
    assert history_of(layer).unsaved == 0


def test_its_steps_have_the_parameters_of_the_run(folder: Path) -> None:
    steps = steps_of_run(json.loads((folder / "run.json").read_text()))
    assert steps[0].image.path == str(folder.parent / "tissue.ome.tif")
    assert len(steps[0].image.sha256) == 64
    integrated = steps[-1]
    assert integrated.params == ng.IntegrateParams(**_FAST)
    assert (integrated.seed, integrated.cluster_seed) == (2, 2)
    assert integrated.columns == ("cell_type",)


def test_a_reference_or_image_that_is_gone_or_another_is_said(folder: Path, tmp_path: Path) -> None:
    base = tmp_path / "moved"
    shutil.copytree(folder.parent, base)
    record = base / "out" / "run.json"
    record.write_text(record.read_text().replace(str(folder.parent), str(base)))
    assert read_run_folder(base / "out").notes == []
    with (base / "tissue.ome.tif").open("ab") as stream:
        stream.write(b"changed")
    atlas = ng.read_reference(base / "atlas.h5ad")
    atlas[:50].copy().write_h5ad(base / "atlas.h5ad")
    run = read_run_folder(base / "out")
    assert len(run.notes) == 2
    assert "has changed since the run" in run.notes[0]
    assert "genes are not painted" in run.notes[1]
    assert run.image is not None
    assert run.reference is None
    assert first_painting(run).origin is Origin.TYPE
    (base / "tissue.ome.tif").unlink()
    (base / "atlas.h5ad").unlink()
    run = read_run_folder(base / "out")
    assert [("is gone" in note) for note in run.notes] == [True, True]
    [(labels, options, kind)] = run_layers(run)
    assert kind == "labels"
    np.testing.assert_allclose(options["scale"], [0.5, 0.5])
    assert labels.shape == (300, 300)


def test_labels_of_another_run_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "out")
    labels = ng.read_labels(tmp_path / "out" / "labels.ome.tif")
    labels[labels == labels.max()] = 0
    ng.write_labels(labels, tmp_path / "out" / "labels.ome.tif")
    with pytest.raises(InputError, match="not in the labels image"):
        read_run_folder(tmp_path / "out")


def test_a_damaged_record_is_told_and_nothing_opens(
    make_napari_viewer: Any, folder: Path, tmp_path: Path, notified: list[Notification]
) -> None:
    shutil.copytree(folder, tmp_path / "out")
    (tmp_path / "out" / "run.json").write_text("{")
    viewer = make_napari_viewer()
    viewer.open(str(tmp_path / "out"), plugin="napari-gluer")
    assert len(viewer.layers) == 0
    assert "run.json cannot be read" in notified[-1].message


def test_a_folder_of_a_stopped_run_is_told_and_not_opened(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "out")
    (tmp_path / "out" / "run.json").rename(tmp_path / "out" / "run.unfinished.json")
    assert is_run_folder(tmp_path / "out")
    with pytest.raises(InputError, match="files of two runs may be mixed"):
        read_run_folder(tmp_path / "out")
    (tmp_path / "new" / ".writing-x").mkdir(parents=True)
    assert is_run_folder(tmp_path / "new")
    with pytest.raises(InputError, match="holds no finished run"):
        read_run_folder(tmp_path / "new")
