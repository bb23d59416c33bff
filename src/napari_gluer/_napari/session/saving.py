"""Write a session into a folder: gathered in the window's thread, written in another."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels, Layer

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import (
    cells_of,
    full_resolution,
    held,
    index_of,
    measured_of,
    reference_of,
    stale_of,
)
from napari_gluer._napari.history import history_of
from napari_gluer._napari.images import CHANNEL, PAINTED
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.recording import path_of
from napari_gluer._napari.session.layer_state import entries_of, state_of
from napari_gluer._napari.session.plain import Arrays, UnplainError, to_plain, write_arrays
from napari_gluer._napari.session.viewing import blend_to_json, linked_to_json, view_to_json
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.h5ad import write_h5ad
from napari_gluer.io.labels_writing import write_labels
from napari_gluer.io.zarr_stores import is_address
from napari_gluer.painting import LookUp
from napari_gluer.pipeline.recipes.keeping import Fingerprint, write_kept
from napari_gluer.pipeline.recipes.steps import steps_to_json
from napari_gluer.track import Track, silently

RECORD, ARRAYS = "session.json", "arrays.npz"
FORMAT, VERSION = "napari-gluer session", 1


@dataclass(eq=False)
class Gathered:
    """A session in memory, from which a thread can write it.

    Attributes
    ----------
    record
        What becomes ``session.json``.
    arrays
        What becomes ``arrays.npz``.
    files
        Name in the folder → table, labels (with their pixel size), image, or whatever was kept.
    """

    record: dict[str, Any]
    arrays: Arrays = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)

    def name_of(self, value: Any, stem: str) -> str:
        """The file for something; the same thing has one file."""
        for name, one in self.files.items():
            if one is value:
                return name
        number = 1
        while (name := f"{stem}_{number}") in self.files:
            number += 1
        self.files[name] = value
        return name


def gather(viewer: ViewerModel) -> Gathered:
    """What makes up the session of a viewer; called in the window's thread.

    Raises
    ------
    InputError
        If the viewer has no layer.
    """
    layers = list(viewer.layers)
    if not layers:
        raise InputError("There is no layer yet, so there is nothing to save.")
    active = viewer.layers.selection.active
    session = Gathered({"format": FORMAT, "version": VERSION, "written_by": ng.__version__})
    session.record["view"] = view_to_json(viewer)
    session.record["active"] = layers.index(active) if active in layers else None
    session.record["layers"] = [_of_layer(layer, layers, session) for layer in layers]
    return session


def write_session(session: Gathered, folder: Path | str, track: Track = silently) -> Path:
    """Write what was gathered; the folder appears whole, or stays as it was.

    Parameters
    ----------
    session
        From `gather`.
    folder
        Made, or, where it holds a session already, replaced.
    track
        Reports the files.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InputError
        If the folder holds other things, or cannot be written to.
    """
    target = Path(folder).expanduser().absolute()
    if target.exists() and not _replaceable(target):
        raise InputError(f"{target} holds other things. Choose a new folder for the session.")
    try:
        with atomic_path(target) as aside:
            aside.mkdir(parents=True)
            for name in track(list(session.files), "Saving the session"):
                _write(session.files[name], aside, name)
            write_arrays(session.arrays, aside / ARRAYS)
            record = _with_places(session.record, target, aside)
            record["history_files"] = {
                name: _fingerprint_of(one) for name, one in session.files.items()
                if isinstance(one, Fingerprint)
            }  # fmt: skip
            text = json.dumps(record, indent=1, ensure_ascii=False)
            (aside / RECORD).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The session could not be saved to {target}: {error.strerror or error}. "
            "Nothing was changed there."
        ) from error
    return target


def _replaceable(folder: Path) -> bool:
    return folder.is_dir() and ((folder / RECORD).is_file() or not any(folder.iterdir()))


def _of_layer(layer: Layer, layers: list[Layer], session: Gathered) -> dict[str, Any]:
    found = state_of(layer, session.arrays)
    found["data"] = _data_of(layer, layers, session)
    found["entries"] = entries_of(layer, layers, session.arrays)
    if isinstance(layer, Labels):
        found |= _of_cells(layer, session)
    return found


def _of_cells(layer: Labels, session: Gathered) -> dict[str, Any]:
    """Tables, results, history and what the panels share."""
    cells, measured, reference = cells_of(layer), measured_of(layer), reference_of(layer)
    history = history_of(layer)
    before = _as_measured(layer)
    kept = {key: session.name_of(one, _stem(one)) for key, one in history.kept.items()}
    return {
        "cells": None if cells is None else session.name_of(cells, "cells"),
        "measured": None if measured is None else session.name_of(measured, "cells"),
        "reference": None if reference is None else _of_reference(reference, session),
        "labels_measured": None if before is None else session.name_of(before, "labels"),
        "blend": blend_to_json(layer, session.arrays),
        "linked": linked_to_json(linked_of(layer), session.arrays),
        "history": {"steps": steps_to_json(history.steps), "kept": kept},
    }


def _stem(value: Any) -> str:
    """How files of what was kept begin: an image and labels are told apart by it."""
    return "image" if isinstance(value, MultiplexImage) else "kept"


def _of_reference(reference: AnnData, session: Gathered) -> dict[str, Any]:
    """Its file where it has one, else what was attached itself."""
    known = slots.info(reference)
    path = str(known.get("path", ""))
    if not path:
        return {"file": session.name_of(reference, "reference")}
    drawn = known.get("subsample") or {}
    return {
        "path": str(Path(path).resolve()),
        "sha256": str(known.get("sha256", "")),
        "subsample": drawn.get("params"),
        "seed": int(drawn.get("seed", 0)),
    }


def _data_of(layer: Layer, layers: list[Layer], session: Gathered) -> dict[str, Any]:
    """Where the data of a layer are, as plain values."""
    first = layer.data[0] if _is_pyramid(layer) else layer.data
    image = held(layer).get("image")
    found = None
    if isinstance(image, MultiplexImage) and CHANNEL in held(layer):
        found = _of_channel(layer, image, session)
    elif isinstance(first, LookUp):
        found = _look_up(first, layers, session)
    elif isinstance(layer, Labels):
        found = _of_labels(layer, session)
    return found or _of_arrays(layer, session)


def _of_channel(layer: Layer, image: MultiplexImage, session: Gathered) -> dict[str, Any]:
    facts = {"kind": "channel", "channel": held(layer)[CHANNEL], "sizes": image.spacing_um}
    path = path_of(layer)
    return facts | ({"path": path} if path else {"file": session.name_of(image, "image")})


def _of_labels(layer: Labels, session: Gathered) -> dict[str, Any]:
    labels, path = full_resolution(layer), path_of(layer)
    if path and layer.multiscale:
        return {"kind": "labels", "path": path}
    copied = np.array(labels) if isinstance(labels, np.ndarray) else labels
    return {"kind": "labels", "file": session.name_of(_Labels(copied), "labels")}


def _of_arrays(layer: Layer, session: Gathered) -> dict[str, Any]:
    """Data of any other layer, in memory."""
    data = [np.asarray(one) for one in layer.data] if _is_pyramid(layer) else layer.data
    try:
        plain = to_plain(data, session.arrays)
    except UnplainError:  # lazy ones of other readers
        plain = to_plain(np.asarray(data), session.arrays)
    spots = held(layer).get("spots")
    if spots is None:
        return {"kind": "array", "data": plain}
    name, attrs = session.name_of(spots, "spots"), _attrs_of(spots)
    return {"kind": "array", "data": plain, "spots": name, "attrs": attrs}


def _is_pyramid(layer: Layer) -> bool:
    return bool(getattr(layer, "multiscale", False))


def _attrs_of(spots: Any) -> dict[str, Any]:
    return {name: to_plain(value, {}) for name, value in spots.attrs.items()}


def _look_up(data: LookUp, layers: list[Layer], session: Gathered) -> dict[str, Any] | None:
    """Values per cell, and the layer of their labels; None where that is gone."""
    for place, layer in enumerate(layers):
        ours = isinstance(layer, Labels) and PAINTED not in held(layer)
        if ours and index_of(layer).levels[0] is data.index:
            values = to_plain(np.array(data.values), session.arrays)
            return {"kind": "look-up", "labels": place, "values": values}
    return None


def _as_measured(layer: Labels) -> Any:
    """Labels as they were when their cells were measured, None where they still are."""
    if not stale_of(layer).size:
        return None
    index = index_of(layer)
    return _Labels(np.append(0, index.ids)[index.levels[0]])


@dataclass(frozen=True, eq=False)
class _Labels:
    """Labels to write; pixel sizes are with the layer."""

    labels: Any


def _write(value: Any, folder: Path, name: str) -> None:
    if isinstance(value, _Labels):
        write_labels(value.labels, folder / f"{name}.ome.tif")
    elif isinstance(value, AnnData):
        write_h5ad(value, folder / f"{name}.h5ad")
    elif not isinstance(value, Fingerprint):
        write_kept(value, folder, name)


def _fingerprint_of(one: Fingerprint) -> str:
    return one.value


def _with_places(record: Mapping[str, Any], target: Path, aside: Path) -> dict[str, Any]:
    """The record, in which files outside are named relative to the folder too."""
    paths = {
        str(facts["path"])
        for layer in record["layers"]
        for facts in (layer["data"], layer.get("reference") or {})
        if facts.get("path") and not is_address(facts["path"])
    }
    places: dict[str, Any] = {}
    for path in sorted(paths):
        source = Path(path)
        if source.is_relative_to(target) and source.exists():  # of the session that is replaced
            _copied(source, aside / source.relative_to(target))
        places[path] = {"relative": _relative(source, target)}
    for layer in record["layers"]:
        reference = layer.get("reference") or {}
        if reference.get("path"):
            places[reference["path"]]["sha256"] = reference["sha256"]
    return {**record, "places": places}


def _relative(source: Path, target: Path) -> str:
    try:
        return Path(os.path.relpath(source, target)).as_posix()
    except ValueError:  # another drive
        return ""


def _copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
