"""Shapes become polygons in pixels of the image, wherever the two layers lie."""

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Shapes
from qtpy.QtCore import Qt

from napari_gluer._napari.cells.regions import RegionRows, polygons_of
from napari_gluer.errors import InputError

PLACES = [
    ({}, {}),
    ({"scale": (0.5, 0.5), "translate": (10, -5)}, {}),
    ({"scale": (0.5, 0.25)}, {"scale": (2, 2), "translate": (3, 4)}),
    ({"scale": (0.5, 0.5), "rotate": 20}, {"scale": (0.1, 0.1)}),
]


def _image(model: ViewerModel, **place: Any) -> Image:
    return model.add_image(np.zeros((60, 80)), **place)


@pytest.mark.parametrize(("image_place", "shapes_place"), PLACES)
def test_polygons_are_where_they_were_drawn(
    model: ViewerModel, image_place: dict[str, Any], shapes_place: dict[str, Any]
) -> None:
    image = _image(model, **image_place)
    shapes = model.add_shapes(ndim=2, **shapes_place)
    corners = np.array([[10.0, 10], [10, 30], [25, 12]])
    world = [image.data_to_world(corner) for corner in corners]
    shapes.add_polygons(np.array([shapes.world_to_data(corner) for corner in world]))
    (polygon,), others = polygons_of(shapes, image)
    assert others == 0
    np.testing.assert_allclose(polygon.rings[0], corners, atol=1e-9)


def test_an_ellipse_has_the_area_of_one(model: ViewerModel) -> None:
    image = _image(model)
    shapes = model.add_shapes(ndim=2)
    shapes.add_ellipses(np.array([[5, 10], [5, 50], [35, 50], [35, 10]]))
    (polygon,), _ = polygons_of(shapes, image)
    y, x = polygon.rings[0].T
    area = abs(np.dot(y, np.roll(x, 1)) - np.dot(x, np.roll(y, 1))) / 2
    assert area == pytest.approx(np.pi * 15 * 20, rel=1e-3)
    assert polygon.bounds == pytest.approx((5, 10, 35, 50), abs=0.1)


def test_lines_and_paths_are_counted_not_used(model: ViewerModel) -> None:
    image = _image(model)
    shapes = model.add_shapes(ndim=2)
    shapes.add_rectangles(np.array([[1, 2], [5, 9]]))
    shapes.add_lines(np.array([[0, 0], [4, 4]]))
    shapes.add_paths(np.array([[0, 0], [4, 4], [4, 8]]))
    found, others = polygons_of(shapes, image)
    assert others == 2
    assert found[0].bounds == (1, 2, 5, 9)


def test_shapes_on_a_plane_of_a_stack_count_in_all(model: ViewerModel) -> None:
    image = model.add_image(np.zeros((5, 60, 80)), scale=(2, 0.5, 0.5))
    shapes = model.add_shapes(ndim=3, scale=(2, 0.5, 0.5))
    shapes.add_polygons(np.array([[3, 10, 10], [3, 10, 30], [3, 25, 12]]))
    (polygon,), _ = polygons_of(shapes, image)
    np.testing.assert_allclose(polygon.rings[0], [[10, 10], [10, 30], [25, 12]])
    flat = model.add_shapes(ndim=2, scale=(0.5, 0.5))
    flat.add_polygons(np.array([[10, 10], [10, 30], [25, 12]]))
    np.testing.assert_allclose(polygons_of(flat, image)[0][0].rings[0], polygon.rings[0])


@pytest.fixture
def rows(qtbot: Any, model: ViewerModel) -> RegionRows:
    image = _image(model, scale=(0.5, 0.5), translate=(10, 0))
    made = RegionRows(model, lambda: image)
    qtbot.addWidget(made)
    made.show()
    return made


def _square(shapes: Shapes, low: float, high: float) -> None:
    shapes.add_rectangles(np.array([[low, low], [high, high]]))


def test_without_a_choice_there_are_no_regions(rows: RegionRows, model: ViewerModel) -> None:
    model.add_shapes(ndim=2)
    assert rows.regions(model.layers[0]) == (None, "")


def test_a_click_makes_a_layer_to_draw_in(qtbot: Any, rows: RegionRows, model: ViewerModel) -> None:
    for name, picker in (("Only within", rows.within), ("Leave out", rows.leave_out)):
        qtbot.mouseClick(rows.draw[name], Qt.MouseButton.LeftButton)
        layer = model.layers[-1]
        assert picker.value is layer
        assert layer.name == name.lower()
        assert layer.mode == "add_polygon"
        np.testing.assert_allclose((layer.scale, layer.translate), ((0.5, 0.5), (10, 0)))


def test_what_is_left_out_wins(rows: RegionRows, model: ViewerModel) -> None:
    inside, outside = (model.add_shapes(ndim=2, scale=(0.5, 0.5), translate=(10, 0)) for _ in "ab")
    _square(inside, 10, 40)
    _square(outside, 30, 40)
    outside.add_lines(np.array([[0, 0], [4, 4]]))
    rows.within.choose(inside)
    rows.leave_out.choose(outside)
    regions, word = rows.regions(model.layers[0])
    assert regions is not None
    points = np.array([[20, 20], [35, 35], [50, 20], [35, 20]])
    assert regions.contains(points).tolist() == [True, False, False, True]
    assert word == f"Ignored in “{outside.name}”: 1 line or path."


def test_a_layer_without_an_area_is_refused(rows: RegionRows, model: ViewerModel) -> None:
    empty = model.add_shapes(ndim=2, name="fold")
    rows.leave_out.choose(empty)
    with pytest.raises(InputError, match="“fold” holds no area"):
        rows.regions(model.layers[0])


def test_drawn_regions_let_the_cells_be_seen(qtbot: Any, model: ViewerModel) -> None:
    like = model.add_image(np.zeros((100, 100)), scale=(0.5, 0.5))
    rows = RegionRows(model, lambda: like)
    qtbot.addWidget(rows)
    model.scene.camera.zoom = 4
    for button in rows.draw.values():
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    within, leave_out = (layer for layer in model.layers if isinstance(layer, Shapes))
    for layer in (within, leave_out):
        layer.add_rectangles(np.array([[0, 0], [10, 10]]))
        assert layer.face_color[0][3] < 0.1
        assert layer.edge_width[0] == 1  # pixels of the image, which are two of the screen
    assert tuple(within.edge_color[0]) != tuple(leave_out.edge_color[0])
