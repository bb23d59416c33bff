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


def test_the_index_is_made_once_and_again_after_an_edit(masks: Labels, cells: AnnData) -> None:
    given = LabelIndex(masks.data)
    attach(masks, cells=cells, measured=cells, index=given)
    assert index_of(masks) is given
    assert unmeasured(masks) == 0
    masks.data_setitem((np.array([0]), np.array([0])), np.array([999]))
    again = index_of(masks)
    assert again is not given
    assert index_of(masks) is again
    assert unmeasured(masks) == 1


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
    once = edits(masks)
    assert once > 0
    masks.fill((3, 1), 0)
    assert edits(masks) == 2 * once
    masks.data = np.asarray(masks.data).copy()
    assert edits(masks) == 2 * once + 1


def test_labels_left_out_on_purpose_were_not_drawn_later(masks: Labels, cells: AnnData) -> None:
    kept = cells[cells.obs["label"] > 30].copy()
    attach(masks, cells=kept, measured=kept)
    assert unmeasured(masks) == 10
    attach(masks, left_out=np.arange(3, 31, 3))
    assert unmeasured(masks) == 0
    masks.paint((1, 1), 500)
    assert unmeasured(masks) == 1
