"""The command line as a person would use it: each step by itself, and its errors."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from anndata import AnnData
from rich.console import Console

import napari_gluer as ng
from napari_gluer import cli
from napari_gluer.cli.application import app

FAST = ["--network.max-epochs", "3"]


def call(*words: object) -> int:
    """Exit status of ``napari-gluer words``."""
    return cli.main([str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of 36 cells of two types, and a reference of the same types."""
    folder = tmp_path_factory.mktemp("cli")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:200, :200]
    planes = np.zeros((3, 200, 200))
    for i in range(36):
        cell = np.exp(-((y - 25 - 30 * (i // 6)) ** 2 + (x - 25 - 30 * (i % 6)) ** 2) / 40)
        planes[0] += 1000 * cell
        planes[1 + i % 2] += 700 * cell
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "CD4", "CD19"]}}
    pixels = (planes + rng.poisson(5, planes.shape)).astype(np.uint16)
    tifffile.imwrite(folder / "tissue.ome.tif", pixels, ome=True, metadata=metadata)
    kind = np.arange(60) % 2
    counts = rng.poisson(np.where((np.arange(3) > 0) == (kind[:, None] == 1), 9, 1))
    reference = AnnData(counts.astype(np.float32))
    reference.var_names, reference.obs_names = ["CD4", "CD19", "PAX5"], [f"r{i}" for i in range(60)]
    reference.obs["cell_type"] = np.where(kind == 0, "T", "B")
    reference.write_h5ad(folder / "reference.h5ad")
    return folder


def test_step_by_step_gives_a_painted_gene(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, reference = folder / "tissue.ome.tif", folder / "reference.h5ad"
    labels, cells, out = folder / "labels.ome.tif", folder / "cells.h5ad", folder / "done.h5ad"
    steps = [
        ("segment", image, "--out", labels, "--nuclear-channels", "DAPI"),
        ("measure", image, labels, "--out", cells),
        ("clean", cells, "--out", cells, "--size.kind", "skip"),
        ("integrate", cells, "--reference", reference, "--out", out, *FAST),
        ("cluster", out, "--out", out, "--resolution", 0.5),
        ("transfer", out, "cell_type", "--reference", reference, "--out", out),
        ("impute", out, "PAX5", "CD4", "--reference", reference, "--out", folder / "genes.csv"),
        ("paint", out, labels, "PAX5", "--reference", reference, "--out", folder / "pax5.png"),
    ]
    for words in steps:
        assert call(*words) == 0, (words, capsys.readouterr())
    genes = pd.read_csv(folder / "genes.csv")
    assert list(genes.columns) == ["label", "unmatched", "PAX5", "CD4"]
    assert sorted(genes["label"]) == list(range(1, 37))
    done = ng.read_cells(out)
    assert json.loads(done.uns["gluer"]["params"])["network"]["max_epochs"] == 3
    is_b = (done.obs["cell_type_transferred"].astype(str) == "B").to_numpy()
    assert 12 <= is_b.sum() <= 24
    assert genes["PAX5"][is_b].mean() > genes["PAX5"][~is_b].mean()
    assert (folder / "pax5.png").read_bytes().startswith(b"\x89PNG")


def test_run_writes_one_folder_and_names_its_files(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["run", folder / "tissue.ome.tif", "--reference", folder / "reference.h5ad"]
    flags = ["--clean.size.kind", "skip", "--integrate.network.max-epochs", "3", "--genes", "PAX5"]
    assert call(*words, "--out", tmp_path / "out", *flags) == 0
    said = capsys.readouterr()
    assert "36 cells" in said.out
    assert str(tmp_path / "out" / "gene_PAX5.png") in said.out
    assert "Training the map …" in said.err
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["params"]["integrate"]["network"]["max_epochs"] == 3
    assert record["params"]["integrate"]["network"]["residual"] is True  # of the default preset


def test_a_preset_is_laid_under_given_flags(folder: Path, tmp_path: Path) -> None:
    cells = tmp_path / "cells.h5ad"
    table = AnnData(np.random.default_rng(0).poisson(5, (30, 2)).astype(np.float32))
    table.var_names = ["CD4", "CD19"]
    table.write_h5ad(cells)
    words = ["integrate", cells, "--reference", folder / "reference.h5ad", "--out", cells]
    assert call(*words, "--preset", "paper", "--factorize.rank", 2, *FAST) == 0
    params = json.loads(ng.read_cells(cells).uns["gluer"]["params"])
    assert params["preset"] == "paper"
    assert params["factorize"]["rank"] == 2
    assert params["factorize"]["alpha"] == 1.0
    assert params["network"]["residual"] is False


BAD = {
    "not an image": (["segment", "notes.tif", "--out", "labels.tif"], "notes.tif"),
    "no such file": (["segment", "gone.tif", "--out", "labels.tif"], "gone.tif"),
    "no nuclear channel": (["segment", "proteins.tif", "--out", "labels.tif"], "CD4, CD19"),
    "nothing to segment": (["segment", "empty.tif", "--out", "labels.tif"], "nothing|No "),
    "scaled reference": (
        ["run", "table.h5ad", "--reference", "scaled.h5ad", "--out", "folder"],
        "sc.pp.scale",
    ),
    "reference of NaN": (
        ["run", "table.h5ad", "--reference", "nan.h5ad", "--out", "folder"],
        "NaN",
    ),
    "nothing links": (
        ["run", "table.h5ad", "--reference", "mouse.h5ad", "--out", "folder"],
        "No feature of the cells is in the reference",
    ),
    "labels of another size": (
        ["measure", "proteins.tif", "small.tif", "--out", "cells.h5ad"],
        r"\(20, 20\)",
    ),
    "a table under another ending": (
        ["measure", "proteins.tif", "small.tif", "--out", "cells.csv"],
        r"name ends in \.h5ad",
    ),
    "labels under another ending": (
        ["segment", "proteins.tif", "--out", "labels.png"],
        r"ends in \.ome\.tif or \.zarr",
    ),
    "masks of other cells": (
        [
            "run",
            "table.h5ad",
            "--reference",
            "good.h5ad",
            "--masks",
            "small.tif",
            "--out",
            "folder",
        ],
        "cannot be matched to a labels image",
    ),
}


@pytest.fixture
def bad_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "notes.tif").write_text("this is no picture")
    for name, channels in {"proteins": ["CD4", "CD19"], "empty": ["DAPI", "CD4"]}.items():
        pixels = np.zeros((2, 40, 40), np.uint16)
        metadata = {"axes": "CYX", "Channel": {"Name": channels}}
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels, ome=True, metadata=metadata)
    tifffile.imwrite(tmp_path / "small.tif", np.eye(20, dtype=np.uint16))
    for name, names in {"table": ["CD4", "CD19"], "good": ["CD4", "CD19"]}.items():
        table = AnnData(rng.poisson(5, (30, 2)).astype(np.float32))
        table.var_names, table.obsm["spatial"] = names, rng.uniform(0, 99, (30, 2))
        table.write_h5ad(tmp_path / f"{name}.h5ad")
    mouse = AnnData(rng.poisson(5, (30, 2)).astype(np.float32))
    mouse.var_names = ["Ptprc", "Ms4a1"]
    mouse.write_h5ad(tmp_path / "mouse.h5ad")
    scaled = AnnData(rng.normal(size=(30, 2)).astype(np.float32))
    scaled.var_names = ["CD4", "CD19"]
    scaled.write_h5ad(tmp_path / "scaled.h5ad")
    scaled.X[:] = np.nan
    scaled.write_h5ad(tmp_path / "nan.h5ad")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line_and_leaves_nothing(
    case: str,
    bad_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words, expected = BAD[case]
    before = sorted(bad_folder.iterdir())
    assert call(*words) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("napari-gluer: ")
    assert re.search(expected, said), said
    assert sorted(bad_folder.iterdir()) == before


COMMANDS = ["run", "segment", "measure", "clean", "integrate", "cluster", "impute", "transfer"]


@pytest.mark.parametrize("command", [*COMMANDS, "paint", "demo"])
def test_help_says_what_a_command_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(command, "--help") == 0
    said = capsys.readouterr().out
    assert f"Usage: napari-gluer {command}" in said
    assert len(said.splitlines()) > 5


def test_help_of_run_shows_the_fields_own_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "console", Console(width=200))
    assert call("run", "--help-all") == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--integrate.factorize.rank" in said
    assert "Number of factors, at most as many as features link" in said
    # a part alone has the published values: those of the default preset come first
    rank = ng.IntegrateParams().factorize.rank
    assert f"20 to 50. [default: {rank}; paper: {ng.FactorizeParams().rank}]" in said


def test_an_unknown_flag_is_an_input_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("segment", "a.tif", "--out", "b.tif", "--no-such-flag", "1") == 2
    assert "--no-such-flag" in "".join(capsys.readouterr())


def test_a_value_out_of_bounds_is_an_input_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("cluster", "a.h5ad", "--out", "b.h5ad", "--resolution", "-1") == 2
    assert "greater than 0" in "".join(capsys.readouterr())


def test_the_module_runs_as_a_program() -> None:
    words = [sys.executable, "-m", "napari_gluer", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.strip() == ng.__version__


def test_a_pixel_size_and_a_series_are_flags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = np.zeros((40, 60), np.uint16)
    labels[5:15, 5:15], labels[20:30, 30:40] = 1, 2
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as tif:
        for level in (1, 300):
            tif.write((level * (labels > 0)).astype(np.uint16)[None], metadata={"axes": "CYX"})
    tifffile.imwrite(tmp_path / "masks.tif", labels)
    words = ["measure", tmp_path / "two.ome.tif", tmp_path / "masks.tif"]
    out = ["--out", tmp_path / "c.h5ad"]
    assert call(*words, *out, "--series", 1, "--pixel-size-um", 0.5) == 0
    said = capsys.readouterr()
    assert "The pixel size is taken to be 0.5 µm, as given; two.ome.tif gives none." in said.err
    cells = ng.read_cells(tmp_path / "c.h5ad")
    assert set(cells.X.ravel()) == {300}
    assert set(cells.obs["area_um2"]) == {25.0}
    assert call(*words, *out, "--series", 1, "--pixel-size-um", "0.5", "0.25") == 0
    assert set(ng.read_cells(tmp_path / "c.h5ad").obs["area_um2"]) == {12.5}
    capsys.readouterr()
    assert call(*words, *out, "--series", 1, "--pixel-size-um", "2", "0.5", "0.25") == 2
    assert "has 3 numbers and two.ome.tif 2 axes" in capsys.readouterr().err
    assert call(*words, *out, "--series", 1, "--pixel-size-um", "0") == 2


def test_segment_says_where_it_looked_and_what_regions_left_out(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ring = [[0, 0], [100, 0], [100, 200], [0, 200], [0, 0]]
    area = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "left.geojson").write_text(json.dumps(area))
    out = tmp_path / "labels.ome.tif"
    regions = ["--regions", tmp_path / "left.geojson"]
    assert call("segment", folder / "tissue.ome.tif", "--out", out, *regions) == 0
    said = capsys.readouterr().out
    assert "Nuclei in DAPI; 18 cells outside the regions left out." in said
    assert "18 cells in " in said
    assert ng.read_labels(out).max() == 18


def test_outlines_of_nuclei_are_measured_apart(folder: Path, tmp_path: Path) -> None:
    def square(low: int, high: int) -> dict[str, object]:
        ring = [[low, low], [high, low], [high, high], [low, high], [low, low]]
        return {"type": "Polygon", "coordinates": [ring]}

    cell = {"type": "Feature", "geometry": square(10, 40), "nucleusGeometry": square(20, 30)}
    cell["properties"] = {"objectType": "cell"}
    (tmp_path / "qupath.geojson").write_text(json.dumps(cell))
    image, outlines = folder / "tissue.ome.tif", tmp_path / "qupath.geojson"
    words = ["measure", image, outlines, "--nuclei", outlines, "--out", tmp_path / "c.h5ad"]
    assert call(*words) == 0
    cells = ng.read_cells(tmp_path / "c.h5ad")
    assert cells.obs[["volume_px", "nucleus_px"]].to_numpy().tolist() == [[900, 100]]
    pixels = tifffile.imread(image)
    np.testing.assert_allclose(cells.layers["nucleus"][0], pixels[:, 20:30, 20:30].mean((1, 2)))


@pytest.mark.parametrize("command", ["segment", "measure"])
def test_an_image_is_never_written_over(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    image = tmp_path / "tissue.zarr"
    tissue = ng.read_image(folder / "tissue.ome.tif")
    group = zarr.open_group(image, mode="w", zarr_format=2)
    group.create_array("0", data=np.asarray(tissue.data))
    axes = [{"name": name} for name in "cyx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    labels = tmp_path / "labels.ome.tif"
    ng.write_labels(np.ones((200, 200), np.int32), labels, None)
    before = {file: file.read_bytes() for file in image.rglob("*") if file.is_file()}
    words = [image] if command == "segment" else [image, labels]
    assert call(command, *words, "--out", image.parent / "." / image.name) == 2
    said = capsys.readouterr().err
    assert ("is read by this command" if command == "segment" else "no table of cells") in said
    assert {file: file.read_bytes() for file in image.rglob("*") if file.is_file()} == before
    if command == "segment":
        tiff = Path(shutil.copy(folder / "tissue.ome.tif", tmp_path))
        assert call("segment", tiff, "--out", tiff) == 2
        assert tiff.read_bytes() == (folder / "tissue.ome.tif").read_bytes()


def test_where_nothing_can_be_written_is_said_before_work(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    image = folder / "tissue.ome.tif"
    assert call("segment", image, "--out", tmp_path / "file" / "deeper" / "l.ome.tif") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, "and no line of progress"
    assert said.endswith(f"{tmp_path / 'file'} is a file, not a folder.\n")
