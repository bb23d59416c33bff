"""Writing a multiplexed image as OME-TIFF, plane by plane."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.atomic import atomic_path

_CLASSIC = 2**32 - 2**25  # bytes that a TIFF with 32-bit offsets holds


def write_image(image: MultiplexImage, path: str | os.PathLike[str]) -> None:
    """Write an image as a compressed OME-TIFF, whole or not at all; `read_image` gives it back.

    Parameters
    ----------
    image
        Its pixels, channel names and pixel size are kept; a pyramid and notes are not.
    path
        Ends in ``.ome.tif``.

    Raises
    ------
    InputError
        If the name has another ending.
    """
    target = Path(path)
    if not target.name.casefold().endswith((".ome.tif", ".ome.tiff")) or target.is_dir():
        raise InputError(f"{target}: an image is written to a name that ends in .ome.tif.")
    shape, dtype = tuple(image.data.shape), np.dtype(image.data.dtype)
    axes = "CZYX" if len(shape) == 4 else "CYX"
    metadata: dict[str, Any] = {"axes": axes, "Channel": {"Name": list(image.channels)}}
    for axis, size in zip(axes[1:], image.spacing_um or (), strict=False):
        metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "µm"}
    with atomic_path(target) as partial:
        tifffile.imwrite(
            partial,
            _planes(image.data),
            shape=shape,
            dtype=dtype,
            ome=True,
            bigtiff=math.prod(shape) * dtype.itemsize > _CLASSIC,
            compression="zlib",
            photometric="minisblack",
            metadata=metadata,
        )


def _planes(data: Any) -> Iterator[NDArray[Any]]:
    for channel in range(data.shape[0]):
        pixels = np.asarray(data[channel])
        yield from (pixels if pixels.ndim == 3 else pixels[np.newaxis])
