"""What was exported gives the same cells again: the script in a process, the commands here."""

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import napari_gluer as ng
from napari_gluer.cli import main
from napari_gluer.pipeline.recipes.exporting import write_recipe
from napari_gluer.pipeline.recipes.keeping import Snapshot
from napari_gluer.pipeline.recipes.steps import (
    Cleaned,
    Data,
    Edited,
    Integrated,
    Masked,
    Measured,
    Referenced,
    Segmented,
    Selected,
    Step,
)
from napari_gluer.polygons import Polygon, Regions
from napari_gluer.sample import SampleTissue

_FAST = {"canonical": {"rounds": 1}, "network": {"max_epochs": 2}, "choice": {"folds": 2}}
_SEED = 3
_GROWTH = {"kind": "expansion", "distance": 2.0}


@dataclass(frozen=True)
class Done:
    """What was done, and what came of it."""

    steps: tuple[Step, ...]
    kept: dict[str, Any]
    cells: AnnData
    labels: np.ndarray


@pytest.fixture(scope="module")
def done(tissue: SampleTissue, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Cells found in a corner of the tissue within a region, edited, cleaned, integrated."""
    folder = tmp_path_factory.mktemp("inputs")
    pixels = np.ascontiguousarray(tissue.image.data[:, 700:1100, 700:1100])
    image = ng.MultiplexImage(pixels, tissue.image.channels, tissue.image.pixel_size_um)
    atlas = folder / "the atlas.h5ad"  # names with blanks are quoted
    tissue.reference.write_h5ad(atlas)
    corner = np.array([[10.3, 5.1], [10.3, 380.7], [390.2, 380.7], [390.2, 5.1]])
    regions = Regions((Polygon((corner,)),))
    find = ng.SegmentParams(growth=_GROWTH)
    labels = ng.segment(image, find, regions=regions)
    measured = ng.measure(image, labels, ng.MeasureParams(shape=True), regions=regions)
    marker = str(measured.var_names[measured.var["role"] == "marker"][0])
    roles = measured.var["role"].astype(str).mask(measured.var_names == marker, "ignore")
    measured.var["role"] = roles.to_numpy()
    cells = ng.clean(measured)
    params = ng.IntegrateParams(**_FAST)
    reference = ng.read_reference(atlas)
    cells = ng.integrate(cells, reference, params, seed=_SEED)
    types = ng.transfer_labels(cells, reference, "cell_type")
    cells.obs[types.columns] = types
    cells = ng.cluster(cells, ng.ClusterParams(), seed=_SEED)
    chosen = tuple(int(one) for one in cells.obs["label"].iloc[:5])
    cells, _ = ng.with_selections(cells, {"mine": chosen})
    source = Data(kept="image")
    steps: tuple[Step, ...] = (
        Segmented(image=source),  # made undone by the next one
        Segmented(image=source, params=find, regions=Data(kept="regions")),
        Measured(image=source, params=ng.MeasureParams(shape=True), regions=Data(kept="regions")),
        Edited(columns={"role": tuple(roles)}, channels=tuple(measured.var_names)),
        Cleaned(),
        Referenced(reference=Data(path=str(atlas), sha256=_sha(atlas))),
        Integrated(seed=8),
        Integrated(
            params=params,
            seed=_SEED,
            columns=("cell_type",),
            cluster=ng.ClusterParams(),
            cluster_seed=_SEED,
        ),
        Selected(named={"mine": chosen}),
    )
    return Done(steps, {"image": image, "regions": regions}, cells, labels)


def _sha(path: Path) -> str:
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(path.read_bytes()).hexdigest()


def _run(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, script],
        cwd="/",
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def _check(again: AnnData, cells: AnnData) -> None:
    """The same table, value by value."""
    assert again.obs["label"].tolist() == cells.obs["label"].tolist()
    assert again.var_names.tolist() == cells.var_names.tolist()
    np.testing.assert_array_equal(again.X, cells.X)
    np.testing.assert_array_equal(again.obsm["X_gluer"], cells.obsm["X_gluer"])
    assert (again.obsm["gluer_weights"] != cells.obsm["gluer_weights"]).nnz == 0
    for column in ("cell_type_transferred", "cluster"):
        assert again.obs[column].astype(str).tolist() == cells.obs[column].astype(str).tolist()


def test_the_script_gives_the_same_cells(done: Done, tmp_path: Path) -> None:
    path = tmp_path / "again.py"
    files = write_recipe(done.steps, done.kept, path, form="script", what="x", version="1")
    assert [one.name for one in files] == [
        "again.py", "image.ome.tif", "regions.geojson", "markers_1.csv", "selections_1.csv",
    ]  # fmt: skip
    text = path.read_text()
    assert text.count("ng.segment(") == 1
    assert "seed=8" not in text
    ended = _run(path)
    assert ended.returncode == 0, ended.stderr
    assert "WARNING" not in ended.stderr
    again = ng.read_cells(tmp_path / "again_results" / "cells.h5ad")
    _check(again, done.cells)
    assert again.obs["selection"].astype(str).tolist() == (
        done.cells.obs["selection"].astype(str).tolist()
    )
    assert (again.obs["selection"] == "mine").sum() == 5
    labels = ng.read_labels(tmp_path / "again_results" / "labels.ome.tif")
    np.testing.assert_array_equal(labels, done.labels)


def test_the_commands_give_the_same_cells(
    done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "again.sh"
    write_recipe(done.steps, done.kept, path, form="recipe", what="x", version="1")
    subprocess.run(["bash", "-n", path], check=True)  # noqa: S603, S607
    monkeypatch.chdir(tmp_path)
    text = path.read_text().replace("\\\n", " ")
    calls = [line for line in text.splitlines() if line.startswith("napari-gluer ")]
    assert [shlex.split(one)[1] for one in calls] == [
        "segment", "measure", "mark", "clean", "integrate", "cluster", "transfer", "select",
    ]  # fmt: skip
    for call in calls:
        assert main(shlex.split(call)[1:]) == 0, call
    assert text.splitlines()[-1] == "cp again_results/selected.h5ad again_results/cells.h5ad"
    again = ng.read_cells(tmp_path / "again_results" / "selected.h5ad")
    _check(again, done.cells)
    pd.testing.assert_series_equal(again.obs["selection"], done.cells.obs["selection"])


def test_masks_drawn_by_hand_lie_beside_and_a_changed_input_is_said(
    done: Done, tmp_path: Path
) -> None:
    drawn = done.labels.copy()
    drawn[:40, :40] = 0
    drawn[5:20, 5:20] = 9999
    snapshot = Snapshot(drawn, (0.5, 0.5))
    drawn[:] = 0  # later edits are not in it
    steps = (
        Masked(labels=Data(kept="masks", by_hand=True)),
        Measured(image=Data(kept="image")),
    )
    path = tmp_path / "hand.py"
    kept = {**done.kept, "masks": snapshot}
    files = write_recipe(steps, kept, path, form="script", what="x", version="1")
    assert "drawn by hand" in path.read_text()
    written = ng.read_labels(files[1])
    assert (written == 9999).sum() == 15 * 15
    changed = written.copy()
    changed[changed == 9999] = 9998
    ng.write_labels(changed, files[1])
    ended = _run(path)
    assert ended.returncode == 0, ended.stderr
    assert "masks.ome.tif has changed since" in ended.stderr
    assert 9998 in ng.read_cells(tmp_path / "hand_results" / "cells.h5ad").obs["label"].tolist()


def test_two_sections_are_repeated_together(
    tissue: SampleTissue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = [slice(700, 1000), slice(1000, 1300)]
    images = [
        ng.MultiplexImage(
            np.ascontiguousarray(tissue.image.data[:, one, one]), tissue.image.channels
        )
        for one in windows
    ]
    masks = [np.ascontiguousarray(tissue.labels[one, one]) for one in windows]
    tables = [ng.measure(*pair) for pair in zip(images, masks, strict=True)]
    params = ng.IntegrateParams(**_FAST)
    atlas = ng.read_reference(_written(tissue.reference, tmp_path / "atlas.h5ad"))
    tables[1] = ng.clean(tables[1])
    together = ng.integrate(tables, atlas, params, seed=1)
    first, second = ng.cluster(together, ng.ClusterParams(), seed=4)
    of = [
        (Masked(labels=Data(kept=f"masks{i}")), Measured(image=Data(kept=f"image{i}")))
        for i in range(2)
    ]
    both = Integrated(
        params=params,
        seed=1,
        sections=({"name": "a", "steps": of[0]},),  # type: ignore[arg-type]
        place=1,
        cluster=ng.ClusterParams(),
        cluster_seed=4,
    )
    reference = Referenced(reference=Data(path=str(tmp_path / "atlas.h5ad")))
    kept = {f"masks{i}": Snapshot(masks[i]) for i in range(2)}
    kept |= {f"image{i}": images[i] for i in range(2)}
    path = tmp_path / "two.py"
    steps = (*of[1], Cleaned(), reference, both)
    write_recipe(steps, kept, path, form="script", what="x", version="1")
    ended = _run(path)
    assert ended.returncode == 0, ended.stderr
    again = ng.read_cells(tmp_path / "two_results" / "cells.h5ad")
    np.testing.assert_array_equal(again.obsm["X_gluer"], second.obsm["X_gluer"])
    assert not np.array_equal(again.obsm["X_gluer"], first.obsm["X_gluer"])
    pd.testing.assert_series_equal(again.obs["cluster"], second.obs["cluster"])
    path = tmp_path / "two.sh"
    write_recipe(steps, kept, path, form="recipe", what="x", version="1")
    monkeypatch.chdir(tmp_path)
    for line in path.read_text().replace("\\\n", " ").splitlines():
        if line.startswith("napari-gluer "):
            assert main(shlex.split(line)[1:]) == 0, line
    again = ng.read_cells(tmp_path / "two_results" / "cells.h5ad")
    np.testing.assert_array_equal(again.obsm["X_gluer"], second.obsm["X_gluer"])
    pd.testing.assert_series_equal(again.obs["cluster"], second.obs["cluster"])


def _written(reference: AnnData, path: Path) -> Path:
    reference.write_h5ad(path)
    return path
