"""``napari-gluer assign-spots`` as a person would use it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

import napari_gluer as ng
from napari_gluer import cli


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Labels of five cells, and spots whose y counts from the last row."""
    random = np.random.default_rng(0)
    labels = np.zeros((60, 80), np.uint16)
    for number, (top, left) in enumerate([(3, 5), (8, 50), (30, 12), (25, 40), (44, 60)], 1):
        labels[top : top + 12, left : left + 14 + number] = number
    rows, columns = random.integers(0, 60, 900), random.integers(0, 80, 900)
    table = pd.DataFrame(
        {
            "target": random.choice(["CD4", "MS4A1", "NegPrb1"], 900),
            "x_local_px": columns,
            "y_local_px": 59 - rows,
            "cell_ID": labels[rows, columns],
            "fov": 1,
        }
    )
    table.to_csv(tmp_path / "tx.csv.gz", index=False)
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    return tmp_path


def call(folder: Path, *more: str) -> int:
    words = ["assign-spots", folder / "tx.csv.gz", folder / "labels.tif"]
    return cli.main([str(word) for word in (*words, "--out", folder / "cells.h5ad", *more)])


def test_columns_orientation_and_share_are_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(folder) == 0
    said = capsys.readouterr().out
    assert "900 spots of 3 genes: gene from 'target', x from 'x_local_px'" in said
    cells = ng.read_cells(folder / "cells.h5ad")
    labels, table = tifffile.imread(folder / "labels.tif"), pd.read_csv(folder / "tx.csv.gz")
    inside = (table["cell_ID"] > 0).mean()
    assert f"900 spots, {inside:.1%} in cells; laid y flipped; 100.0% agree" in said
    assert "5 cells × 3 genes in " in said
    expected = table[table["cell_ID"] > 0].value_counts(["cell_ID", "target"])
    found = cells.to_df().stack()
    assert {(int(label), gene): n for (label, gene), n in found.items() if n} == dict(expected)
    assert list(cells.obs["volume_px"]) == np.bincount(labels.ravel())[1:].tolist()


def test_flags_fix_what_is_known(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "--flip-y", "no", "--flip-x", "no", "--transpose", "no") == 2
    text = capsys.readouterr().err
    assert "do not lie in the cells" in text
    assert "Traceback" not in text
    assert not (folder / "cells.h5ad").exists()
    assert call(folder, "--flip-y", "yes", "--gene", "target", "--only-fov", "1") == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--gene", "symbol"), "no column 'symbol' for gene; it has target"),
        (("--only-fov", "9"), "no spot of 900 is left"),
        (("--x", "target", "--y", "y_local_px"), "no finite numbers (row 1:"),
        (("--y0", "5000", "--no-compare-cells"), "Most spots fall outside the labels image"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], said: str
) -> None:
    assert call(folder, *flags) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.endswith(" …")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not (folder / "cells.h5ad").exists()


def test_outlines_of_cells_need_their_image(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tifffile.imread(folder / "labels.tif")
    boxes = []
    for number in range(1, 6):
        rows, columns = np.nonzero(labels == number)
        top, left, low, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
        ring = [(left, top), (right, top), (right, low), (left, low), (left, top)]
        ring = [[int(x), int(y)] for x, y in ring]
        shape = {"type": "Polygon", "coordinates": [ring]}
        boxes.append({"type": "Feature", "geometry": shape, "properties": {"label": number}})
    cells = {"type": "FeatureCollection", "features": boxes}
    (folder / "cells.geojson").write_text(json.dumps(cells))
    words = ["assign-spots", folder / "tx.csv.gz", folder / "cells.geojson", "--out"]
    words = [str(word) for word in (*words, folder / "drawn.h5ad")]
    assert cli.main(words) == 2
    assert "say which image they belong to" in capsys.readouterr().err
    assert cli.main([*words, "--image", str(folder / "labels.tif")]) == 0
    assert call(folder) == 0
    drawn, given = (ng.read_cells(folder / f"{name}.h5ad") for name in ("drawn", "cells"))
    assert drawn.X.sum() > 100
    assert (drawn.X != given.X).nnz == 0


def test_regions_leave_out_cells(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ring = [[0, 0], [35, 0], [35, 60], [0, 60], [0, 0]]
    area = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (folder / "left.geojson").write_text(json.dumps(area))
    assert call(folder, "--regions", str(folder / "left.geojson")) == 0
    assert "; 3 cells outside the regions left out." in capsys.readouterr().out
    cells = ng.read_cells(folder / "cells.h5ad")
    assert list(cells.obs["label"]) == [1, 3]
    assert cells.uns["gluer"]["spots"]["outside_regions"] == 3
    assert call(folder) == 0
    every = ng.read_cells(folder / "cells.h5ad")
    assert every.uns["gluer"]["spots"]["outside_regions"] == 0
    np.testing.assert_array_equal(every["3"].X.toarray(), cells["3"].X.toarray())
