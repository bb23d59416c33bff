"""Show a session that was read, as it was."""

from collections.abc import Iterator, Mapping
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels, Layer

from napari_gluer._napari.attached import KEY, attach, index_of, watch
from napari_gluer._napari.captions import PAINTS, entitle
from napari_gluer._napari.channel_layers import levels_of
from napari_gluer._napari.history import history_of
from napari_gluer._napari.images import image_metadata
from napari_gluer._napari.painting.painter import reconnect
from napari_gluer._napari.recording import with_path
from napari_gluer._napari.session.layer_state import give_entries, rebuilt
from napari_gluer._napari.session.plain import from_plain
from napari_gluer._napari.session.reading import Restored
from napari_gluer._napari.session.viewing import blend_from_json, linked_from_json, view_from_json
from napari_gluer.errors import InputError
from napari_gluer.painting import LookUp
from napari_gluer.pipeline.recipes.steps import steps_from_json

_OVER, _TITLE = "over", "title"


def show_session(viewer: ViewerModel, session: Restored) -> list[str]:
    """Add the layers, their tables and results, and look at what was looked at.

    Returns
    -------
    list of str
        What could not be restored as it was, for the person.
    """
    lost: list[str] = []
    for _ in showing_session(viewer, session, lost):
        pass
    return lost


def showing_session(viewer: ViewerModel, session: Restored, lost: list[str]) -> Iterator[None]:
    """`show_session` in parts, for the pauses of a window: a layer takes a tenth of a second.

    Parameters
    ----------
    lost
        Takes what could not be restored as it was.
    """
    stored = session.record["layers"]
    layers: list[Layer | None] = []
    told = list(session.missing)
    for facts in stored:
        layers.append(_layer_or_none(facts, layers, session, told))
        yield
    there = [(layer, facts) for layer, facts in zip(layers, stored, strict=True) if layer]
    for layer, facts in there:
        give_entries(layer, facts["entries"], layers, session.arrays)
    for layer, facts in there:
        viewer.layers.append(layer)
        if isinstance(layer, Labels):
            _give_cells(layer, facts, session)
        yield
    for layer, _ in there:
        _entitle(viewer, layer)
    reconnect(viewer)
    for layer, facts in there:
        layer.visible = facts["state"]["visible"]
        layer.opacity = facts["state"]["opacity"]
    for layer, facts in there:
        if isinstance(layer, Labels) and facts.get("blend"):
            blend_from_json(viewer, layer, facts["blend"], session.arrays)
    active = session.record["active"]
    chosen = None if active is None else layers[active]
    viewer.layers.selection.active = chosen if chosen in viewer.layers else None
    view_from_json(viewer, session.record["view"])
    lost.extend(dict.fromkeys(told))


def _layer_or_none(
    facts: Mapping[str, Any], layers: list[Layer | None], session: Restored, told: list[str]
) -> Layer | None:
    try:
        return _layer(facts, layers, session)
    except InputError as error:
        if not session.missing:  # which said it already
            told.append(str(error))
        return None


def _layer(facts: Mapping[str, Any], layers: list[Layer | None], session: Restored) -> Layer:
    """A layer as it was; those before it are there already."""
    data = facts["data"]
    match data["kind"]:
        case "channel":
            return _channel(facts, session)
        case "labels":
            key = data.get("file") or data["path"]
            if key not in session.files:
                raise InputError(f"The labels “{facts['state']['name']}” could not be opened.")
            layer = rebuilt(session.files[key], facts, session.arrays)
            if key in session.indexes:
                attach(layer, index=session.indexes[key])
                layer.data = layer.data  # so that it is seen which labels are no longer as measured
            return layer
        case "look-up":
            return _painted(facts, layers, session)
        case _:
            return rebuilt(from_plain(data["data"], session.arrays), facts, session.arrays)


def _channel(facts: Mapping[str, Any], session: Restored) -> Layer:
    data = facts["data"]
    key = data.get("file") or f"{data['path']} {data['sizes']}"
    image = session.files.get(key)
    if image is None:
        raise InputError(f"The channel “{facts['state']['name']}” could not be opened.")
    layer = rebuilt(levels_of(image, data["channel"]), facts, session.arrays)
    name = from_plain(facts["entries"].get("name", layer.name), session.arrays)
    metadata = image_metadata(image, name, data["channel"])
    if data.get("path"):
        options = {"metadata": metadata}
        with_path([(None, options, "image")], data["path"])
    layer.metadata = {**layer.metadata, **metadata}
    return layer


def _painted(facts: Mapping[str, Any], layers: list[Layer | None], session: Restored) -> Layer:
    """A painting: values per cell, looked up by labels that were saved with it."""
    data = facts["data"]
    place = data["labels"]
    labels = layers[place] if place < len(layers) else None
    if place >= len(layers):  # it lies beneath its labels
        labels = _layer(session.record["layers"][place], [], session)
    if not isinstance(labels, Labels):
        raise InputError(f"The painting “{facts['state']['name']}” has lost its labels.")
    values = from_plain(data["values"], session.arrays)
    levels = [LookUp(level, values) for level in index_of(labels).levels]
    multiscale = facts["state"].get("multiscale", len(levels) > 1)
    return rebuilt(levels if multiscale else levels[0], facts, session.arrays)


def _give_cells(layer: Labels, facts: Mapping[str, Any], session: Restored) -> None:
    files = session.files
    reference = facts.get("reference") or {}
    attach(
        layer,
        cells=files.get(facts.get("cells") or ""),
        measured=files.get(facts.get("measured") or ""),
        reference=files.get(reference.get("file") or reference.get("path") or ""),
    )
    history = facts.get("history") or {"steps": [], "kept": {}}
    kept = {key: files[name] for key, name in history["kept"].items()}
    history_of(layer).restore(steps_from_json(tuple(history["steps"])), kept)
    linked_from_json(layer, facts["linked"], session.arrays)
    watch(layer)


def _entitle(viewer: ViewerModel, layer: Layer) -> None:
    """Let a painting write its title again, and the labels beneath be asked."""
    entries = layer.metadata.get(KEY, {})
    if _TITLE not in entries or _OVER not in entries:
        return
    over, paints = entries.pop(_OVER), entries.get(PAINTS)
    entries[PAINTS] = over
    entitle(viewer, layer, entries[_TITLE])
    if paints is None:
        entries.pop(PAINTS)
