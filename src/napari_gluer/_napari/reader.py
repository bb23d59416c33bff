"""Files, folders and addresses that napari opens through us."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import napari
from napari.utils.notifications import show_info, show_warning

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.arriving import first_and_rest
from napari_gluer._napari.attached import KEY, hover_table, table_metadata
from napari_gluer._napari.channel_layers import LayerData, image_layers
from napari_gluer._napari.history import READ
from napari_gluer._napari.images import sources
from napari_gluer._napari.jobs import report, while_waiting
from napari_gluer._napari.mask_layers import is_mask, mask_layers
from napari_gluer._napari.outline_layers import outline_layers
from napari_gluer._napari.recording import with_path
from napari_gluer._napari.run_folder import is_run_folder, read_run_folder, run_layers, show_run
from napari_gluer._napari.session.pauses import in_pauses
from napari_gluer._napari.session.reading import is_session, read_session
from napari_gluer._napari.session.restoring import showing_session
from napari_gluer._napari.spots import looks_like_spots, read_spots_layer
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.folders import is_tissue_folder
from napari_gluer.io.labels_files import labels_beside
from napari_gluer.io.outlines import is_outlines
from napari_gluer.io.zarr_stores import holds_labels, is_address, is_zarr, short_name
from napari_gluer.pipeline.recipes.steps import Data, Tabled

_IMAGES = (".tif", ".tiff", ".qptiff", ".btf", ".tf8")
_TABLES = (".csv", ".csv.gz", ".parquet")
_SHOWN: list[Any] = [(None,)]  # npe2's word for: read, and nothing to add
_MANY = 5  # channels without names


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """The function that reads `path`, None where it is not ours to read."""
    if not isinstance(path, str):
        return get_reader(str(path[0])) if len(path) == 1 else None
    read = _reader_of(path)
    return None if read is None else partial(_or_told, read)


def _reader_of(path: str) -> Callable[[Any], list[LayerData]] | None:
    file, name = Path(path), path.casefold()
    found: dict[Callable[[Any], list[LayerData]], Callable[[], bool]] = {
        read_run: lambda: file.is_dir() and is_run_folder(file),
        read_saved_session: lambda: file.is_dir() and is_session(file),
        read_zarr: lambda: ".zarr" in name if is_address(path) else is_zarr(path),
        read_tissue_folder: lambda: file.is_dir() and is_tissue_folder(file),
        read_table: lambda: name.endswith(".h5ad"),
        read_mask: lambda: name.endswith(_IMAGES) and file.is_file() and is_mask(file),
        read_tissue: lambda: name.endswith(_IMAGES) and file.is_file(),
        read_outlines: lambda: name.endswith((".geojson", *_TABLES)) and is_outlines(file),
        read_spots: lambda: name.endswith(_TABLES) and file.is_file() and looks_like_spots(file),
    }
    return next((read for read, ours in found.items() if ours()), None)


def _or_told(read: Callable[[Any], list[LayerData]], path: Any) -> list[Any]:
    """What `read` gives; what it refuses is told, and nothing is opened.

    Raised from here the error would come up as a failure of the plugin, under a traceback.
    """
    try:
        return read(_one(path))
    except InputError as error:
        report(error)
        return _SHOWN


def read_tissue(path: Any) -> list[LayerData]:
    """One layer per channel; nuclei and up to three more channels are shown."""
    place = _one(path)
    image = ng.read_image(place)
    _tell((*image.notes, *_hint(image)))
    return first_and_rest(with_path(image_layers(image, short_name(place)), place))


def read_tissue_folder(path: Any) -> list[LayerData]:
    """A folder of TIFFs, or a CODEX experiment, as one image."""
    return read_tissue(path)


def read_run(path: Any) -> list[LayerData]:
    """A folder of ``napari-gluer run``: image, cells, results, reference, and a first painting."""
    folder, viewer = Path(_one(path)), napari.current_viewer()
    run = while_waiting(f"Opening {folder.name} …", lambda: read_run_folder(folder))
    if viewer is None:
        layers = run_layers(run)
    else:
        show_run(viewer, run)
        layers = _SHOWN
    if run.notes:
        show_warning(" ".join(run.notes))
    return layers


def read_saved_session(path: Any) -> list[LayerData]:
    """A folder of a saved session, shown as it was."""
    folder, viewer = Path(_one(path)), napari.current_viewer()
    if viewer is None:
        raise InputError("A session is opened in a window of napari; there is none.")
    session = while_waiting(f"Opening {folder.name} …", lambda: read_session(folder))
    lost: list[str] = []

    def tell() -> None:
        if lost:
            show_warning(" ".join(lost))

    in_pauses(showing_session(viewer, session, lost), tell, report)
    return _SHOWN


def read_spots(path: Any) -> list[LayerData]:
    """A points layer of decoded spots."""
    place = _one(path)
    return while_waiting(f"Opening {short_name(place)} …", lambda: read_spots_layer(place))


def read_zarr(path: Any) -> list[LayerData]:
    """An OME-Zarr: the channels of an image and its labels, or labels where the path is theirs."""
    place = _one(path)
    if holds_labels(place):
        return read_mask(place)
    inside = [layer for name in labels_beside(place) for layer in _masks(place, name)]
    return [*read_tissue(place), *inside]


def read_mask(path: Any) -> list[LayerData]:
    """A labels layer; large ones stay on disk, and are then not to be corrected by hand."""
    return _masks(_one(path))


def read_outlines(path: Any) -> list[LayerData]:
    """Outlines of cells as labels on the image that is open, or as shapes."""
    viewer = napari.current_viewer()
    opened = sources(viewer) if viewer is not None else []
    file, first = Path(_one(path)), opened[0] if opened else None
    layers, notes = while_waiting(f"Opening {file.name} …", lambda: outline_layers(file, first))
    _tell(notes)
    return layers


def read_table(path: Any) -> list[LayerData]:
    """Cells of a table, drawn as discs at their positions, with the table attached."""
    file = Path(_one(path))
    return while_waiting(f"Opening {file.name} …", lambda: _drawn_cells(file))


def _drawn_cells(file: Path) -> list[LayerData]:
    cells = ng.read_cells(file)
    if slots.SPATIAL not in cells.obsm:
        raise InputError(
            f"{file.name} has no positions (obsm['spatial']), so its cells cannot be drawn. "
            "A single-cell reference is opened in Plugins ▸ GLUER ▸ Reference."
        )
    labels, drawn = ng.draw_cells(cells)
    layer: dict[str, Any] = {
        "name": _stem(str(file)),
        "metadata": table_metadata(drawn),
        "features": hover_table(drawn),
    }
    known = slots.info(drawn)
    table = Data(path=str(file.resolve()), sha256=str(known.get("sha256", "")))
    layer["metadata"][KEY][READ] = (Tabled(cells=table, draw=ng.DiscParams()),)
    return [(labels, layer, "labels")]


def _masks(place: str, name: str | None = None) -> list[LayerData]:
    layers, notes = mask_layers(place, name)
    _tell(notes)
    plain = name is None and len(layers) == 1  # then the path alone says which labels
    return with_path(layers, place) if plain else layers


def _hint(image: MultiplexImage) -> tuple[str, ...]:
    """What to do where planes without names were taken as channels and may be none."""
    number = len(image.channels)
    unnamed = image.channels == tuple(f"Channel {i}" for i in range(number))
    if not unnamed or number < _MANY or len(image.spatial_shape) > 2:
        return ()
    return (f"If these {number} are planes of a stack, open the file with napari's own reader.",)


def _tell(notes: Sequence[str]) -> None:
    if notes:
        show_info(" ".join(notes))


def _one(path: Any) -> str:
    return str(path if isinstance(path, str | Path) else path[0])


def _stem(place: str) -> str:
    return short_name(place).split(".")[0]
