"""Runs over several tables: their folders, what is skipped, and what a failure leaves."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import anndata
import numpy as np
import pandas as pd
import pytest
import tifffile
from anndata import AnnData

import napari_gluer as ng
from napari_gluer import cli
from napari_gluer.pipeline import many
from napari_gluer.pipeline.many import Outcome, run_many
from napari_gluer.pipeline.records import finished

T = TypeVar("T")
QUICK = ng.PipelineParams(
    integrate={"network": {"max_epochs": 2}, "absence": {"max_cells": 0}}, genes=("GENE0",)
)
FLAGS = ["--integrate.network.max-epochs", "2", "--integrate.absence.max-cells", "0"]


def table(n_cells: int, seed: int) -> AnnData:
    rng = np.random.default_rng(seed)
    kind = np.arange(n_cells) % 2
    mean = np.where((np.arange(8) < 4) == (kind[:, None] == 0), 20, 2)
    made = AnnData(rng.poisson(mean).astype(np.float32))
    made.var_names = [f"GENE{i}" for i in range(8)]
    made.obsm["spatial"] = rng.uniform(0, 400, (n_cells, 2))
    made.obs["cell_type"] = np.where(kind == 0, "first", "second")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables one, two and three of 40, 45 and 50 cells, and a reference."""
    for number, name in enumerate(("one", "two", "three")):
        table(40 + 5 * number, number).write_h5ad(tmp_path / f"{name}.h5ad")
    table(80, 9).write_h5ad(tmp_path / "reference.h5ad")
    return tmp_path


