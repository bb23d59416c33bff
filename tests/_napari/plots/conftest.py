"""Cells that are integrated with a small reference, on masks whose places are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels

import napari_gluer as ng
from napari_gluer._napari.attached import attach

SIDE, GAP, COLUMNS = 8, 4, 10


@dataclass(frozen=True)
class Integrated:
    """A labels layer with its tables."""

    viewer: ViewerModel
    layer: Labels
    cells: AnnData
    reference: AnnData

    def centre(self, label: int) -> tuple[float, float]:
        """y and x in pixels of the square that was drawn for a label."""
        place = label - 11
        step = SIDE + GAP
        return tuple(i * step + GAP // 2 + (SIDE - 1) / 2 for i in divmod(place, COLUMNS))


@pytest.fixture(scope="session")
def integrated_tables(typed: Any) -> tuple[AnnData, AnnData]:
    params = ng.IntegrateParams(preset="default")
    cells = ng.integrate(typed.cells, typed.reference, params, seed=0)
    types = ng.transfer_labels(cells, typed.reference, "cell_type")
    cells.obs = cells.obs.join(types)
    cells.obs["gluer_unmatched"] = cells.obs["label"].isin([12, 13])
    cells.obs["area_um2"] = 16.0
    cells.obsm["spatial"] = np.random.default_rng(0).uniform(0, 60, (cells.n_obs, 2))
    return cells, typed.reference


@pytest.fixture
def tissue_of_types(model: ViewerModel, integrated_tables: tuple[AnnData, AnnData]) -> Integrated:
    """90 squares with labels 11, 12, …, 100, half a µm to a pixel, in rows of ten."""
    cells, reference = integrated_tables
    step = SIDE + GAP
    drawn = np.zeros((9 * step, COLUMNS * step), np.int32)
    for label in range(11, 101):
        y, x = (i * step + GAP // 2 for i in divmod(label - 11, COLUMNS))
        drawn[y : y + SIDE, x : x + SIDE] = label
    layer = model.add_labels(drawn, name="masks", scale=(0.5, 0.5), units=("um", "um"))
    order = np.random.default_rng(1).permutation(cells.n_obs)
    shuffled = cells[order].copy()
    attach(layer, cells=shuffled, measured=shuffled, reference=reference)
    return Integrated(model, layer, shuffled, reference)
