"""What a run would do, told from headers: no pixel is read, nothing is written."""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from anndata import AnnData
from scipy import sparse

import napari_gluer as ng
from napari_gluer import cli
from napari_gluer.pipeline.estimating import cells_in, estimate
from napari_gluer.pipeline.headers import Size, size_of_image, size_of_spots, size_of_table
from napari_gluer.pipeline.planning import Plan, plan, time_text

PARAMS = ng.PipelineParams()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tissue whose pixels cannot be read, a table and a reference."""
    pixels = np.random.default_rng(0).integers(0, 999, (3, 256, 200), np.uint16)
    tifffile.imwrite(
        tmp_path / "tissue.ome.tif",
        pixels,
        ome=True,
        compression="zlib",
        metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "CD4", "CD19"]}},
    )
    _spoil(tmp_path / "tissue.ome.tif")
    dense = AnnData(np.ones((30, 2), np.float32))
    dense.var_names = ["CD4", "CD19"]
    dense.write_h5ad(tmp_path / "cells.h5ad")
    counts = sparse.random(60, 50, 0.1, "csr", np.float32, random_state=0)
    AnnData(counts).write_h5ad(tmp_path / "reference.h5ad")
    return tmp_path


def _spoil(path: Path) -> None:
    """Overwrite the compressed pixels, nothing else."""
    with tifffile.TiffFile(path) as tif:
        parts = [
            part
            for page in tif.pages
            for part in zip(page.dataoffsets, page.databytecounts, strict=True)
        ]
    with path.open("r+b") as file:
        for offset, count in parts:
            file.seek(offset)
            file.write(b"\xff" * count)


def state(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: path.stat()[6:9:2] for path in sorted(folder.rglob("*"))}


def planned(source: Path, folder: Path, **more: Path) -> Plan:
    inputs = ng.Inputs(source, folder / "reference.h5ad", **more)
    (found,) = plan([inputs], [folder / "out"], PARAMS, 0)
    return found


def test_pixels_are_not_read_and_nothing_is_written(folder: Path) -> None:
    image = ng.read_image(folder / "tissue.ome.tif")
    with pytest.raises(ng.InputError, match=r"tissue\.ome\.tif"):
        np.asarray(image.data[0])  # whoever reads a pixel, fails
    before = state(folder)
    found = planned(folder / "tissue.ome.tif", folder)
    assert found.size == "3 channels, 256 × 200 pixels"
    assert found.steps[0] == "find the cells"
    assert found.estimate is not None
    assert found.estimate.cells == int(256 * 200 * 500e-6)
    assert state(folder) == before


def test_the_command_says_it_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(folder)
    words = ["run", folder / "tissue.ome.tif", folder / "cells.h5ad", "--reference"]
    words += [folder / "reference.h5ad", "--out", folder / "out", "--dry-run"]
    assert cli.main([str(word) for word in words]) == 0
    said = capsys.readouterr().out
    assert "tissue: 3 channels, 256 × 200 pixels; find the cells, measure, clean" in said
    assert "cells: 30 cells × 2 features; draw the cells as discs" in said
    assert str(folder / "out" / "tissue") in said
    assert "docs/benchmarks.md" in said
    assert "Nothing was written" in said
    assert state(folder) == before


def test_the_command_names_what_cannot_be_used(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--reference", folder / "reference.h5ad", "--out", folder / "out", "--dry-run"]
    many = ["run", folder / "cells.h5ad", folder / "gone.tif", *words]
    assert cli.main([str(word) for word in many]) == 4
    assert "gone: CANNOT BE USED. There is no file" in capsys.readouterr().out
    assert cli.main([str(word) for word in ["run", folder / "gone.tif", *words]]) == 2


def test_masks_are_compared_by_their_header(folder: Path) -> None:
    tifffile.imwrite(folder / "small.tif", np.zeros((20, 20), np.uint16))
    found = planned(folder / "tissue.ome.tif", folder, masks=folder / "small.tif")
    assert "small.tif has 400 pixels and the image 51,200" in found.problem
    tifffile.imwrite(folder / "right.tif", np.zeros((256, 200), np.uint16))
    found = planned(folder / "tissue.ome.tif", folder, masks=folder / "right.tif")
    assert found.steps[0] == "measure the masks"
    found = planned(folder / "tissue.ome.tif", folder, masks=folder / "gone.tif")
    assert "There is no file" in found.problem


def test_spots_without_masks_cannot_be_used(folder: Path) -> None:
    spots = pd.DataFrame({"gene": ["A"] * 500, "x": 1.0, "y": 2.0})
    spots.to_parquet(folder / "spots.parquet")
    assert "give a labels image" in planned(folder / "spots.parquet", folder).problem
    assert size_of_spots(folder / "spots.parquet").spots == 500


def test_spots_of_text_are_estimated_by_their_bytes(folder: Path) -> None:
    lines = [f"cell_{i},GENE{i % 50},{i * 0.37:.4f},{i * 0.11:.4f}" for i in range(20_000)]
    text = "\n".join(["cell,gene,x,y", *lines]).encode()
    (folder / "spots.csv").write_bytes(text)
    (folder / "spots.csv.gz").write_bytes(gzip.compress(text))
    for name in ("spots.csv", "spots.csv.gz"):
        assert 20_000 / 3 < size_of_spots(folder / name).spots < 20_000 * 3


def test_sizes_of_tables_are_those_of_anndata(folder: Path) -> None:
    found = size_of_table(folder / "reference.h5ad")
    assert (found.rows, found.columns, found.stored) == (60, 50, 300)
    table = AnnData(sparse.random(7, 9, 0.5, "csr", np.float32, random_state=0))
    table.layers["counts"] = np.ones((7, 9), np.float32)
    ng.write_cells(table, folder / "table.zarr")
    found = size_of_table(folder / "table.zarr")
    assert (found.rows, found.columns, found.stored) == (7, 9, 63)
    zarr.open_group(str(folder / "empty.zarr"), mode="w")
    with pytest.raises(ng.InputError, match=r"empty\.zarr"):
        size_of_table(folder / "empty.zarr")
    with pytest.raises(ng.InputError, match="There is no file"):
        size_of_table(folder / "gone.zarr")


def test_a_finished_run_is_told_without_reading_its_inputs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    for name, n_cells in (("cells", 40), ("reference", 60)):
        table = AnnData(rng.poisson(5, (n_cells, 4)).astype(np.float32))
        table.var_names, table.obsm["spatial"] = list("ABCD"), rng.uniform(0, 99, (n_cells, 2))
        table.write_h5ad(folder / f"{name}.h5ad")
    inputs = ng.Inputs(folder / "cells.h5ad", folder / "reference.h5ad")
    quick = ng.PipelineParams(integrate={"network": {"max_epochs": 2}})
    ng.run(inputs, folder / "out", quick)
    monkeypatch.setattr("napari_gluer.pipeline.records.sha256", None)
    (found,) = plan([inputs], [folder / "out"], quick, 0)
    assert found.finished
    assert "to be skipped" in found.text
    (found,) = plan([inputs], [folder / "out"], quick, 1)
    assert not found.finished
    later = (folder / "out" / "run.json").stat().st_mtime + 10
    os.utime(folder / "cells.h5ad", (later, later))
    (found,) = plan([inputs], [folder / "out"], quick, 0)
    assert not found.finished


def test_a_model_is_said_not_to_be_timed(folder: Path) -> None:
    params = ng.PipelineParams(segment={"method": {"kind": "cellpose", "model": "m"}})
    inputs = ng.Inputs(folder / "tissue.ome.tif", folder / "reference.h5ad")
    (found,) = plan([inputs], [folder / "out"], params, 0)
    assert "cellpose was not timed" in found.text


REFERENCE = Size("", rows=5_000, columns=20_000, stored=8_000_000)


def test_more_of_anything_takes_longer_and_needs_more() -> None:
    small = Size("", pixels=10**6, channels=5)
    sizes = [small, Size("", pixels=10**7, channels=5), Size("", pixels=10**8, channels=5)]
    found = [estimate(size, REFERENCE, PARAMS, masks=False) for size in sizes]
    assert [one.seconds for one in found] == sorted(one.seconds for one in found)
    assert [one.bytes for one in found] == sorted(one.bytes for one in found)
    assert estimate(sizes[2], REFERENCE, PARAMS, masks=True).seconds < found[2].seconds
    paper = ng.PipelineParams(integrate={"preset": "paper"})
    assert estimate(small, REFERENCE, paper, masks=False).seconds > found[0].seconds


def test_cells_are_counted_by_area_where_it_is_known() -> None:
    assert cells_in(Size("", pixels=10**6, channels=1, area_mm2=0.25)) == 1000
    assert cells_in(Size("", pixels=10**6, channels=1)) == 500
    assert cells_in(Size("", rows=70, columns=2)) == 70


def test_the_area_is_that_of_the_pixels(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((2, 500, 400), np.uint16), metadata={"axes": "CYX"}
    )
    found = size_of_image(tmp_path / "a.tif", ng.ImageParams(pixel_size_um=(0.5,)))
    assert found.area_mm2 == pytest.approx(0.25 * 0.2)
    assert (found.pixels, found.channels) == (200_000, 2)


MEASURED = {  # docs/benchmarks.md, "Whole runs": seconds and GB
    "MIBI breast": (Size("", pixels=1024**2, channels=41), 11, 0.82),
    "CODEX spleen": (Size("", rows=10_000, columns=28, stored=280_000), 19, 1.16),
    "seqFISH cortex": (Size("", rows=1_597, columns=113, stored=180_000), 15, 0.78),
}


@pytest.mark.parametrize("case", MEASURED)
def test_estimates_are_near_what_was_measured(case: str) -> None:
    size, seconds, gigabytes = MEASURED[case]
    pbmc = Size("", rows=1_372, columns=33_538, stored=2_000_000)
    found = estimate(size, pbmc, PARAMS, masks=False)
    assert seconds / 2 < found.seconds < seconds * 2
    assert gigabytes / 2 < found.bytes / 1e9 < gigabytes * 2


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (720, "12 min"), (12_600, "3.5 h")])
def test_time_is_told_in_its_unit(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
