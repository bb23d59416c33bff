"""The folder of a run as layers: image, cells with their results, reference, a first painting."""

import json
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
from napari_gluer._napari.arriving import first_and_rest
from napari_gluer._napari.attached import attach, hover_table, table_metadata
from napari_gluer._napari.channel_layers import LayerData, image_layers, scale_of
from napari_gluer._napari.history import history_of
from napari_gluer._napari.images import dim_tissue
from napari_gluer._napari.layers import show_labels
from napari_gluer._napari.paintables import Origin, Paintable, categories, numbers, paintables
from napari_gluer._napari.painting import words
from napari_gluer._napari.painting.looks import categories_shown, values_shown
from napari_gluer._napari.painting.painter import Canvas, paint
from napari_gluer._napari.recording import with_path
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.hashing import sha256
from napari_gluer.io.images import ImageParams
from napari_gluer.io.labels_files import open_labels
from napari_gluer.io.zarr_stores import is_address
from napari_gluer.labels import checked_labels
from napari_gluer.pipeline.finding import is_spots
from napari_gluer.pipeline.recipes.from_run import started_from_table, steps_of_run
from napari_gluer.pipeline.records import why_unfinished

RECORD = "run.json"
_CELLS, _LABELS = "cells.h5ad", "labels.ome.tif"
_HASHED = 2**31  # bytes of an image that are compared with what the run read


@dataclass(eq=False)
class RunFolder:
    """What was read of a run.

    Attributes
    ----------
    image, place
        The tissue and its file; None where the run had none, or it is gone.
    notes
        What is missing or has changed, in sentences.
    """

    folder: Path
    record: Mapping[str, Any]
    cells: AnnData
    labels: np.ndarray
    spacing_um: tuple[float, ...] | None
    image: MultiplexImage | None = None
    place: str = ""
    reference: AnnData | None = None
    notes: list[str] = field(default_factory=list)


def is_run_folder(folder: Path | str) -> bool:
    """Whether `run` wrote the folder, or was stopped while it did."""
    files = (Path(folder) / name for name in (RECORD, _CELLS, _LABELS))
    return all(one.is_file() for one in files) or bool(why_unfinished(Path(folder)))


def read_run_folder(folder: Path | str) -> RunFolder:
    """Read tables, labels and reference of a run; its image is opened.

    Raises
    ------
    InputError
        If cells, labels or record are damaged, the labels are not those of the cells, or a run
        was stopped while it put its files there.
    """
    source = Path(folder)
    if why := why_unfinished(source):
        raise InputError(why)
    record = _record(source)
    opened = open_labels(source / _LABELS)
    found = RunFolder(
        source,
        record,
        ng.read_cells(source / _CELLS),
        checked_labels(np.asarray(opened.data)),
        opened.pixel_size_um,
    )
    inputs = record.get("inputs", {})
    if not started_from_table(record):
        _open_image(found, inputs)
    _open_reference(found, inputs.get("reference", {}))
    ng.LabelIndex(found.labels).positions(found.cells)  # refuses a table of other labels
    return found


def run_layers(run: RunFolder) -> list[LayerData]:
    """Layers for a viewer that is not known: channels, and labels with their table."""
    options = {
        "name": run.folder.name,
        "metadata": table_metadata(run.cells),
        "features": hover_table(run.cells),
        **scale_of(run.spacing_um),
    }
    return [*_channels(run), (run.labels, options, "labels")]


def show_run(viewer: ViewerModel, run: RunFolder) -> Labels:
    """Add the layers of a run with their results, and paint a first picture."""
    channels = _channels(run)
    shown = [Layer.create(*one) for one in (first_and_rest(channels) if channels else [])]
    viewer.layers.extend(shown)
    like = shown[0] if shown and shown[0].ndim == run.labels.ndim else None
    layer = show_labels(viewer, run.labels, name=run.folder.name, like=like)
    for name, value in scale_of(None if like is not None else run.spacing_um).items():
        setattr(layer, name, value)
    attach(layer, cells=run.cells, measured=run.cells, reference=run.reference)
    history_of(layer).restore(steps_of_run(run.record), {})
    first = first_painting(run)
    if first is not None:
        _paint(viewer, layer, run, first)
    viewer.reset_view()
    return layer