@pytest.fixture
def inputs(folder: Path) -> list[ng.Inputs]:
    names = ("one", "two", "three")
    return [ng.Inputs(folder / f"{name}.h5ad", folder / "reference.h5ad") for name in names]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the folders that were computed."""
    computed: list[str] = []

    def counting(given: ng.Inputs, read: ng.Inputs, to: Path, how: many.How) -> ng.pipeline.Result:
        computed.append(to.name)
        return original(given, read, to, how)

    original = many.run_read
    monkeypatch.setattr(many, "run_read", counting)
    return computed


def statuses(found: list[Outcome]) -> list[str]:
    return [one.status for one in found]


def test_each_has_a_folder_like_that_of_a_run_alone(inputs: list[ng.Inputs], folder: Path) -> None:
    found = run_many(inputs[:2], folder / "out", QUICK, seed=3)
    assert [(one.name, one.status) for one in found] == [("one", "done"), ("two", "done")]
    alone = ng.run(inputs[1], folder / "alone", QUICK, seed=3)
    together = ng.read_cells(folder / "out" / "two" / "cells.h5ad")
    np.testing.assert_array_equal(together.obsm["X_gluer"], alone.cells.obsm["X_gluer"])
    files = {path.name for path in (folder / "alone").iterdir()}
    assert {path.name for path in (folder / "out" / "two").iterdir()} == files
    records = [
        json.loads((folder / place / "run.json").read_text()) for place in ("alone", "out/two")
    ]
    assert records[0]["inputs"] == records[1]["inputs"]
    assert records[0]["inputs"]["reference"]["path"].endswith("reference.h5ad")


def test_the_summary_has_a_row_for_each(inputs: list[ng.Inputs], folder: Path) -> None:
    run_many(inputs[:2], folder / "out", QUICK)
    rows = pd.read_csv(folder / "out" / "summary.csv")
    assert list(rows["name"]) == ["one", "two"]
    assert list(rows["cells"]) == [40, 45]
    assert (rows["seconds"] > 0).all()
    known = json.loads((folder / "out" / "summary.json").read_text())
    clusters = ng.read_cells(folder / "out" / "one" / "cells.h5ad").obs["cluster"].nunique()
    assert known[0]["numbers"]["clusters"] == clusters
    assert known[0]["source"] == str(inputs[0].source)


def test_what_is_finished_is_skipped(
    inputs: list[ng.Inputs], folder: Path, counted: list[str]
) -> None:
    run_many(inputs[:1], folder / "out", QUICK)
    found = run_many(inputs[:2], folder / "out", QUICK)
    assert statuses(found) == ["skipped", "done"]
    assert found[0].numbers["cells"] == 40
    assert counted == ["one", "two"]


def test_a_skipped_call_does_not_read_the_reference(
    inputs: list[ng.Inputs], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_many(inputs[:1], folder / "out", QUICK)
    monkeypatch.setattr(many, "read_reference", None)
    assert statuses(run_many(inputs[:1], folder / "out", QUICK)) == ["skipped"]


CHANGES: dict[str, Callable[[Path], None]] = {
    "the table": lambda folder: table(40, 77).write_h5ad(folder / "one.h5ad"),
    "the reference": lambda folder: table(80, 78).write_h5ad(folder / "reference.h5ad"),
    "a lost file": lambda folder: (folder / "out" / "one" / "cells.h5ad").unlink(),
    "a broken record": lambda folder: (folder / "out" / "one" / "run.json").write_text("{"),
    "another version": lambda folder: _set_version(folder / "out" / "one" / "run.json"),
}


def _set_version(path: Path) -> None:
    record = json.loads(path.read_text())
    record["versions"]["napari-gluer"] = "0.0.1"
    path.write_text(json.dumps(record))


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_run_again(
    change: str, inputs: list[ng.Inputs], folder: Path, counted: list[str]
) -> None:
    run_many(inputs[:1], folder / "out", QUICK)
    CHANGES[change](folder)
    assert statuses(run_many(inputs[:1], folder / "out", QUICK)) == ["done"]
    assert counted == ["one", "one"]


def test_other_params_or_another_seed_run_again(inputs: list[ng.Inputs], folder: Path) -> None:
    ng.run(inputs[0], folder / "out", QUICK, seed=1)
    other = QUICK.model_copy(update={"genes": ("GENE1",)})
    assert finished(folder / "out", inputs[0], QUICK, 1) is not None
    assert finished(folder / "out", inputs[0], QUICK, 2) is None
    assert finished(folder / "out", inputs[0], other, 1) is None
    masked = ng.Inputs(inputs[0].source, inputs[0].reference, masks=folder / "one.h5ad")
    assert finished(folder / "out", masked, QUICK, 1) is None
    in_memory = ng.Inputs(ng.read_cells(folder / "one.h5ad"), inputs[0].reference)
    assert finished(folder / "out", in_memory, QUICK, 1) is None


def test_files_that_moved_are_the_same_files(inputs: list[ng.Inputs], folder: Path) -> None:
    ng.run(inputs[0], folder / "out", QUICK)
    moved = (folder / "one.h5ad").rename(folder / "renamed.h5ad")
    other = ng.Inputs(moved, inputs[0].reference)
    assert finished(folder / "out", other, QUICK, 0) is not None
    assert finished(folder / "out", other, QUICK, 0, by_content=False) is None  # cannot tell


def test_a_failing_one_does_not_stop_the_others(inputs: list[ng.Inputs], folder: Path) -> None:
    (folder / "two.h5ad").write_text("no table")
    found = run_many(inputs, folder / "out", QUICK)
    assert statuses(found) == ["done", "failed", "done"]
    assert "two.h5ad is not an h5ad" in found[1].reason
    assert found[1].traceback == ""
    assert not (folder / "out" / "two").exists()
    rows = pd.read_csv(folder / "out" / "summary.csv").set_index("name")
    assert rows.loc["two", "status"] == "failed"
    table(45, 1).write_h5ad(folder / "two.h5ad")
    assert statuses(run_many(inputs, folder / "out", QUICK)) == ["skipped", "done", "skipped"]


def test_a_fault_of_the_program_is_kept_with_its_traceback(
    inputs: list[ng.Inputs], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(given: ng.Inputs, *rest: object) -> ng.pipeline.Result:
        if Path(str(given.source)).stem == "one":
            raise ZeroDivisionError("by zero")
        return original(given, *rest)

    original = many.run_read
    monkeypatch.setattr(many, "run_read", faulty)
    found = run_many(inputs[:2], folder / "out", QUICK)
    assert statuses(found) == ["failed", "done"]
    assert "ZeroDivisionError: by zero" in found[0].reason
    assert "in faulty" in json.loads((folder / "out" / "summary.json").read_text())[0]["traceback"]


def test_a_reference_that_cannot_be_used_stops_the_call(
    inputs: list[ng.Inputs], folder: Path
) -> None:
    with pytest.raises(ng.InputError, match="GENE99"):
        run_many(inputs, folder / "out", QUICK.model_copy(update={"genes": ("GENE99",)}))
    (folder / "reference.h5ad").write_text("none")
    with pytest.raises(ng.InputError, match=r"reference\.h5ad"):
        run_many(inputs, folder / "out", QUICK)


def test_two_references_in_one_call_are_refused(inputs: list[ng.Inputs], folder: Path) -> None:
    other = ng.Inputs(folder / "two.h5ad", folder / "three.h5ad")
    with pytest.raises(ng.InputError, match="have one reference"):
        run_many([inputs[0], other], folder / "out", QUICK)
    with pytest.raises(ng.InputError, match="no image"):
        run_many([], folder / "out", QUICK)


def test_results_of_another_image_are_not_replaced(inputs: list[ng.Inputs], folder: Path) -> None:
    run_many(inputs[:1], folder / "out", QUICK)
    (folder / "b").mkdir()
    table(30, 5).write_h5ad(folder / "b" / "one.h5ad")
    other = ng.Inputs(folder / "b" / "one.h5ad", folder / "reference.h5ad")
    (found,) = run_many([other], folder / "out", QUICK)
    assert found.status == "failed"
    assert str(folder / "one.h5ad") in found.reason
    assert ng.read_cells(folder / "out" / "one" / "cells.h5ad").n_obs == 40


def test_a_cancelled_call_goes_on_where_it_was(inputs: list[ng.Inputs], folder: Path) -> None:
    said: list[str] = []

    def cancelling(items: Iterable[T], desc: str, /) -> Iterator[T]:
        said.append(desc)
        for item in items:
            if desc == "two: Painting":
                raise ng.Cancelled
            yield item

    with pytest.raises(ng.Cancelled):
        run_many(inputs, folder / "out", QUICK, track=cancelling)
    assert "Images" in said
    rows = pd.read_csv(folder / "out" / "summary.csv")
    assert list(rows["status"]) == ["done", "waiting", "waiting"]
    assert not (folder / "out" / "two").exists()
    found = run_many(inputs, folder / "out", QUICK)
    assert statuses(found) == ["skipped", "done", "done"]


def test_tables_in_memory_are_numbered(folder: Path) -> None:
    reference = ng.read_reference(folder / "reference.h5ad")
    tables = [ng.read_cells(folder / f"{name}.h5ad") for name in ("one", "two")]
    found = run_many([ng.Inputs(one, reference) for one in tables], folder / "out", QUICK)
    assert [one.name for one in found] == ["image_1", "image_2"]
    assert statuses(found) == ["done", "done"], found


def call(*words: object) -> int:
    return cli.main([str(word) for word in words])


def test_the_command_runs_many_and_says_what_came_of_each(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "two.h5ad").write_text("no table")
    words = ["run", *(folder / f"{name}.h5ad" for name in ("one", "two")), "--reference"]
    words += [folder / "reference.h5ad", "--out", folder / "out", *FLAGS]
    assert call(*words) == 4
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("one: 40 cells in ")
    assert lines[1].startswith("two: failed. two.h5ad is not an h5ad")
    assert lines[2:] == ["1 done, 1 failed", str(folder / "out" / "summary.csv")]
    assert "one: Training the map …" in said.err
    table(45, 1).write_h5ad(folder / "two.h5ad")
    assert call(*words) == 0
    assert "one: finished before, 40 cells" in capsys.readouterr().out


def test_the_command_gives_each_its_masks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "masks").mkdir()
    names = ("one", "two")
    for name in names:
        cells = anndata.read_h5ad(folder / f"{name}.h5ad")
        cells.obs["label"] = np.arange(1, cells.n_obs + 1)
        cells.write_h5ad(folder / f"{name}.h5ad")
        labels = np.arange(1, cells.n_obs + 1, dtype=np.uint16)[:, None] * np.ones(3, np.uint16)
        tifffile.imwrite(folder / "masks" / f"{name}_cells.tif", labels)
    sources = [folder / f"{name}.h5ad" for name in names]
    words = ["run", *sources, "--reference", folder / "reference.h5ad", "--out", folder / "out"]
    assert call(*words, "--masks", folder / "masks", *FLAGS) == 0
    for name, source in zip(names, sources, strict=True):
        labels = ng.read_labels(folder / "out" / name / "labels.ome.tif")
        assert labels.shape == (ng.read_cells(source).n_obs, 3)
    capsys.readouterr()
    (folder / "masks" / "two_cells.tif").unlink()
    assert call(*words, "--masks", folder / "masks", *FLAGS) == 2
    assert "two has no masks" in capsys.readouterr().err


def test_one_that_is_finished_is_told_and_not_run_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["run", folder / "one.h5ad", "--reference", folder / "reference.h5ad", *FLAGS]
    assert call(*words, "--out", folder / "out") == 0
    first = capsys.readouterr().out.splitlines()
    monkeypatch.setattr(ng, "run", None, raising=False)
    assert call(*words, "--out", folder / "out") == 0
    again = capsys.readouterr().out.splitlines()
    assert again[0].startswith("Finished before, with the same inputs and settings")
    assert sorted(again[1:]) == sorted(first)
