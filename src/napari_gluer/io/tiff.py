"""Opening TIFF files: which series is the image, and its levels, to be read or sent elsewhere."""

import logging
import os
import re
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr

from napari_gluer.errors import InputError, listed
from napari_gluer.io.choice import Choice, Series, chosen
from napari_gluer.io.damage import UNREADABLE
from napari_gluer.io.plain_planes import plain_planes
from napari_gluer.io.tiff_checks import refuse_impossible, refuse_missing_parts

WOULD_DO = (
    "An OME-TIFF, ImageJ TIFF, plain (c, y, x) TIFF, QPTIFF, OME-Zarr, or a folder of one-channel "
    "TIFFs named by marker would do."
)
_DAMAGE = re.compile(r"invalid (?:page|value) offset|circular reference|corrupted[^>]*")
_KEPT_OPEN = 8  # files that a worker process keeps open between tiles
_MAGIC = {
    b"\x89HDF": "an HDF5 file",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG",
    b"PK\x03\x04": "a zip archive",
    b"%PDF": "a PDF",
}


class OpenTiff:
    """An open TIFF file that closes when nothing refers to it any more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tif = tifffile.TiffFile(path)
        weakref.finalize(self, self.tif.close)


class TiffLevel:
    """A resolution level of a series, sliced like an array; pickled as its place in the file.

    ``chunks`` are its strips or tiles, None where single bytes can be read.

    Parameters
    ----------
    file
        The open file; kept open as long as this lives.
    series, level
        Numbers of the series in the file and of the level in the series.
    """

    def __init__(self, file: OpenTiff, series: int, level: int) -> None:
        self.file = file
        self._series, self._level = series, level
        found = file.tif.series[series].levels[level]
        self.shape = tuple(int(length) for length in found.shape)
        self.dtype = np.dtype(found.dtype)
        self._array: Any = plain_planes(found)
        self.chunks: tuple[int, ...] | None = None
        if self._array is None:
            self._array = zarr.open_array(found.aszarr(level=0), mode="r")
            self.chunks = tuple(self._array.chunks)

    def __getitem__(self, key: Any) -> Any:
        return self._array[key]

    def __reduce__(self) -> tuple[Any, ...]:
        place = self.file.path.resolve()
        return _reopened, (str(place), _state(place), self._series, self._level)


def _state(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError as error:
        raise InputError(f"{path} can no longer be opened ({error.strerror}).") from error
    return about.st_size, about.st_mtime_ns


def _reopened(path: str, state: tuple[int, int], series: int, level: int) -> TiffLevel:
    if _state(Path(path)) != state:
        raise InputError(f"{path} was changed while it was in use. Start again.")
    return TiffLevel(_kept_open(path, state), series, level)


@lru_cache(_KEPT_OPEN)
def _kept_open(path: str, _state: tuple[int, int]) -> OpenTiff:
    return OpenTiff(Path(path))


def open_tiff(path: Path, choice: Choice | None = None) -> tuple[OpenTiff, int]:
    """Open a TIFF and choose its image.

    Returns
    -------
    The open file and the number of the chosen series (see `choice.chosen`).

    Raises
    ------
    InputError
        If the file is missing, not a TIFF, cut short, or it is not clear which image is meant.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a TIFF file.")
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} may not be read: permission denied. Ask its owner.")
    try:
        with _complaints() as damage:
            file = OpenTiff(path)
            len(file.tif.pages)  # follows their chain: damage there can hang what is next
            series = [] if damage else list(file.tif.series)
            about = [_about(one) for one in series]
    except UNREADABLE as error:
        raise InputError(
            f"{path.name} is not an image that can be read ({found_in(path)}; {error}). {WOULD_DO}"
        ) from error
    if damage:
        raise InputError(f"{path.name} is cut short or damaged ({damage[0]}). Copy it again.")
    number = chosen(path.name, about, choice or Choice())
    try:
        with _complaints() as damage:
            refuse_missing_parts(path.name, file.tif, series[number])
            for level in series[number].levels:
                refuse_impossible(path.name, level)
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(f"{path.name} is damaged ({error}). Copy it again.") from error
    if damage:
        raise InputError(f"{path.name} is cut short or damaged ({damage[0]}). Copy it again.")
    return file, number


def other_series(file: OpenTiff, number: int) -> str:
    """Names or numbers of the series that were not opened, "" where there is none."""
    others = [_about(one) for i, one in enumerate(file.tif.series) if i != number]
    measured = [one for one in others if not one.colours]
    return listed(f"{one.name or 'one'} {one.shape}" for one in measured) if measured else ""


def is_rgb(series: Any) -> bool:
    """Whether a series holds colours as people see them, not measured channels."""
    return (
        "S" in series.axes
        and series.keyframe.photometric in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)
        and series.shape[series.axes.index("S")] in (3, 4)
    )


def found_in(path: Path) -> str:
    """What kind of file `path` seems to be, by its first bytes."""
    with path.open("rb") as stream:
        head = stream.read(16)
    if not head:
        return "the file is empty"
    kinds = [kind for magic, kind in _MAGIC.items() if head.startswith(magic)]
    return kinds[0] if kinds else f"it starts with {head[:8]!r}"


def _about(one: Any) -> Series:
    shape = tuple(int(length) for length in one.shape)
    return Series(str(one.name or ""), str(one.axes), shape, is_rgb(one))


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what tifffile only logs and then leaves out: pages and tags beyond the end."""
    found: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: found.extend(_DAMAGE.findall(record.getMessage()))  # type: ignore[method-assign]
    logger = logging.getLogger("tifffile")
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
