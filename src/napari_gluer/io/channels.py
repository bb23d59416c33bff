"""Channel names and pixel sizes that TIFF files carry."""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

import tifffile

from napari_gluer.errors import listed
from napari_gluer.names import unique_names

UM_PER_UNIT = {
    "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0,
    "micrometre": 1.0, "nanometer": 1e-3, "nanometre": 1e-3, "nm": 1e-3, "angstrom": 1e-4,
    "Å": 1e-4, "millimeter": 1e3, "millimetre": 1e3, "mm": 1e3, "centimeter": 1e4, "cm": 1e4,
    "meter": 1e6, "metre": 1e6, "m": 1e6, "picometer": 1e-6, "pm": 1e-6, "inch": 25400.0,
}  # fmt: skip
"""Micrometres in a unit of length, by its name in OME-XML, ImageJ and OME-Zarr."""

_LARGEST_PIXEL_UM = 20.0  # resolutions of printing (72 dpi) are no pixel sizes

_SLICE = re.compile(r"^(?:[czt]:\d+/\d+\s*)+(?:-\s*|$)")

Sizes = tuple[float, ...] | None


def channel_names(tif: tifffile.TiffFile, series: Any, count: int) -> list[str]:
    """What OME-XML, ImageJ labels or the pages call the channels; "" where they do not say."""
    if tif.is_ome:
        found = _ome_names(tif, series)
    elif tif.is_imagej:
        found = _slice_names(list((tif.imagej_metadata or {}).get("Labels", ()))[:count])
    elif "S" in series.axes and count in (3, 4):
        found = ["red", "green", "blue", "alpha"]
    else:
        found = [_page_name(page) for page in series.pages]
    return [str(name or "").strip() for name in found[:count]] + [""] * (count - len(found))


def _slice_names(labels: Sequence[Any]) -> list[str]:
    """Labels of slices without Fiji's ``c:1/2 z:1/9 - ``; nothing where only that differs."""
    names = [_SLICE.sub("", str(label or "")) for label in labels]
    return names if len(set(names)) == len(names) or names == labels else []


def numbered(names: Sequence[str], what: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Unique names, ``Channel i`` where there is none, and a note that says so.

    Parameters
    ----------
    names
        One a channel, "" where unknown.
    what
        The file, for the note.
    """
    given = [name or f"Channel {i}" for i, name in enumerate(names)]
    nameless = [i for i, name in enumerate(names) if not name]
    if not nameless:
        return tuple(unique_names(given)), ()
    if len(nameless) == len(names):
        note = f"{what} names no channels; they are numbered from Channel 0."
    else:
        missing = listed(nameless)
        note = f"{what} does not name all channels; these are numbered, from 0: {missing}."
    return tuple(unique_names(given)), (note,)


def pixel_size(tif: tifffile.TiffFile, series: Any, axes: str) -> Sizes:
    """Size of every spatial axis of `axes` in µm, None where not all are known."""
    if tif.is_ome:
        known = _ome_sizes(tif, series)
    elif tif.is_imagej:
        known = _imagej_sizes(tif, series)
    else:
        known = _resolution(series.keyframe, None)
    sizes = tuple(known.get(axis, 0.0) for axis in axes if axis in "ZYX")
    return sizes if all(0 < size < math.inf for size in sizes) else None


def _ome_pixels(tif: tifffile.TiffFile, series: Any) -> ET.Element | None:
    try:
        root = ET.fromstring(tif.ome_metadata)  # noqa: S314 - expat refuses entity bombs
    except ET.ParseError:
        return None
    found = [
        node for image in root if _tag(image) == "Image" for node in image if _tag(node) == "Pixels"
    ]
    if not found:
        return None
    position = next(i for i, one in enumerate(tif.series) if one is series)
    return found[position if position < len(found) else 0]


def _tag(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _ome_names(tif: tifffile.TiffFile, series: Any) -> list[str]:
    pixels = _ome_pixels(tif, series)
    return [node.get("Name", "") for node in pixels or () if _tag(node) == "Channel"]


def _ome_sizes(tif: tifffile.TiffFile, series: Any) -> dict[str, float]:
    pixels = _ome_pixels(tif, series)
    if pixels is None:
        return {}
    sizes = {}
    for axis in "XYZ":
        factor = UM_PER_UNIT.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"), 0.0)
        sizes[axis] = _positive(pixels.get(f"PhysicalSize{axis}")) * factor
    return sizes


def _positive(text: Any) -> float:
    try:
        number = float(text or 0)
    except (TypeError, ValueError):
        return 0.0
    return number if 0 < number < math.inf else 0.0


def _imagej_sizes(tif: tifffile.TiffFile, series: Any) -> dict[str, float]:
    about = tif.imagej_metadata or {}
    unit = str(about.get("unit", "")).replace("\\u00B5", "µ")
    factor = UM_PER_UNIT.get(unit)
    if factor is None:
        return {}
    return {**_resolution(series.keyframe, factor), "Z": _positive(about.get("spacing")) * factor}


def _resolution(page: Any, um_per_unit: float | None) -> dict[str, float]:
    """Pixel size from the resolution tags; centimetres where the unit is not given."""
    tags = page.tags
    if um_per_unit is None:
        if page.resolutionunit != tifffile.RESUNIT.CENTIMETER:
            return {}
        um_per_unit = 1e4
    sizes = {}
    for axis in "XY":
        tag = tags.get(f"{axis}Resolution")
        pixels, units = tag.value if tag is not None else (0, 0)
        size = um_per_unit * units / pixels if pixels else 0.0
        sizes[axis] = size if size < _LARGEST_PIXEL_UM else 0.0
    return sizes


def _page_name(page: Any) -> str:
    """QPTIFF: ``Biomarker``, else ``Name``, of the page's XML. Others: the tag PageName."""
    if page is None:
        return ""
    page = page.aspage()
    if not page.description.lstrip().startswith("<?xml"):
        tag = page.tags.get("PageName")
        return str(tag.value) if tag is not None else ""
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", page.description)
    try:
        root = ET.fromstring(text)  # noqa: S314 - expat refuses entity bombs
    except ET.ParseError:
        return ""
    return root.findtext("Biomarker") or root.findtext("Name") or ""
