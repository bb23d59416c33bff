"""What is in view is found from the camera, and the preview lies where it was computed."""

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_gluer._napari.cells.preview import in_view, remove_preview, show_preview
from napari_gluer._napari.images import Source, sources
from napari_gluer._napari.pickers import labels_layers
from napari_gluer.errors import InputError


def _open(model: ViewerModel, shape: tuple[int, ...], **place: Any) -> Source:
    model.add_image(np.zeros(shape, np.uint8), **place)
    return next(one for one in sources(model) if one.name.startswith("visible"))


def _look_at(model: ViewerModel, middle: tuple[float, float], zoom: float) -> None:
    model.scene.camera.center = (0, *middle)
    model.scene.camera.zoom = zoom


def _window(model: ViewerModel, source: Source) -> list[tuple[int, int]]:
    return [(part.start, part.stop) for part in in_view(model, source).window]


def test_the_whole_of_a_small_image_is_in_view_at_first(model: ViewerModel) -> None:
    source = _open(model, (300, 200))
    assert _window(model, source) == [(0, 300), (0, 200)]
    assert not in_view(model, source).limited


@pytest.mark.parametrize(
    ("scale", "translate"), [((1, 1), (0, 0)), ((0.5, 0.25), (0, 0)), ((0.5, 0.5), (100, -40))]
)
def test_the_view_is_counted_in_pixels_of_the_image(
    model: ViewerModel, scale: tuple[float, float], translate: tuple[float, float]
) -> None:
    source = _open(model, (1000, 1000), scale=scale, translate=translate)
    middle = np.array([400, 600])
    model.canvas.size = (80, 60)
    _look_at(model, tuple(middle * scale + translate), 2 / scale[0])
    half = np.array([80, 60]) / (2 * 2 / scale[0]) / scale
    (y0, y1), (x0, x1) = _window(model, source)
    np.testing.assert_allclose([y0, x0], middle - half, atol=1)
    np.testing.assert_allclose([y1, x1], middle + half, atol=1.5)


def test_a_view_that_sticks_out_is_cut_at_the_image(model: ViewerModel) -> None:
    source = _open(model, (1000, 1000))
    model.canvas.size = (100, 100)
    _look_at(model, (0, 980), 1)
    assert _window(model, source) == [(0, 51), (930, 1000)]
    _look_at(model, (-500, 500), 1)
    with pytest.raises(InputError, match="Nothing of the image is in view"):
        in_view(model, source)


def test_a_large_view_is_limited_to_its_middle(model: ViewerModel) -> None:
    image = np.broadcast_to(np.uint8(0), (9000, 7001))
    model.add_image(image, contrast_limits=(0, 1))
    view = in_view(model, sources(model)[-1])
    rows, columns = view.window
    assert view.limited
    assert (rows.start, rows.stop) == (4500 - 1024, 4500 + 1024)
    assert (columns.start, columns.stop) == (3500 - 1024, 3500 + 1024)


def test_stacks_are_taken_through_all_planes(model: ViewerModel) -> None:
    source = _open(model, (50, 900, 900), scale=(2, 0.5, 0.5))
    planes, rows, columns = in_view(model, source).window
    assert planes == slice(0, 50)
    side = rows.stop - rows.start
    assert side == columns.stop - columns.start < 900
    assert 50 * side**2 <= 2 * 2048**2


def test_of_a_pyramid_full_resolution_counts(model: ViewerModel) -> None:
    levels = [np.broadcast_to(np.uint8(0), (4096 >> i, 4096 >> i)) for i in range(4)]
    model.add_image(levels, contrast_limits=(0, 1))
    model.canvas.size = (200, 400)
    _look_at(model, (1000, 3000), 1)
    assert _window(model, sources(model)[-1]) == [(900, 1101), (2800, 3201)]


def test_along_other_axes_the_middle_is_taken(model: ViewerModel) -> None:
    source = _open(model, (4, 100, 100))
    model.dims.order = (1, 0, 2)
    assert _window(model, source) == [(0, 4), (0, 100), (0, 100)]
    model.dims.order = (0, 1, 2)
    model.dims.ndisplay = 3
    assert _window(model, source) == [(0, 4), (0, 100), (0, 100)]


