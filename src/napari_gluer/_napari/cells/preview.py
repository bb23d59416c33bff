"""What is in view of an image, and the layer that shows how its cells would be found."""

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from numpy.typing import NDArray

from napari_gluer._napari.attached import KEY, held
from napari_gluer._napari.images import PAINTED, Source
from napari_gluer._napari.layers import place_like, show_labels
from napari_gluer.errors import InputError

_NAME = "preview"
_LONGEST = 2048  # pixels a side
_MOST = 2 * _LONGEST**2  # pixels of a stack
_LINE = 1.5  # width of a contour, in pixels of the screen


class View(NamedTuple):
    """A part of an image.

    Attributes
    ----------
    window
        Slices along the image's spatial axes, at full resolution.
    limited
        Whether more is in view than the window holds.
    """

    window: tuple[slice, ...]
    limited: bool


def in_view(viewer: ViewerModel, source: Source) -> View:
    """The part of an image that the canvas shows, at most 2048 pixels a side, from the middle.

    Stacks are taken through all planes. In 3-D, or along other axes, the middle of the image.

    Raises
    ------
    InputError
        If nothing of the image is in view.
    """
    shape = source.image.spatial_shape
    low, high = _seen(viewer, source.like, shape[-2:])
    if (high - low < 1).any():
        raise InputError("Nothing of the image is in view. Press the home button of the canvas.")
    longest = min(_LONGEST, math.isqrt(_MOST // math.prod(shape[:-2])))
    middle, size = (low + high) // 2, np.minimum(high - low, max(longest, 1))
    start = np.clip(middle - size // 2, low, high - size)
    sides = [slice(int(a), int(a + n)) for a, n in zip(start, size, strict=True)]
    planes = [slice(0, n) for n in shape[:-2]]
    return View((*planes, *sides), bool((size < high - low).any()))


def show_preview(
    viewer: ViewerModel, labels: NDArray[Any], source: Source, window: tuple[slice, ...]
) -> Labels:
    """Outline the labels of a window over the image, in place of an earlier preview."""
    layer = _shown_anew(viewer, labels, source.like)
    layer.metadata = {KEY: {PAINTED: _NAME}}
    corner = [part.start for part in window]
    place_at(layer, source.like, corner)
    flat = viewer.dims.ndisplay == 2  # napari draws no contours in 3-D, and warns of it
    width = round(_LINE / (viewer.scene.camera.zoom * abs(float(layer.scale[-1]))))
    layer.contour = max(1, width) if flat else 0
    layer.opacity = 1
    layer.visible = True
    layer.editable = False  # it goes with the next run
    return layer


def remove_preview(viewer: ViewerModel) -> None:
    """Take the preview away, where there is one."""
    for layer in [one for one in viewer.layers if _is_preview(one)]:
        viewer.layers.remove(layer)


def place_at(layer: Layer, like: Layer, corner: list[int]) -> None:
    """Move `layer`, which lies where `like` lies, to a pixel of `like`."""
    pixel = np.zeros(like.ndim)
    pixel[-layer.ndim :] = corner
    world = like.affine.inverse(np.asarray(like.data_to_world(pixel)))
    layer.translate = world[-layer.ndim :]


def _shown_anew(viewer: ViewerModel, labels: NDArray[Any], like: Layer) -> Labels:
    """The layer of the preview on top of all others; which layer is chosen stays as it was.

    The earlier one is used again: napari needs half a second to take a layer away.
    """
    layers = viewer.layers
    earlier = [one for one in layers if _is_preview(one) and one.ndim == labels.ndim]
    if earlier:
        layer: Labels = earlier[0]
        layer.data = labels
        place_like(layer, like)
        layers.move(layers.index(layer), len(layers))
        return layer
    active = layers.selection.active
    active = None if active is None or _is_preview(active) else active
    remove_preview(viewer)
    layer = show_labels(viewer, labels, name=_NAME, like=like)
    if active is not None:
        layers.selection.active = active
    return layer


def _is_preview(layer: Layer) -> bool:
    return bool(held(layer).get(PAINTED) == _NAME)


def _seen(
    viewer: ViewerModel, layer: Layer, shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and end pixel in view along y and x."""
    whole = np.zeros(2, np.int64), np.array(shape, np.int64)
    axes = viewer.dims.displayed
    if len(axes) != 2 or tuple(sorted(axes)) != (viewer.dims.ndim - 2, viewer.dims.ndim - 1):
        return whole
    # not layer.corner_pixels, which stay wide in pyramids until the view leaves them
    camera = viewer.scene.camera
    half = np.array(viewer.canvas.size) / (2 * camera.zoom)
    middle = np.array(camera.center[-2:])
    point = np.array(viewer.dims.point, float)
    corners = []
    for signs in itertools.product((-1, 1), repeat=2):
        point[list(axes)] = middle + half * signs
        corners.append(np.asarray(layer.world_to_data(point[-layer.ndim :]))[-2:])
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    return (
        np.clip(np.floor(low + 0.5), 0, shape).astype(np.int64),
        np.clip(np.ceil(high + 0.5), 0, shape).astype(np.int64),
    )
