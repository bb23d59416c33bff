"""What the steps of the window did, as steps that can be repeated without it."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.layers import Labels, Points

from napari_gluer import slots
from napari_gluer._napari.attached import KEY, edits, full_resolution, held
from napari_gluer._napari.cells.edits import LEFT_OUT, ROLE_SOURCE
from napari_gluer._napari.cells.work import Plan
from napari_gluer._napari.channel_layers import LayerData
from napari_gluer._napari.history import History, history_of
from napari_gluer._napari.images import Source
from napari_gluer._napari.spots import spots_of
from napari_gluer.analysis.clustering import ClusterParams
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.io.images import ImageParams
from napari_gluer.io.subsampling import SubsampleParams
from napari_gluer.io.zarr_stores import is_address
from napari_gluer.measurement.spots import AssignParams
from napari_gluer.nomenclature.genes import EDITED
from napari_gluer.pipeline.exporting import ExportParams
from napari_gluer.pipeline.recipes.keeping import Fingerprint, Snapshot
from napari_gluer.pipeline.recipes.steps import (
    Assigned,
    Cleaned,
    Data,
    Edited,
    Exported,
    Integrated,
    Masked,
    Measured,
    Referenced,
    Replaced,
    Section,
    Segmented,
    Selected,
    Step,
)
from napari_gluer.segmentation.nuclei import SegmentParams

_PATH, _SPACING = "path", "spacing_read"
_MADE = "edits when made"
_COLUMNS = (slots.GENES, slots.GENES_SOURCE, slots.ROLE, ROLE_SOURCE, LEFT_OUT)


def with_path(layers: Sequence[LayerData], path: str) -> list[LayerData]:
    """Layers of a file, each knowing where it comes from.

    Parameters
    ----------
    layers
        As readers give them; those of an image have it in their metadata.
    path
        File, folder or address.
    """
    place = path if is_address(path) else str(Path(path).resolve())
    for _, options, _ in layers:
        entries = options.setdefault("metadata", {}).setdefault(KEY, {})
        image = entries.get("image")
        entries[_PATH] = place
        if image is not None:
            entries[_SPACING] = image.spacing_um
    return list(layers)


def path_of(layer: Any) -> str:
    """Where a layer's data come from, "" where nobody knows."""
    return str(held(layer).get(_PATH, ""))


@dataclass(frozen=True, eq=False)
class Begun:
    """What the Cells step was asked to do.

    Attributes
    ----------
    source
        Image, points layer, or None where the values came with the labels.
    plan
        Everything that was chosen beside.
    segment
        How cells are found, None where labels were chosen.
    assign
        How spots lie on the labels, None without spots.
    """

    source: Source | Points | None
    plan: Plan
    segment: SegmentParams | None = None
    assign: AssignParams | None = None


def record_cells(layer: Labels, begun: Begun, measured: AnnData, cells: AnnData) -> None:
    """Record that cells were found or taken, measured, and perhaps cleaned.

    Parameters
    ----------
    layer
        That holds the cells now.
    begun
        What was asked for.
    measured, cells
        The table before and after cleaning.
    """
    history = history_of(layer)
    steps: list[Step] = []
    if begun.source is not None:
        given = begun.plan.regions
        regions = None if given is None else history.keep(given, "regions")
        steps.append(_labels_step(layer, history, begun, regions))
        steps.append(_values_step(history, begun, regions))
        held(layer)[_MADE] = edits(layer)
    steps += edited(measured)
    if cells is not measured and begun.plan.clean is not None:
        steps.append(Cleaned(params=begun.plan.clean))
    history.add(*steps)


def edited(cells: AnnData) -> list[Step]:
    """What a person set of the channels of a table; nothing where nobody did."""
    if LEFT_OUT not in cells.var and not any(
        name in cells.var and (cells.var[name].astype(str) == EDITED).any()
        for name in (slots.GENES_SOURCE, ROLE_SOURCE)
    ):
        return []
    columns: dict[str, tuple[str | bool, ...]] = {
        name: tuple(bool(one) for one in cells.var[name])
        if name == LEFT_OUT
        else tuple("" if pd.isna(one) else str(one) for one in cells.var[name])
        for name in _COLUMNS
        if name in cells.var
    }
    return [Edited(columns=columns, channels=tuple(str(name) for name in cells.var_names))]


def record_edit(layer: Labels, cells: AnnData) -> None:
    """Record that a person set roles, genes or links of channels."""
    history_of(layer).add(*edited(cells))


def record_reference(layer: Labels, reference: AnnData) -> None:
    """Record that a reference was attached."""
    history = history_of(layer)
    history.add(_reference_step(history, reference))


def _reference_step(history: History, reference: AnnData) -> Referenced:
    known = slots.info(reference)
    path = str(known.get("path", ""))
    if not path:
        return Referenced(reference=history.keep(reference, "reference"))
    data = Data(path=str(Path(path).resolve()), sha256=str(known.get("sha256", "")))
    drawn = known.get("subsample")
    if drawn is None:
        return Referenced(reference=data)
    part = SubsampleParams.model_validate_json(drawn["params"])
    return Referenced(reference=data, subsample=part, seed=int(drawn["seed"]))


