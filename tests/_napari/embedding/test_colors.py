"""The reference has the colours of the tissue, for genes and types that it has."""

import numpy as np
import pytest
from anndata import AnnData

from napari_gluer._napari.embedding import colors
from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer.expression import expression

LABELS = np.array([3, 6, 9])


def _gene(name: str) -> Shown:
    return Shown(
        what=Paintable(name, Origin.GENE),
        title=f"{name}: imputed",
        labels=LABELS,
        values=np.array([0, 1, np.nan], np.float32),
        colormap="gray",
        limits=(0.0, 10.0),
        opacity=np.zeros(3, np.float32),
    )


def test_a_gene_has_the_limits_of_the_tissue(reference: AnnData) -> None:
    found = colors.of_reference(_gene("B"), reference)
    assert found is not None
    expected = np.rint(expression(reference).columns(["B"])[:, 0] / 10 * 255)
    np.testing.assert_allclose(found[:, 0], expected, atol=1)
    assert (found[:, 3] == 255).all()


def test_types_have_the_colours_of_the_tissue(reference: AnnData) -> None:
    shown = Shown(
        what=Paintable("cell_type_transferred", Origin.TYPE),
        title="cell_type",
        labels=LABELS,
        codes=np.array([0, 1, -1]),
        names=("high", "unmatched"),
        colors=("#0000ff", "#8A8A8A"),
    )
    found = colors.of_reference(shown, reference)
    assert found is not None
    assert found[:20, 3].max() == 0  # “low” is no category of the tissue
    assert (found[20:] == [0, 0, 255, 255]).all()


@pytest.mark.parametrize(
    "what",
    [
        Paintable("Z", Origin.GENE),
        Paintable("B", Origin.MARKER),
        Paintable("cluster", Origin.CLUSTER),
        Paintable("batch_transferred", Origin.TYPE),
    ],
)
def test_what_the_reference_lacks_has_no_colour(reference: AnnData, what: Paintable) -> None:
    shown = Shown(what=what, title="x", labels=LABELS, values=np.zeros(3, np.float32))
    assert colors.of_reference(shown, reference) is None


def test_the_legend_says_what_the_reference_shows() -> None:
    assert "its own expression" in colors.words(_gene("B"), like_the_tissue=True)
    assert "grey" in colors.words(_gene("B"), like_the_tissue=False)
    assert colors.CELLS in colors.words(None, like_the_tissue=False)


def test_plain_colours() -> None:
    np.testing.assert_array_equal(colors.plain(2, "#010203"), [[1, 2, 3, 255]] * 2)
