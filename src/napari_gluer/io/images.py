"""Reading multiplexed images and labels images."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.image import MultiplexImage
from napari_gluer.io.channels import channel_names, pixel_size
from napari_gluer.io.lazy import LazyPixels, StackedPixels
from napari_gluer.io.tiff import canonical_axes, open_tiff
from napari_gluer.labels import checked_labels
from napari_gluer.names import unique_names

_SUFFIXES = (".tif", ".tiff")


def read_image(path: str | os.PathLike[str]) -> MultiplexImage:
    """Open a multiplexed image; pixels are read when they are asked for.

    Parameters
    ----------
    path
        An OME-TIFF (plain or pyramidal), ImageJ TIFF, plain (y, x), (c, y, x) or (c, z, y, x)
        TIFF, QPTIFF or component TIFF, or a folder of one-channel TIFFs named by marker.

    Returns
    -------
    The image with the file's channel names (``Channel i`` where it has none, later equals
    numbered), pixel size in µm and pyramid, where it has them.

    Raises
    ------
    InputError
        If the file is missing, not an image, cut short, RGB, a time series, or several images.
    """
    source = Path(path)
    return _read_folder(source) if source.is_dir() else _read_tiff(source)


def read_labels(path: str | os.PathLike[str]) -> NDArray[np.integer]:
    """Read a TIFF whose pixels are numbers of cells.

    Returns
    -------
    Whole numbers ``(y, x)`` or ``(z, y, x)``, 0 = background.

    Raises
    ------
    InputError
        If the file cannot be read, has several channels, or does not hold labels.
    """
    source = Path(path)
    file, series = open_tiff(source)
    stored, axes = canonical_axes(source, series, channels=False)
    pixels = LazyPixels(file, series, stored, axes)
    if pixels.shape[0] != 1:
        raise InputError(
            f"{source.name} has {pixels.shape[0]} channels; labels have one, (y, x) or (z, y, x)."
        )
    try:
        return checked_labels(pixels[0])
    except InputError as error:
        raise InputError(f"{source.name}: {error}") from error


def _read_tiff(path: Path) -> MultiplexImage:
    file, series = open_tiff(path)
    stored, axes = canonical_axes(path, series)
    levels = [LazyPixels(file, level, stored, axes) for level in series.levels]
    names = channel_names(file.tif, series, levels[0].shape[0])
    size = pixel_size(file.tif, series, axes)
    return MultiplexImage(levels[0], names, size, levels if len(levels) > 1 else ())


def _read_folder(folder: Path) -> MultiplexImage:
    inside = sorted(folder.iterdir(), key=lambda file: file.name.casefold())
    files = [file for file in inside if file.suffix.casefold() in _SUFFIXES]
    if not files:
        raise InputError(
            f"The folder {folder} has no TIFF (it has: {listed(f.name for f in inside)}). A folder "
            "of one-channel TIFFs named by marker would do."
        )
    images = [_read_tiff(file) for file in files]
    for file, image in zip(files, images, strict=True):
        if len(image.channels) > 1 or image.spatial_shape != images[0].spatial_shape:
            raise InputError(
                f"{file.name} has shape {image.data.shape}; every TIFF in the folder must be one "
                f"channel of shape {images[0].spatial_shape}, as {files[0].name} is."
            )
    names = unique_names(_stem(file) for file in files)
    return MultiplexImage(
        StackedPixels([image.data for image in images]), names, images[0].pixel_size_um
    )


def _stem(file: Path) -> str:
    return file.stem.removesuffix(".ome")
