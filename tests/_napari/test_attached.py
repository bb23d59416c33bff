"""Tables that are kept with a labels layer, and what the next step says without them."""

import numpy as np
import pytest
from anndata import AnnData
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import (
    attach,
    cells_of,
    edits,
    full_resolution,
    hover_table,
    index_of,
    measured_of,
    needed_cells,
    needed_reference,
    reference_metadata,
    reference_of,
    stale_of,
    table_metadata,
    unmeasured,
    watch,
)
from napari_gluer.errors import InputError
from napari_gluer.painting import LabelIndex

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def masks(labels: np.ndarray) -> Labels:
    return Labels(labels, name="masks")


def test_what_is_not_given_stays(masks: Labels, cells: AnnData) -> None:
    later = cells.copy()
    attach(masks, cells=cells, measured=cells, reference=cells)
    attach(masks, cells=later)
    assert cells_of(masks) is later
    assert measured_of(masks) is cells
    assert reference_of(masks) is cells


def test_metadata_of_others_stays(labels: np.ndarray, cells: AnnData) -> None:
    masks = Labels(labels, metadata={"own": 1, "gluer": "not ours"})
    attach(masks, cells=cells)
    assert masks.metadata["own"] == 1
    assert cells_of(masks) is cells


def test_new_layers_bring_their_tables(labels: np.ndarray, cells: AnnData) -> None:
    table = Labels(labels, metadata=table_metadata(cells))
    assert cells_of(table) is measured_of(table) is cells
    atlas = Labels(labels, metadata=reference_metadata(cells))
    assert (cells_of(atlas), reference_of(atlas)) == (None, cells)


def test_what_lacks_is_told_with_the_step_that_makes_it(masks: Labels, cells: AnnData) -> None:
    with pytest.raises(InputError, match=r"Start with Plugins ▸ GLUER ▸ Cells\."):
        needed_cells(None)
    with pytest.raises(InputError, match="“masks” are not measured yet"):
        needed_cells(masks)
    attach(masks, cells=cells)
    assert needed_cells(masks) is cells
    with pytest.raises(InputError, match="Plugins ▸ GLUER ▸ Reference first"):
        needed_reference(masks)


def test_the_index_is_that_of_the_measured_labels(masks: Labels, cells: AnnData) -> None:
    given = LabelIndex(masks.data)
    attach(masks, cells=cells, measured=cells, index=given)
    assert index_of(masks) is given
    assert unmeasured(masks) == 0
    masks.data_setitem((np.array([0]), np.array([0])), np.array([999]))
    assert index_of(masks) is given
    assert unmeasured(masks) == 1
    masks.data = np.zeros((5, 7), np.int32)
    assert index_of(masks) is index_of(masks)
    assert index_of(masks).levels[0].shape == (5, 7)


def test_an_index_made_after_a_stroke_is_of_the_labels_before_it(
    masks: Labels, cells: AnnData
) -> None:
    before = np.asarray(masks.data).copy()
    attach(masks, cells=cells)
    masks.paint((5, 5), 6)
    index = index_of(masks)
    np.testing.assert_array_equal(np.concatenate([[0], index.ids])[index.levels[0]], before)


def test_full_resolution_is_the_first_level(labels: np.ndarray) -> None:
    pyramid = Labels([labels, labels[::2, ::2]], multiscale=True)
    np.testing.assert_array_equal(np.asarray(full_resolution(pyramid)), labels)


def test_hovering_knows_plain_names_and_every_label(cells: AnnData) -> None:
    cells.obs[slots.CONFIDENCE] = np.float32(0.5)
    cells.obs[slots.UNMATCHED] = False
    table = hover_table(cells, CD3=cells.X[:, 0])
    assert list(table) == ["index", "cluster", "confidence", "CD3"]
    assert list(table["index"]) == [0, *cells.obs["label"]]
    assert table.iloc[0, 1:].isna().all()
    del cells.obs["label"]
    assert hover_table(cells).empty


def test_edits_by_hand_are_counted_from_when_they_are_watched(masks: Labels) -> None:
    masks.paint((1, 1), 500)
    assert edits(masks) == 0
    watch(masks)
    watch(masks)
    assert edits(masks) == 0
    masks.paint((3, 1), 500)
    assert edits(masks) == 1
    masks.fill((3, 1), 0)
    assert edits(masks) == 2
    masks.undo()
    assert edits(masks) == 3
    masks.data = np.asarray(masks.data).copy()
    assert edits(masks) == 4
    masks.refresh()
    masks.visible = False
    assert edits(masks) == 4


