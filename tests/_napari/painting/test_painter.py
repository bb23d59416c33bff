"""What is painted, what the panels are told, and napari's own controls."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import attach, held, stale_of
from napari_gluer._napari.layers import keep
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.looks import FADED
from napari_gluer._napari.painting.painter import Canvas, certainty, paint, painting_of, repaint
from napari_gluer._napari.painting.picking import found_for, shown_of
from napari_gluer._napari.painting.style import Uncertain
from napari_gluer.errors import InputError
from napari_gluer.painting import LabelIndex

MARKER = Paintable("CD3", Origin.MARKER)
CONFIDENCE = Paintable(slots.CONFIDENCE, Origin.NUMBER)
KIND = Paintable("kind_transferred", Origin.TYPE)


def put(model: ViewerModel, what: Paintable, *layers: Labels) -> list[Any]:
    found = [found_for(what, one, held(one)["cells"], None) for one in layers]
    canvases = [Canvas(one.layer, shown_of(what, one)) for one in found]
    return paint(model, canvases, what.layer_name)


def pixels_of(layer: Any, masks: Labels, label: int) -> np.ndarray:
    return np.unique(np.asarray(layer.data)[masks.data == label])


def companion(model: ViewerModel, painting: Any) -> Any:
    found = [one for one in model.layers if held(one).get("completes") == str(painting.unique_id)]
    assert len(found) <= 1
    return found[0] if found else None


def test_the_panels_are_told_what_is_painted(model: ViewerModel, masks: Labels) -> None:
    told: list[Any] = []
    linked_of(masks).shown_changed.connect(lambda: told.append(linked_of(masks).shown))
    (layer,) = put(model, MARKER, masks)
    assert [one.what for one in told] == [MARKER]
    assert told[0].limits == pytest.approx(tuple(layer.contrast_limits))
    assert (told[0].colormap, told[0].gamma) == ("viridis", 1)


def test_tissue_and_panels_show_the_same_colour(model: ViewerModel, masks: Labels) -> None:
    (layer,) = put(model, MARKER, masks)
    layer.colormap, layer.gamma, layer.contrast_limits = "magma", 0.5, (2, 9)
    shown = linked_of(masks).shown
    assert shown is not None
    value = float(pixels_of(layer, masks, 60)[0])
    share = np.clip((value - 2) / 7, 0, 1) ** 0.5
    expected = np.rint(np.asarray(layer.colormap.map([share]))[0] * 255)
    np.testing.assert_allclose(shown.rgba([60])[0], expected, atol=1)


def test_what_napari_controls_set_is_kept_for_the_next_gene(
    model: ViewerModel, masks: Labels
) -> None:
    (layer,) = put(model, MARKER, masks)
    layer.colormap, layer.gamma = "magma", 2
    layer.contrast_limits = (1, 2)
    (again,) = put(model, Paintable("CD20", Origin.MARKER), masks)
    assert again is layer
    assert (layer.colormap.name, layer.gamma) == ("magma", 2)
    values = held(masks)["cells"].X[:, 1]
    assert tuple(layer.contrast_limits) == pytest.approx(np.percentile(values, (1, 99)))
    shown = linked_of(masks).shown
    assert shown is not None
    assert shown.limits == pytest.approx(np.percentile(values, (1, 99)))


def test_a_kept_layer_changes_nothing_any_more(model: ViewerModel, masks: Labels) -> None:
    (kept,) = put(model, MARKER, masks)
    keep(kept)
    put(model, KIND, masks)
    kept.contrast_limits = (0, 1)
    shown = linked_of(masks).shown
    assert shown is not None
    assert shown.what == KIND


def test_unmatched_cells_are_grey_beside_the_values(model: ViewerModel, masks: Labels) -> None:
    (layer,) = put(model, CONFIDENCE, masks)
    grey = companion(model, layer)
    assert grey is not None
    for label in (3, 6):
        assert np.isnan(pixels_of(layer, masks, label)).all()
        assert grey.get_color(int(pixels_of(grey, masks, label)[0]))[:3] == pytest.approx(
            [0x8A / 255] * 3
        )
    assert pixels_of(grey, masks, 9).tolist() == [0]
    shown = linked_of(masks).shown
    assert shown is not None
    assert shown.rgba([3])[0].tolist() == [0x8A, 0x8A, 0x8A, 255]


def test_the_companion_comes_and_goes_with_its_painting(model: ViewerModel, masks: Labels) -> None:
    (layer,) = put(model, CONFIDENCE, masks)
    grey = companion(model, layer)
    layer.visible = False
    assert not grey.visible
    layer.visible = True
    assert grey.visible
    put(model, MARKER, masks)
    assert companion(model, layer) is None
    (layer,) = put(model, CONFIDENCE, masks)
    model.layers.remove(layer)
    assert [one.name for one in model.layers] == ["masks"]


def test_the_switch_fades_and_hides_cells_below_the_bound(
    model: ViewerModel, masks: Labels
) -> None:
    (layer,) = put(model, MARKER, masks)
    linked = linked_of(masks)
    linked.restyle(linked.style.but(uncertain=Uncertain.FADE, bound=0.5))
    repaint(model, [masks])
    low, high = 60, 150  # confidence 0.31 and 0.78
    faded = companion(model, layer)
    assert np.isnan(pixels_of(layer, masks, low)).all()
    assert faded.get_color(int(pixels_of(faded, masks, low)[0]))[3] == pytest.approx(FADED)
    assert pixels_of(faded, masks, high).tolist() == [0]
    assert np.isfinite(pixels_of(layer, masks, high)).all()
    linked.restyle(linked.style.but(uncertain=Uncertain.HIDE))
    repaint(model, [masks])
    assert companion(model, layer) is None
    shown = linked.shown
    assert shown is not None
    assert shown.rgba([low, high])[:, 3].tolist() == [0, 255]


def test_limits_that_a_person_set_outlast_the_switch_but_not_other_percentiles(
    model: ViewerModel, masks: Labels, integrated: AnnData
) -> None:
    (layer,) = put(model, MARKER, masks)
    layer.contrast_limits = (3, 4)
    linked = linked_of(masks)
    linked.restyle(linked.style.but(uncertain=Uncertain.FADE))
    repaint(model, [masks])
    assert tuple(layer.contrast_limits) == (3, 4)
    linked.restyle(linked.style.but(high=80))
    repaint(model, [masks])
    expected = np.percentile(integrated.X[:, 0], (1, 80))
    assert tuple(layer.contrast_limits) == pytest.approx(expected)


def test_faded_cells_follow_the_colours_of_napari_controls(
    model: ViewerModel, masks: Labels
) -> None:
    linked = linked_of(masks)
    linked.restyle(linked.style.but(uncertain=Uncertain.FADE, bound=0.5))
    (layer,) = put(model, MARKER, masks)
    layer.colormap = "gray"
    layer.contrast_limits = (0, 12)
    faded = companion(model, layer)
    color = faded.get_color(int(pixels_of(faded, masks, 60)[0]))
    assert color[:3] == pytest.approx([6 / 12] * 3, abs=0.01)


@pytest.mark.parametrize("what", [MARKER, KIND], ids=["gene", "types"])
def test_edited_cells_are_left_empty(model: ViewerModel, masks: Labels, what: Paintable) -> None:
    masks.data_setitem((np.array([0]), np.array([0])), np.array([60]))
    (layer,) = put(model, what, masks)
    found = pixels_of(layer, masks, 60)
    assert np.isnan(found).all() or found.tolist() == [0]
    shown = linked_of(masks).shown
    assert shown is not None
    assert 60 not in shown.labels
    assert pixels_of(layer, masks, 63).size == 1


def empty(found: np.ndarray) -> bool:
    return bool(np.isnan(found).all() or found.tolist() == [0])


@pytest.mark.parametrize("what", [MARKER, KIND], ids=["gene", "types"])
def test_an_edit_empties_its_cell_at_once_and_undo_fills_it_again_with_no_panel_open(
    model: ViewerModel, masks: Labels, what: Paintable
) -> None:
    (layer,) = put(model, what, masks)
    before = {label: pixels_of(layer, masks, label) for label in (60, 63)}
    at = np.nonzero(masks.data == 60)
    masks.data_setitem((at[0][:2], at[1][:2]), np.array([0, 0]))
    assert empty(pixels_of(layer, masks, 60))
    np.testing.assert_array_equal(pixels_of(layer, masks, 63), before[63])
    masks.undo()
    np.testing.assert_array_equal(pixels_of(layer, masks, 60), before[60])


def test_a_cell_measured_anew_does_not_get_its_old_value_back(
    model: ViewerModel, masks: Labels, integrated: AnnData
) -> None:
    (layer,) = put(model, MARKER, masks)
    at = np.nonzero(masks.data == 60)
    edited = masks.data.copy()
    masks.data_setitem((at[0][:2], at[1][:2]), np.array([0, 0]))
    edited[at[0][:2], at[1][:2]] = 0
    other = integrated.copy()
    other.X = np.asarray(other.X) + 100
    attach(masks, cells=other, measured=other, index=LabelIndex(edited))
    assert not stale_of(masks).size
    shown = linked_of(masks).shown
    assert shown is not None
    assert 60 not in shown.labels
    (layer,) = put(model, MARKER, masks)
    assert pixels_of(layer, masks, 60).min() >= 100


def test_where_all_labels_were_replaced_the_painting_is_hidden(
    model: ViewerModel, masks: Labels
) -> None:
    (layer,) = put(model, MARKER, masks)
    masks.data = np.where(masks.data > 0, masks.data + 1000, 0)
    assert not layer.visible
    assert linked_of(masks).shown is None


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strokes=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 200)), min_size=1, max_size=6))
def test_random_strokes_empty_what_they_touch_and_nothing_else(
    model: ViewerModel, masks: Labels, strokes: list[tuple[int, int]]
) -> None:
    (layer,) = put(model, MARKER, masks)
    measured, values = masks.data.copy(), np.asarray(layer.data).copy()
    flat = masks.data.size
    for place, value in strokes:
        where = np.unravel_index([place * 997 % flat], masks.data.shape)
        masks.data_setitem(where, np.array([value]))
    other = masks.data != measured
    touched = np.setdiff1d(np.union1d(measured[other], masks.data[other]), [0])
    gone = np.isin(measured, touched)
    now = np.asarray(layer.data)
    assert np.isnan(now[gone]).all()
    np.testing.assert_array_equal(now[~gone], values[~gone])
    for _ in strokes:
        masks.undo()
    np.testing.assert_array_equal(masks.data, measured)
    np.testing.assert_array_equal(np.asarray(layer.data), values)


def test_replaced_labels_are_refused_and_nothing_is_painted(
    model: ViewerModel, masks: Labels
) -> None:
    masks.data = np.where(masks.data > 0, masks.data + 1000, 0)
    with pytest.raises(InputError, match="labels were replaced"):
        put(model, MARKER, masks)
    assert len(model.layers) == 1
    assert linked_of(masks).shown is None


def test_a_layer_that_is_gone_is_told(model: ViewerModel, masks: Labels) -> None:
    model.layers.remove(masks)
    with pytest.raises(InputError, match="“masks” is gone"):
        put(model, MARKER, masks)


def test_certainty_is_joined_by_label(masks: Labels, integrated: AnnData) -> None:
    shown = shown_of(MARKER, found_for(MARKER, masks, integrated, None))
    shuffled = integrated[np.random.default_rng(3).permutation(integrated.n_obs)].copy()
    attach(masks, cells=shuffled[5:].copy())
    column, values = certainty(masks, shown) or ("", np.zeros(0))
    assert column == slots.CONFIDENCE
    gone = np.isin(shown.labels, shuffled.obs["label"].to_numpy()[:5])
    np.testing.assert_allclose(values[~gone], shown.labels[~gone] / 192, rtol=1e-6)
    assert np.isnan(values[gone]).all()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**16))
def test_no_order_of_the_table_colours_another_cell(
    model: ViewerModel, masks: Labels, integrated: AnnData, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(integrated.n_obs)[: rng.integers(1, integrated.n_obs)]
    attach(masks, cells=integrated[rows].copy())
    (layer,) = put(model, MARKER, masks)
    value_of = dict(zip(integrated.obs["label"], integrated.X[:, 0], strict=True))
    there = set(integrated.obs["label"].to_numpy()[rows])
    for label in np.unique(masks.data)[1:]:
        found = pixels_of(layer, masks, int(label))
        if label in there:
            assert found.tolist() == [value_of[label]]
        else:
            assert np.isnan(found).all()


def test_sections_are_painted_with_one_scale_and_one_set_of_colours(
    model: ViewerModel, masks: Labels, integrated: AnnData, labels: np.ndarray
) -> None:
    second = integrated.copy()
    second.X = second.X * 3
    second.obs["kind_transferred"] = "NK"
    other = model.add_labels(labels, name="second")
    attach(other, cells=second)
    one, two = put(model, MARKER, masks, other)
    together = np.r_[integrated.X[:, 0], second.X[:, 0]]
    for layer in (one, two):
        assert tuple(layer.contrast_limits) == pytest.approx(np.percentile(together, (1, 99)))
    assert (one.name, two.name) == ("CD3 (measured) · masks", "CD3 (measured) · second")
    put(model, KIND, masks, other)
    shown = [linked_of(layer).shown for layer in (masks, other)]
    assert shown[0] is not None
    assert shown[1] is not None
    assert (shown[0].names, shown[0].colors) == (shown[1].names, shown[1].colors)


def test_what_shows_is_found_and_a_hidden_layer_is_not(model: ViewerModel, masks: Labels) -> None:
    assert painting_of(model, masks) is None
    (layer,) = put(model, MARKER, masks)
    assert painting_of(model, masks) is layer
    layer.visible = False
    assert painting_of(model, masks) is None


def test_volumes_are_bodies_in_3d_and_values_in_slices(
    model: ViewerModel, integrated: AnnData, labels: np.ndarray
) -> None:
    stack = np.stack([labels, labels, np.zeros_like(labels)])
    masks = model.add_labels(stack, name="stack", scale=(2, 0.5, 0.5), translate=(1, 2, 3))
    attach(masks, cells=integrated)
    (layer,) = put(model, CONFIDENCE, masks)
    flat = np.asarray(layer.data).copy()
    model.dims.ndisplay = 3
    assert np.isnan(np.asarray(layer.data)).all()
    bodies = companion(model, layer)
    assert tuple(bodies.scale) == (2, 0.5, 0.5)
    assert tuple(bodies.translate) == (1, 2, 3)
    np.testing.assert_array_equal(np.asarray(bodies.data) > 0, stack > 0)
    put(model, MARKER, masks)
    top = np.asarray(companion(model, layer).data)[stack == 192]
    color = companion(model, layer).get_color(int(top[0]))
    assert color[:3] == pytest.approx(layer.colormap.map([1.0])[0][:3], abs=1e-3)
    put(model, CONFIDENCE, masks)
    model.dims.ndisplay = 2
    np.testing.assert_array_equal(np.asarray(layer.data), flat)
    assert set(np.unique(np.asarray(companion(model, layer).data))) == {0, 1}
