"""What a TIFF claims, against what it can hold: before any pixel is read."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_gluer.errors import InputError, listed

_NONE = tifffile.COMPRESSION.NONE
_MOST_COMPRESSED = {  # pixels' bytes for one stored byte that the method can reach at most
    tifffile.COMPRESSION.NONE: 1,
    tifffile.COMPRESSION.PACKBITS: 64,
    tifffile.COMPRESSION.ADOBE_DEFLATE: 1040,
    tifffile.COMPRESSION.DEFLATE: 1040,
    tifffile.COMPRESSION.LZW: 2600,
}
_MOST_OTHERS = 40_000  # zstd repeats 128 kB with four bytes
_ALLOWED = 2**20  # bytes that a block may claim without any proof


def refuse_missing_parts(name: str, tif: tifffile.TiffFile, series: Any) -> None:
    """Refuse an OME-TIFF whose planes lie in files that are not there, or are missing."""
    main = _main_file(tif)
    if main:
        raise InputError(
            f"{name} is a part of an image in several files; its description is in {main}. "
            f"Open that, with all parts beside it."
        )
    planes = list(series.pages)
    missing = sum(page is None for page in planes)
    if not missing:
        return
    absent = _absent_files(tif)
    where = f" in files that are not beside it ({listed(absent)})" if absent else ""
    raise InputError(
        f"{name}: {missing} of {len(planes)} planes are missing{where}. Copy all files of the "
        "image, or export it as one file."
    )


def refuse_impossible(name: str, series: Any) -> None:
    """Refuse a series (or level) whose blocks reach beyond the file or claim too much.

    Raises
    ------
    InputError
        If the file is cut short, has too few blocks, or a block is too small for what it claims.
    """
    pages = [page for page in series.pages if page is not None]
    if series.dataoffset is not None:
        _refuse_short(name, pages[0], int(series.dataoffset) + int(series.nbytes))
    keyframe = series.keyframe
    if any(length < 1 for length in series.shape) or keyframe.dtype is None:
        raise InputError(f"{name} has no pixels: shape {series.shape}. Copy or export it again.")
    expected = int(np.prod(keyframe.chunked, dtype=np.float64))
    claimed = int(np.prod(keyframe.chunks, dtype=np.float64)) * keyframe.dtype.itemsize
    most = _MOST_COMPRESSED.get(keyframe.compression, _MOST_OTHERS)
    for page in pages:
        counts = np.asarray(page.databytecounts, np.int64)
        offsets = np.asarray(page.dataoffsets, np.int64)
        if len(offsets) < expected or len(counts) < expected:
            raise InputError(
                f"{name} is damaged: shape {series.shape} needs {expected} blocks a plane and it "
                f"has {min(len(offsets), len(counts))}. Copy or export it again."
            )
        if len(offsets):
            _refuse_short(name, page, int((offsets[: len(counts)] + counts[: len(offsets)]).max()))
        if claimed > _ALLOWED + most * int(counts.max(initial=0)) and not _packed(keyframe):
            raise InputError(
                f"{name} is damaged: blocks of {claimed} bytes cannot come from the "
                f"{counts.max(initial=0)} bytes stored. Copy or export it again."
            )


def _packed(page: Any) -> bool:
    """Whether less than a byte is stored for a sample."""
    return bool(page.bitspersample < 8 * page.dtype.itemsize)


def _refuse_short(name: str, page: Any, needed: int) -> None:
    size = page.parent.filehandle.size
    if needed > size:
        raise InputError(
            f"{name} is cut short: it has {size} bytes and its pixels reach to byte {needed}. "
            "Copy or download it again."
        )


def _main_file(tif: tifffile.TiffFile) -> str:
    root = _ome(tif)
    node = root.find("{*}BinaryOnly") if root is not None else None
    return "" if node is None else node.get("MetadataFile", "another file")


def _absent_files(tif: tifffile.TiffFile) -> list[str]:
    root = _ome(tif)
    if root is None:
        return []
    named = {node.get("FileName", "") for node in root.iter() if node.tag.endswith("}UUID")}
    present = {file.name for file in Path(tif.filehandle.dirname).iterdir()}
    return sorted(named - present - {""})


def _ome(tif: tifffile.TiffFile) -> ET.Element | None:
    if not tif.is_ome:
        return None
    try:
        return ET.fromstring(tif.ome_metadata)  # noqa: S314 - expat refuses entity bombs
    except ET.ParseError:
        return None
