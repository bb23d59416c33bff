from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel

from napari_gluer._napari.plots.line import (
    Places,
    corners_of,
    draw_line,
    line_layer,
    unit_of,
)
from napari_gluer.errors import InputError
from napari_gluer.track import silently


def test_the_line_is_in_the_cells_pixels(tissue_of_types: Any) -> None:
    viewer, layer = tissue_of_types.viewer, tissue_of_types.layer
    shapes = draw_line(viewer, layer)
    assert shapes.mode == "add_path"
    assert viewer.layers.selection.active is shapes
    np.testing.assert_array_equal(shapes.scale, layer.scale)
    with pytest.raises(InputError, match="no line yet"):
        corners_of(viewer, layer)
    shapes.add([[0, 0], [10, 20]], shape_type="line")
    shapes.add([[1, 1], [50, 60], [70, 70]], shape_type="path")
    shapes.add([[0, 0], [0, 9], [9, 9], [9, 0]], shape_type="rectangle")
    shapes.selected_data = set()
    np.testing.assert_array_equal(corners_of(viewer, layer), [[1, 1], [50, 60], [70, 70]])
    shapes.selected_data = {0}
    np.testing.assert_array_equal(corners_of(viewer, layer), [[0, 0], [10, 20]])


def test_there_is_one_line_layer_for_each_labels_layer(tissue_of_types: Any) -> None:
    viewer, layer = tissue_of_types.viewer, tissue_of_types.layer
    first = draw_line(viewer, layer)
    assert draw_line(viewer, layer) is first
    other = viewer.add_labels(np.ones((9, 9), int))
    assert line_layer(viewer, other) is None
    assert draw_line(viewer, other) is not first


def test_over_mirrored_labels_a_line_can_be_drawn(model: ViewerModel) -> None:
    layer = model.add_labels(np.ones((9, 9), int), scale=(0.5, -0.5), units=("um", "um"))
    shapes = draw_line(model, layer)
    shapes.add([[0, 0], [4, 8]], shape_type="line")
    assert min(shapes.edge_width) > 0
    np.testing.assert_array_equal(corners_of(model, layer), [[0, 0], [4, 8]])
    assert unit_of(layer)[0].tolist() == [0.5, 0.5]


def test_nothing_is_drawn_in_3d(tissue_of_types: Any) -> None:
    tissue_of_types.viewer.dims.ndisplay = 3
    with pytest.raises(InputError, match="3-D"):
        draw_line(tissue_of_types.viewer, tissue_of_types.layer)


def test_lengths_are_in_um_where_the_size_is_known(
    tissue_of_types: Any, model: ViewerModel
) -> None:
    size, unit = unit_of(tissue_of_types.layer)
    assert (size.tolist(), unit) == ([0.5, 0.5], "µm")
    plain = model.add_labels(np.ones((9, 9), int))
    assert unit_of(plain)[1] == "px"


def test_centres_are_in_the_order_of_the_table(
    labels: np.ndarray, cells: AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places()
    table = cells[:40].copy()
    table.obs["label"] = np.where(table.obs["label"] == 3, 9999, table.obs["label"])
    found = places(labels, 0, table, silently)
    for row, label in enumerate(table.obs["label"]):
        expected = np.argwhere(labels == label)
        if len(expected):
            np.testing.assert_allclose(found[row], expected.mean(axis=0))
        else:
            assert np.isnan(found[row]).all()
    monkeypatch.setattr("napari_gluer._napari.plots.line.cell_places", None)
    again = places(labels, 0, table, silently)  # kept
    np.testing.assert_array_equal(again, found)
    with pytest.raises(TypeError):
        places(labels, 1, table, silently)  # edited
