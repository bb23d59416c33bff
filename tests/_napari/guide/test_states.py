"""States are read from layers alone; every line says the numbers of its table."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from scipy import sparse

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.guide.states import TITLES, states
from napari_gluer._napari.linked import Shown, linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer.image import MultiplexImage


def opened(model: ViewerModel, image: MultiplexImage) -> None:
    for data, options, _ in image_layers(image, "tissue"):
        model.add_image(data, **options)


def which_open(model: ViewerModel, layer: Labels | None) -> list[str]:
    return [state.title for state in states(model, layer) if state.opens]


@pytest.fixture
def integrated(cells: AnnData) -> AnnData:
    made = cells.copy()
    made.obsm[slots.WEIGHTS] = sparse.eye(made.n_obs, format="csr")
    slots.note(made, links='{"CD3": ["CD3E"], "CD20": ["MS4A1"]}')
    made.obs[slots.UNMATCHED] = np.arange(made.n_obs) < 5
    return made


def test_nothing_open(model: ViewerModel) -> None:
    found = states(model, None)
    assert [state.title for state in found] == list(TITLES)
    assert [state.is_done for state in found] == [False] * 5
    assert which_open(model, None) == ["Image"]


def test_each_step_opens_when_the_one_before_is_done(
    model: ViewerModel, image: MultiplexImage, labels: Any, cells: AnnData, integrated: AnnData
) -> None:
    opened(model, image)
    assert which_open(model, None) == ["Image", "Cells"]
    layer = model.add_labels(labels)
    assert which_open(model, layer) == ["Image", "Cells"]
    attach(layer, cells=cells, measured=cells)
    assert which_open(model, layer) == ["Image", "Cells", "Reference"]
    attach(layer, reference=cells.copy())
    assert which_open(model, layer) == ["Image", "Cells", "Reference", "Integrate"]
    attach(layer, cells=integrated)
    assert which_open(model, layer) == list(TITLES)


def test_a_reference_that_came_first_does_not_open_what_follows_it(
    model: ViewerModel, image: MultiplexImage, labels: Any, cells: AnnData
) -> None:
    opened(model, image)
    layer = model.add_labels(labels)
    attach(layer, reference=cells)
    found = states(model, layer)
    assert found[2].is_done
    assert not found[2].opens
    assert not found[3].opens


def test_lines(
    model: ViewerModel, image: MultiplexImage, labels: Any, cells: AnnData, integrated: AnnData
) -> None:
    opened(model, image)
    layer = model.add_labels(labels)
    reasons = {"too small": 30, "too large": 0, "blanks too bright": 4}
    slots.note(integrated, **{slots.CLEAN: {"reasons": reasons}})
    reference = cells.copy()
    reference.obs = pd.DataFrame({"cell_type": ["B", "T"] * 32}, index=cells.obs_names)
    attach(layer, cells=integrated, measured=cells, reference=reference)
    what = Paintable("CD3E", Origin.GENE)
    shown = Shown(what=what, title="CD3E: imputed", labels=np.array([3]), values=np.ones(1))
    linked_of(layer).show(shown)
    assert [state.outcome for state in states(model, layer)] == [
        "3 channels, 112 × 112 px, 0.5 µm a pixel",
        "64 cells; 34 dropped: 30 too small, 4 blanks too bright",
        "64 cells × 2 genes, 2 cell_type labels",
        "2 linked features; 5 of 64 cells unmatched",
        "CD3E: imputed",
    ]


def test_cells_that_were_not_cleaned_are_counted(
    model: ViewerModel, labels: Any, cells: AnnData
) -> None:
    layer = model.add_labels(labels)
    attach(layer, cells=cells, measured=cells)
    found = states(model, layer)
    assert found[0].outcome == "a table of 64 cells, no image"
    assert found[1].outcome == "64 cells"


def test_an_unknown_pixel_size_and_planes_are_said(model: ViewerModel) -> None:
    flat = MultiplexImage(np.zeros((1, 8, 6), np.uint8), ["DAPI"])
    opened(model, flat)
    assert states(model, None)[0].outcome == "1 channel, 6 × 8 px, pixel size unknown"
    model.layers.clear()
    deep = MultiplexImage(np.zeros((1, 5, 8, 6), np.uint8), ["DAPI"], (2.0, 0.5, 0.5))
    opened(model, deep)
    assert states(model, None)[0].outcome == "1 channel, 6 × 8 × 5 px, 2 × 0.5 µm a pixel"
