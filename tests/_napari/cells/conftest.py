"""The Cells step on a small image."""

from typing import Any

import pytest
from napari.components import ViewerModel

from napari_gluer._napari.reader import image_layers
from napari_gluer._napari.steps.cells import CellsStep
from napari_gluer.image import MultiplexImage


@pytest.fixture
def open_image(model: ViewerModel, image: MultiplexImage) -> ViewerModel:
    for data, kwargs, _ in image_layers(image, "tissue.tif"):
        model.add_image(data, **kwargs)
    return model


@pytest.fixture
def step(qtbot: Any, open_image: ViewerModel) -> CellsStep:
    cells = CellsStep(open_image)
    qtbot.addWidget(cells)
    cells.show()
    return cells
