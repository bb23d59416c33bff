"""A layer's state as plain values: every kind of layer looks the same when it is rebuilt."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points, Shapes, Surface, Tracks, Vectors

from napari_gluer._napari.attached import KEY, held
from napari_gluer._napari.session.layer_state import (
    entries_of,
    give_entries,
    rebuilt,
    state_of,
)
from napari_gluer._napari.session.plain import Arrays

PLACED = {"scale": (2.0, 0.5), "translate": (3.0, -7.0), "units": ("um", "um")}


def _again(layer: Layer, data: Any = None) -> Layer:
    """The layer, written as JSON and arrays and built from them."""
    arrays: Arrays = {}
    stored = json.loads(json.dumps(state_of(layer, arrays)))
    return rebuilt(layer.data if data is None else data, stored, arrays)


def _placed_alike(before: Layer, after: Layer) -> None:
    assert type(after) is type(before)
    assert after.name == before.name
    assert after.visible == before.visible
    assert after.opacity == before.opacity
    assert str(after.blending) == str(before.blending)
    np.testing.assert_array_equal(after.scale, before.scale)
    np.testing.assert_array_equal(after.translate, before.translate)
    assert [str(one) for one in after.units] == [str(one) for one in before.units]


def test_an_image(qapp: object) -> None:
    before = Image(
        np.arange(60.0).reshape(6, 10), name="DAPI", colormap="magenta", gamma=0.4,
        contrast_limits=(5, 50), opacity=0.3, visible=False, blending="additive",
        interpolation2d="linear", **PLACED,
    )  # fmt: skip
    before.colorbar.visible = True
    before.colorbar.font_size = 17
    after = _again(before)
    _placed_alike(before, after)
    assert isinstance(after, Image)
    assert after.colormap.name == "magenta"
    np.testing.assert_array_equal(after.colormap.colors, before.colormap.colors)
    assert after.gamma == 0.4
    assert tuple(after.contrast_limits) == (5, 50)
    assert str(after.interpolation2d) == "linear"
    assert after.colorbar.visible
    assert after.colorbar.font_size == 17


def test_a_colour_map_of_ones_own(qapp: object) -> None:
    from napari.utils import Colormap  # noqa: PLC0415

    steps = Colormap([[0, 0, 0, 1], [1, 0, 0, 0.5], [1, 1, 1, 1]], "mine", controls=[0, 0.2, 1])
    before = Image(np.arange(6.0).reshape(2, 3), colormap=steps)
    after = _again(before)
    assert isinstance(after, Image)
    np.testing.assert_array_equal(after.colormap.map([0, 0.2, 0.7]), steps.map([0, 0.2, 0.7]))


def test_labels(qapp: object) -> None:
    drawn = np.arange(12, dtype=np.int32).reshape(3, 4)
    before = Labels(drawn, name="cells", opacity=0.5, **PLACED)
    before.contour = 2
    before.selected_label = 7
    before.brush_size = 21
    before.show_selected_label = True
    before.editable = False
    after = _again(before)
    _placed_alike(before, after)
    assert isinstance(after, Labels)
    assert (after.contour, after.selected_label, after.brush_size) == (2, 7, 21)
    assert after.show_selected_label
    assert not after.editable
    colors = [(one.get_color(7), one.get_color(11)) for one in (before, after)]
    np.testing.assert_array_equal(colors[0], colors[1])


def test_labels_in_colours_of_ones_own(qapp: object) -> None:
    from napari.utils import DirectLabelColormap  # noqa: PLC0415

    chosen = {3: "#ff0000", 5: "#00ff0080", None: "#000000"}
    before = Labels(np.array([[3, 5, 9]]), colormap=DirectLabelColormap(color_dict=chosen))
    after = _again(before)
    assert isinstance(after, Labels)
    np.testing.assert_allclose(after.get_color(3), (1, 0, 0, 1))
    np.testing.assert_allclose(after.get_color(5), (0, 1, 0, 128 / 255))
    np.testing.assert_allclose(after.get_color(9), (0, 0, 0, 1))


def test_points_with_their_features(qapp: object) -> None:
    before = Points(
        [[1, 2], [3, 4]], name="spots", size=[3, 9], symbol="square", border_color="lime",
        face_color=[[1, 0, 0, 1], [0, 0, 1, 1]], features={"gene": ["Cd3e", "Ms4a1"]}, **PLACED,
    )  # fmt: skip
    after = _again(before)
    _placed_alike(before, after)
    assert isinstance(after, Points)
    np.testing.assert_array_equal(after.size, (3, 9))
    np.testing.assert_array_equal(after.face_color, before.face_color)
    np.testing.assert_array_equal(after.border_color, before.border_color)
    assert [str(one) for one in after.symbol] == ["square", "square"]
    assert after.features["gene"].tolist() == ["Cd3e", "Ms4a1"]


def test_shapes_of_several_kinds(qapp: object) -> None:
    box = np.array([[0, 0], [0, 4], [3, 4], [3, 0]])
    before = Shapes(name="regions", **PLACED)
    before.add(box, shape_type="rectangle", edge_color="red", edge_width=3)
    before.add(box + 9, shape_type="ellipse", face_color="blue")
    before.add([[0, 0], [5, 5], [9, 1]], shape_type="path", edge_width=0.5)
    after = _again(before)
    _placed_alike(before, after)
    assert isinstance(after, Shapes)
    assert after.shape_type == ["rectangle", "ellipse", "path"]
    assert after.edge_width == before.edge_width
    np.testing.assert_array_equal(after.edge_color, before.edge_color)
    np.testing.assert_array_equal(after.face_color, before.face_color)
    for one, other in zip(before.data, after.data, strict=True):
        np.testing.assert_allclose(one, other)


def test_vectors_tracks_and_surfaces(qapp: object) -> None:
    vectors = Vectors([[[0, 0], [1, 2]]], edge_width=2, edge_color="cyan", **PLACED)
    after = _again(vectors)
    _placed_alike(vectors, after)
    assert isinstance(after, Vectors)
    assert after.edge_width == 2
    np.testing.assert_array_equal(after.edge_color, vectors.edge_color)

    tracks = Tracks([[1, 0, 3, 4], [1, 1, 4, 6]], tail_length=9, tail_width=4)
    after = _again(tracks)
    assert isinstance(after, Tracks)
    assert (after.tail_length, after.tail_width) == (9, 4)

    corners, faces = np.array([[0, 0], [0, 2], [2, 1]]), np.array([[0, 1, 2]])
    surface = Surface((corners, faces, np.array([0.0, 1, 2])), colormap="turbo")
    after = _again(surface)
    assert isinstance(after, Surface)
    assert after.colormap.name == "turbo"
    np.testing.assert_array_equal(after.faces, faces)


def test_what_another_plugin_keeps_is_left_out(qapp: object) -> None:
    other = object()
    layer = Image(np.zeros((2, 2)), metadata={"another plugin": other, KEY: {}})
    held(layer)["of nobody"] = other
    held(layer)["title"] = "CD3"
    arrays: Arrays = {}
    assert "metadata" not in state_of(layer, arrays)["state"]
    assert entries_of(layer, [layer], arrays) == {"title": "CD3"}


def test_the_table_of_cells_is_not_stored_twice(qapp: object) -> None:
    layer = Labels(np.array([[1, 2]]), features=pd.DataFrame({"index": [0, 1, 2], "x": [0, 5, 6]}))
    assert "features" in state_of(layer, {})["state"]
    layer.metadata[KEY] = {"cells": object()}
    assert "features" not in state_of(layer, {})["state"]


@pytest.mark.parametrize("there", [True, False])
def test_a_layer_is_named_by_its_place(model: ViewerModel, there: bool) -> None:
    below, above = model.add_image(np.zeros((2, 2))), model.add_image(np.ones((2, 2)))
    above.metadata[KEY] = {"paints": str(below.unique_id), "limits": (0, np.float32(2))}
    arrays: Arrays = {}
    stored = json.loads(json.dumps(entries_of(above, [below, above], arrays)))
    assert str(below.unique_id) not in json.dumps(stored)
    new = Image(np.zeros((2, 2)))
    target = Image(np.ones((2, 2)))
    give_entries(target, stored, [new if there else None, target], arrays)
    assert held(target)["paints"] == (str(new.unique_id) if there else "")
    assert held(target)["limits"] == (0, 2)
