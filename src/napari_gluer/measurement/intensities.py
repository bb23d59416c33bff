"""Mean intensity of every cell in every channel."""

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numba import njit
from numpy.typing import ArrayLike, NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.labels import checked_labels, compact
from napari_gluer.markers import annotate
from napari_gluer.track import Track, silently


def measure(image: MultiplexImage, labels: ArrayLike, *, track: Track = silently) -> AnnData:
    """Measure every cell in every channel.

    Parameters
    ----------
    image
        The image; one channel is in memory at a time.
    labels
        Whole numbers ``(y, x)`` or ``(z, y, x)``, 0 = background, of the image's spatial shape.
    track
        Reports the channels.

    Returns
    -------
    One row for every label, in ascending order, index ``str(label)``:

    - ``X`` float32 ``(n_cells, n_channels)``, mean intensity
    - ``obs``: ``label``, ``volume_px`` and, where the pixel size is known, ``area_um2`` (2-D) or
      ``volume_um3`` (3-D)
    - ``obsm["spatial"]``: centroid x, y[, z] in µm, else in pixels (the first pixel's centre is 0)
    - ``var``: ``genes`` and ``role``
    - ``uns["gluer"]``: ``kind`` = intensity, ``spatial_unit`` = ``um`` or ``px``

    Raises
    ------
    InputError
        If shapes differ, the labels are not whole numbers, or there is no cell.
    """
    checked = checked_labels(labels)
    if checked.shape != image.spatial_shape:
        raise InputError(
            f"Labels and image differ in shape: labels {checked.shape}, image "
            f"{image.spatial_shape}. Give labels drawn on this image, at full resolution."
        )
    index, ids = compact(checked)
    if not ids.size:
        raise InputError("The labels hold no cell: every pixel is 0. Segment the image first.")
    sizes, centroids = _geometry(index, ids.size)
    means = np.empty((ids.size, len(image.channels)), np.float32)
    for column, channel in enumerate(track(image.channels, "Measuring channels")):
        means[:, column] = _sums(index, image.channel(channel), ids.size) / sizes
    return _table(means, ids, sizes, centroids, image)


def _table(
    means: NDArray[np.float32],
    ids: NDArray[np.int64],
    sizes: NDArray[np.int64],
    centroids: NDArray[np.float64],
    image: MultiplexImage,
) -> AnnData:
    spacing = image.spacing_um
    obs = pd.DataFrame({slots.LABEL: ids, slots.VOLUME: sizes}, index=ids.astype(str))
    if spacing is not None:
        column = slots.AREA_UM2 if len(spacing) == 2 else slots.VOLUME_UM3
        obs[column] = sizes * float(np.prod(spacing))
    positions = (centroids * (spacing or 1.0))[:, ::-1]
    cells = AnnData(means, obs=obs, var=annotate(image.channels))
    cells.obsm[slots.SPATIAL] = np.ascontiguousarray(positions)
    unit = "px" if spacing is None else "um"
    slots.note(cells, **{slots.KIND: slots.INTENSITY, slots.SPATIAL_UNIT: unit})
    return cells


def _geometry(
    index: NDArray[np.int32], n_cells: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pixels of every cell, and its centroid in axis order ``(n_cells, index.ndim)``."""
    stack = index if index.ndim == 3 else index[np.newaxis]
    sizes = np.zeros(n_cells, np.int64)
    sums = np.zeros((n_cells, 3))
    _add_positions(stack, sizes, sums)
    return sizes, sums[:, 3 - index.ndim :] / sizes[:, np.newaxis]


def _sums(index: NDArray[np.int32], channel: NDArray[Any], n_cells: int) -> NDArray[np.float64]:
    if channel.dtype.kind == "b" or channel.dtype.itemsize == 1:
        channel = channel.astype(np.int16)
    if channel.dtype == np.float16 or not channel.dtype.isnative:
        channel = channel.astype(np.float64)
    sums = np.zeros(n_cells)
    _add_values(np.ascontiguousarray(index).ravel(), np.ascontiguousarray(channel).ravel(), sums)
    return sums


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_positions(stack: Any, sizes: Any, sums: Any) -> None:
    depth, height, width = stack.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                cell = stack[z, y, x] - 1
                if cell >= 0:
                    sizes[cell] += 1
                    sums[cell, 0] += z
                    sums[cell, 1] += y
                    sums[cell, 2] += x


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_values(index: Any, values: Any, sums: Any) -> None:
    for i in range(index.size):
        cell = index[i] - 1
        if cell >= 0:
            sums[cell] += values[i]
