"""Channel names and pixel sizes that TIFF files carry."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import tifffile

from napari_gluer.names import unique_names

_UM_PER_UNIT = {
    "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0,
    "nm": 1e-3, "mm": 1e3, "cm": 1e4, "pm": 1e-6, "inch": 25400.0,
}  # fmt: skip
_LARGEST_PIXEL_UM = 20.0  # resolutions of printing (72 dpi) are no pixel sizes

Sizes = tuple[float, ...] | None


def channel_names(tif: tifffile.TiffFile, series: Any, count: int) -> tuple[str, ...]:
    """One unique name a channel: from OME-XML, ImageJ labels or the pages, else ``Channel i``."""
    if tif.is_ome:
        found = _ome_names(tif, series)
    elif tif.is_imagej:
        found = list((tif.imagej_metadata or {}).get("Labels", ()))
    else:
        found = [_page_name(page) for page in series.pages]
    names = [str(name or "").strip() for name in found[:count]] + [""] * (count - len(found))
    return tuple(unique_names(name or f"Channel {i}" for i, name in enumerate(names)))


def pixel_size(tif: tifffile.TiffFile, series: Any, axes: str) -> Sizes:
    """Size of every spatial axis of `axes` in µm, None where not all are known."""
    if tif.is_ome:
        known = _ome_sizes(tif, series)
    elif tif.is_imagej:
        known = _imagej_sizes(tif, series)
    else:
        known = _resolution(series.keyframe, None)
    sizes = tuple(known.get(axis, 0.0) for axis in axes if axis in "ZYX")
    return sizes if all(sizes) else None


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
        factor = _UM_PER_UNIT.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"), 0.0)
        sizes[axis] = _positive(pixels.get(f"PhysicalSize{axis}")) * factor
    return sizes


def _positive(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0


def _imagej_sizes(tif: tifffile.TiffFile, series: Any) -> dict[str, float]:
    about = tif.imagej_metadata or {}
    unit = str(about.get("unit", "")).replace("\\u00B5", "µ")
    factor = _UM_PER_UNIT.get(unit)
    if factor is None:
        return {}
    return {**_resolution(series.keyframe, factor), "Z": float(about.get("spacing", 0)) * factor}


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
