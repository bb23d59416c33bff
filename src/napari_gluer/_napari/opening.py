"""Open files and the sample as napari does, with one clear error where that fails."""

from pathlib import Path

from napari.components import ViewerModel
from napari.errors import NoAvailableReaderError, ReaderPluginError
from napari.layers import Layer

from napari_gluer._napari.reader import get_reader
from napari_gluer.errors import InputError
from napari_gluer.io.zarr_stores import is_address

_PLUGIN, _SAMPLE = "napari-gluer", "tissue"


def open_path(viewer: ViewerModel, path: str) -> list[Layer]:
    """Open a file, folder or address; through napari's other readers where it is not ours.

    Raises
    ------
    InputError
        If it is not there or nothing can read it.
    """
    path = path.strip()
    if not is_address(path) and not Path(path).exists():
        raise InputError(f"{path} is not there.")
    plugin = _PLUGIN if get_reader(path) is not None else None
    try:
        return list(viewer.open(path, plugin=plugin))
    except (NoAvailableReaderError, ReaderPluginError, ValueError, OSError) as error:
        raise InputError(
            f"{Path(path).name} could not be opened: {error}. Images are TIFF, QPTIFF or "
            "OME-Zarr; cells .h5ad; spots .csv or .parquet; outlines .geojson."
        ) from error


def open_sample(viewer: ViewerModel) -> list[Layer]:
    """Open the simulated tissue, unless it is open already."""
    names = {layer.name for layer in viewer.layers}
    if any("simulated tissue" in name for name in names):
        raise InputError("The simulated tissue is open already.")
    return list(viewer.open_sample(_PLUGIN, _SAMPLE))