@pytest.mark.parametrize(
    "place",
    [
        {"scale": (0.5, 0.5), "translate": (10, 20)},
        {"scale": (0.5, 2), "rotate": 30, "translate": (3, 4)},
        {"affine": np.array([[0, 1, 5], [2, 0, 7], [0, 0, 1]])},
    ],
)
def test_the_preview_lies_on_its_window(model: ViewerModel, place: dict[str, Any]) -> None:
    source = _open(model, (100, 100), **place)
    labels = np.zeros((20, 30), np.int32)
    layer = show_preview(model, labels, source, (slice(40, 60), slice(5, 35)))
    for pixel in ((0, 0), (7, 3), (19, 29)):
        there = np.add(pixel, (40, 5))
        np.testing.assert_allclose(
            layer.data_to_world(pixel), source.like.data_to_world(there), atol=1e-9
        )


def test_a_preview_replaces_the_last_and_is_no_mask(model: ViewerModel) -> None:
    source = _open(model, (100, 100))
    tissue = model.layers.selection.active
    for value in (1, 2):
        show_preview(model, np.full((10, 10), value), source, (slice(0, 10), slice(0, 10)))
    shown = [layer for layer in model.layers if isinstance(layer, Labels)]
    assert [(one.name, int(one.data.max())) for one in shown] == [("preview", 2)]
    assert labels_layers(model) == []
    assert model.layers.selection.active is tissue
    remove_preview(model)
    assert list(model.layers) == [tissue]


def test_a_preview_in_a_channel_stack_has_no_channel_axis(model: ViewerModel) -> None:
    model.add_image(np.zeros((3, 40, 50)), scale=(1, 0.5, 0.5), translate=(0, 10, 20))
    source = sources(model)[0]
    layer = show_preview(model, np.zeros((4, 5), int), source, (slice(8, 12), slice(0, 5)))
    np.testing.assert_allclose(layer.translate, (14, 20))
    assert layer.ndim == 2


def test_on_a_real_canvas_it_is_what_napari_says(qtbot: Any, make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(900, 700)
    layer = viewer.add_image(np.zeros((3000, 2000), np.uint8), scale=(0.5, 0.5))
    viewer.scene.camera.center = (0, 700, 450)
    viewer.scene.camera.zoom = 1.7
    viewer.screenshot(canvas_only=True, flash=False)  # draws
    view = in_view(viewer, sources(viewer)[-1])
    found = [(part.start, part.stop - 1) for part in view.window]
    assert not view.limited
    np.testing.assert_allclose(found, layer.corner_pixels.T, atol=2)
    assert found[0][0] > 0


def test_a_second_preview_takes_the_layer_of_the_first(model: ViewerModel) -> None:
    source = _open(model, (100, 100), scale=(0.5, 0.5), translate=(10, 20))
    first = show_preview(model, np.ones((10, 10), int), source, (slice(0, 10), slice(0, 10)))
    tissue = model.add_image(np.zeros((5, 5)), scale=(0.5, 0.5))
    model.layers.selection.active = tissue
    first.visible = False
    labels = np.full((20, 30), 2)
    second = show_preview(model, labels, source, (slice(40, 60), slice(5, 35)))
    assert second is first  # taking a layer away freezes napari for half a second
    assert model.layers[-1] is second
    assert model.layers.selection.active is tissue
    assert second.visible
    assert not second.editable
    np.testing.assert_array_equal(second.data, labels)
    np.testing.assert_allclose(second.data_to_world((7, 3)), source.like.data_to_world((47, 8)))


def test_in_3d_the_preview_is_filled_and_napari_does_not_warn(model: ViewerModel) -> None:
    source = _open(model, (4, 20, 20))
    model.dims.ndisplay = 3
    layer = show_preview(
        model, np.ones((4, 20, 20), int), source, (slice(0, 4), *[slice(0, 20)] * 2)
    )
    assert layer.contour == 0
