from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Labels, Shapes

from napari_gluer._napari.asking.places import (
    cell_under,
    label_at,
    may_ask,
    place_of,
    show_place,
)
from napari_gluer.errors import InputError


def mouse(position: Any, displayed: Any = (0, 1)) -> SimpleNamespace:
    return SimpleNamespace(
        position=position, dims_displayed=list(displayed), view_direction=np.array([1.0, 0, 0])
    )


def test_the_label_under_the_mouse(tissue_of_types: Any) -> None:
    layer = tissue_of_types.layer
    for label in (11, 57, 100):
        y, x = tissue_of_types.centre(label)
        assert label_at(layer, mouse((y / 2, x / 2))) == label
    assert label_at(layer, mouse((0, 0))) == 0
    assert label_at(layer, mouse((-5, 3))) == 0
    assert label_at(layer, mouse((1e4, 3))) == 0
    layer.visible = False
    assert label_at(layer, mouse(np.array(tissue_of_types.centre(57)) / 2)) == 57


def test_other_axes_of_the_viewer_do_not_matter(tissue_of_types: Any) -> None:
    y, x = tissue_of_types.centre(57)
    assert label_at(tissue_of_types.layer, mouse((3, y / 2, x / 2), (1, 2))) == 57


def test_a_multiscale_layer_is_asked_at_full_resolution() -> None:
    full = np.zeros((64, 64), np.int32)
    full[10, 11] = 5
    layer = Labels([full, full[::2, ::2]], multiscale=True)
    assert label_at(layer, mouse((10, 11))) == 5


def test_in_3d_the_line_of_sight_meets_the_first_cell() -> None:
    labels = np.zeros((20, 20, 20), np.int32)
    labels[4:8, 5:15, 5:15] = 3
    labels[12:16, 5:15, 5:15] = 9
    viewer = ViewerModel(ndisplay=3)
    layer = viewer.add_labels(labels)
    assert label_at(layer, mouse((0, 10, 10), (0, 1, 2))) == 3
    assert label_at(layer, mouse((0, 1, 1), (0, 1, 2))) == 0


def test_the_layer_with_a_cell_there_is_found(tissue_of_types: Any, model: ViewerModel) -> None:
    other = model.add_labels(np.full((400, 400), 7), name="other", translate=(500, 0))
    chosen = tissue_of_types.layer
    here = mouse(np.array(tissue_of_types.centre(57)) / 2)
    assert cell_under(model, chosen, here) == (chosen, 57)
    assert cell_under(model, other, here) == (chosen, 57)
    assert cell_under(model, chosen, mouse((600, 20))) == (other, 7)
    assert cell_under(model, chosen, mouse((-9, -9))) == (chosen, 0)


@given(
    st.integers(0, 99),
    st.sampled_from([(30, 41), (700, 1300), (5, 33, 20), (3, 600, 40)]),
)
def test_centres_are_those_of_numpy(seed: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    for label in (2, 5, 9):
        low = [int(rng.integers(0, n - 1)) for n in shape]
        labels[tuple(slice(a, a + int(rng.integers(1, 9))) for a in low)] = label
    layer = Labels(labels)
    for label in np.unique(labels[labels > 0]):
        place = place_of(layer, int(label))
        pixels = np.argwhere(labels == label)
        assert place.size == len(pixels)
        np.testing.assert_allclose(place.centre, pixels.mean(axis=0))
        np.testing.assert_array_equal(place.first, pixels.min(axis=0))
        np.testing.assert_array_equal(place.last, pixels.max(axis=0))


def test_an_edited_cell_is_found_where_it_is_now(tissue_of_types: Any) -> None:
    layer = tissue_of_types.layer
    data = layer.data
    data[data == 57] = 0
    data[0:2, 0:4] = 57
    layer.data = data.copy()
    place = place_of(layer, 57)
    assert (place.centre.tolist(), place.size) == ([0.5, 1.5], 8)
    layer.data = np.where(layer.data == 57, 0, layer.data)
    with pytest.raises(InputError, match="no cell 57"):
        place_of(layer, 57)


@pytest.mark.parametrize("label", [0, -3, 10, 101, 4_000_000])
def test_labels_that_are_not_there_are_said(tissue_of_types: Any, label: int) -> None:
    with pytest.raises(InputError, match="from 11 to 100"):
        place_of(tissue_of_types.layer, label)


def test_the_view_goes_to_the_cell(tissue_of_types: Any, model: ViewerModel) -> None:
    layer = tissue_of_types.layer
    place = place_of(layer, 57)
    model.scene.camera.zoom = 0.01
    show_place(model, layer, place)
    assert model.scene.camera.center[1:] == pytest.approx(np.array(tissue_of_types.centre(57)) / 2)
    assert model.scene.camera.zoom * 8 * 0.5 == pytest.approx(30)
    model.scene.camera.zoom = 50
    show_place(model, layer, place)
    assert model.scene.camera.zoom == 50


def test_the_slice_of_a_volume_is_the_cells(model: ViewerModel) -> None:
    labels = np.zeros((10, 20, 20), np.int32)
    labels[6:9, 3:6, 3:6] = 4
    layer = model.add_labels(labels, scale=(2.0, 1, 1))
    place = place_of(layer, 4)
    show_place(model, layer, place)
    assert model.dims.point[0] == 14
    assert model.dims.current_step[0] == 7


def test_clicks_are_free_unless_a_tool_is_in_hand(tissue_of_types: Any) -> None:
    layer = tissue_of_types.layer
    assert may_ask(None)
    assert may_ask(layer)
    for mode in ("paint", "erase", "fill", "pick", "polygon"):
        layer.mode = mode
        assert not may_ask(layer)
    shapes = Shapes()
    assert may_ask(shapes)
    shapes.mode = "add_polygon"
    assert not may_ask(shapes)
