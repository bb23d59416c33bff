"""Layers as plain values: what they show, how, and what we keep with them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from psygnal import EventedModel

from napari_gluer._napari.attached import KEY, held
from napari_gluer._napari.session.plain import Arrays, UnplainError, from_plain, to_plain

_APART = frozenset(  # entries of ours that are saved in other ways, or made anew
    ("cells", "measured", "reference", "index", "indexed", "image", "linked", "linked to",
     "history", "history of", "steps", "spots", "codes", "channels",
     "controls watched", "hovered", "columns hovered over", "changes", "changes of", "other index",
     "stale")
)  # fmt: skip
_LAYER = "§layer"
_FURTHER = {
    Labels: ("contour", "selected_label", "brush_size", "show_selected_label", "editable"),
}
_COLORBAR = ("visible", "position", "opacity", "box", "size", "tick_length", "font_size")


def state_of(layer: Layer, arrays: Arrays) -> dict[str, Any]:
    """How a layer looks, without its data and metadata.

    What napari cannot save as plain values (other plugins' settings) is left out.
    """
    _, state, kind = layer.as_layer_data_tuple()
    found: dict[str, Any] = {}
    for name in dict(state):
        if name not in ("metadata", "features", "properties", "property_choices", "data"):
            _put(found, name, partial(to_plain, state[name], arrays))
    if hasattr(layer, "features") and held(layer).get("cells") is None:
        _put(found, "features", partial(to_plain, layer.features, arrays))
    further = {
        name: to_plain(getattr(layer, name), arrays)
        for kind_of, names in _FURTHER.items()
        if isinstance(layer, kind_of)
        for name in names
    }
    colorbar = simple(layer.colorbar, _COLORBAR) if isinstance(layer, Image) else {}
    return {"kind": kind, "state": found, "further": further, "colorbar": colorbar}


def rebuilt(data: Any, stored: Mapping[str, Any], arrays: Arrays) -> Layer:
    """A layer of `data` that looks as `state_of` says."""
    state = {name: from_plain(one, arrays) for name, one in stored["state"].items()}
    if stored["kind"] == "labels" and "colormap" in state and isinstance(state["colormap"], dict):
        state.pop("colormap")
    layer = Layer.create(data, state, stored["kind"])
    for name, value in stored["further"].items():
        setattr(layer, name, from_plain(value, arrays))
    if isinstance(layer, Image):
        give(layer.colorbar, stored["colorbar"])
    return layer


def entries_of(layer: Layer, layers: list[Layer], arrays: Arrays) -> dict[str, Any]:
    """What we keep with a layer and can be written plainly; layers are named by their places."""
    places = {str(one.unique_id): i for i, one in enumerate(layers)}
    found: dict[str, Any] = {}
    for name, value in held(layer).items():
        if name in _APART:
            continue
        if isinstance(value, str) and value in places:
            found[name] = {_LAYER: places[value]}
        else:
            _put(found, name, partial(to_plain, value, arrays))
    return found


def give_entries(
    layer: Layer, stored: Mapping[str, Any], layers: Sequence[Layer | None], arrays: Arrays
) -> None:
    """Put entries back."""
    entries = layer.metadata.setdefault(KEY, {})
    for name, value in stored.items():
        is_layer = isinstance(value, dict) and _LAYER in value
        if is_layer:
            other = layers[value[_LAYER]]
            entries[name] = "" if other is None else str(other.unique_id)
        else:
            entries[name] = from_plain(value, arrays)


def simple(model: EventedModel, names: tuple[str, ...]) -> dict[str, Any]:
    """Some fields of one of napari's models."""
    values = {name: getattr(model, name) for name in names if hasattr(model, name)}
    return {
        name: to_plain(one.tolist() if isinstance(one, np.ndarray) else one, {})
        for name, one in values.items()
    }


def give(model: EventedModel, stored: Mapping[str, Any]) -> None:
    """Set fields that `simple` gave."""
    for name, value in stored.items():
        setattr(model, name, from_plain(value, {}))


def _put(found: dict[str, Any], name: str, value: Callable[[], Any]) -> None:
    try:
        found[name] = value()
    except UnplainError:  # of another plugin; the layer is restored without it
        return
