"""Two or three genes at once: each a channel of its own colour, added up where they meet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.utils.colormaps import ensure_colormap
from numpy.typing import NDArray

from napari_gluer._napari.adding import lay_channel, pyramid, see
from napari_gluer._napari.attached import KEY, cells_of, held, index_of, stale_of
from napari_gluer._napari.captions import PAINTS, entitle
from napari_gluer._napari.images import PAINTED
from napari_gluer._napari.layers import CHANNEL
from napari_gluer._napari.linked import Shown, linked_of, rows_of
from napari_gluer._napari.paintables import Paintable
from napari_gluer._napari.painting.companion import complete, is_in_3d
from napari_gluer._napari.painting.looks import only
from napari_gluer._napari.painting.pictures import no_levels, rest, solid, value_levels
from napari_gluer.errors import InputError

COLORS = ("magenta", "green", "cyan")
"""Colour maps of the channels; where two of them meet, another colour shows."""

_CHANNELS, _OF, _TABLE = "channels", "shown", "table of the blend"


@dataclass(frozen=True, eq=False)
class Channel:
    """One gene of a blend.

    Attributes
    ----------
    shown
        Its values and limits.
    color
        One of `COLORS`.
    name
        Of its layer.
    """

    shown: Shown
    color: str
    name: str

    @property
    def what(self) -> Paintable:
        """The gene."""
        return self.shown.what


def channels_of(labels: Labels) -> tuple[Channel, ...]:
    """The channels of a labels layer's blend."""
    found: tuple[Channel, ...] = held(labels).get(_CHANNELS, ())
    return found


def with_channel(labels: Labels, shown: Shown, name: str) -> None:
    """Add what is shown to the blend.

    Raises
    ------
    InputError
        If it has no values, is a channel already, or there are three.
    """
    channels = channels_of(labels)
    if shown.values is None:
        raise InputError("Only something continuous can be blended: a gene, a marker, a number.")
    if shown.what in [one.what for one in channels]:
        raise InputError(f"“{shown.what.label}” is in the blend already.")
    free = [color for color in COLORS if color not in [one.color for one in channels]]
    if not free:
        raise InputError("Three colours are all that can be told apart: remove one first.")
    _keep(labels, (*channels, Channel(shown, free[0], name)))


def without_channel(labels: Labels, what: Paintable) -> None:
    """Take a gene out of the blend."""
    _keep(labels, tuple(one for one in channels_of(labels) if one.what != what))


def show_blend(viewer: ViewerModel, labels: Labels) -> None:
    """Show the channels in place of what is painted on these labels, and tell the panels."""
    channels = channels_of(labels)
    layers = _layers(viewer, labels)
    for layer in layers[len(channels) :]:
        viewer.layers.remove(layer)
    for other in viewer.layers:
        if held(other).get(PAINTS) == str(labels.unique_id) and other not in layers:
            see(other, visible=False)
    if not channels:
        linked_of(labels).show(None)
        return
    known = [*layers, *(None for _ in channels)]
    shown = [_put(viewer, labels, one, layer) for one, layer in zip(channels, known, strict=False)]
    mixed = _fill(viewer, labels)
    entitle(viewer, shown[-1], legend_text(channels))
    _follow_edits(viewer, labels)
    linked_of(labels).show(mixed)


def _follow_edits(viewer: ViewerModel, labels: Labels) -> None:
    owner = str(labels.unique_id)  # a duplicate of a layer has its metadata
    first = held(labels).get(_TABLE, ("",))[0] != owner
    held(labels)[_TABLE] = (owner, cells_of(labels))
    if first:
        labels.events.metadata.connect(lambda: _empty_edited(viewer, labels))


def _empty_edited(viewer: ViewerModel, labels: Labels) -> None:
    """Empty cells whose labels are edited, fill them when that is undone; whatever is open."""
    shown = linked_of(labels).shown
    if labels not in viewer.layers or shown is None or shown.blend is None:
        return
    owner, cells = held(labels)[_TABLE]
    if cells is not cells_of(labels):  # what was edited is measured anew by now
        _keep(labels, tuple(_among(one, shown.labels) for one in channels_of(labels)))
        held(labels)[_TABLE] = (owner, cells_of(labels))
    kept = np.setdiff1d(channels_of(labels)[0].shown.labels, stale_of(labels))
    if not np.array_equal(kept, np.sort(shown.labels)):
        linked_of(labels).show(_fill(viewer, labels))


def _among(channel: Channel, labels: NDArray[np.int64]) -> Channel:
    return replace(channel, shown=only(channel.shown, np.isin(channel.shown.labels, labels)))


def _now(labels: Labels) -> tuple[Channel, ...]:
    """The channels without cells whose labels were edited."""
    stale = stale_of(labels)
    return tuple(_among(one, np.setdiff1d(one.shown.labels, stale)) for one in channels_of(labels))


