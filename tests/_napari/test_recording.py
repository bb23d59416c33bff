"""What other panels do is recorded too: exports, selections, edited cells."""

from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels

import napari_gluer as ng
from napari_gluer._napari.attached import attach
from napari_gluer._napari.history import history_of
from napari_gluer._napari.recording import (
    edited,
    path_of,
    record_export,
    record_replaced,
    record_selections,
    with_path,
)
from napari_gluer.painting import LabelIndex
from napari_gluer.pipeline.recipes.exporting import write_recipe
from napari_gluer.pipeline.recipes.steps import said


def test_exports_and_selections_are_steps(model: ViewerModel, labels: np.ndarray) -> None:
    layer = model.add_labels(labels)
    record_selections(layer, {"tumour": np.array([3, 6]), "rim": [9]})
    record_export(layer, Path("/x/imputed.csv"), ["CD3E"], ng.ExportParams(show_unmatched=True))
    history = history_of(layer)
    assert [said(step) for step in history.steps] == [
        "Save the selections “tumour”, “rim” in the table",
        "Save 1 imputed genes to imputed.csv",
    ]
    assert history.unsaved == 2
    history.saved()
    assert history.unsaved == 0


def test_a_duplicate_of_a_layer_has_its_own_history(model: ViewerModel, labels: np.ndarray) -> None:
    layer = model.add_labels(labels)
    record_selections(layer, {"tumour": [3]})
    other = Labels(labels, metadata=dict(layer.metadata))
    assert history_of(other).steps == ()
    assert len(history_of(layer).steps) == 1


def test_tables_that_nothing_repeats_are_kept(
    model: ViewerModel, labels: np.ndarray, cells: AnnData, tmp_path: Path
) -> None:
    layer = model.add_labels(labels.copy())
    attach(layer, cells=cells, measured=cells, index=LabelIndex(labels))
    record_replaced(layer, "edited cells measured again", cells, cells)
    layer.data[:] = 0  # later
    history = history_of(layer)
    path = tmp_path / "again.py"
    files = write_recipe(
        history.steps, history.kept, path, form="script", what="x", version=ng.__version__
    )
    assert "edited cells measured again: no function repeats this" in path.read_text()
    tables = [one for one in files if one.suffix == ".h5ad"]
    assert len(tables) == 1
    np.testing.assert_array_equal(ng.read_cells(tables[0]).X, cells.X)
    masks = next(one for one in files if one.name.endswith(".ome.tif"))
    np.testing.assert_array_equal(ng.read_labels(masks), labels)


def test_the_same_thing_is_kept_once(model: ViewerModel, labels: np.ndarray) -> None:
    history = history_of(model.add_labels(labels))
    image, other = object(), object()
    assert history.keep(image, "image") == history.keep(image, "image")
    assert history.keep(other, "image").kept == "image_2"
    history.forget_unused()
    assert history.kept == {}


def test_only_what_a_person_set_is_an_edit(cells: AnnData) -> None:
    assert edited(cells) == []
    cells.var["role"] = ["marker", "blank"]
    cells.var["role_source"] = ["", "edited"]
    [step] = edited(cells)
    assert step.columns == {"role": ("marker", "blank"), "role_source": ("", "edited")}
    assert step.channels == ("CD3", "CD20")


def test_layers_know_their_file(image: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"metadata": {"gluer": {"image": image}}}
    with_path([(None, options, "image")], str(tmp_path / "a" / ".." / "b.tif"))
    entries = options["metadata"]["gluer"]
    assert entries["path"] == str(tmp_path.resolve() / "b.tif")
    assert entries["spacing_read"] == (0.5, 0.5)
    assert path_of(Labels(np.zeros((2, 2), int))) == ""
    with_path([(None, far := {}, "labels")], "https://host/x.zarr")
    assert far["metadata"]["gluer"]["path"] == "https://host/x.zarr"
