"""Genes as channels: colours that add up, limits of their own."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.captions import title
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.blending import (
    channels_of,
    show_blend,
    with_channel,
    without_channel,
)
from napari_gluer._napari.painting.painter import Canvas, paint, repaint
from napari_gluer._napari.painting.picking import found_for, shown_of
from napari_gluer.errors import InputError
from napari_gluer.painting import LabelIndex

NAMES = ("CD3", "CD20")


def put(model: ViewerModel, masks: Labels, what: Paintable, cells: AnnData) -> None:
    shown = shown_of(what, found_for(what, masks, cells, None))
    paint(model, [Canvas(masks, shown)], what.layer_name)


@pytest.fixture
def blend(model: ViewerModel, masks: Labels, integrated: AnnData) -> list[Any]:
    for name in NAMES:
        what = Paintable(name, Origin.MARKER)
        put(model, masks, what, integrated)
        shown = linked_of(masks).shown
        assert shown is not None
        with_channel(masks, shown, what.layer_name)
    show_blend(model, masks)
    return [one for one in model.layers if one.name.startswith(NAMES) and "·" in one.name]


def test_each_gene_is_a_channel_with_its_own_limits(
    model: ViewerModel, masks: Labels, integrated: AnnData, blend: list[Any]
) -> None:
    assert [one.name for one in blend] == ["CD3 (measured) · magenta", "CD20 (measured) · green"]
    assert [one.blending for one in blend] == ["additive"] * 2
    for i, layer in enumerate(blend):
        expected = np.percentile(integrated.X[:, i], (1, 99))
        assert tuple(layer.contrast_limits) == pytest.approx(expected)
        assert layer.colorbar.visible
        found = np.unique(np.asarray(layer.data)[masks.data == 60])
        row = integrated.obs["label"].tolist().index(60)
        assert found.tolist() == [integrated.X[row, i]]
    limits = ["{:.3g} to {:.3g}".format(*one.contrast_limits) for one in blend]
    assert title(model).splitlines() == [
        f"magenta: CD3 (measured), {limits[0]}",
        f"green: CD20 (measured), {limits[1]}",
    ]
    assert [one.name for one in model.layers if one.visible] == ["masks", *[b.name for b in blend]]


@pytest.mark.usefixtures("blend")
def test_the_panels_show_the_mixed_colours(masks: Labels, integrated: AnnData) -> None:
    shown = linked_of(masks).shown
    assert shown is not None
    shares = []
    for i in range(2):
        values = integrated.X[:, i]
        low, high = np.percentile(values, (1, 99))
        row = integrated.obs["label"].tolist().index(60)
        shares.append(np.clip((values[row] - low) / (high - low), 0, 1))
    expected = np.rint(255 * np.array([shares[0], shares[1], shares[0], 1]))
    np.testing.assert_allclose(shown.rgba([60])[0], expected, atol=1)


def test_limits_set_in_napari_change_the_legend_and_the_panels(
    model: ViewerModel, masks: Labels, blend: list[Any]
) -> None:
    blend[0].contrast_limits = (0, 100)
    assert "CD3 (measured), 0 to 100" in title(model)
    assert channels_of(masks)[0].shown.limits == (0, 100)
    shown = linked_of(masks).shown
    assert shown is not None
    assert shown.rgba([60])[0][0] == round(255 * 6 / 100)


def test_painting_one_gene_hides_the_blend_and_it_comes_back(
    model: ViewerModel, masks: Labels, integrated: AnnData, blend: list[Any]
) -> None:
    put(model, masks, Paintable("CD20", Origin.MARKER), integrated)
    assert not any(one.visible for one in blend)
    shown = linked_of(masks).shown
    assert shown is not None
    assert shown.blend is None
    show_blend(model, masks)
    assert all(one.visible for one in blend)
    again = linked_of(masks).shown
    assert again is not None
    assert again.blend is not None


def test_a_gene_that_is_taken_out_gives_its_colour_to_the_next(
    model: ViewerModel, masks: Labels, integrated: AnnData, blend: list[Any]
) -> None:
    without_channel(masks, Paintable("CD3", Origin.MARKER))
    show_blend(model, masks)
    left = [one for one in blend if one in model.layers]
    assert [one.name for one in left] == ["CD20 (measured) · green"]
    put(model, masks, Paintable(slots.VOLUME, Origin.NUMBER), integrated)
    shown = linked_of(masks).shown
    assert shown is not None
    with_channel(masks, shown, "size")
    assert [one.color for one in channels_of(masks)] == ["green", "magenta"]


def test_without_channels_nothing_is_shown(
    model: ViewerModel, masks: Labels, blend: list[Any]
) -> None:
    for name in NAMES:
        without_channel(masks, Paintable(name, Origin.MARKER))
    show_blend(model, masks)
    assert not [one for one in blend if one in model.layers]
    assert linked_of(masks).shown is None


def test_the_style_of_a_single_gene_leaves_the_blend_alone(
    model: ViewerModel, masks: Labels, blend: list[Any]
) -> None:
    before = linked_of(masks).shown
    linked_of(masks).restyle(linked_of(masks).style.but(gamma=3))
    repaint(model, [masks])
    assert linked_of(masks).shown is before
    assert [one.gamma for one in blend] == [1, 1]


def test_what_cannot_be_blended_is_refused(
    model: ViewerModel, masks: Labels, integrated: AnnData, blend: list[Any]
) -> None:
    put(model, masks, Paintable("CD3", Origin.MARKER), integrated)
    shown = linked_of(masks).shown
    assert shown is not None
    with pytest.raises(InputError, match="“CD3” is in the blend already"):
        with_channel(masks, shown, "CD3")
    put(model, masks, Paintable("cluster", Origin.CLUSTER), integrated)
    types = linked_of(masks).shown
    assert types is not None
    with pytest.raises(InputError, match="Only something continuous"):
        with_channel(masks, types, "cluster")


@pytest.mark.usefixtures("blend")
def test_three_colours_are_all(model: ViewerModel, masks: Labels, integrated: AnnData) -> None:
    for name in (slots.VOLUME, slots.CONFIDENCE):
        put(model, masks, Paintable(name, Origin.NUMBER), integrated)
        shown = linked_of(masks).shown
        assert shown is not None
        if name == slots.VOLUME:
            with_channel(masks, shown, name)
        else:
            with pytest.raises(InputError, match="Three colours"):
                with_channel(masks, shown, name)


def test_a_blend_is_bodies_in_3d(
    model: ViewerModel, integrated: AnnData, labels: np.ndarray
) -> None:
    masks = model.add_labels(np.stack([labels, labels]), name="stack")
    attach(masks, cells=integrated)
    for name in NAMES:
        put(model, masks, Paintable(name, Origin.MARKER), integrated)
        shown = linked_of(masks).shown
        assert shown is not None
        with_channel(masks, shown, name)
    show_blend(model, masks)
    channels = [one for one in model.layers if "·" in one.name]
    model.dims.ndisplay = 3
    assert all(np.isnan(np.asarray(one.data)).all() for one in channels)
    bodies = next(one for one in model.layers if one.name == "cells in 3-D")
    np.testing.assert_array_equal(np.asarray(bodies.data) > 0, masks.data > 0)
    model.dims.ndisplay = 2
    assert all(np.isfinite(np.asarray(one.data)).any() for one in channels)


def test_an_edited_cell_is_empty_in_every_channel_until_that_is_undone(
    masks: Labels, blend: list[Any]
) -> None:
    before = [np.asarray(one.data).copy() for one in blend]
    there = masks.data == 60
    at = np.nonzero(there)
    masks.data_setitem((at[0][:2], at[1][:2]), np.array([0, 0]))
    for one, values in zip(blend, before, strict=True):
        now = np.asarray(one.data)
        assert np.isnan(now[there]).all()
        np.testing.assert_array_equal(now[~there], values[~there])
    shown = linked_of(masks).shown
    assert shown is not None
    assert shown.blend is not None
    assert 60 not in shown.labels
    masks.undo()
    for one, values in zip(blend, before, strict=True):
        np.testing.assert_array_equal(np.asarray(one.data), values)


def test_a_blended_cell_that_is_measured_anew_stays_empty(
    masks: Labels, blend: list[Any], integrated: AnnData
) -> None:
    there = masks.data == 60
    at = np.nonzero(there)
    edited = masks.data.copy()
    edited[at[0][:2], at[1][:2]] = 0
    masks.data_setitem((at[0][:2], at[1][:2]), np.array([0, 0]))
    other = integrated.copy()
    attach(masks, cells=other, measured=other, index=LabelIndex(edited))
    assert all(np.isnan(np.asarray(one.data)[there]).all() for one in blend)
    assert 60 not in channels_of(masks)[0].shown.labels
