"""Steps told from the record of a run: each input in its place, none made up."""

from typing import Any

import pytest

from napari_gluer.errors import InputError
from napari_gluer.pipeline.model import PipelineParams
from napari_gluer.pipeline.recipes.from_run import started_from_table, steps_of_run

MASKS = {"path": "/masks.tif", "sha256": "m"}
REGIONS = {"path": "/regions.geojson", "sha256": "g"}


def record(path: str, params: PipelineParams | None = None, **more: Any) -> dict[str, Any]:
    """A record as ``run.json`` holds it; `more` are inputs."""
    return {
        "inputs": {
            "source": {"path": path, "sha256": "s"},
            "reference": {"path": "/atlas.h5ad", "sha256": "r"},
            **more,
        },
        "params": (params or PipelineParams()).model_dump(mode="json"),
        "seed": 7,
        "steps": {},
    }


@pytest.mark.parametrize(
    ("source", "masks", "kinds"),
    [
        ("/t.ome.tif", None, ["segment", "measure"]),
        ("/t.ome.tif", MASKS, ["masks", "measure"]),
        ("/t.zarr", None, ["segment", "measure"]),
        ("/spots.csv", MASKS, ["masks", "assign spots"]),
        ("/SPOTS.CSV.GZ", MASKS, ["masks", "assign spots"]),
        ("/spots.parquet", MASKS, ["masks", "assign spots"]),
        ("/cells.h5ad", None, ["table"]),
        ("/CELLS.H5AD", MASKS, ["masks", "table"]),
    ],
)
def test_the_kind_of_source_decides_the_first_steps(
    source: str, masks: dict[str, str] | None, kinds: list[str]
) -> None:
    steps = steps_of_run(record(source, masks=masks or {}))
    assert [one.kind for one in steps] == [*kinds, "clean", "reference", "integrate"]
    taken = [one.labels for one in steps if one.kind == "masks"]
    assert [(one.path, one.sha256) for one in taken] == ([("/masks.tif", "m")] if masks else [])


def test_a_zarr_table_is_told_from_an_image_by_what_the_run_did() -> None:
    run = record("/t.zarr")
    assert not started_from_table(run)
    run["steps"] = {"read cells": {"outcome": "50 cells"}}
    assert started_from_table(run)
    assert steps_of_run(run)[0].kind == "table"


def test_every_part_of_the_parameters_comes_to_its_step() -> None:
    params = PipelineParams(
        segment={"nuclear_channels": ("DAPI",)},
        measure={"shape": True},
        clean={"divide_by_total": True},
        integrate={"factorize": {"rank": 11}},
        cluster={"resolution": 0.4},
        label_column="subtype",
    )
    run = record("/t.tif", params, regions=REGIONS)
    found, measured, cleaned, reference, integrated = steps_of_run(run)
    assert (found.params, measured.params) == (params.segment, params.measure)
    assert (cleaned.params, integrated.params) == (params.clean, params.integrate)
    assert integrated.cluster == params.cluster
    assert (integrated.seed, integrated.cluster_seed) == (7, 7)
    assert integrated.columns == ("subtype",)
    assert (found.image.path, found.image.sha256) == ("/t.tif", "s")
    assert measured.image == found.image
    assert found.regions == measured.regions
    assert (found.regions.path, found.regions.sha256) == ("/regions.geojson", "g")
    assert (reference.reference.path, reference.reference.sha256) == ("/atlas.h5ad", "r")


def test_cells_of_a_table_are_drawn_only_without_masks() -> None:
    params = PipelineParams(kind="counts")
    (table, *_) = steps_of_run(record("/c.h5ad", params))
    assert (table.values, table.draw) == ("counts", params.discs)
    (_, table, *_) = steps_of_run(record("/c.h5ad", params, masks=MASKS))
    assert table.draw is None


def test_an_address_comes_before_the_path_it_was_kept_at() -> None:
    source = {"address": "https://example.org/t.zarr", "path": "/cache/t.zarr", "sha256": ""}
    found = steps_of_run(record("/unused.tif", source=source))[0]
    assert found.image.path == "https://example.org/t.zarr"


@pytest.mark.parametrize(
    "more",
    [{"source": None}, {"source": {"path": ""}}, {"reference": {}}, {"masks": {"in_memory": True}}],
    ids=["no source", "no path", "no reference", "masks in memory"],
)
def test_what_was_only_in_memory_gives_no_steps(more: dict[str, Any]) -> None:
    assert steps_of_run(record("/t.tif", **more)) == ()


def test_the_column_that_the_run_chose_is_read_from_its_log() -> None:
    run = record("/t.tif")
    outcome = f"labels of {'cell_type'!r} in obs[{'cell_type_transferred'!r}]"
    run["steps"] = {"transfer": {"outcome": outcome}}
    assert steps_of_run(run)[-1].columns == ("cell_type",)


def test_without_a_transfer_there_is_no_column() -> None:
    assert steps_of_run(record("/t.tif"))[-1].columns == ()


def test_parameters_that_cannot_be_read_are_said() -> None:
    run = record("/t.tif")
    run["params"] = {"clean": {"no_such_thing": 1}}
    with pytest.raises(
        InputError, match=r"parameters of the run cannot be read(?s:.*)no_such_thing"
    ):
        steps_of_run(run)
    run["params"] = {1: 2}
    with pytest.raises(InputError, match="parameters of the run cannot be read"):
        steps_of_run(run)
