"""What Cellpose is handed, by versions 3 and 4, and what is said where it cannot be opened.

Cellpose itself is an extra; here a module that only records stands in its place.
"""

import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.segmentation import cellpose
from napari_gluer.segmentation.cellpose import Cellpose, cellpose_model
from napari_gluer.segmentation.scale import Grid

PIXELS = np.random.default_rng(0).random((20, 30)).astype(np.float32)
PLANE = Grid.of(2, (0.25, 0.25))


class Recorder:
    opened: list[dict[str, Any]]
    asked: list[dict[str, Any]]

    def __init__(self, **how: Any) -> None:
        self.opened.append(how)

    def eval(self, pixels: np.ndarray, **asked: Any) -> tuple[Any, ...]:
        self.asked.append(asked)
        return (pixels > 0.5).astype(np.uint16), "flows", "styles"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], type[Recorder]]:
    """Cellpose of a version."""

    def install(version: str) -> type[Recorder]:
        class Here(Recorder):
            opened, asked = [], []

        package, models = ModuleType("cellpose"), ModuleType("cellpose.models")
        models.CellposeModel = Here  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "cellpose", package)
        monkeypatch.setitem(sys.modules, "cellpose.models", models)
        monkeypatch.setattr(metadata, "version", {"cellpose": version}.__getitem__)
        cellpose._opened.cache_clear()
        return Here

    return install


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "nuclei_model"
    path.write_bytes(b"weights")
    return str(path)


@pytest.mark.parametrize(("version", "channels"), [("3.1.1", [0, 0]), ("4.0.6", None)])
def test_only_version_3_is_told_the_channels(installed, file, version, channels) -> None:
    recorder = installed(version)
    params = Cellpose(model=file, diameter=7.5, flow_threshold=1.5, cellprob_threshold=-2, gpu=True)
    model = cellpose_model(params, PLANE)
    labels = model.outline(PIXELS)
    np.testing.assert_array_equal(labels, PIXELS > 0.5)
    assert recorder.opened == [{"gpu": True, "pretrained_model": file}]
    (asked,) = recorder.asked
    assert asked.pop("channels", None) == channels
    assert asked == {
        "normalize": False,
        "diameter": 30.0,  # pixels
        "flow_threshold": 1.5,
        "cellprob_threshold": -2,
    }


def test_a_file_is_opened_once_for_all_windows(installed, file) -> None:
    recorder = installed("4.0.6")
    model = cellpose_model(Cellpose(model=file), PLANE)
    for _ in range(3):
        model.outline(PIXELS)
    assert len(recorder.opened) == 1
    assert len(recorder.asked) == 3
    assert recorder.opened[0]["gpu"] is False


def test_stacks_are_worked_as_stacks(installed, file) -> None:
    recorder = installed("3.1.1")
    grid = Grid.of(3, (1.5, 0.5, 0.5))
    cellpose_model(Cellpose(model=file, diameter=8), grid).outline(PIXELS[np.newaxis])
    (asked,) = recorder.asked
    assert asked["do_3D"] is True
    assert asked["z_axis"] == 0
    assert asked["anisotropy"] == 3.0
    assert asked["diameter"] == 16.0


@pytest.mark.parametrize(("spacing", "pixels"), [(None, 9.0), ((0.5, 0.5), 18.0)])
def test_the_diameter_is_in_pixels_where_the_size_is_not_known(installed, spacing, pixels) -> None:
    recorder = installed("4.0.6")
    stand_in = recorder()
    cellpose_model(Cellpose(diameter=9), Grid.of(2, spacing), stand_in).outline(PIXELS)
    assert recorder.asked[0]["diameter"] == pixels


def test_the_model_tells_its_name_and_overlap() -> None:
    model = cellpose_model(Cellpose(overlap=64), PLANE, object())
    assert (model.name, model.overlap) == ("Cellpose", 64)


def test_a_file_that_is_not_named_or_not_there_is_told(installed, tmp_path: Path) -> None:
    installed("4.0.6")
    with pytest.raises(InputError, match=r"^Cellpose needs a model file: give its path"):
        cellpose_model(Cellpose(), PLANE)
    for path in (tmp_path / "none.pt", tmp_path):
        with pytest.raises(InputError, match=f"There is no model file {path} for Cellpose"):
            cellpose_model(Cellpose(model=str(path)), PLANE)


def test_without_cellpose_the_extra_is_named_before_the_file(monkeypatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(InputError, match=r"pip install 'napari-gluer\[cellpose\]'"):
        cellpose_model(Cellpose(), PLANE)
