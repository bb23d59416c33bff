"""Noise is not taken for nuclei, however few nuclei there are."""

import contextlib

import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.nuclei import segment
from napari_gluer.segmentation.statistics import _noise

CENTRES = ((100, 100), (300, 200), (400, 450))


def found(pixels: np.ndarray) -> np.ndarray:
    image = MultiplexImage(pixels[np.newaxis], ["DAPI"])
    with contextlib.suppress(InputError):  # nothing at all is as good
        return np.asarray(segment(image))
    return np.zeros(pixels.shape, np.int32)


def noise(level: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, level, (512, 512)).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_pure_noise_has_hardly_any_nuclei(seed: int) -> None:
    """Otsu's threshold alone finds thousands."""
    assert found(noise(10, seed)).max() < 60


@pytest.mark.parametrize(("counts", "most"), [(1, 1_000), (3, 300), (30, 100)])
def test_counts_without_nuclei_have_few(counts: int, most: int) -> None:
    """Single counts are not Gaussian: some specks stay, of some 5,000 that Otsu's gives."""
    pixels = np.random.default_rng(0).poisson(counts, (512, 512)).astype(np.float32)
    assert found(pixels).max() < most


@pytest.mark.parametrize("contrast", [60, 200, 2_000])
def test_three_nuclei_in_noise_are_found(contrast: float) -> None:
    y, x = np.mgrid[:512, :512]
    pixels = noise(10, 0)
    for row, column in CENTRES:
        pixels += contrast * ((y - row) ** 2 + (x - column) ** 2 < 100)
    labels = found(pixels)
    here = [labels[centre] for centre in CENTRES]
    assert len(set(here)) == 3
    assert min(here) > 0
    sizes = np.bincount(labels.ravel())
    for number in here:
        assert 200 < sizes[number] < 420  # a disc of radius 10 has 316 pixels
    assert labels.max() < 60


@pytest.mark.parametrize("shape", [(300, 300), (20, 80, 80)])
@pytest.mark.parametrize("deviation", [0.5, 10.0])
def test_the_noise_is_measured_in_the_dark(shape: tuple[int, ...], deviation: float) -> None:
    """Bright, textured nuclei over a third of the picture do not count."""
    random = np.random.default_rng(0)
    pixels = random.normal(0, deviation, shape)
    pixels[..., : shape[-1] // 3] += random.uniform(500, 1_000, (*shape[:-1], shape[-1] // 3))
    assert _noise(pixels.astype(np.float32)) == pytest.approx(deviation, rel=0.1)