def record_integration(
    layers: Sequence[Labels],
    results: Sequence[AnnData],
    reference: AnnData,
    kept_names: Collection[str],
) -> None:
    """Record that sections were integrated, in one call.

    Parameters
    ----------
    layers, results
        All sections of the call, also one whose result was discarded.
    reference
        The one of all.
    kept_names
        Names of the layers whose result was kept.
    """
    before = [history_of(layer).steps for layer in layers]
    kept = [dict(history_of(layer).kept) for layer in layers]
    for place, (layer, result) in enumerate(zip(layers, results, strict=True)):
        if layer.name not in kept_names:
            continue
        history = history_of(layer)
        others = [i for i in range(len(layers)) if i != place]
        for i in others:
            history.kept |= {f"section{i}_{key}": value for key, value in kept[i].items()}
        sections = tuple(
            Section(
                name=layers[i].name,
                steps=tuple(_renamed(step, f"section{i}_") for step in before[i]),
            )
            for i in others
        )
        steps: list[Step] = []
        if not any(isinstance(step, Referenced) for step in history.steps):
            steps.append(_reference_step(history, reference))
        known = slots.info(result)
        clustered = "cluster_params" in known
        steps.append(
            Integrated(
                params=IntegrateParams(**json.loads(known["params"])),
                seed=int(known["seed"]),
                columns=_transferred(result, reference),
                cluster=ClusterParams(**json.loads(known["cluster_params"])) if clustered else None,
                cluster_seed=int(known.get("cluster_seed", 0)),
                sections=sections,
                place=place,
            )
        )
        history.add(*steps)


def record_selections(layer: Labels, named: Mapping[str, Any]) -> None:
    """Record that named selections of cells, by label, were saved in ``obs``."""
    plain = {name: tuple(int(one) for one in labels) for name, labels in named.items()}
    history_of(layer).add(Selected(named=plain))


def record_export(
    layer: Labels, path: Path, genes: Sequence[str] | None, params: ExportParams
) -> None:
    """Record that imputed genes were written to a file."""
    names = None if genes is None else tuple(genes)
    history_of(layer).add(Exported(name=path.name, genes=names, params=params))


def record_replaced(layer: Labels, what: str, measured: AnnData, cells: AnnData) -> None:
    """Record that the tables were changed in a way that no public function repeats.

    They and the labels are kept as they are now, so that a script goes on from there.
    """
    history = history_of(layer)
    table = history.keep(cells, "cells_kept")
    before = None if measured is cells else history.keep(measured, "measured_kept")
    masks = history.keep(_snapshot(layer), "masks_kept", by_hand=True)
    history.add(Replaced(what=what, cells=table, measured=before, labels=masks))


def _labels_step(layer: Labels, history: History, begun: Begun, regions: Data | None) -> Step:
    source = begun.source
    if isinstance(source, Source) and begun.segment is not None:
        image, reading = _image(history, source)
        return Segmented(image=image, reading=reading, params=begun.segment, regions=regions)
    return _masks(layer, history)


def _masks(layer: Labels, history: History) -> Step:
    """The labels of a layer: as they were made, where nobody has touched them since."""
    made = [one for one in history.steps if isinstance(one, Segmented | Masked)]
    if made and edits(layer) == int(held(layer).get(_MADE, -1)):
        return made[-1]
    path = path_of(layer)
    if path and layer.multiscale:  # on disk, not to be edited
        return Masked(labels=_file(history, path))
    kept = history.keep(_snapshot(layer), "masks", by_hand=True)
    # whether they are still those of the file is seen when they are exported
    return Masked(labels=kept.model_copy(update={"path": path}))


def _snapshot(layer: Labels) -> Snapshot:
    labels = full_resolution(layer)
    return Snapshot(np.asarray(labels))


def _values_step(history: History, begun: Begun, regions: Data | None) -> Step:
    if isinstance(begun.source, Source):
        image, reading = _image(history, begun.source)
        plan, nuclei = begun.plan, None
        if plan.nuclei is not None:
            nuclei = history.keep(Snapshot(plan.nuclei), "nuclei", by_hand=True)
        return Measured(
            image=image, reading=reading, params=plan.measure, nuclei=nuclei, regions=regions
        )
    if begun.source is None or begun.assign is None:
        raise TypeError(type(begun.source))
    spots = spots_of(begun.source)
    path, digest = str(spots.attrs.get("path", "")), str(spots.attrs.get("sha256", ""))
    data = history.keep(spots, "spots")
    if path:
        data = Data(path=str(Path(path).resolve()), sha256=digest)
    return Assigned(spots=data, params=begun.assign, regions=regions)


def _image(history: History, source: Source) -> tuple[Data, ImageParams]:
    """The image's file and how it is read; or the image itself, where no file gives it again."""
    path, image = path_of(source.like), source.image
    if not path or held(source.like).get("image") is not image:
        return history.keep(image, "image"), ImageParams()
    same = held(source.like).get(_SPACING) == image.spacing_um
    reading = ImageParams(pixel_size_um=() if same else image.spacing_um or ())
    return _file(history, path), reading


def _file(history: History, path: str) -> Data:
    """A file, whose fingerprint is taken meanwhile."""
    if not is_address(path):
        history.kept.setdefault(path, Fingerprint(path))
    return Data(path=path)


def _renamed(step: Step, prefix: str) -> Step:
    """A step whose kept things have another key."""
    changed = {
        name: value.model_copy(update={"kept": prefix + value.kept})
        for name, value in step
        if isinstance(value, Data) and value.kept
    }
    return step.model_copy(update=changed) if changed else step


def _transferred(result: AnnData, reference: AnnData) -> tuple[str, ...]:
    return tuple(str(name) for name in reference.obs if slots.transferred(str(name)) in result.obs)
