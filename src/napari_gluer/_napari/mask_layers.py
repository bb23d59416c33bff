"""Label images as layers: which files are such, where they lie, and inForm's maps in one file."""

import re
from pathlib import Path
from typing import Any

import napari
import numpy as np
import tifffile
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer._napari.channel_layers import LayerData, scale_of
from napari_gluer._napari.images import sources
from napari_gluer._napari.jobs import while_waiting
from napari_gluer._napari.layers import placement
from napari_gluer.errors import InputError
from napari_gluer.io.labels_files import LabelsFile
from napari_gluer.io.zarr_stores import short_name
from napari_gluer.labels import checked_labels

_LABEL_NAME = re.compile(
    r"(^|[\W_])(labels?|masks?|seg(mentation|mented)?)([\W_]|\d|$)", re.IGNORECASE
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_IN_MEMORY = 100_000_000  # pixels of labels that are read at once, to be corrected by hand
_COMPARTMENT = re.compile(r"<CompartmentType>\s*(\w+)\s*</CompartmentType>")
_NUCLEUS, _CYTOPLASM = "Nucleus", "Cytoplasm"


def is_mask(path: Path) -> bool:
    """Whether a TIFF holds whole numbers in one channel and its name says labels."""
    if not _LABEL_NAME.search(_HUMP.sub("_", path.name)):
        return False
    try:
        with tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            return series.dtype.kind in "iuf" and "C" not in series.axes.replace("1", "")
    except (tifffile.TiffFileError, OSError, IndexError):
        return False


def mask_layers(place: str, name: str | None = None) -> tuple[list[LayerData], tuple[str, ...]]:
    """Labels layers of a file, and notes for the person.

    Labels without a pixel size are laid on the open image of their shape. Large ones stay on disk,
    and are then not to be corrected by hand.

    Parameters
    ----------
    place
        File, folder or address.
    name
        Which labels, where an OME-Zarr has several.

    Raises
    ------
    InputError
        If the file holds no labels.
    """
    maps = {} if name else _inform_maps(Path(place))
    found = ng.open_labels(place, name=name)
    title = name or short_name(place).split(".")[0]
    data = while_waiting(f"Opening {short_name(place)} …", lambda: _data(place, found))
    if _NUCLEUS in maps and isinstance(data, np.ndarray):
        return _of_inform(data, maps, title)
    return [_layer(data, title, found)], found.notes


def _layer(data: Any, title: str, found: LabelsFile) -> LayerData:
    place = _place_of(found.data.shape) if found.pixel_size_um is None else {}
    return data, {"name": title, **scale_of(found.pixel_size_um), **place}, "labels"


def _place_of(shape: tuple[int, ...]) -> dict[str, Any]:
    """Where the newest open image of this shape lies."""
    viewer = napari.current_viewer()
    if viewer is None:
        return {}
    alike = [one.like for one in sources(viewer) if one.image.spatial_shape == tuple(shape)]
    return placement(max(alike, key=viewer.layers.index), len(shape)) if alike else {}


def _data(place: str, found: LabelsFile) -> Any:
    if found.data.size > _IN_MEMORY and found.data.dtype.kind in "iu":
        return list(found.pyramid) or found.data
    try:
        return checked_labels(np.asarray(found.data))
    except InputError as error:
        raise InputError(f"{short_name(place)}: {error}") from error


def _inform_maps(path: Path) -> dict[str, int]:
    """Compartment → page, in inForm's ``…_binary_seg_maps.tif``; empty for other files."""
    try:
        with tifffile.TiffFile(path) as tif:
            said = [_COMPARTMENT.search(page.description or "") for page in tif.pages[:8]]
    except (tifffile.TiffFileError, OSError, AttributeError):
        return {}
    return {found[1]: i for i, found in enumerate(said) if found}


def _of_inform(
    pages: NDArray[Any], maps: dict[str, int], title: str
) -> tuple[list[LayerData], tuple[str, ...]]:
    """Nuclei, and cells where there is cytoplasm: the two have the same numbers."""
    nuclei = pages[maps[_NUCLEUS]]
    masks = {"nuclei": nuclei}
    if _CYTOPLASM in maps:
        masks["cells"] = np.where(nuclei > 0, nuclei, pages[maps[_CYTOPLASM]])
    place = _place_of(nuclei.shape)
    layers = [
        (mask, {"name": f"{what} ({title})", **place}, "labels") for what, mask in masks.items()
    ]
    note = "inForm's maps: cells are nucleus and cytoplasm together; membranes are left out."
    return layers, (note,) if _CYTOPLASM in maps else ()
