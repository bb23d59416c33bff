"""Chosen cells are marked on the tissue, pixel by pixel."""

import numpy as np
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel

from napari_gluer._napari.attached import attach
from napari_gluer._napari.pickers import labels_layers
from napari_gluer._napari.selection_layer import (
    CHOSEN,
    OTHERS,
    raise_selection,
    selection_layer,
    show_selection,
)


def test_every_pixel_says_whether_its_cell_is_chosen(
    model: ViewerModel, labels: np.ndarray
) -> None:
    masks = model.add_labels(labels, scale=(2, 2), translate=(5, 7))
    layer = show_selection(model, masks, [3, 30, 4])  # there is no cell 4
    found = np.asarray(layer.data)
    np.testing.assert_array_equal(found == CHOSEN, np.isin(labels, [3, 30]))
    np.testing.assert_array_equal(found == OTHERS, (labels > 0) & ~np.isin(labels, [3, 30]))
    np.testing.assert_array_equal(layer.scale, (2, 2))
    np.testing.assert_array_equal(layer.translate, (5, 7))


@given(seed=st.integers(0, 2**32 - 1))
def test_any_labels_any_choice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.r_[0, rng.choice(10**9, 6, replace=False) + 1]
    drawn = values[rng.integers(0, 7, (9, 8))].astype(np.int64)
    model = ViewerModel()
    masks = model.add_labels(drawn)
    for _ in range(2):
        chosen = rng.choice(values[1:], rng.integers(1, 6), replace=False)
        layer = show_selection(model, masks, chosen)
        np.testing.assert_array_equal(np.asarray(layer.data) == CHOSEN, np.isin(drawn, chosen))
    assert len(model.layers) == 2


def test_none_hides_it_and_some_show_it_again(model: ViewerModel, labels: np.ndarray) -> None:
    masks = model.add_labels(labels)
    assert show_selection(model, masks, []) is None
    layer = show_selection(model, masks, [3])
    show_selection(model, masks, [])
    assert not layer.visible
    assert show_selection(model, masks, [3]) is layer
    assert layer.visible


def test_it_is_above_what_was_painted_since(model: ViewerModel, labels: np.ndarray) -> None:
    masks = model.add_labels(labels)
    layer = show_selection(model, masks, [3])
    model.add_image(np.zeros((9, 9)))
    raise_selection(model, masks)
    assert model.layers[-1] is layer
    assert model.layers.selection.active is not layer


def test_it_is_no_layer_of_cells_and_cannot_be_drawn_in(
    model: ViewerModel, labels: np.ndarray
) -> None:
    masks = model.add_labels(labels)
    model.layers.selection.active = masks
    layer = show_selection(model, masks, [3])
    assert [one for _, one in labels_layers(model)] == [masks]
    assert not layer.editable
    assert model.layers.selection.active is masks


def test_two_labels_layers_have_one_each(model: ViewerModel, labels: np.ndarray) -> None:
    one, other = model.add_labels(labels), model.add_labels(labels.copy())
    first, second = show_selection(model, one, [3]), show_selection(model, other, [6])
    assert selection_layer(model, one) is first
    assert selection_layer(model, other) is second
    assert (np.asarray(first.data)[labels == 6] == OTHERS).all()


def test_edited_cells_are_marked_neither_way(
    model: ViewerModel, labels: np.ndarray, cells: AnnData
) -> None:
    masks = model.add_labels(labels.copy())
    attach(masks, cells=cells, measured=cells)
    layer = show_selection(model, masks, [3, 9])
    masks.data_setitem(tuple(np.nonzero(labels == 6)), 3)
    assert show_selection(model, masks, [3, 9]) is layer
    found = np.asarray(layer.data)
    assert not found[np.isin(labels, [3, 6])].any()
    np.testing.assert_array_equal(found == CHOSEN, labels == 9)


@pytest.mark.parametrize("side", [2, 700])
def test_a_replaced_image_of_another_size(
    model: ViewerModel, labels: np.ndarray, side: int
) -> None:
    masks = model.add_labels(labels)
    show_selection(model, masks, [3])
    masks.data = np.full((side, side), 3)
    layer = show_selection(model, masks, [3])
    shown = layer.data[0] if layer.multiscale else layer.data
    assert np.asarray(shown).shape == (side, side)
    assert len(model.layers) == 2


def test_in_a_volume_other_cells_are_left_out_of_the_picture(
    model: ViewerModel, labels: np.ndarray
) -> None:
    masks = model.add_labels(np.stack([labels, labels]))
    layer = show_selection(model, masks, [3])
    assert layer.colormap.map(OTHERS)[3] == 0
    assert layer.colormap.map(CHOSEN)[3] > 0.5
