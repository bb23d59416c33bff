"""The Image step opens what is asked for and says what it found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image
from napari.utils.notifications import Notification
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.images import Source, sources
from napari_gluer._napari.steps.image import ImageStep, facts
from napari_gluer.image import MultiplexImage

pytestmark = pytest.mark.usefixtures("plugins")


@pytest.fixture
def step(qtbot: Any, model: ViewerModel) -> ImageStep:
    made = ImageStep(model)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tissue.ome.tif"
    names = {"Channel": {"Name": ["DAPI", "CD3"]}, "axes": "CYX"}
    tifffile.imwrite(path, np.zeros((2, 16, 16), np.uint16), ome=True, metadata=names)
    return path


def test_a_chosen_file_is_opened_and_described(
    qtbot: Any, step: ImageStep, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    qtbot.mouseClick(step.file, Qt.MouseButton.LeftButton)
    assert step.outcome.text() == "Opened DAPI, CD3."
    assert "2</b> channels: DAPI, CD3" in step.facts.text()
    assert "unknown" in step.facts.text()


def test_nothing_chosen_opens_nothing(
    qtbot: Any, step: ImageStep, model: ViewerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    qtbot.mouseClick(step.folder, Qt.MouseButton.LeftButton)
    assert not model.layers
    assert step.outcome.text() == step.hint


def test_a_file_that_is_not_there_is_told(step: ImageStep, notified: list[Notification]) -> None:
    step.open("/nowhere.tif")
    assert "is not there" in step.outcome.text()
    assert [one.message for one in notified] == ["/nowhere.tif is not there."]


def test_an_unknown_pixel_size_can_be_set(
    qtbot: Any, step: ImageStep, model: ViewerModel, file: Path
) -> None:
    step.open(str(file))
    assert step.set_pixel.isVisible()
    assert not step.plane.isVisible()
    step.pixel.setValue(0.377)
    qtbot.mouseClick(step.set_pixel, Qt.MouseButton.LeftButton)
    assert sources(model)[0].image.spacing_um == (0.377, 0.377)
    assert "0.377 × 0.377 µm" in step.facts.text()
    assert not step.set_pixel.isVisible()


def test_planes_ask_for_their_distance(qtbot: Any, step: ImageStep, model: ViewerModel) -> None:
    deep = MultiplexImage(np.zeros((1, 3, 8, 8), np.uint8), ["DAPI"])
    for data, options, _ in image_layers(deep, "stack"):
        model.add_image(data, **options)
    qtbot.waitUntil(step.plane.isVisible)
    step.plane.setValue(1.5)
    qtbot.mouseClick(step.set_pixel, Qt.MouseButton.LeftButton)
    assert sources(model)[0].image.spacing_um == (1.5, 0.5, 0.5)


def test_facts_name_channels_size_and_what_was_assumed(image: MultiplexImage) -> None:
    like = Image(image.channel("DAPI"))
    text = facts(Source("tissue", image, like, "The scale was taken as µm."))
    assert "DAPI, CD3, CD20" in text
    assert "<b>112 × 112</b> pixels, uint16" in text
    assert "0.5 × 0.5 µm" in text
    assert text.endswith("The scale was taken as µm.")
