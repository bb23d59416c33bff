"""Painting through the layers that napari shows."""

import time

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels, Layer

from napari_gluer._napari.attached import attach, full_resolution
from napari_gluer._napari.layers import (
    keep,
    place_like,
    robust_limits,
    show_categories,
    show_labels,
    show_values,
    warm_up,
)
from napari_gluer.errors import InputError
from napari_gluer.palette import GREY, UNMATCHED


@pytest.fixture
def masks(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> Labels:
    layer = model.add_labels(
        labels, scale=(0.5, 0.25), translate=(10, 20), units=("um", "um"), name="masks"
    )
    attach(layer, cells=cells)
    return layer


def _expected(labels: np.ndarray, cells: AnnData, values: np.ndarray) -> np.ndarray:
    table = dict(zip(cells.obs["label"], values, strict=True))
    return np.vectorize(lambda one: table.get(one, np.nan), otypes=[np.float32])(labels)


def _pixels(layer: Layer) -> np.ndarray:
    return np.asarray(full_resolution(layer))


def test_values_lie_on_their_cells_and_nowhere_else(
    model: ViewerModel, masks: Labels, cells: AnnData, labels: np.ndarray
) -> None:
    values = cells.X[:, 0]
    layer = show_values(model, masks, cells, values, name="CD3")
    np.testing.assert_array_equal(_pixels(layer), _expected(labels, cells, values))
    assert not layer.multiscale
    assert layer.colorbar.visible
    assert tuple(layer.contrast_limits) == pytest.approx(np.percentile(values, (1, 99)))


def test_a_painting_lies_where_its_labels_lie(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    layer = show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    for name in ("scale", "translate", "units"):
        assert tuple(getattr(layer, name)) == tuple(getattr(masks, name))
    world = masks.data_to_world((7, 7))
    assert layer.get_value(world, world=True) == pytest.approx(0.3)


def test_the_second_gene_takes_the_layer_of_the_first(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    first = show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    second = show_values(model, masks, cells, cells.X[:, 1], name="CD20")
    assert second is first
    assert (len(model.layers), first.name) == (2, "CD20")
    keep(first)
    third = show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    assert third is not first
    assert first.name == "CD20"


def test_categories_have_colors_names_and_counts(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    types = cells.obs["cluster"].cat.add_categories([UNMATCHED])
    types.iloc[:5] = UNMATCHED
    layer, legend = show_categories(model, masks, cells, types, name="cluster")
    assert [entry.name for entry in legend] == ["even", "odd", UNMATCHED]
    assert [entry.count for entry in legend] == list(types.value_counts(sort=False))
    assert legend[2].color == GREY
    place = np.argwhere(masks.data == cells.obs["label"].iloc[0])[0]
    assert _pixels(layer)[tuple(place)] == 3
    hexes = [round(255 * part) for part in layer.get_color(3)[:3]]
    assert "#{:02X}{:02X}{:02X}".format(*hexes) == GREY
    assert layer.get_color(0) is None or layer.get_color(0)[3] == 0


def test_after_warming_up_the_first_types_are_painted_at_once(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    warm_up()
    start = time.perf_counter()
    show_categories(model, masks, cells, cells.obs["cluster"], name="cluster")
    assert time.perf_counter() - start < 1


def test_a_category_painting_hides_the_values_and_the_other_way_round(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    values = show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    types, _ = show_categories(model, masks, cells, cells.obs["cluster"], name="cluster")
    assert (values.visible, types.visible) == (False, True)
    show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    assert (values.visible, types.visible) == (True, False)


def test_hovering_tells_the_cell_its_type_and_value(
    model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    assert model.layers.selection.active is masks
    status = masks.get_status(masks.data_to_world((7, 7)), world=True, dims_displayed=[0, 1])
    assert status["value"] == "3; cluster: odd, CD3: 0.3"
    ground = masks.get_status(masks.data_to_world((0, 0)), world=True, dims_displayed=[0, 1])
    assert "No Properties" not in ground["value"]


def test_edited_cells_are_left_empty_and_replaced_ones_refused(
    model: ViewerModel, masks: Labels, cells: AnnData, labels: np.ndarray
) -> None:
    layer = show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    masks.data_setitem((np.array([0]), np.array([0])), np.array([3]))
    show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    assert np.isnan(_pixels(layer)[labels == 3]).all()
    assert (_pixels(layer)[labels == 6] == np.float32(0.6)).all()
    masks.data = np.where(labels > 9, labels, 0)
    show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    assert np.isnan(_pixels(layer)[np.isin(labels, (3, 6, 9))]).all()
    masks.data = np.where(labels > 0, labels + 500, 0)
    with pytest.raises(InputError, match="were replaced"):
        show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    assert len(model.layers) == 2


def test_large_labels_are_painted_as_a_pyramid(
    model: ViewerModel, labels: np.ndarray, cells: AnnData
) -> None:
    large = np.zeros((1300, 900), np.int32)
    large[:112, :112] = labels
    masks = model.add_labels(large)
    layer = show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    types, _ = show_categories(model, masks, cells, cells.obs["cluster"], name="cluster")
    assert [level.shape for level in layer.data] == [(1300, 900), (650, 450), (325, 225)]
    assert (len(types.data), types.editable) == (3, False)
    masks.data = labels
    assert show_values(model, masks, cells, cells.X[:, 0], name="CD3") is not layer


def test_a_pyramid_of_labels_works_as_well(
    model: ViewerModel, labels: np.ndarray, cells: AnnData
) -> None:
    pyramid = model.add_labels([labels, labels[::2, ::2]], multiscale=True)
    layer = show_values(model, pyramid, cells, cells.X[:, 0], name="CD3")
    np.testing.assert_array_equal(_pixels(layer), _expected(labels, cells, cells.X[:, 0]))


def test_bare_labels_are_painted_too(
    model: ViewerModel, labels: np.ndarray, cells: AnnData
) -> None:
    series = pd.Series(cells.X[::-1, 0], index=cells.obs_names[::-1])
    layer = show_values(model, labels, cells, series, name="CD3")
    np.testing.assert_array_equal(_pixels(layer), _expected(labels, cells, cells.X[:, 0]))


def test_volumes_are_painted(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> None:
    stack = np.stack([labels, labels, np.zeros_like(labels)])
    masks = model.add_labels(stack, scale=(2, 1, 1))
    layer = show_values(model, masks, cells, cells.X[:, 0], name="CD3")
    assert tuple(layer.scale) == (2, 1, 1)
    np.testing.assert_array_equal(_pixels(layer)[1], _expected(labels, cells, cells.X[:, 0]))


def test_new_labels_lie_on_their_image(model: ViewerModel, labels: np.ndarray) -> None:
    stack = model.add_image(np.zeros((3, *labels.shape)), scale=(1, 0.5, 0.5), translate=(0, 4, 5))
    layer = show_labels(model, labels, name="cells", like=stack)
    assert (tuple(layer.scale), tuple(layer.translate)) == ((0.5, 0.5), (4, 5))
    other = model.add_labels(labels)
    place_like(other, layer)
    assert tuple(other.translate) == (4, 5)


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        (np.arange(101), (1, 99)),
        (np.r_[np.zeros(200), 5], (0, 5)),
        (np.full(4, 2.0), (2, 3)),
        (np.array([np.nan, np.inf]), (0, 1)),
    ],
)
def test_contrast_limits_are_robust(values: np.ndarray, limits: tuple[float, float]) -> None:
    assert robust_limits(values.astype(np.float32)) == pytest.approx(limits)
