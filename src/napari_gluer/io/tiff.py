"""Opening TIFF files: the series that is the image, its axes, and what cannot be used."""

import logging
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tifffile

from napari_gluer.errors import InputError
from napari_gluer.io.lazy import OpenTiff

_WOULD_DO = (
    "An OME-TIFF, ImageJ TIFF, plain (c, y, x) TIFF, QPTIFF, or a folder of one-channel TIFFs "
    "named by marker would do."
)
_UNREADABLE = (tifffile.TiffFileError, struct.error, ValueError, IndexError, KeyError, TypeError)
_DAMAGE = re.compile(r"invalid (?:page|value) offset|corrupted[^>]*")
_AXES_OF_KIND = {"T": "a time series", "R": "several positions", "H": "several lifetimes"}


def open_tiff(path: Path) -> tuple[OpenTiff, Any]:
    """Open a TIFF and choose its image.

    Returns
    -------
    The open file and its largest series that is not RGB.

    Raises
    ------
    InputError
        If the file is missing, not a TIFF, cut short, RGB only, or has several equal series.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    try:
        with _complaints() as damage:
            file = OpenTiff(path)
            series = list(file.tif.series)
    except _UNREADABLE as error:
        raise InputError(
            f"{path.name} is not an image that can be read ({_found(path)}; {error}). {_WOULD_DO}"
        ) from error
    if damage:
        raise InputError(f"{path.name} is cut short or damaged ({damage[0]}). Copy it again.")
    chosen = _chosen(path, series)
    _refuse_truncated(path, chosen)
    return file, chosen


def canonical_axes(path: Path, series: Any, *, channels: bool = True) -> tuple[str, str]:
    """Axes of a series as stored, with C, Z, Y, X in place of unknown letters, and as shown.

    Parameters
    ----------
    path
        Named in errors.
    series
        The series.
    channels
        Whether an axis that the file does not name holds channels; else it is z.

    Returns
    -------
    stored
        One letter for every stored axis.
    shown
        ``CYX`` or ``CZYX``.
    """
    lengths = dict(enumerate(series.shape))
    stored = list(series.axes)
    if stored[-2:] != ["Y", "X"] and not {"Y", "X"} <= set(stored):
        stored[-2:] = ["Y", "X"]
    for letter in "CZ" if channels else "ZC":
        unnamed = [i for i, axis in enumerate(stored) if axis in "QIS" and lengths[i] > 1]
        if unnamed and letter not in stored:
            stored[unnamed[0]] = letter
    extra = [i for i, axis in enumerate(stored) if axis not in "CZYX" and lengths[i] > 1]
    if extra:
        what = _AXES_OF_KIND.get(stored[extra[0]], "more axes than channels, z, y and x")
        raise InputError(
            f"{path.name} holds {what}: axes {series.axes}, shape {series.shape}. Save one image "
            "(c, y, x) or (c, z, y, x)."
        )
    return "".join(_numbered(stored)), "CZYX" if _depth(stored, lengths) > 1 else "CYX"


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


def _depth(stored: list[str], lengths: dict[int, int]) -> int:
    return lengths[stored.index("Z")] if "Z" in stored else 1


def _numbered(stored: list[str]) -> list[str]:
    """Length-1 axes may repeat a letter; each needs its own to be told apart."""
    return [
        chr(ord("a") + i) if axis not in "CZYX" or axis in stored[:i] else axis
        for i, axis in enumerate(stored)
    ]


def is_rgb(series: Any) -> bool:
    """Whether a series holds colours as people see them, not measured channels."""
    return (
        "S" in series.axes
        and series.keyframe.photometric in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)
        and series.shape[series.axes.index("S")] in (3, 4)
    )


def _chosen(path: Path, series: list[Any]) -> Any:
    measured = [one for one in series if not is_rgb(one) and len(one.shape) >= 2]
    if not measured:
        shape = series[0].shape if series else "none"
        raise InputError(
            f"{path.name} is an RGB picture (shape {shape}): its colours are for the eye, not "
            f"measured channels. {_WOULD_DO}"
        )
    largest = max(measured, key=lambda one: one.size)
    equal = [one for one in measured if one.shape == largest.shape]
    if len(equal) > 1:
        raise InputError(
            f"{path.name} holds {len(equal)} images of the same shape {largest.shape}. Save the "
            "one to use, or the channels of one image together, in a file of its own."
        )
    return largest


def _refuse_truncated(path: Path, series: Any) -> None:
    for page in series.pages:
        if page is None:
            continue
        size = page.parent.filehandle.size
        ends = zip(page.dataoffsets, page.databytecounts, strict=False)
        needed = max((offset + count for offset, count in ends), default=0)
        if needed > size:
            raise InputError(
                f"{path.name} is cut short: it has {size} bytes and its pixels reach to byte "
                f"{needed}. Copy or download it again."
            )


def _found(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(16)
    if not head:
        return "the file is empty"
    kinds = {b"\x89HDF": "an HDF5 file", b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG"}
    for magic, kind in kinds.items():
        if head.startswith(magic):
            return kind
    return f"it starts with {head[:8]!r}"