@pytest.fixture
def told(masks: Labels, cells: AnnData) -> list[list[int]]:
    """The stale labels whenever the layer tells of its tables."""
    attach(masks, cells=cells, measured=cells, index=LabelIndex(masks.data))
    seen: list[list[int]] = []
    masks.events.metadata.connect(lambda: seen.append(stale_of(masks).tolist()))
    return seen


def test_painted_labels_are_stale_and_so_is_what_they_cover(
    masks: Labels, told: list[list[int]]
) -> None:
    masks.brush_size = 1
    masks.paint((5, 5), 6)
    assert told == [[3, 6]]
    masks.paint((5, 6), 6)
    assert told == [[3, 6]]  # no others
    masks.paint((0, 0), 999)
    assert told[1:] == [[3, 6, 999]]


def test_undone_strokes_leave_nothing_stale(masks: Labels, told: list[list[int]]) -> None:
    masks.brush_size = 1
    masks.paint((5, 5), 6)
    masks.fill((30, 30), 0)
    masks.undo()
    masks.undo()
    assert told[-1] == []
    masks.redo()
    assert told[-1] == [3, 6]


def test_a_stroke_of_many_stamps_is_one_edit(masks: Labels, told: list[list[int]]) -> None:
    masks.brush_size = 1
    with masks.block_history():
        for x in range(2, 30):
            masks.paint((5, x), 777)
    assert told[-1] == [3, 6, 777]
    masks.undo()
    assert stale_of(masks).tolist() == []


def test_pixels_set_by_a_script_are_found(masks: Labels, told: list[list[int]]) -> None:
    masks.data[5, 5] = 9
    masks.refresh()
    assert stale_of(masks).tolist() == [3, 9]
    masks.data[5, 5] = 3
    masks.refresh()
    assert stale_of(masks).tolist() == []
    assert told == []  # nobody can know before somebody asks


def test_other_labels_are_compared_pixel_by_pixel(masks: Labels, told: list[list[int]]) -> None:
    other = np.asarray(masks.data).copy()
    other[other == 12] = 15
    original = masks.data
    masks.data = other
    assert told[-1] == [12, 15]
    masks.brush_size = 1
    masks.paint((5, 5), 0)
    assert stale_of(masks).tolist() == [3, 12, 15]
    masks.data = original
    assert told[-1] == []
    masks.data = np.ones((4, 4), np.int32)
    assert told[-1] == [1, *range(3, 195, 3)]


def test_measuring_again_starts_anew(masks: Labels, cells: AnnData, told: list[list[int]]) -> None:
    masks.paint((5, 5), 6)
    attach(masks, cells=cells, reference=cells)
    assert stale_of(masks).tolist() == [3, 6]
    attach(masks, cells=cells, measured=cells, index=LabelIndex(masks.data))
    assert stale_of(masks).tolist() == []
    assert told[-1] == []


def test_a_duplicate_goes_its_own_way(masks: Labels, told: list[list[int]]) -> None:
    masks.brush_size = 1
    masks.paint((5, 5), 6)
    data, options, _ = masks.as_layer_data_tuple()
    twin = Labels(data.copy(), **options)
    assert stale_of(twin).tolist() == [3, 6]
    twin.brush_size = 1
    twin.paint((30, 30), 0)
    assert stale_of(twin).tolist() == [3, 6, 57]
    assert stale_of(masks).tolist() == [3, 6]
    assert told == [[3, 6]]


def test_without_a_table_nothing_is_stale(masks: Labels) -> None:
    watch(masks)
    masks.paint((5, 5), 6)
    assert stale_of(masks).tolist() == []


def test_a_table_from_a_file_is_watched_from_the_first_look(
    labels: np.ndarray, cells: AnnData
) -> None:
    masks = Labels(labels, metadata=table_metadata(cells))
    assert cells_of(masks) is cells
    masks.brush_size = 1
    masks.paint((5, 5), 6)
    assert stale_of(masks).tolist() == [3, 6]


def test_labels_left_out_on_purpose_were_not_drawn_later(masks: Labels, cells: AnnData) -> None:
    kept = cells[cells.obs["label"] > 30].copy()
    attach(masks, cells=kept, measured=kept)
    assert unmeasured(masks) == 10
    attach(masks, left_out=np.arange(3, 31, 3))
    assert unmeasured(masks) == 0
    masks.paint((1, 1), 500)
    assert unmeasured(masks) == 1
