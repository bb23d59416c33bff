"""Camera, sliders, overlays, selections and paintings as JSON and back."""

import json

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel

from napari_gluer._napari.attached import KEY, attach
from napari_gluer._napari.layers import show_labels
from napari_gluer._napari.linked import Shown, linked_of
from napari_gluer._napari.paintables import Origin, Paintable, numbers
from napari_gluer._napari.painting.blending import channels_of, show_blend, with_channel
from napari_gluer._napari.painting.looks import styled, values_shown
from napari_gluer._napari.painting.style import PaintStyle
from napari_gluer._napari.session.plain import Arrays
from napari_gluer._napari.session.viewing import (
    blend_from_json,
    blend_to_json,
    linked_from_json,
    linked_to_json,
    view_from_json,
    view_to_json,
)


def _volume(viewer: ViewerModel) -> None:
    viewer.add_image(np.zeros((5, 20, 30)), scale=(2, 1, 1))


def test_camera_sliders_and_overlays(model: ViewerModel) -> None:
    _volume(model)
    model.dims.ndisplay = 3
    model.dims.order = (1, 0, 2)
    model.dims.point = (6, 11, 4)
    camera = model.scene.camera
    camera.angles, camera.zoom, camera.perspective = (10, 20, 30), 3.5, 12
    model.canvas.grid.enabled = True
    model.canvas.grid.shape = (1, 4)
    bar, text = model.canvas.overlays["scale_bar"], model.canvas.overlays["text"]
    bar.visible, bar.font_size = True, 19
    text.visible, text.text = True, "spleen 3"
    model.scene.overlays["axes"].visible = True
    stored = json.loads(json.dumps(view_to_json(model)))

    other = ViewerModel()
    _volume(other)
    view_from_json(other, stored)
    assert other.dims.ndisplay == 3
    assert other.dims.order == (1, 0, 2)
    assert other.dims.point == model.dims.point
    assert other.scene.camera.angles == pytest.approx((10, 20, 30))
    assert (other.scene.camera.zoom, other.scene.camera.perspective) == (3.5, 12)
    assert other.scene.camera.center == pytest.approx(camera.center)
    assert other.canvas.grid.enabled
    assert other.canvas.grid.shape == (1, 4)
    overlays = other.canvas.overlays
    assert (overlays["scale_bar"].visible, overlays["scale_bar"].font_size) == (True, 19)
    assert (overlays["text"].visible, overlays["text"].text) == (True, "spleen 3")
    assert other.scene.overlays["axes"].visible
    assert view_to_json(other) == view_to_json(model)


def test_sliders_of_another_number_of_axes_are_left(model: ViewerModel) -> None:
    _volume(model)
    model.dims.point = (6, 11, 4)
    stored = view_to_json(model)
    flat = ViewerModel()
    flat.add_image(np.zeros((20, 30)))
    before = flat.dims.order
    view_from_json(flat, stored)
    assert flat.dims.order == before


def _shown(cells: AnnData, name: str) -> Shown:
    what = Paintable(name, Origin.MARKER)
    return values_shown(what, cells, numbers(what, cells, None), title=name)


def test_what_the_panels_share(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> None:
    layer = show_labels(model, labels, name="cells")
    attach(layer, cells=cells)
    view = linked_of(layer)
    view.selections.choose([6, 9])
    view.selections.keep("two")
    view.selections.choose([12])
    view.colors["region"] = {"up": "#112233", "low": "#445566"}
    view.restyle(PaintStyle(gamma=0.5, low=3, high=80))
    view.show(_shown(cells, "CD3"))
    arrays: Arrays = {}
    stored = json.loads(json.dumps(linked_to_json(view, arrays)))

    other = show_labels(ViewerModel(), labels, name="again")
    attach(other, cells=cells)
    again = linked_of(other)
    linked_from_json(other, stored, arrays)
    assert again.selections.current.tolist() == [12]
    assert {name: one.tolist() for name, one in again.selections.named.items()} == {"two": [6, 9]}
    assert again.colors == view.colors
    assert again.style == view.style
    assert again.style.gamma == 0.5
    assert view.shown is not None
    assert again.shown is not None
    assert again.shown.what == view.shown.what
    np.testing.assert_array_equal(again.shown.values, view.shown.values)
    np.testing.assert_array_equal(again.shown.labels, view.shown.labels)
    assert again.shown.limits == view.shown.limits


def test_fields_of_a_later_version_are_passed_over(
    model: ViewerModel, labels: np.ndarray, cells: AnnData
) -> None:
    layer = show_labels(model, labels, name="cells")
    attach(layer, cells=cells)
    view = linked_of(layer)
    view.show(_shown(cells, "CD20"))
    arrays: Arrays = {}
    stored = linked_to_json(view, arrays)
    stored["shown"]["of tomorrow"] = 5
    linked_from_json(layer, stored, arrays)
    assert view.shown is not None
    assert view.shown.what == Paintable("CD20", Origin.MARKER)


@pytest.mark.parametrize("seen", [True, False])
def test_a_blend_is_shown_only_where_it_was(
    model: ViewerModel, labels: np.ndarray, cells: AnnData, seen: bool
) -> None:
    layer = show_labels(model, labels, name="cells")
    attach(layer, cells=cells)
    for name in ("CD3", "CD20"):
        with_channel(layer, styled(_shown(cells, name), PaintStyle()), name)
    arrays: Arrays = {}
    stored = json.loads(json.dumps(blend_to_json(layer, arrays)))
    assert [one["name"] for one in stored] == ["CD3", "CD20"]

    other = ViewerModel()
    again = show_labels(other, labels, name="cells")
    attach(again, cells=cells)
    if seen:
        for name in ("CD3", "CD20"):
            with_channel(again, styled(_shown(cells, name), PaintStyle()), name)
        show_blend(other, again)
        again.metadata[KEY].pop("channels")  # as layers are rebuilt before their labels know
    there = [one.name for one in other.layers]
    blend_from_json(other, again, stored, arrays)
    assert [one.name for one in channels_of(again)] == ["CD3", "CD20"]
    assert [one.name for one in other.layers] == there
    for one, before in zip(channels_of(again), channels_of(layer), strict=True):
        assert one.color == before.color
        np.testing.assert_array_equal(one.shown.values, before.shown.values)
