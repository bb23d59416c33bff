"""Files that napari opens through us: multiplexed images, masks, tables of cells."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import hover_table, table_metadata
from napari_gluer._napari.images import image_metadata
from napari_gluer._napari.jobs import report
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.nuclei import guessed_nuclear

LayerData = tuple[Any, dict[str, Any], str]

_IMAGES = (".tif", ".tiff", ".qptiff", ".btf", ".tf8")
_LABEL_NAME = re.compile(
    r"(^|[\W_])(labels?|masks?|seg(mentation|mented)?)([\W_]|\d|$)", re.IGNORECASE
)
_COLORS = ("bop blue", "green", "magenta", "yellow")
_OTHER_COLORS = ("cyan", "red", "bop orange", "bop purple", "I Forest", "I Orange")
_SHOWN = 4  # nuclei and three more
_BRIGHT = 99.8


class ChannelView:
    """One channel of a lazy image, sliced like an array.

    Parameters
    ----------
    pixels
        ``(c, y, x)`` or ``(c, z, y, x)``.
    channel
        Its position on the first axis.
    """

    def __init__(self, pixels: Any, channel: int) -> None:
        self._pixels = pixels
        self._channel = channel
        self.shape = tuple(pixels.shape[1:])
        self.dtype = pixels.dtype
        self.ndim = len(self.shape)

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: Any) -> Any:
        rest = key if isinstance(key, tuple) else (key,)
        return self._pixels[(self._channel, *rest)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: FBT001 - NumPy's protocol
        return np.asarray(self._pixels[self._channel], dtype)


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """The function that reads `path`, None where it is not ours to read."""
    first = Path(path if isinstance(path, str) else path[0])
    if not isinstance(path, str) and len(path) > 1:
        return None
    if first.suffix.casefold() == ".h5ad":
        return partial(_or_told, read_table)
    if first.suffix.casefold() in _IMAGES and first.is_file():
        return partial(_or_told, read_mask if _is_mask(first) else read_tissue)
    return None


def _or_told(read: Callable[[Any], list[LayerData]], path: Any) -> list[Any]:
    """What `read` gives; what it refuses is told, and nothing is opened.

    Raised from here the error would come up as a failure of the plugin, under a traceback.
    """
    try:
        return read(path)
    except InputError as error:
        report(error)
        return [(None,)]  # npe2's word for: read, and nothing to show


def read_tissue(path: Any) -> list[LayerData]:
    """One layer per channel; nuclei and up to three more channels are shown."""
    file = _one(path)
    return image_layers(ng.read_image(file), file.name)


def read_mask(path: Any) -> list[LayerData]:
    """A labels layer."""
    file = _one(path)
    return [(ng.read_labels(file), {"name": _stem(file)}, "labels")]


def read_table(path: Any) -> list[LayerData]:
    """Cells of a table, drawn as discs at their positions, with the table attached."""
    file = _one(path)
    cells = ng.read_cells(file)
    if slots.SPATIAL not in cells.obsm:
        raise InputError(
            f"{file.name} has no positions (obsm['spatial']), so its cells cannot be drawn. "
            "A single-cell reference is opened in Plugins ▸ GLUER ▸ Reference."
        )
    labels, drawn = ng.draw_cells(cells)
    layer = {
        "name": _stem(file),
        "metadata": table_metadata(drawn),
        "features": hover_table(drawn),
    }
    return [(labels, layer, "labels")]


def image_layers(image: MultiplexImage, name: str) -> list[LayerData]:
    """The channels of `image` as layers that lie on each other.

    Parameters
    ----------
    image
        The image.
    name
        Of the file or sample; shown where an image is chosen.
    """
    nuclear = _nuclear(image)
    shown = [*nuclear, *(name for name in image.channels if name not in nuclear)][:_SHOWN]
    return [
        (
            _levels(image, i),
            {
                "name": channel,
                "visible": channel in shown,
                "blending": "additive",
                "colormap": _colormap(channel, shown, i),
                "contrast_limits": _limits(image, i),
                "metadata": image_metadata(image, name),
                "multiscale": len(image.pyramid) > 1,
                **_scale(image),
            },
            "image",
        )
        for i, channel in enumerate(image.channels)
    ]


def _levels(image: MultiplexImage, i: int) -> Any:
    if len(image.pyramid) > 1:
        return [ChannelView(level, i) for level in image.pyramid]
    return image.data[i] if isinstance(image.data, np.ndarray) else ChannelView(image.data, i)


def _limits(image: MultiplexImage, i: int) -> tuple[float, float]:
    """From the darkest to nearly the brightest pixel, over a thinned or coarse picture."""
    coarse = image.pyramid[-1] if len(image.pyramid) > 1 else image.data
    plane = np.asarray(coarse[i])
    step = max(1, int(np.sqrt(plane.size / 250_000)))
    sample = plane[..., ::step, ::step]
    known = sample[np.isfinite(sample)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(np.percentile(known, _BRIGHT))
    if high <= low:
        high = float(known.max())
    return (low, high) if high > low else (low, low + 1.0)


def _colormap(channel: str, shown: list[str], i: int) -> str:
    if channel in shown:
        return _COLORS[shown.index(channel)]
    return _OTHER_COLORS[i % len(_OTHER_COLORS)]


def _nuclear(image: MultiplexImage) -> list[str]:
    try:
        return list(guessed_nuclear(image.channels))[:1]
    except InputError:  # no channel has a known name: the first ones are shown
        return []


def _scale(image: MultiplexImage) -> dict[str, Any]:
    spacing = image.spacing_um
    return {} if spacing is None else {"scale": spacing, "units": ("um",) * len(spacing)}


def _is_mask(path: Path) -> bool:
    """Whether a TIFF holds whole numbers in one channel and its name says labels."""
    if not _LABEL_NAME.search(path.name):
        return False
    try:
        with tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            return series.dtype.kind in "iuf" and "C" not in series.axes.replace("1", "")
    except (tifffile.TiffFileError, OSError, IndexError):
        return False


def _one(path: Any) -> Path:
    return Path(path if isinstance(path, str | Path) else path[0])


def _stem(file: Path) -> str:
    return file.name.split(".")[0]
