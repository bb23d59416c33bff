"""Cells found again take the place of the last, unless somebody worked on those."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import attach, reference_metadata
from napari_gluer._napari.cells.placing import earlier_layer, place_on, put_labels
from napari_gluer._napari.images import Source, sources
from napari_gluer._napari.layers import keep, show_values
from napari_gluer._napari.reader import image_layers
from napari_gluer.image import MultiplexImage


@pytest.fixture
def source(model: ViewerModel, image: MultiplexImage) -> Source:
    for data, kwargs, _ in image_layers(image, "tissue.tif"):
        model.add_image(data, **kwargs)
    return sources(model)[0]


def _cells(model: ViewerModel) -> list[Labels]:
    return [layer for layer in model.layers if isinstance(layer, Labels)]


def test_the_layer_of_the_last_run_is_used_again(
    model: ViewerModel, source: Source, labels: np.ndarray
) -> None:
    first = put_labels(model, labels, source)
    assert first.name == "cells"
    assert tuple(first.scale) == (0.5, 0.5)
    again = put_labels(model, labels // 3, source)
    assert again is first
    assert _cells(model) == [first]
    assert first.data.max() == 64
    assert earlier_layer(model, source) is first


def test_cells_painted_by_hand_stay(model: ViewerModel, source: Source, labels: np.ndarray) -> None:
    first = put_labels(model, labels, source)
    first.paint((1, 1), 500)
    drawn = np.asarray(first.data).copy()
    second = put_labels(model, labels // 3, source)
    assert [layer.name for layer in _cells(model)] == ["cells", "cells 2"]
    np.testing.assert_array_equal(first.data, drawn)
    assert put_labels(model, labels, source) is second


def test_integrated_cells_stay(
    model: ViewerModel, source: Source, labels: np.ndarray, cells: AnnData
) -> None:
    first = put_labels(model, labels, source)
    cells.obsm[slots.EMBEDDING] = np.zeros((cells.n_obs, 2))
    attach(first, cells=cells)
    assert put_labels(model, labels, source) is not first


def test_cells_of_another_image_stay(
    model: ViewerModel, source: Source, labels: np.ndarray, image: MultiplexImage
) -> None:
    first = put_labels(model, labels, source)
    model.add_image(np.zeros((3, *labels.shape)), name="other")
    other = next(one for one in sources(model) if one.name.startswith("other"))
    second = put_labels(model, labels, other)
    assert second is not first
    assert put_labels(model, labels, source) is first
    assert put_labels(model, labels, sources(model)[1]) is second


def test_what_was_painted_of_replaced_cells_goes_unless_it_was_kept(
    model: ViewerModel, source: Source, labels: np.ndarray, cells: AnnData
) -> None:
    layer = put_labels(model, labels, source)
    layer.metadata["gluer"].update(reference_metadata(cells)["gluer"])
    kept = show_values(model, layer, cells, cells.X[:, 0], name="kept")
    keep(kept)
    painted = show_values(model, layer, cells, cells.X[:, 0], name="painted")
    put_labels(model, labels, source)
    assert painted not in model.layers
    assert kept in model.layers
    assert layer.metadata["gluer"]["reference"] is cells


def test_names_that_are_taken_are_passed_over(
    model: ViewerModel, source: Source, labels: np.ndarray
) -> None:
    model.add_labels(labels, name="cells")
    model.add_labels(labels, name="cells 2")
    assert put_labels(model, labels, source).name == "cells 3"


@pytest.mark.parametrize(
    ("place", "moved"), [({}, True), ({"scale": (2, 2)}, False), ({"translate": (1, 0)}, False)]
)
def test_only_masks_without_a_place_are_moved(
    model: ViewerModel, source: Source, labels: np.ndarray, place: dict[str, Any], moved: bool
) -> None:
    masks = model.add_labels(labels, **place)
    place_on(masks, source)
    assert (tuple(masks.scale) == (0.5, 0.5)) is moved
