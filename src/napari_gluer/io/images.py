"""Reading multiplexed images, whatever format they are in."""

import os
from pathlib import Path

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.choice import Choice
from napari_gluer.io.folders import read_folder
from napari_gluer.io.ome_zarr import read_ome_zarr
from napari_gluer.io.tiff_images import read_tiff
from napari_gluer.io.zarr_stores import is_address, is_zarr


def read_image(
    path: str | os.PathLike[str], *, series: int | str | None = None, time: int | None = None
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

    Returns
    -------
    The image with the file's channel names (``Channel i`` where it has none, later equals
    numbered), pixel size in µm and pyramid, where it has them. `MultiplexImage.notes` says what
    had to be assumed.

    Raises
    ------
    InputError
        If the file is missing, not an image, damaged, RGB, a time series, or several images, and
        no choice was made.
    """
    choice = Choice(series, time)
    if is_address(path) or is_zarr(path):
        return read_ome_zarr(path, choice)
    source = Path(path)
    if not source.exists():
        raise InputError(f"There is no file {source}.")
    return read_folder(source, choice) if source.is_dir() else read_tiff(source, choice)
