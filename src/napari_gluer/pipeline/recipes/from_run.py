"""The record of a run as steps."""

from collections.abc import Mapping
from typing import Any

from napari_gluer.errors import InputError
from napari_gluer.io.images import ImageParams
from napari_gluer.pipeline.model import PipelineParams
from napari_gluer.pipeline.recipes.steps import (
    Assigned,
    Cleaned,
    Data,
    Integrated,
    Masked,
    Measured,
    Referenced,
    Segmented,
    Step,
    Tabled,
)

_SPOTS = (".csv", ".parquet", ".tsv", ".gz", ".bz2", ".zst")


def steps_of_run(record: Mapping[str, Any]) -> tuple[Step, ...]:
    """The steps that a run did, by its ``run.json``; none where an input was no file.

    Raises
    ------
    InputError
        If its parameters cannot be read.
    """
    inputs = record["inputs"]
    try:
        params = PipelineParams(**record["params"])
    except (ValueError, TypeError) as error:
        raise InputError(f"The parameters of the run cannot be read: {error}") from error
    source, reference = _data(inputs.get("source")), _data(inputs.get("reference"))
    if source is None or reference is None or "in_memory" in inputs.get("masks", {}):
        return ()
    seed = int(record["seed"])
    columns = (params.label_column,) if params.label_column else _transferred(record)
    return (
        *_cells(source, record, params),
        Cleaned(params=params.clean),
        Referenced(reference=reference),
        Integrated(
            params=params.integrate,
            seed=seed,
            columns=columns,
            cluster=params.cluster,
            cluster_seed=seed,
        ),
    )


def started_from_table(record: Mapping[str, Any]) -> bool:
    """Whether the source of a run was a table of cells; a ``.zarr`` may be an image too."""
    place = str(record["inputs"].get("source", {}).get("path", ""))
    return place.casefold().endswith(".h5ad") or "read cells" in record.get("steps", {})


def _cells(source: Data, record: Mapping[str, Any], params: PipelineParams) -> list[Step]:
    inputs = record["inputs"]
    masks, regions = _data(inputs.get("masks")), _data(inputs.get("regions"))
    name = source.path.casefold()
    if started_from_table(record):
        table = Tabled(cells=source, values=params.kind, draw=None if masks else params.discs)
        return [*([Masked(labels=masks)] if masks else []), table]
    if name.endswith(_SPOTS):
        spots = Assigned(spots=source, columns=params.spots, params=params.assign, regions=regions)
        return [*([Masked(labels=masks)] if masks else []), spots]
    reading = ImageParams(**{key: inputs[key] for key in ImageParams.model_fields if key in inputs})
    found: Step = Segmented(image=source, reading=reading, params=params.segment, regions=regions)
    if masks is not None:
        found = Masked(labels=masks)
    measured = Measured(image=source, reading=reading, params=params.measure, regions=regions)
    return [found, measured]


def _data(facts: Mapping[str, Any] | None) -> Data | None:
    place = (facts or {}).get("address") or (facts or {}).get("path")
    if not facts or not place:
        return None
    return Data(path=str(place), sha256=str(facts.get("sha256", "")))


def _transferred(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The column that the run chose itself, as its log names it."""
    said = str(record.get("steps", {}).get("transfer", {}).get("outcome", ""))
    parts = said.split("'")
    return (parts[1],) if len(parts) > 2 else ()
