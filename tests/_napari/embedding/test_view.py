"""What panes show of a labels layer: places, colours, chosen cells, words."""

import numpy as np
import pytest
from anndata import AnnData
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.embedding import colors
from napari_gluer._napari.embedding.panes import Pane
from napari_gluer._napari.embedding.spaces import Factors
from napari_gluer._napari.embedding.view import EmbeddingView
from napari_gluer._napari.linked import Shown, linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer.analysis.sampled_layouts import SampledLayoutParams
from napari_gluer.errors import InputError

JOINT = Pane("joint")


@pytest.fixture
def view(masks: Labels, integrated: AnnData) -> EmbeddingView:
    made = EmbeddingView(masks, integrated)
    assert not made.place(Factors(), 0, {"after"})
    return made


def _paint(masks: Labels, integrated: AnnData, **changes: object) -> Shown:
    labels = np.sort(integrated.obs["label"].to_numpy())[::-1]
    given = {
        "what": Paintable("B", Origin.GENE),
        "title": "B: imputed",
        "labels": labels,
        "values": labels.astype(np.float32),
        "colormap": "gray",
        "limits": (0.0, 192.0),
    }
    shown = Shown(**{**given, **changes})
    linked_of(masks).show(shown)
    return shown


def test_sides_are_told_apart_where_nothing_is_painted(view: EmbeddingView) -> None:
    scene = view.scene(JOINT, "after")
    assert (scene.cell_colors == colors.plain(64, colors.CELLS)).all()
    assert (scene.reference_colors == colors.plain(40, colors.REFERENCE)).all()


def test_every_cell_has_its_own_colour_whatever_the_order(
    view: EmbeddingView, masks: Labels, integrated: AnnData
) -> None:
    _paint(masks, integrated)
    scene = view.scene(JOINT, "after")
    np.testing.assert_allclose(
        scene.cell_colors[:, 0], integrated.obs["label"] / 192 * 255, atol=0.6
    )
    # factor 2 is the label: place and colour belong to one cell
    np.testing.assert_allclose(scene.cells[:, 1] / 192 * 255, scene.cell_colors[:, 0], atol=0.6)
    assert not scene.reference_colors.any()


def test_the_reference_is_coloured_when_its_values_are_there(
    view: EmbeddingView, masks: Labels, integrated: AnnData
) -> None:
    _paint(masks, integrated)
    view.color_reference(view.recoloring()())
    found = view.scene(JOINT, "after").reference_colors
    assert (found[:20, 0] == 0).all()
    assert (found[20:, 0] > 0).all()
    assert "its own expression" in view.words()


def test_a_marker_leaves_the_reference_grey(
    view: EmbeddingView, masks: Labels, integrated: AnnData
) -> None:
    _paint(masks, integrated, what=Paintable("CD3", Origin.MARKER))
    assert view.recoloring() is None
    assert not view.scene(JOINT, "after").reference_colors.any()
    assert "grey" in view.words()
    view.by_side = True
    assert "cells" in view.words()
    assert view.scene(JOINT, "after").reference_colors.any()


def test_an_exchanged_reference_colours_nothing(view: EmbeddingView) -> None:
    with pytest.raises(InputError, match="The reference was exchanged: it has 7 cells"):
        view.color_reference(np.zeros((7, 4), np.uint8))


@pytest.mark.parametrize(
    ("who", "n", "m"), [("joint", 64, 40), ("cells", 64, 0), ("reference", 0, 40)]
)
def test_a_pane_leaves_a_side_out(view: EmbeddingView, who: str, n: int, m: int) -> None:
    scene = view.scene(Pane(who), "after")
    np.testing.assert_array_equal(scene.extent, view.scene(JOINT, "after").extent)
    assert (len(scene.cells), len(scene.reference)) == (n, m)
    linked_of(view.layer).selections.choose([3])
    chosen = view.scene(Pane(who), "after").chosen
    assert (chosen is None) == (n == 0)
    assert chosen is None or chosen.sum() == 1


def test_what_is_not_laid_out_is_asked_for(view: EmbeddingView) -> None:
    missing = view.place(SampledLayoutParams(), 0, {"after", "before"})
    assert missing == {"after", "before"}
    assert not len(view.scene(JOINT, "after").cells)


def test_a_lasso_means_labels(view: EmbeddingView, integrated: AnnData) -> None:
    inside = integrated.obs["label"].to_numpy() < 10
    assert sorted(view.drawn_around(JOINT, inside)) == [3, 6, 9]


def test_a_lasso_in_the_reference_means_cells_that_draw_on_it(view: EmbeddingView) -> None:
    right = np.arange(40) >= 20
    found = view.drawn_around(Pane("reference"), right)
    assert sorted(found) == list(range(99, 193, 3))
    left = view.drawn_around(Pane("reference"), ~right)
    assert sorted(left) == list(range(6, 97, 3))  # cell 3 is unmatched
    few = np.arange(40) < 9  # less than half of any weight
    assert view.drawn_around(Pane("reference"), few).size == 0


def test_points_say_who_they_are(view: EmbeddingView, masks: Labels, integrated: AnnData) -> None:
    row = int(np.flatnonzero(integrated.obs["label"] == 150)[0])
    assert view.describe(row, True) == "cell 150\ncell_type: high"
    _paint(masks, integrated)
    assert view.describe(row, True) == "cell 150\ncell_type: high\nB: 150"
    unmatched = int(np.flatnonzero(integrated.obs["label"] == 3)[0])
    assert view.describe(unmatched, True).splitlines()[:2] == ["cell 3", "unmatched"]
    assert view.describe(7, False) == "reference cell ref7"
    what = Paintable("cell_type_transferred", Origin.TYPE)
    _paint(
        masks,
        integrated,
        what=what,
        values=None,
        codes=np.zeros(64, int),
        names=("low",),
        colors=("#ffffff",),
    )
    assert view.describe(7, False) == "reference cell ref7\ncell_type: low"


def test_another_table_is_noticed(view: EmbeddingView, masks: Labels, integrated: AnnData) -> None:
    assert view.is_current
    attach(masks, cells=integrated.copy())
    assert not view.is_current


def test_cells_without_integration_have_no_embedding(masks: Labels, integrated: AnnData) -> None:
    del integrated.obsm[slots.EMBEDDING]
    with pytest.raises(InputError, match="Integrate the cells first"):
        EmbeddingView(masks, integrated)
