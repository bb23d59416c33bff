"""Give an image that has no pixel size one, and all that lies on it."""

from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer

from napari_gluer._napari.attached import KEY, full_resolution, held
from napari_gluer._napari.images import Source, image_metadata

_NAME, _IMAGE = "name", "image"


def give_pixel_size(viewer: ViewerModel, source: Source, size_um: tuple[float, ...]) -> int:
    """Set the pixel size of an image's layers, and of those that lie on it pixel by pixel.

    Parameters
    ----------
    viewer
        Its layers are changed.
    source
        An image whose pixel size is not known.
    size_um
        In the order of the image's axes, ``(y, x)`` or ``(z, y, x)``.

    Returns
    -------
    int
        How many layers were changed.
    """
    shape = source.image.spatial_shape
    given = replace(source.image, pixel_size_um=size_um)
    changed = [layer for layer in viewer.layers if _lies_on(layer, source.like, shape)]
    for layer in changed:
        if held(layer).get(_IMAGE) is source.image:
            entries = image_metadata(given, str(held(layer).get(_NAME, layer.name)))[KEY]
            layer.metadata = {**layer.metadata, KEY: {**held(layer), **entries}}
        first = layer.ndim - len(shape)
        mirrored = np.copysign(size_um, layer.scale[first:])
        layer.scale = (*layer.scale[:first], *mirrored)
        layer.units = (*layer.units[:first], *("um",) * len(shape))
    return len(changed)


def _lies_on(layer: Layer, like: Layer, shape: tuple[int, ...]) -> bool:
    """Whether a layer has the image's pixels: its shape, scale and place."""
    data: Any = full_resolution(layer) if hasattr(layer, "multiscale") else None
    if data is None or tuple(getattr(data, "shape", ()))[-len(shape) :] != shape:
        return False
    n = len(shape)
    same = [
        np.allclose(getattr(layer, name)[-n:], getattr(like, name)[-n:])
        for name in ("scale", "translate")
    ]
    return all(same)
