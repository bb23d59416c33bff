import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import AVAILABLE_COLORMAPS

from napari_gluer._napari.linked import Shown, linked_of
from napari_gluer._napari.paintables import Origin, Paintable

GENE = Paintable("CD8A", Origin.GENE)
TYPE = Paintable("cell_type_transferred", Origin.TYPE)


def values_shown(**more: object) -> Shown:
    return Shown(
        what=GENE,
        title="CD8A: imputed",
        labels=np.array([30, 10, 20, 40]),
        values=np.array([1.0, 0.0, np.nan, 9.0], np.float32),
        limits=(0.0, 2.0),
        **more,
    )


def test_values_are_joined_by_label():
    colormap = AVAILABLE_COLORMAPS["viridis"]
    expected = np.rint(np.asarray(colormap.map([0.0, 0.5, 1.0])) * 255).astype(np.uint8)
    found = values_shown().rgba([10, 30, 40])
    np.testing.assert_array_equal(found, expected)


def test_unknown_cells_and_those_without_value_are_transparent():
    assert values_shown().rgba([20, 15, 41, 1])[:, 3].tolist() == [0, 0, 0, 0]


def test_gamma_bends_between_the_limits_only():
    plain, bent = values_shown().rgba([10, 30, 40]), values_shown(gamma=2.0).rgba([10, 30, 40])
    quarter = np.asarray(AVAILABLE_COLORMAPS["viridis"].map([0.25]))[0] * 255
    np.testing.assert_array_equal(bent[1], np.rint(quarter).astype(np.uint8))
    np.testing.assert_array_equal(bent[[0, 2]], plain[[0, 2]])


def test_faded_cells_are_faded():
    shown = values_shown(opacity=np.array([0.2, 1, 1, 0], np.float32))
    assert shown.rgba([30, 10, 40])[:, 3].tolist() == [51, 255, 0]


def test_categories_have_their_colours_and_missing_ones_none():
    shown = Shown(
        what=TYPE,
        title="cell_type",
        labels=np.array([7, 3, 5]),
        codes=np.array([1, -1, 0]),
        names=("B", "T"),
        colors=("#FF0000", "#0080ff"),
    )
    assert shown.rgba([3, 5, 7]).tolist() == [
        [0, 0, 0, 0],
        [255, 0, 0, 255],
        [0, 128, 255, 255],
    ]


def test_panels_of_a_layer_share_one_view_and_are_told():
    layer = Labels(np.eye(4, dtype=np.int32))
    told = []
    linked_of(layer).shown_changed.connect(lambda: told.append(linked_of(layer).shown))
    shown = values_shown()
    linked_of(layer).show(shown)
    assert told == [shown]
    linked_of(layer).selections.choose([1])
    assert linked_of(layer).undo.undo_text == "selection"


def test_a_duplicate_of_a_layer_has_its_own():
    layer = Labels(np.eye(4, dtype=np.int32))
    linked_of(layer).selections.choose([1])
    other = Labels(np.eye(4, dtype=np.int32), metadata=dict(layer.metadata))
    assert linked_of(other) is not linked_of(layer)
    assert linked_of(other).selections.current.size == 0
    assert linked_of(layer).selections.current.tolist() == [1]
