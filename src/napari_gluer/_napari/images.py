"""Image layers as one multiplexed image: a group from a file, a layer with channels, or several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer
from napari.utils.events import Event
from numpy.typing import NDArray

from napari_gluer._napari.attached import KEY, full_resolution, held
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage

PAINTED = "kind"
"""Entry of layers that we painted."""

CHANNEL = "channel"
"""Entry of a layer of a channel: its place in the image."""

_IMAGE, _NAME, _OPACITY = "image", "name", "opacity"
_DIMMED = 0.3
_DEPTH, _CHANNELS = ("z", "depth", "plane"), ("c", "channel", "channels")


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
    note
        What was assumed of it; mostly "".
    """

    name: str
    image: MultiplexImage
    like: Layer
    note: str = ""

    @property
    def key(self) -> Any:
        """Stays the same as long as this image is open."""
        return self.image if held(self.like).get(_IMAGE) is self.image else self.like.unique_id


def sources(viewer: ViewerModel) -> list[Source]:
    """Images among the layers: opened by our reader, layers with channels, all visible ones.

    Visible stacks whose first axis is depth come before the reading of that axis as channels.
    """
    layers = [layer for layer in viewer.layers if _is_tissue(layer)]
    groups: dict[int, Source] = {}
    stacks = []
    for layer in layers:
        image = held(layer).get(_IMAGE)
        if isinstance(image, MultiplexImage):
            layer.events.data.connect(_forget_image)
            number = len(image.channels)
            name = f"{_file(layer)} ({number} {'channel' if number == 1 else 'channels'})"
            groups.setdefault(id(image), Source(name, image, layer))
        elif layer.ndim in (3, 4):
            stacks.append(_with_channels(layer))
    visible = _visible(layers)
    stacks.sort(key=lambda source: _first_is_depth(source.like))
    deep = bool(visible) and _first_is_depth(visible[0].like)
    return [*groups.values(), *(visible + stacks if deep else stacks + visible)]


def _forget_image(event: Event) -> None:
    """A layer whose data were replaced shows its image no more; it is an image of its own."""
    for name in (_IMAGE, CHANNEL):
        held(event.source).pop(name, None)


def image_metadata(image: MultiplexImage, name: str, channel: int | None = None) -> dict[str, Any]:
    """Metadata of a layer that shows a channel of `image`; `name` is shown where one is chosen."""
    place = {} if channel is None else {CHANNEL: channel}
    return {KEY: {_IMAGE: image, _NAME: name, **place}}


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


def pixel_size_um(layer: Layer, first: int = 0) -> tuple[float, ...] | None:
    """Pixel size in µm along a layer's axes from the `first` on, None where it is not known.

    A scale without a unit is taken as µm, as most readers mean it; a scale of 1 says nothing, and
    one below 0 mirrors.
    """
    scale, units = np.abs(layer.scale[first:]), layer.units[first:]
    if scale_without_unit(layer, first):
        return tuple(float(size) for size in scale)
    if not all(unit.is_compatible_with("um") for unit in units):
        return None
    factors = [(1 * unit).to("um").magnitude for unit in units]
    return tuple(float(size * factor) for size, factor in zip(scale, factors, strict=True))


def _first_is_depth(layer: Layer) -> bool:
    """Whether the first axis of a layer of three is named depth, or has a scale."""
    name = str(layer.axis_labels[0]).casefold()
    spaced = name not in _CHANNELS and abs(layer.scale[0]) != 1
    return layer.ndim == 3 and (name in _DEPTH or spaced)


def scale_without_unit(layer: Layer, first: int = 0) -> bool:
    """Whether a layer has a scale, but pixels for its unit, along its axes from the `first` on."""
    unknown = all(str(unit) == "pixel" for unit in layer.units[first:])
    return unknown and bool(np.any(np.abs(layer.scale[first:]) != 1))


def _note(layer: Layer, first: int = 0) -> str:
    if not scale_without_unit(layer, first):
        return ""
    sizes = " × ".join(f"{size:g}" for size in np.abs(layer.scale[first:]))
    return f"The scale of “{layer.name}” has no unit; it was taken as µm ({sizes})."


def _is_tissue(layer: Layer) -> bool:
    return isinstance(layer, Image) and not layer.rgb and PAINTED not in held(layer)


def _file(layer: Layer) -> str:
    return str(held(layer).get(_NAME, layer.name))


def _with_channels(layer: Image) -> Source:
    data = full_resolution(layer)
    names = [f"{layer.name} {i + 1}" for i in range(data.shape[0])]
    image = MultiplexImage(data, names, pixel_size_um(layer, 1))
    name = f"{layer.name} (first axis: {len(names)} channels)"
    return Source(name, image, layer, _note(layer, 1))


def _visible(layers: list[Image]) -> list[Source]:
    shown = [layer for layer in layers if layer.visible and layer.ndim in (2, 3)]
    if not shown or len({tuple(full_resolution(layer).shape) for layer in shown}) != 1:
        return []
    stack = ChannelStack([full_resolution(layer) for layer in shown])
    image = MultiplexImage(stack, [layer.name for layer in shown], pixel_size_um(shown[0]))
    word = "layer" if len(shown) == 1 else "layers"
    return [Source(f"visible image {word} ({len(shown)})", image, shown[0], _note(shown[0]))]
