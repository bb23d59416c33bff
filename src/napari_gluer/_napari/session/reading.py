"""Read a saved session in a thread: tables and labels; images are opened."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData

import napari_gluer as ng
from napari_gluer._napari.session.plain import Arrays, from_plain, read_arrays
from napari_gluer._napari.session.saving import ARRAYS, FORMAT, RECORD, VERSION
from napari_gluer.errors import InputError, listed
from napari_gluer.image import MultiplexImage
from napari_gluer.io.geojson import read_regions
from napari_gluer.io.h5ad import read_h5ad
from napari_gluer.io.hashing import sha256
from napari_gluer.io.zarr_stores import is_address
from napari_gluer.painting import LabelIndex
from napari_gluer.pipeline.recipes.keeping import Fingerprint, Snapshot
from napari_gluer.track import Track, silently

_NEEDED = ("layers", "view", "active")


@dataclass(eq=False)
class Restored:
    """What was read of a session.

    Attributes
    ----------
    files
        Name in the session → table, labels, image, regions, spots; and opened images by path.
    missing
        Files outside that are gone or have changed, in words for the person.
    indexes
        Name of labels in `files` → their index, where cells are painted on them.
    """

    record: Mapping[str, Any]
    arrays: Arrays
    files: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    indexes: dict[str, LabelIndex] = field(default_factory=dict)


def is_session(folder: Path | str) -> bool:
    """Whether a folder holds a session."""
    return (Path(folder) / RECORD).is_file()


def read_session(folder: Path | str, track: Track = silently) -> Restored:
    """Read a session's tables and labels; images are opened, not read.

    Raises
    ------
    InputError
        If it is no session, is damaged, or a newer version wrote it.
    """
    source = Path(folder)
    record = _record(source)
    session = Restored(record, read_arrays(source / ARRAYS))
    reader = _Reader(source, session)
    for layer in track(record["layers"], "Opening the session"):
        reader.read(layer)
    painted = {one["data"].get("labels") for one in record["layers"]}
    for place, layer in enumerate(record["layers"]):
        if layer["data"]["kind"] == "labels" and (place in painted or layer.get("cells")):
            reader.index(layer)
    return session


def _record(folder: Path) -> Mapping[str, Any]:
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        version = record["version"]
        ours = record["format"] == FORMAT and isinstance(version, int)
        missing = [name for name in _NEEDED if name not in record]
    except FileNotFoundError:
        raise InputError(f"{folder} is no session: it has no {RECORD}.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read as a session: {error!r}.") from error
    if not ours:
        raise InputError(f"{path} is not a session of napari-gluer.")
    if version > VERSION:
        raise InputError(
            f"The session {folder.name} was saved by a newer napari-gluer "
            f"({record.get('written_by', 'version not said')}; format {version}, this one reads up "
            f"to {VERSION}). Update napari-gluer to open it."
        )
    if missing:
        raise InputError(f"{path} is damaged: it has no {listed(missing)}. Copy the folder again.")
    found: Mapping[str, Any] = record
    return found


class _Reader:
    """Reads what layers need, each file once."""

    def __init__(self, folder: Path, session: Restored) -> None:
        self._folder, self._session = folder, session
        self._places = session.record.get("places", {})

    def read(self, layer: Mapping[str, Any]) -> None:
        """Read what a layer needs."""
        data = layer["data"]
        if data["kind"] == "channel":
            self._image(data)
        elif data["kind"] == "labels":
            self._labels(data)
        if data.get("spots"):
            self._once(data["spots"], lambda: self._spots(data))
        for name in ("cells", "measured"):
            if layer.get(name):
                self._once(layer[name], partial(self._table, layer[name]))
        if layer.get("reference"):
            self._reference(layer["reference"])
        for name in (layer.get("history") or {}).get("kept", {}).values():
            self._once(name, partial(self._kept, name))

    def index(self, layer: Mapping[str, Any]) -> None:
        """Number the cells of labels as measured, here rather than in the window's thread."""
        key = layer["data"].get("file") or layer["data"].get("path") or ""
        if key not in self._session.files:
            return
        before = layer.get("labels_measured")
        if before:
            self._once(before, lambda: ng.read_labels(self._folder / f"{before}.ome.tif"))
        found = self._session.files[before or key]
        if key not in self._session.indexes:
            index = LabelIndex(found[0] if isinstance(found, list) else found)
            _ = index.levels
            self._session.indexes[key] = index

    def _once(self, name: str, read: Callable[[], Any]) -> None:
        if name not in self._session.files:
            self._session.files[name] = read()

    def _table(self, name: str) -> AnnData:
        return read_h5ad(self._folder / f"{name}.h5ad")

    def _spots(self, data: Mapping[str, Any]) -> pd.DataFrame:
        table = pd.read_parquet(self._folder / f"{data['spots']}.parquet")
        table.attrs.update({name: from_plain(one, {}) for name, one in data["attrs"].items()})
        return table

    def _image(self, data: Mapping[str, Any]) -> None:
        if "file" in data:
            path = self._folder / f"{data['file']}.ome.tif"
            self._once(data["file"], lambda: ng.read_image(path))
        elif (place := self._found(data["path"])) is not None:
            self._once(f"{data['path']} {data['sizes']}", lambda: _sized(place, data["sizes"]))

    def _labels(self, data: Mapping[str, Any]) -> None:
        if "file" in data:
            path = self._folder / f"{data['file']}.ome.tif"
            self._once(data["file"], lambda: ng.read_labels(path))
        elif (place := self._found(data["path"])) is not None:
            self._once(data["path"], lambda: list(ng.open_labels(place).pyramid))

    def _reference(self, facts: Mapping[str, Any]) -> None:
        if "file" in facts:
            self._once(facts["file"], lambda: self._table(facts["file"]))
            return
        place = self._found(facts["path"])
        if place is None or facts["path"] in self._session.files:
            return
        if facts["sha256"] and sha256(place) != facts["sha256"]:
            self._session.missing.append(
                f"The reference {place} is no longer the file of the session; it was left out. "
                "Results stay, but genes cannot be painted until the same reference is opened."
            )
            return
        drawn = facts["subsample"]
        part = None if drawn is None else ng.SubsampleParams.model_validate_json(drawn)
        self._once(
            facts["path"], lambda: ng.read_reference(place, subsample=part, seed=facts["seed"])
        )

    def _kept(self, name: str) -> Any:
        known = self._session.record.get("history_files", {})
        if name in known:
            return Fingerprint("", known[name])
        for path in self._folder.glob(f"{name}.*"):
            return _kept_in(path)
        raise InputError(f"{name} of the session is missing; copy the folder again.")

    def _found(self, path: str) -> str | None:
        """The file: beside the session as before, or at its old place; None where it is gone."""
        if is_address(path):
            return path
        relative = self._places.get(path, {}).get("relative", "")
        options = [self._folder / relative] if relative else []
        for place in (*options, Path(path)):
            if place.exists():
                return str(place.resolve())
        said = f"{path} is gone, so what it showed is left out. Put it back and open the session."
        self._session.missing.append(said)
        return None


def _sized(place: str, sizes: Any) -> MultiplexImage:
    image = ng.read_image(place)
    wanted = None if sizes is None else tuple(float(one) for one in sizes)
    if wanted in (None, image.spacing_um):
        return image
    return ng.read_image(place, pixel_size_um=wanted)


def _kept_in(path: Path) -> Any:
    name = path.name
    if name.endswith(".h5ad"):
        return read_h5ad(path)
    if name.endswith(".geojson"):
        return read_regions(path)
    if name.endswith(".parquet"):
        return pd.read_parquet(path)
    if name.startswith("image"):
        return ng.read_image(path)
    return Snapshot(ng.read_labels(path))
