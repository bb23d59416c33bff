"""What InstanSeg is handed, and what is said where it cannot be opened."""

import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.segmentation import instanseg
from napari_gluer.segmentation.instanseg import InstanSeg, instanseg_model
from napari_gluer.segmentation.scale import Grid

PLANE = Grid.of(2, (0.25, 0.25))
PIXELS = np.random.default_rng(0).random((20, 30)).astype(np.float32)


class Recorder:
    """Labels as a tensor of floats, of which some are a rounding error off."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[int, ...], dict[str, Any]]] = []

    def eval_small_image(self, pixels: np.ndarray, **asked: Any) -> Any:
        return self._found("small", pixels, asked)

    def eval_medium_image(self, pixels: np.ndarray, **asked: Any) -> Any:
        return self._found("medium", pixels, asked)

    def _found(self, which: str, pixels: np.ndarray, asked: dict[str, Any]) -> Any:
        self.asked.append((which, pixels.shape, asked))
        labels = np.where(pixels > 0.5, np.float32(2.9999998), 0)[np.newaxis]
        return SimpleNamespace(cpu=lambda: labels)


@pytest.mark.parametrize(
    ("shape", "which"), [((1500, 1500), "small"), ((1500, 1501), "medium"), ((20, 30), "small")]
)
def test_large_windows_are_worked_in_pieces(shape: tuple[int, ...], which: str) -> None:
    recorder = Recorder()
    pixels = np.ones(shape, np.float32)
    labels = instanseg_model(InstanSeg(), PLANE, recorder).outline(pixels)
    assert recorder.asked[0][:2] == (which, (1, *shape))
    assert labels.dtype == np.int64
    assert (labels == 3).all()


@pytest.mark.parametrize("target", ["nuclei", "cells"])
@pytest.mark.parametrize(("spacing", "size"), [(None, None), ((0.4, 0.4), 0.4), ((1.0, 1.0), 1.0)])
def test_target_and_pixel_size_are_handed_on(target, spacing, size) -> None:
    recorder = Recorder()
    instanseg_model(InstanSeg(target=target), Grid.of(2, spacing), recorder).outline(PIXELS)
    assert recorder.asked[0][2] == {
        "pixel_size": size,
        "normalise": False,
        "return_image_tensor": False,
        "target": target,
    }


@pytest.mark.parametrize(("gpu", "device"), [(False, "cpu"), (True, "cuda")])
def test_a_file_is_opened_once_on_the_device(monkeypatch, tmp_path: Path, gpu, device) -> None:
    loaded, made = [], []

    def load(path: str, map_location: str) -> str:
        loaded.append((path, map_location))
        return "network"

    def make(network: str, device: str, verbosity: int) -> Recorder:
        made.append((network, device, verbosity))
        return Recorder()

    package, torch = ModuleType("instanseg"), ModuleType("torch")
    package.InstanSeg = make  # type: ignore[attr-defined]
    torch.jit = SimpleNamespace(load=load)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "instanseg", package)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(metadata, "version", {"instanseg-torch": "0.1"}.__getitem__)
    instanseg._opened.cache_clear()
    path = tmp_path / "instanseg.pt"
    path.write_bytes(b"")
    model = instanseg_model(InstanSeg(model=str(path), gpu=gpu, overlap=40), PLANE)
    for _ in range(2):
        np.testing.assert_array_equal(model.outline(PIXELS)[0, 0], 3 * (PIXELS > 0.5))
    assert loaded == [(str(path), device)]
    assert made == [("network", device, 0)]
    assert (model.name, model.overlap) == ("InstanSeg", 40)
    instanseg._opened.cache_clear()


def test_what_is_missing_is_told_the_stack_first(monkeypatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(InputError, match="this image is a stack"):
        instanseg_model(InstanSeg(), Grid.of(3, None))
    with pytest.raises(InputError, match=r"pip install 'napari-gluer\[instanseg\]'"):
        instanseg_model(InstanSeg(), PLANE)
    monkeypatch.setattr(metadata, "version", {"instanseg-torch": "0.1"}.__getitem__)
    with pytest.raises(InputError, match="InstanSeg needs a model file"):
        instanseg_model(InstanSeg(), PLANE)
    with pytest.raises(InputError, match=r"no model file /nowhere/m\.pt for InstanSeg"):
        instanseg_model(InstanSeg(model="/nowhere/m.pt"), PLANE)
