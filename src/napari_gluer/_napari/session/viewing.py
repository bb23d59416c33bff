"""What is looked at: camera, sliders, overlays; what is painted, chosen and coloured."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels

from napari_gluer._napari.attached import held
from napari_gluer._napari.captions import PAINTS
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.layers import CHANNEL
from napari_gluer._napari.linked import LinkedView, Shown, linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.blending import channels_of, show_blend, with_channel
from napari_gluer._napari.session.layer_state import give, simple
from napari_gluer._napari.session.plain import Arrays, from_plain, to_plain
from napari_gluer.params import Params

_CAMERA = ("center", "zoom", "angles", "perspective")
_GRID = ("enabled", "stride", "shape", "spacing")
_DIMS = ("ndisplay", "order", "point")
_BAR = ("visible", "position", "font_size", "length", "box", "colored", "color", "ticks")
_TEXT = ("visible", "position", "font_size", "text", "box")
_AXES = ("visible", "labels", "colored", "dashed", "arrows")


def view_to_json(viewer: ViewerModel) -> dict[str, Any]:
    """Camera, sliders, grid, scale bar, text and axes of a viewer."""
    camera = simple(viewer.scene.camera, _CAMERA)
    canvas = viewer.canvas.overlays
    return {
        "camera": camera,
        "dims": simple(viewer.dims, _DIMS),
        "grid": simple(viewer.canvas.grid, _GRID),
        "scale_bar": simple(canvas["scale_bar"], _BAR),
        "text": simple(canvas["text"], _TEXT),
        "axes": simple(viewer.scene.overlays["axes"], _AXES),
        "theme": str(getattr(viewer, "theme", "")),
    }


def view_from_json(viewer: ViewerModel, stored: Mapping[str, Any]) -> None:
    """Look at what was looked at; the layers must be there already."""
    dims = stored["dims"]
    order, point = from_plain(dims["order"], {}), from_plain(dims["point"], {})
    viewer.dims.ndisplay = dims["ndisplay"]
    if len(order) == viewer.dims.ndim:
        viewer.dims.order = order
        viewer.dims.point = point
    give(viewer.canvas.grid, stored["grid"])
    give(viewer.canvas.overlays["scale_bar"], stored["scale_bar"])
    give(viewer.canvas.overlays["text"], stored["text"])
    give(viewer.scene.overlays["axes"], stored["axes"])
    give(viewer.scene.camera, stored["camera"])


def linked_to_json(view: LinkedView, arrays: Arrays) -> dict[str, Any]:
    """What the panels of a labels layer share: selections, colours, style, what is painted."""
    selections = view.selections
    return {
        "current": to_plain(np.array(selections.current), arrays),
        "named": {name: to_plain(one, arrays) for name, one in selections.named.items()},
        "colors": {column: dict(chosen) for column, chosen in view.colors.items()},
        "style": view.style.model_dump(mode="json"),
        "shown": None if view.shown is None else _shown_to_json(view.shown, arrays),
    }


def linked_from_json(layer: Labels, stored: Mapping[str, Any], arrays: Arrays) -> None:
    """Put it back; the painting itself is a layer of its own."""
    view = linked_of(layer)
    named = {name: from_plain(one, arrays) for name, one in stored["named"].items()}
    view.selections.restore(from_plain(stored["current"], arrays), named)
    view.colors.clear()
    view.colors.update({column: dict(chosen) for column, chosen in stored["colors"].items()})
    view.restyle(type(view.style).model_validate(stored["style"]), quietly=True)
    if stored["shown"] is not None:
        view.show(_shown_from_json(stored["shown"], arrays))


def blend_to_json(layer: Labels, arrays: Arrays) -> list[dict[str, Any]]:
    """The genes that are blended on a labels layer, in order."""
    return [
        {"shown": _shown_to_json(one.shown, arrays), "name": one.name} for one in channels_of(layer)
    ]


def blend_from_json(
    viewer: ViewerModel, layer: Labels, stored: Sequence[Mapping[str, Any]], arrays: Arrays
) -> None:
    """Blend them again, in layers that follow napari's controls; nothing where none was seen."""
    mark = {PAINTS: str(layer.unique_id), PAINTED: CHANNEL}
    were = [one for one in viewer.layers if mark.items() <= held(one).items()]
    seen = any(one.visible for one in were)
    for one in stored:
        with_channel(layer, _shown_from_json(one["shown"], arrays), one["name"])
    if stored and seen:
        for one in were:
            viewer.layers.remove(one)
        show_blend(viewer, layer)


def _shown_to_json(shown: Shown, arrays: Arrays) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(shown):
        value = getattr(shown, field.name)
        if isinstance(value, Paintable):
            found[field.name] = {"name": value.name, "origin": value.origin.name}
        elif isinstance(value, Params):
            found[field.name] = value.model_dump(mode="json")
        else:
            found[field.name] = to_plain(value, arrays)
    return found


def _shown_from_json(stored: Mapping[str, Any], arrays: Arrays) -> Shown:
    known = {field.name for field in fields(Shown)}
    given = {
        name: from_plain(value, arrays)
        for name, value in stored.items()
        if name in known and name != "what"
    }
    what = stored["what"]
    return Shown(what=Paintable(what["name"], Origin[what["origin"]]), **given)
