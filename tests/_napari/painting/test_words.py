"""Titles, units, and what is said of cells without a colour."""

import numpy as np
import pytest
from anndata import AnnData
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.words import left_empty, n_stale, title, unit

GENE, MARKER = Paintable("CD8A", Origin.GENE), Paintable("CD3", Origin.MARKER)


@pytest.mark.parametrize(
    ("what", "known", "says"),
    [
        (GENE, {}, "CD8A: imputed, log1p of counts per 10,000"),
        (MARKER, {}, "CD3: measured"),
        (MARKER, {"kind": "intensity"}, "CD3: measured, mean intensity"),
        (MARKER, {"kind": "counts"}, "CD3: measured, counts"),
        (MARKER, {"kind": "intensity", "clean": {"skipped": {}}}, "CD3: measured, cleaned"),
        (Paintable(slots.AREA_UM2, Origin.NUMBER), {}, "area (µm²)"),
        (Paintable(slots.PSEUDOTIME, Origin.NUMBER), {}, "pseudotime"),
        (Paintable("k_probability", Origin.NUMBER), {}, "k probability"),
        (Paintable("k_transferred", Origin.TYPE), {}, "k: transferred from the reference"),
    ],
)
def test_titles_have_origin_and_unit(
    cells: AnnData, what: Paintable, known: dict[str, object], says: str
) -> None:
    slots.note(cells, **known)
    assert title(what, cells) == says


def test_a_gene_that_shows_nothing_says_so_on_the_canvas(cells: AnnData) -> None:
    assert title(GENE, cells, chance=True).endswith("\nBEWARE: imputed no better than chance")


def test_units_of_columns(cells: AnnData) -> None:
    assert unit(Paintable("k_probability", Origin.NUMBER), cells) == "probability"
    assert unit(Paintable("own", Origin.NUMBER), cells) == ""
    assert unit(Paintable("k", Origin.CATEGORY), cells) == ""


def test_cells_without_a_colour_are_counted(masks: Labels, integrated: AnnData) -> None:
    attach(masks, cells=integrated[4:].copy(), measured=integrated)
    fewer = integrated[4:]
    masks.data_setitem((np.array([0]), np.array([0])), np.array([int(fewer.obs["label"].iloc[0])]))
    assert n_stale(masks, fewer) == 1
    unmatched = int(fewer.obs[slots.UNMATCHED].sum())
    told = left_empty(GENE, [masks], [fewer])
    assert told == [
        f"{unmatched} unmatched cells are grey.",
        "Left empty: 4 cells dropped by cleaning, 1 cells edited since they were measured.",
    ]
    assert left_empty(MARKER, [masks], [fewer]) == told[1:]
