"""Image layers as one multiplexed image: a group from a file, a layer with channels, or several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer
from numpy.typing import NDArray

from napari_gluer._napari.attached import KEY, full_resolution, held
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage

PAINTED = "kind"
"""Entry of layers that we painted."""

_IMAGE, _NAME, _OPACITY = "image", "name", "opacity"
_DIMMED = 0.3


class ChannelStack:
    """Arrays of one shape as one array with a leading channel axis, without copying them.

    Parameters
    ----------
    planes
        One array ``(y, x)`` or ``(z, y, x)`` per channel.
    """

    def __init__(self, planes: Sequence[Any]) -> None:
        shapes = {tuple(plane.shape) for plane in planes}
        if len(shapes) != 1:
            raise InputError(
                f"The visible image layers differ in size: {sorted(shapes)}. "
                "Hide those that are not channels of the tissue."
            )
        self._planes = list(planes)
        self.shape = (len(planes), *shapes.pop())
        self.dtype = np.result_type(*(plane.dtype for plane in planes))
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return len(self._planes)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        first, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(first, int | np.integer):
            return np.asarray(self._planes[first][tuple(rest)])
        chosen = np.arange(len(self))[first]
        return np.stack([np.asarray(self._planes[i][tuple(rest)]) for i in chosen])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 - NumPy's protocol
        return np.asarray(self[:], dtype)


@dataclass(frozen=True, eq=False)
class Source:
    """An image that cells can be measured in.

    Attributes
    ----------
    name
        For the person.
    image
        The pixels and channel names.
    like
        A layer of it, whose place new layers take.
    """

    name: str
    image: MultiplexImage
    like: Layer


def sources(viewer: ViewerModel) -> list[Source]:
    """Images among the layers: opened by our reader, layers with channels, all visible ones."""
    layers = [layer for layer in viewer.layers if _is_tissue(layer)]
    groups: dict[int, Source] = {}
    stacks = []
    for layer in layers:
        image = held(layer).get(_IMAGE)
        if isinstance(image, MultiplexImage):
            name = f"{_file(layer)} ({len(image.channels)} channels)"
            groups.setdefault(id(image), Source(name, image, layer))
        elif layer.ndim in (3, 4):
            stacks.append(_with_channels(layer))
    return [*groups.values(), *stacks, *_visible(layers)]


def image_metadata(image: MultiplexImage, name: str) -> dict[str, Any]:
    """Metadata of a layer that shows a channel of `image`; `name` is shown where one is chosen."""
    return {KEY: {_IMAGE: image, _NAME: name}}


def dim_tissue(viewer: ViewerModel, *, dim: bool) -> None:
    """Dim the tissue's image layers, or give those we dimmed their old opacity back."""
    for layer in viewer.layers:
        if not _is_tissue(layer):
            continue
        entries = layer.metadata.setdefault(KEY, {})
        if dim and _OPACITY not in entries:
            entries[_OPACITY] = layer.opacity
            layer.opacity *= _DIMMED
        elif not dim and _OPACITY in entries:
            layer.opacity = entries.pop(_OPACITY)


def pixel_size_um(layer: Layer) -> tuple[float, ...] | None:
    """Pixel size of a layer's spatial axes in µm, None unless its unit is a length."""
    if not all(unit.is_compatible_with("um") for unit in layer.units):
        return None
    factors = [(1 * unit).to("um").magnitude for unit in layer.units]
    return tuple(float(s * f) for s, f in zip(layer.scale, factors, strict=True))


def _is_tissue(layer: Layer) -> bool:
    return isinstance(layer, Image) and not layer.rgb and PAINTED not in held(layer)


def _file(layer: Layer) -> str:
    return str(held(layer).get(_NAME, layer.name))


def _with_channels(layer: Image) -> Source:
    data = full_resolution(layer)
    names = [f"{layer.name} {i + 1}" for i in range(data.shape[0])]
    sizes = pixel_size_um(layer)
    image = MultiplexImage(data, names, sizes[1:] if sizes else None)
    return Source(f"{layer.name} (first axis: {len(names)} channels)", image, layer)


def _visible(layers: list[Image]) -> list[Source]:
    shown = [layer for layer in layers if layer.visible and layer.ndim in (2, 3)]
    if not shown or len({tuple(full_resolution(layer).shape) for layer in shown}) != 1:
        return []
    stack = ChannelStack([full_resolution(layer) for layer in shown])
    image = MultiplexImage(stack, [layer.name for layer in shown], pixel_size_um(shown[0]))
    word = "layer" if len(shown) == 1 else "layers"
    return [Source(f"visible image {word} ({len(shown)})", image, shown[0])]
