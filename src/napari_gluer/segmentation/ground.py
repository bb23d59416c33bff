"""The slowly varying ground under the nuclei, found on a coarse grid laid over the whole image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_gluer.segmentation.scale import Grid

_TRUNCATE = 2.0  # of the last blur: what lies further off weighs a few per cent


class Ground:
    """How the ground is found: lowest brightness in a window, opened, blurred.

    Parameters
    ----------
    window
        Side of the window in steps along x.
    grid
        Lengths on the image.

    Attributes
    ----------
    margin
        Pixels of every axis that must be known beyond the part whose ground is asked for.
    block
        Side of a coarse pixel in pixels of every axis. Coarse pixels start at multiples of it,
        counted from the origin of the whole image, so that every tile sees the same ones.
    """

    def __init__(self, window: float, grid: Grid) -> None:
        self.block = tuple(max(1, int(side // 24)) for side in grid.sigma(window))
        coarse = Grid(
            tuple(step * side for step, side in zip(grid.ratio, self.block, strict=True)), 1.0
        )
        self._denoise = coarse.sigma(2.0)
        self._window = coarse.window(window)
        self._blur = coarse.sigma(window / 4)
        reach = [
            _gaussian_reach(noise, 4.0) + 2 * (side // 2) + _gaussian_reach(blur, _TRUNCATE) + 2
            for noise, side, blur in zip(self._denoise, self._window, self._blur, strict=True)
        ]
        self.margin = tuple(r * side for r, side in zip(reach, self.block, strict=True))

    def aligned(self, part: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
        """`part` widened by the margin to whole coarse pixels, clipped to an image of `shape`."""
        return tuple(
            slice(
                max(0, (key.start - margin) // block * block),
                min(length, -(-(key.stop + margin) // block) * block),
            )
            for key, margin, block, length in zip(part, self.margin, self.block, shape, strict=True)
        )

    def under(
        self, pixels: NDArray[np.float32], at: tuple[slice, ...], part: tuple[slice, ...]
    ) -> NDArray[np.float32]:
        """The ground under `part`, float32.

        Parameters
        ----------
        pixels
            The image in the window `at`, which `aligned` gave for a part that holds this one.
        at, part
            Windows in the whole image.
        """
        coarse = _block_means(pixels, self.block)
        low = ndimage.minimum_filter(
            ndimage.gaussian_filter(coarse, self._denoise), self._window, mode="nearest"
        )
        opened = ndimage.maximum_filter(low, self._window, mode="nearest")
        smooth = ndimage.gaussian_filter(opened, self._blur, truncate=_TRUNCATE, mode="nearest")
        for axis, (key, window, block) in enumerate(zip(part, at, self.block, strict=True)):
            smooth = _stretched(smooth, axis, key, window.start // block, block)
        return np.asarray(smooth, np.float32)


def _gaussian_reach(sigma: float, truncate: float) -> int:
    return int(truncate * sigma + 0.5)


def _block_means(pixels: NDArray[np.float32], block: tuple[int, ...]) -> NDArray[np.float32]:
    """Mean of every block, summed in one order wherever the block lies."""
    for axis, side in enumerate(block):
        if side == 1:
            continue
        missing = -pixels.shape[axis] % side
        widths = [(0, missing if axis == other else 0) for other in range(pixels.ndim)]
        padded = np.pad(pixels, widths, mode="edge") if missing else pixels
        parts = (padded[_every(axis, start, side, pixels.ndim)] for start in range(side))
        total = next(parts).copy()
        for part in parts:
            total += part
        pixels = total / np.float32(side)
    return pixels


def _every(axis: int, start: int, step: int, ndim: int) -> tuple[slice, ...]:
    return tuple(slice(start, None, step) if axis == n else slice(None) for n in range(ndim))


def _stretched(
    coarse: NDArray[np.float32], axis: int, key: slice, first: int, block: int
) -> NDArray[np.float32]:
    """Pixels `key` of one axis, between the centres of coarse pixels, of which `first` is first."""
    if block == 1:
        return np.take(coarse, np.arange(key.start - first, key.stop - first), axis=axis)
    twice = 2 * np.arange(key.start, key.stop) + 1 - block
    low, rest = np.divmod(twice, 2 * block)
    shape: list[Any] = [1] * coarse.ndim
    shape[axis] = -1
    weight = (rest / (2 * block)).astype(np.float32).reshape(shape)
    last = coarse.shape[axis] - 1
    below = np.take(coarse, np.clip(low - first, 0, last), axis=axis)
    above = np.take(coarse, np.clip(low + 1 - first, 0, last), axis=axis)
    return np.asarray(below * (1 - weight) + above * weight, np.float32)
