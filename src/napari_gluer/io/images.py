"""Reading multiplexed images, whatever format they are in."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.choice import Choice
from napari_gluer.io.folders import read_folder
from napari_gluer.io.ome_zarr import read_ome_zarr
from napari_gluer.io.tiff_images import read_tiff
from napari_gluer.io.zarr_stores import is_address, is_zarr, short_name
from napari_gluer.params import Params


class ImageParams(Params):
    """Which image of a file is read, and what the file does not say."""

    series: int | str | None = None
    """Which image, by number from 0 or name, where a file holds several."""

    time: int | None = None
    """Which time point, from 0, where there are several."""

    pixel_size_um: tuple[Annotated[float, Gt(0), Le(1000)], ...] = ()
    """Size of a pixel in µm: one number, or of a stack three (z y x). Empty: what the file says;
    else it wins over the file."""


def read_image(
    path: str | os.PathLike[str],
    *,
    series: int | str | None = None,
    time: int | None = None,
    pixel_size_um: float | Sequence[float] | None = None,
) -> MultiplexImage:
    """Open a multiplexed image; pixels are read when they are asked for.

    Parameters
    ----------
    path
        - an OME-TIFF (plain or pyramidal), ImageJ TIFF, plain (y, x), (c, y, x) or (c, z, y, x)
          TIFF, QPTIFF or component TIFF;
        - an OME-Zarr 0.4 or 0.5: a folder, a zip file, or an address (https, s3, gs);
        - a folder of one-channel TIFFs named by marker;
        - a CODEX stack, or folder of tiles, with its ``channelNames.txt`` beside or above it.
    series
        Which image of a file that holds several, by number (from 0) or name. Needed where it is not
        clear which is meant; with it an RGB picture opens too, as channels red, green and blue.
    time
        Which time point, from 0; needed where there are several.
    pixel_size_um
        Size of a pixel in µm: one number, or one for every axis, z first; of a stack all three.
        Wins over the file's. None or empty: what the file says.

    Returns
    -------
    The image with the file's channel names (``Channel i`` where it has none, later equals
    numbered), pixel size in µm and pyramid, where it has them. `MultiplexImage.notes` says what
    had to be assumed.

    Raises
    ------
    InputError
        If the file is missing, not an image, damaged, RGB, a time series, or several images, and
        no choice was made; or the pixel size does not fit.
    """
    image = _read(path, Choice(series, time))
    given = tuple(float(size) for size in np.ravel(() if pixel_size_um is None else pixel_size_um))
    return _sized(image, given, short_name(path)) if given else image


def _read(path: str | os.PathLike[str], choice: Choice) -> MultiplexImage:
    if is_address(path) or is_zarr(path):
        return read_ome_zarr(path, choice)
    source = Path(path)
    if not source.exists():
        raise InputError(f"There is no file {source}.")
    return read_folder(source, choice) if source.is_dir() else read_tiff(source, choice)


def _sized(image: MultiplexImage, given: tuple[float, ...], name: str) -> MultiplexImage:
    """`image` with the pixel size that was given; where that changes it, a note says so."""
    axes = len(image.spatial_shape)
    sizes = given * axes if len(given) == 1 and axes == 2 else given
    if len(sizes) != axes:
        raise InputError(
            f"The pixel size given, {_in_um(given)}, has {len(given)} numbers and {name} {axes} "
            f"axes. Give {'one number, or two' if axes == 2 else 'three numbers, z first'}."
        )
    if sizes == image.spacing_um:
        return image
    said = "gives none" if image.spacing_um is None else f"says {_in_um(image.spacing_um)}"
    note = f"The pixel size is taken to be {_in_um(sizes)}, as given; {name} {said}."
    return replace(image, pixel_size_um=sizes, notes=(*image.notes, note))


def _in_um(sizes: tuple[float, ...]) -> str:
    plain = [f"{size:g}" for size in (sizes[:1] if len(set(sizes)) == 1 else sizes)]
    return f"{' × '.join(plain)} µm"
