"""The channels of an image as napari layers: which are shown, in which colours, how bright."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer._napari.images import image_metadata
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.lazy import ChannelView
from napari_gluer.segmentation.nuclei import guessed_nuclear

LayerData = tuple[Any, dict[str, Any], str]

_COLORS = ("bop blue", "green", "magenta", "yellow")
_OTHER_COLORS = ("cyan", "red", "bop orange", "bop purple", "I Forest", "I Orange")
_SHOWN = 4  # nuclei and three more
_BRIGHT = 99.8
_READ_WHOLE = 4_000_000  # pixels of a plane that are read to know how bright it is
_SAMPLES, _SIDE = 5, 128  # of a larger one, so many windows an axis, so wide
_SAMPLED = 250_000


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
            levels_of(image, i),
            {
                "name": channel,
                "visible": channel in shown,
                "blending": "additive",
                "colormap": _colormap(channel, shown, i),
                "contrast_limits": _limits(image, i),
                "metadata": image_metadata(image, name, i),
                "multiscale": len(image.pyramid) > 1,
                **scale_of(image.spacing_um),
            },
            "image",
        )
        for i, channel in enumerate(image.channels)
    ]


def scale_of(spacing_um: tuple[float, ...] | None) -> dict[str, Any]:
    """A layer's scale and units."""
    if spacing_um is None:
        return {}
    return {"scale": spacing_um, "units": ("um",) * len(spacing_um)}


def levels_of(image: MultiplexImage, i: int) -> Any:
    """The pixels of a channel, or its pyramid, as a layer takes them."""
    if len(image.pyramid) > 1:
        return [ChannelView(level, i) for level in image.pyramid]
    return image.data[i] if isinstance(image.data, np.ndarray) else ChannelView(image.data, i)


def _limits(image: MultiplexImage, i: int) -> tuple[float, float]:
    """From the darkest to nearly the brightest pixel, over a thinned or coarse picture."""
    sample = _sample(image.pyramid[-1] if len(image.pyramid) > 1 else image.data, i)
    known = sample[np.isfinite(sample)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(np.percentile(known, _BRIGHT))
    if high <= low:
        high = float(known.max())
    return (low, high) if high > low else (low, low + 1.0)


def _sample(pixels: Any, i: int) -> NDArray[Any]:
    """Some pixels of a channel; from a stack those of its middle plane and the two around it."""
    shape = pixels.shape[1:]
    plane = (slice(None),) * len(shape)
    if len(shape) == 3 and int(np.prod(shape)) > _READ_WHOLE:
        middle = shape[0] // 2
        plane = (slice(max(0, middle - 1), middle + 2), *plane[1:])
    if shape[-2] * shape[-1] <= _READ_WHOLE or isinstance(pixels, np.ndarray):
        block = np.asarray(pixels[(i, *plane)])
        step = max(1, int(np.sqrt(block.size / _SAMPLED)))
        return block[..., ::step, ::step]
    starts = [np.linspace(0, side - _SIDE, _SAMPLES).astype(int) for side in shape[-2:]]
    windows = [
        pixels[(i, *plane[:-2], slice(y, y + _SIDE), slice(x, x + _SIDE))]
        for y in starts[0].tolist()
        for x in starts[1].tolist()
    ]
    return np.concatenate([np.ravel(window) for window in windows])


def _colormap(channel: str, shown: list[str], i: int) -> str:
    if channel in shown:
        return _COLORS[shown.index(channel)]
    return _OTHER_COLORS[i % len(_OTHER_COLORS)]


def _nuclear(image: MultiplexImage) -> list[str]:
    try:
        return list(guessed_nuclear(image.channels))[:1]
    except InputError:  # no channel has a known name: the first ones are shown
        return []