def _fill(viewer: ViewerModel, labels: Labels) -> Shown:
    """Give the layers of a blend their pixels: channels in slices, bodies in 3-D; the mixture."""
    index, channels, layers = index_of(labels), _now(labels), _layers(viewer, labels)
    in_3d, mixed = is_in_3d(viewer, index), blended(channels)
    for channel, layer in zip(channels, layers, strict=True):
        opaque = replace(channel.shown, opacity=None)
        levels = no_levels(index) if in_3d else value_levels(index, opaque)
        layer.data = pyramid(levels)
    complete(viewer, labels, layers[0], solid(index, mixed) if in_3d else rest(index, mixed))
    return mixed


def blended(channels: Sequence[Channel]) -> Shown:
    """What the other panels show of a blend: the values of its first gene, the colours of all."""
    first = channels[0].shown
    colors = np.zeros((len(first.labels), 3))
    known = np.zeros(len(first.labels), np.bool_)
    for one in channels:
        rows = rows_of(first.labels, one.shown.labels)
        values = np.append(np.asarray(one.shown.values, np.float32), np.float32(np.nan))[rows]
        colors += _colors(one, values)
        known |= np.isfinite(values)
    mixed = np.zeros((len(known), 4), np.uint8)
    mixed[known, :3] = np.rint(np.clip(colors[known], 0, 1) * 255)
    mixed[known, 3] = 255
    return replace(first, title=legend_text(channels), blend=mixed, opacity=None)


def legend_text(channels: Sequence[Channel]) -> str:
    """Colour, name and limits of every channel, for the canvas."""
    parts = [
        f"{one.color}: {one.name}, {one.shown.limits[0]:.3g} to {one.shown.limits[1]:.3g}"
        for one in channels
    ]
    return "\n".join(parts)


def _put(viewer: ViewerModel, labels: Labels, channel: Channel, layer: Any) -> Image:
    levels = no_levels(index_of(labels))
    options = {
        "name": f"{channel.name} · {channel.color}",
        "contrast_limits": channel.shown.limits,
        "colormap": channel.color,
        "gamma": channel.shown.gamma,
    }
    if layer is None:
        mark = {KEY: {PAINTS: str(labels.unique_id), PAINTED: CHANNEL}}
        made = lay_channel(viewer, labels, levels, blending="additive", metadata=mark, **options)
        made.colorbar.visible = True
        for event in ("contrast_limits", "gamma"):
            getattr(made.events, event).connect(lambda: _take_over(viewer, labels, made))
        viewer.dims.events.ndisplay.connect(lambda: _turned(viewer, labels, made))
        held(made)[_OF] = channel.what
        viewer.layers.selection.active = labels
        return made
    held(layer)[_OF] = None  # what we set ourselves is no wish of the person
    layer.contrast_limits_range = channel.shown.limits
    for name, value in options.items():
        setattr(layer, name, value)
    see(layer)
    held(layer)[_OF] = channel.what
    found: Image = layer
    return found


def _turned(viewer: ViewerModel, labels: Labels, layer: Image) -> None:
    layers = _layers(viewer, labels)
    if layers and layer is layers[0] and labels in viewer.layers and channels_of(labels):
        _fill(viewer, labels)


def _take_over(viewer: ViewerModel, labels: Labels, layer: Image) -> None:
    """Keep limits and gamma that a person sets in napari's own controls."""
    what = held(layer).get(_OF)
    low, high = (float(one) for one in layer.contrast_limits)
    gamma = float(layer.gamma)
    channels = tuple(
        replace(one, shown=replace(one.shown, limits=(low, high), gamma=gamma))
        if one.what == what
        else one
        for one in channels_of(labels)
    )
    if what is None or not channels:
        return
    _keep(labels, channels)
    if is_in_3d(viewer, index_of(labels)):
        _fill(viewer, labels)
    entitle(viewer, _layers(viewer, labels)[-1], legend_text(channels))
    linked_of(labels).show(blended(_now(labels)))


def _layers(viewer: ViewerModel, labels: Labels) -> list[Any]:
    wanted = {PAINTS: str(labels.unique_id), PAINTED: CHANNEL}
    levels = len(index_of(labels).levels) > 1
    return [
        one
        for one in viewer.layers
        if wanted.items() <= held(one).items() and one.multiscale == levels
    ]


def _colors(channel: Channel, values: NDArray[np.float32]) -> NDArray[np.floating]:
    low, high = channel.shown.limits
    share = np.clip((values - low) / max(high - low, np.finfo(float).tiny), 0, 1)
    colors = np.zeros((len(values), 3))
    there = np.isfinite(values)
    mapped = ensure_colormap(channel.color).map(share[there] ** channel.shown.gamma)
    colors[there] = np.asarray(mapped)[:, :3]
    return colors


def _keep(labels: Labels, channels: tuple[Channel, ...]) -> None:
    labels.metadata.setdefault(KEY, {})[_CHANNELS] = channels
