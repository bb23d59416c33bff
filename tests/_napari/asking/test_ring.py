"""The ring around the cell that is asked: where it is, how large, and that there is one."""

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Points

from napari_gluer._napari.asking.places import place_of
from napari_gluer._napari.asking.ring import NAME, hide_ring, ring, turn_ring


def test_it_surrounds_the_cell_where_the_labels_are(model: ViewerModel, labels: np.ndarray) -> None:
    layer = model.add_labels(labels, scale=(0.5, 0.5), translate=(10, 20), units=("um", "um"))
    found = ring(model, layer, place_of(layer, 6))
    inside = np.argwhere(labels == 6)
    np.testing.assert_allclose(found.data, [inside.mean(axis=0)])
    np.testing.assert_array_equal(found.scale, layer.scale)
    np.testing.assert_array_equal(found.translate, layer.translate)
    np.testing.assert_allclose(found.size, 1.8 * 10)  # a square of 10 × 10 pixels


@pytest.mark.parametrize("scale", [(-0.5, 0.5), (0.5, -0.5)])
def test_mirrored_labels_have_a_ring_too(
    model: ViewerModel, labels: np.ndarray, scale: tuple[float, float]
) -> None:
    layer = model.add_labels(labels, scale=scale)
    found = ring(model, layer, place_of(layer, 6))
    np.testing.assert_allclose(found.size, 1.8 * 10)
    np.testing.assert_allclose(
        found.data_to_world(found.data[0]),
        layer.data_to_world(np.argwhere(labels == 6).mean(axis=0)),
    )


def test_a_tiny_cell_has_a_ring_that_can_be_seen(model: ViewerModel) -> None:
    drawn = np.zeros((20, 20), int)
    drawn[4, 5] = 9
    layer = model.add_labels(drawn)
    np.testing.assert_allclose(ring(model, layer, place_of(layer, 9)).size, 6)


def test_there_is_one_ring_above_everything(model: ViewerModel, labels: np.ndarray) -> None:
    layer = model.add_labels(labels)
    first = ring(model, layer, place_of(layer, 3))
    above = model.add_image(labels)
    second = ring(model, layer, place_of(layer, 9))
    assert second is first
    assert list(model.layers) == [layer, above, first]
    np.testing.assert_allclose(first.data, [np.argwhere(labels == 9).mean(axis=0)])


def test_it_moves_to_labels_that_lie_elsewhere(model: ViewerModel, labels: np.ndarray) -> None:
    here = model.add_labels(labels, scale=(0.5, 0.5))
    there = model.add_labels(labels, scale=(2, 2), translate=(100, 0))
    ring(model, here, place_of(here, 3))
    found = ring(model, there, place_of(there, 3))
    np.testing.assert_allclose(found.data_to_world(found.data[0]), (113, 13))


@pytest.fixture
def volume(model: ViewerModel) -> Any:
    """A cell in the slices 2 to 5 of 8, which are four pixels apart."""
    drawn = np.zeros((8, 40, 40), int)
    drawn[2:6, 10:26, 20:36] = 7
    return model.add_labels(drawn, scale=(2, 0.5, 0.5), translate=(1, 0, 0))


def seen_in(ring: Points, model: ViewerModel, axis: int) -> list[int]:
    """Slices along an axis in which napari has the ring, sought in the middle of the cell."""
    for other, value in enumerate(ring.data_to_world(ring.data[0])):
        model.dims.set_point(other, value)
    found = []
    for at in range(model.dims.nsteps[axis]):
        model.dims.set_current_step(axis, at)
        if (
            ring.get_value(model.dims.point, dims_displayed=list(model.dims.displayed), world=True)
            is not None
        ):
            found.append(at)
    return found


def test_in_a_volume_it_is_seen_in_every_slice_of_the_cell(model: ViewerModel, volume: Any) -> None:
    place = place_of(volume, 7)
    found = ring(model, volume, place)
    assert seen_in(found, model, 0) == [2, 3, 4, 5]
    np.testing.assert_allclose(found.data, [[z, 17.5, 27.5] for z in (2, 3, 4, 5)])
    np.testing.assert_allclose(found.size, 1.8 * 16)  # a cube with sides of 8 µm


def test_it_turns_with_the_view(model: ViewerModel, volume: Any) -> None:
    place = place_of(volume, 7)
    found = ring(model, volume, place)
    model.dims.order = (1, 0, 2)
    turn_ring(model, volume, place)
    assert seen_in(found, model, 1) == list(range(10, 26))
    model.dims.ndisplay = 3
    turn_ring(model, volume, place)
    np.testing.assert_allclose(found.data, [place.centre])


def test_a_ring_that_is_hidden_does_not_come_back_by_turning(
    model: ViewerModel, volume: Any
) -> None:
    place = place_of(volume, 7)
    turn_ring(model, volume, place)
    assert NAME not in model.layers
    found = ring(model, volume, place)
    hide_ring(model)
    model.dims.ndisplay = 3
    turn_ring(model, volume, place)
    assert not found.visible


def test_a_volume_has_a_ring_of_its_own(
    model: ViewerModel, volume: Any, labels: np.ndarray
) -> None:
    flat = model.add_labels(labels)
    ring(model, flat, place_of(flat, 3))
    found = ring(model, volume, place_of(volume, 7))
    assert [one for one in model.layers if isinstance(one, Points)] == [found]
    assert found.ndim == 3


@pytest.mark.parametrize("active", [True, False])
def test_what_was_active_stays_active(model: ViewerModel, labels: np.ndarray, active: bool) -> None:
    layer = model.add_labels(labels)
    model.layers.selection.active = layer if active else None
    ring(model, layer, place_of(layer, 3))
    assert model.layers.selection.active is (layer if active else None)


def test_hidden_and_shown_again(model: ViewerModel, labels: np.ndarray) -> None:
    layer = model.add_labels(labels)
    hide_ring(model)
    assert NAME not in model.layers
    found = ring(model, layer, place_of(layer, 3))
    assert not found.editable
    hide_ring(model)
    assert not found.visible
    assert layer.visible
    assert ring(model, layer, place_of(layer, 6)).visible
    assert not found.editable