def first_painting(run: RunFolder) -> Paintable | None:
    """What the run painted first: a gene, where its reference is there; else types, or clusters."""
    offered = paintables(run.cells, run.reference)
    painted = list(run.record.get("params", {}).get("genes", ()))
    files = set(run.record.get("files", ()))
    genes = [one for one in offered if one.origin is Origin.GENE]
    named = {one.name: one for one in genes}
    chosen = [named[name] for name in painted if name in named]
    chosen += [one for one in genes if f"gene_{one.name}.png" in files]
    chosen += [one for one in offered if one.origin is Origin.TYPE]
    chosen += [one for one in offered if one.origin is Origin.CLUSTER]
    return next(iter(chosen), None)


def _paint(viewer: ViewerModel, layer: Labels, run: RunFolder, what: Paintable) -> None:
    facts = {"title": words.title(what, run.cells), "unit": words.unit(what, run.cells)}
    if what.is_categorical:
        shown = categories_shown(what, run.cells, categories(what, run.cells), **facts)
    else:
        shown = values_shown(what, run.cells, numbers(what, run.cells, run.reference), **facts)
    paint(viewer, [Canvas(layer, shown)], what.layer_name)
    dim_tissue(viewer, dim=True)


def _record(folder: Path) -> Mapping[str, Any]:
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / RECORD} cannot be read: {error}.") from error
    if not isinstance(found, dict) or not isinstance(found.get("inputs"), dict):
        raise InputError(f"{folder / RECORD} is not the record of a run.")
    return found


def _open_image(run: RunFolder, inputs: Mapping[str, Any]) -> None:
    """The image that the run started from, where there was one and it is still there."""
    facts = inputs.get("source", {})
    place = str(facts.get("address") or facts.get("path") or "")
    if not place or is_spots(place):
        return
    if not is_address(place):
        if not Path(place).exists():
            run.notes.append(f"The image {place} is gone; the cells are shown without it.")
            return
        if _changed(Path(place), str(facts.get("sha256", ""))):
            run.notes.append(f"The image {place} has changed since the run.")
    reading = {name: inputs[name] for name in ImageParams.model_fields if name in inputs}
    try:
        image = ng.read_image(place, **ImageParams(**reading).model_dump())
    except InputError as error:
        run.notes.append(f"The image could not be opened: {error}")
        return
    if image.spatial_shape != run.labels.shape:
        run.notes.append(f"The image {place} is no longer of the labels' size; it is left out.")
        return
    run.image, run.place = image, place


def _open_reference(run: RunFolder, facts: Mapping[str, Any]) -> None:
    """The reference, if it is still the file of the run: another would give other genes."""
    path = Path(str(facts.get("path", "")))
    if not facts.get("path"):
        run.notes.append(
            "The run's reference was not a file, so genes cannot be painted; results are there."
        )
        return
    if not path.is_file():
        run.notes.append(
            f"The reference {path} is gone, so genes cannot be painted. Put it back, or open it in "
            "Plugins ▸ GLUER ▸ Reference."
        )
        return
    if facts.get("sha256") and sha256(path) != facts["sha256"]:
        run.notes.append(
            f"The reference {path} has changed since the run, so genes are not painted from it."
        )
        return
    drawn = json.loads(str(slots.info(run.cells).get("reference_subsample", "null")))
    if drawn is None:
        run.reference = ng.read_reference(path)
        return
    part = ng.SubsampleParams.model_validate_json(drawn["params"])
    run.reference = ng.read_reference(path, part, seed=int(drawn["seed"]))


def _changed(path: Path, digest: str) -> bool:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    size = sum(one.stat().st_size for one in files)
    return bool(digest) and size <= _HASHED and sha256(path) != digest


def _channels(run: RunFolder) -> list[LayerData]:
    if run.image is None:
        return []
    return with_path(image_layers(run.image, Path(run.place).name), run.place)
