"""Pictures that are hard to cut: clumps, chains, rings, nuclei on corners."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_gluer.image import MultiplexImage


def blobs(
    shape: tuple[int, ...], centres: NDArray[np.float64], radius: float, seed: int = 0
) -> NDArray[np.float32]:
    """Discs or balls of mixed brightness on a noisy ground, blurred."""
    rng = np.random.default_rng(seed)
    pixels = np.full(shape, 20.0)
    for centre in centres:
        near = tuple(
            slice(max(0, int(n - radius) - 1), max(0, int(n + radius) + 2)) for n in centre
        )
        axes = np.ogrid[
            tuple(slice(key.start, min(key.stop, n)) for key, n in zip(near, shape, strict=True))
        ]
        away = sum((axis - n) ** 2 for axis, n in zip(axes, centre, strict=True))
        pixels[near][away <= radius**2] = rng.uniform(80, 200)
    return rng.normal(ndimage.gaussian_filter(pixels, 1.0), 3.0).astype(np.float32)


def hard_picture(seed: int, shape: tuple[int, ...], radius: float) -> NDArray[np.float32]:
    """A chain through the whole image, a ring, loose and touching nuclei, some on corners."""
    rng = np.random.default_rng(seed)
    sizes = np.array(shape, float)
    loose = rng.uniform(0, 1, (int(rng.integers(1, 12)), len(shape))) * sizes
    steps = np.linspace(0, 1, max(2, int(sizes.max() / (1.6 * radius))))[:, np.newaxis]
    chain = (
        rng.uniform(0, 0.3, len(shape)) * sizes + steps * rng.uniform(0.4, 1, len(shape)) * sizes
    )
    angles = np.arange(0, 2 * np.pi, 1.5 / 3)
    ring = np.tile(sizes / 2, (len(angles), 1))
    ring[:, -2] += 3 * radius * np.sin(angles)
    ring[:, -1] += 3 * radius * np.cos(angles)
    corners = rng.integers(0, 4, (2, len(shape))) * 16.0
    parts = [loose, chain, ring, corners]
    kept = [part for part in parts if rng.random() < 0.8] or [loose]
    return blobs(shape, np.concatenate(kept), radius, seed)


def dapi(
    pixels: NDArray[np.generic], pixel_size_um: float | tuple[float, ...] | None = None
) -> MultiplexImage:
    """An image of one nuclear channel."""
    return MultiplexImage(pixels[np.newaxis], ["DAPI"], pixel_size_um)
