"""``napari-gluer hand-over`` as a person types it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import napari_gluer as ng
from napari_gluer.cli import main


@pytest.fixture
def files(typed: Any, tmp_path: Path) -> dict[str, Path]:
    masks = np.arange(11, 101, dtype=np.int32).reshape(9, 10)
    result = ng.integrate(typed.cells, typed.reference)
    paths = {name: tmp_path / f"{name}.h5ad" for name in ("cells", "reference")}
    ng.write_cells(result, paths["cells"])
    typed.reference.write_h5ad(paths["reference"])
    paths["labels"] = tmp_path / "labels.ome.tif"
    ng.write_labels(masks, paths["labels"], 0.5)
    return paths


def test_tables_outlines_and_labels(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["hand-over", str(files["cells"])]
    masks = ["--labels", str(files["labels"])]
    genes = ["GENE30", "--reference", str(files["reference"])]
    assert main([*call, *genes, "--out", str(out / "t.csv")]) == 0
    assert f"90 cells in {out / 't.csv'}" in capsys.readouterr().out
    assert "GENE30 (imputed)" in pd.read_csv(out / "t.csv")
    kind = ["--geojson.object-type", "detection"]
    assert main([*call, "--out", str(out / "t.geojson"), *masks, *kind]) == 0
    features = json.loads((out / "t.geojson").read_text())["features"]
    assert len(features) == 90
    assert features[0]["properties"]["objectType"] == "detection"
    assert main([*call, "--out", str(out / "t.ome.zarr"), *masks]) == 0
    assert ng.open_labels(out / "t.ome.zarr").pixel_size_um == (0.5, 0.5)
    assert main([*call, "--out", str(out / "v"), *masks, "--format", "vitessce"]) == 0
    assert (out / "v" / "vitessce.json").is_file()


def test_what_cannot_be_written_is_said_before_anything_is_read(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hand-over", str(tmp_path / "none.h5ad"), "--out", str(tmp_path / "a.xlsx")]) == 2
    assert "a.xlsx does not say what to write" in capsys.readouterr().err
    cells = str(files["cells"])
    assert main(["hand-over", cells, "--out", str(tmp_path / "a.geojson")]) == 2
    assert "give their labels image" in capsys.readouterr().err
    assert main(["hand-over", cells, "--out", cells]) == 2
    assert "is read by this command" in capsys.readouterr().err
