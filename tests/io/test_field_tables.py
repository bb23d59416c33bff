"""Counts and centroids field by field, as SeqFISH+ was published."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.io.cells import read_cells, write_cells
from napari_gluer.io.field_tables import read_field_tables

COUNTS = """1700022a21rik,Gad1,Blank1
0,3,1
2,0,0
0,0,4
1,1,0
"""
CENTROIDS = """Field of View,Cell ID,X,Y,Region
0,1,632.5,737.25,Cortex
0,2,772.0,216.5,Cortex
1,1,100.0,50.0,SVZ
1,4,1900.0,2000.0,SVZ
"""


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    return (
        written(tmp_path, COUNTS, "cortex_svz_counts.csv"),
        written(tmp_path, CENTROIDS, "cortex_svz_cellcentroids.csv"),
    )


def written(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_published_layout(tables: tuple[Path, Path]) -> None:
    cells = read_field_tables(*tables)
    np.testing.assert_array_equal(cells.X.toarray(), [[0, 3, 1], [2, 0, 0], [0, 0, 4], [1, 1, 0]])
    assert cells.X.dtype == np.float32
    assert list(cells.var_names) == ["1700022a21rik", "Gad1", "Blank1"]
    assert list(cells.var["role"]) == ["marker", "marker", "blank"]
    assert list(cells.obs["fov"]) == [0, 0, 1, 1]
    assert list(cells.obs["cell_id"]) == [1, 2, 1, 4]
    assert list(cells.obs["label"]) == [1, 2, 3, 4]  # the id 1 is in both fields
    assert list(cells.obs["region"]) == ["Cortex", "Cortex", "SVZ", "SVZ"]
    assert list(cells.obs["x_in_field"]) == [632.5, 772, 100, 1900]
    about = slots.info(cells)
    assert about["numbered"] is True
    assert (about["kind"], about["spatial_unit"]) == ("counts", "px")
    assert about["path"].endswith("cortex_svz_counts.csv")


def test_fields_of_unknown_places_lie_apart_and_it_is_said(tables: tuple[Path, Path]) -> None:
    cells = read_field_tables(*tables)
    x, y = cells.obsm["spatial"].T
    # each from its first cell; the second field a tenth of 1800 beyond the widest
    np.testing.assert_allclose(x, [0, 139.5, 1980, 3780])
    np.testing.assert_allclose(y, [520.75, 0, 0, 1950])
    said = slots.info(cells)["fields"]
    assert (said["fields"], said["stitched"]) == (["0", "1"], False)
    assert "offsets are not given" in said["outcome"]
    assert "distances between fields mean nothing" in said["outcome"]


def test_offsets_put_fields_on_the_tissue(tables: tuple[Path, Path], tmp_path: Path) -> None:
    offsets = written(tmp_path, "field,x_offset,y_offset\n1,2048,-10\n0,0,5\n", "offsets.csv")
    cells = read_field_tables(*tables, offsets=offsets, pixel_size_um=0.5)
    np.testing.assert_allclose(
        cells.obsm["spatial"],
        np.array([[632.5, 742.25], [772, 221.5], [2148, 40], [3948, 1990]]) * 0.5,
    )
    about = slots.info(cells)
    assert about["spatial_unit"] == "um"
    assert about["fields"]["stitched"] is True
    assert about["fields"]["outcome"] == "4 cells of 2 fields of view, at the offsets given."


def test_one_file_a_field(tmp_path: Path) -> None:
    counts = [written(tmp_path, f"A,B\n{i},1\n0,{i}\n", f"c{i}.csv") for i in (1, 2)]
    places = [written(tmp_path, f"Cell ID,X,Y\n{i}0,1,2\n{i}1,3,4\n", f"p{i}.csv") for i in (1, 2)]
    cells = read_field_tables(counts, places)
    assert list(cells.obs["fov"]) == [0, 0, 1, 1]
    assert list(cells.obs["label"]) == [10, 11, 20, 21]  # no id twice: they are the labels
    assert "numbered" not in slots.info(cells)
    np.testing.assert_array_equal(cells.X.toarray(), [[1, 1], [0, 1], [2, 1], [0, 2]])
    assert slots.info(cells)["path"] == [str(path) for path in counts]
    with pytest.raises(InputError, match="2 tables of counts and 1 of centroids"):
        read_field_tables(counts, places[:1])
    other = written(tmp_path, "A,C\n1,1\n0,2\n", "other.csv")
    with pytest.raises(InputError, match="differ in their genes"):
        read_field_tables([counts[0], other], places)


def test_one_field_stays_where_it_is(tmp_path: Path) -> None:
    counts = written(tmp_path, "Cell ID,A,B\n5,1,0\n9,0,1\n", "counts.csv.gz"[:10] + ".csv")
    places = written(tmp_path, "FOV,Cell ID,X,Y,Z\n3,5,1.5,2,7\n3,9,4,5,8\n", "centroids.csv")
    cells = read_field_tables(counts, places)
    assert list(cells.var_names) == ["A", "B"]
    np.testing.assert_array_equal(cells.obsm["spatial"], [[1.5, 2, 7], [4, 5, 8]])
    assert slots.info(cells)["fields"]["outcome"] == "2 cells of field of view 3."


def test_the_table_is_written_and_read_again(tables: tuple[Path, Path], tmp_path: Path) -> None:
    cells = read_field_tables(*tables)
    write_cells(cells, tmp_path / "cells.h5ad")
    again = read_cells(tmp_path / "cells.h5ad")
    assert (again.X != cells.X).nnz == 0
    assert list(again.obs["label"]) == [1, 2, 3, 4]
    assert slots.info(again)["fields"] == slots.info(cells)["fields"]


def test_nothing_is_lost_among_many_cells(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    counts = pd.DataFrame(random.poisson(0.3, (200, 50)), columns=[f"G{i}" for i in range(50)])
    places = pd.DataFrame(
        {
            "Field of View": np.repeat(np.arange(8), 25),
            "Cell ID": np.tile(np.arange(1, 26), 8),
            "X": random.uniform(0, 2048, 200),
            "Y": random.uniform(0, 2048, 200),
        }
    )
    counts.to_csv(tmp_path / "counts.csv.gz", index=False)
    places.to_csv(tmp_path / "centroids.csv.gz", index=False)
    cells = read_field_tables(tmp_path / "counts.csv.gz", tmp_path / "centroids.csv.gz")
    np.testing.assert_array_equal(cells.X.toarray(), counts)
    assert cells.obs["label"].is_unique
    for _, own in places.groupby("Field of View"):
        inside = cells.obsm["spatial"][own.index]
        moved = inside - own[["X", "Y"]].to_numpy()
        np.testing.assert_allclose(moved, np.tile(moved[0], (25, 1)))  # distances are kept
    spans = [(part[:, 0].min(), part[:, 0].max()) for part in np.split(cells.obsm["spatial"], 8)]
    assert all(end < start for (_, end), (start, _) in pairwise(spans))


BAD = {
    "rows": (COUNTS + "0,0,0\n", CENTROIDS, "5 rows, and 4 cells have centroids"),
    "turned": ("gene,a,b,c,d\nA,1,0,0,0\nB,1,2,3,4\n", CENTROIDS, "2 rows, and 4 cells"),
    "genes first": (
        "index,a,b,c,d\nA,1,0,0,0\nB,1,2,3,4\n",
        CENTROIDS,
        "seems to be genes × cells",
    ),
    "text": (COUNTS.replace("0,3,1", "0,x,1"), CENTROIDS, "columns Gad1 hold text"),
    "negative": (COUNTS.replace("0,3,1", "0,-3,1"), CENTROIDS, "1 of 12 values are no counts"),
    "fraction": (COUNTS.replace("0,3,1", "0,.5,1"), CENTROIDS, "1 of 12 values are no counts"),
    "missing": (COUNTS.replace("0,3,1", "0,,1"), CENTROIDS, "1 of 12 values are no counts"),
    "no x": (COUNTS, CENTROIDS.replace("X", "Q"), "no column for x; it has Field of View"),
    "text in x": (COUNTS, CENTROIDS.replace("772.0", "?"), r"1 of 4 values in column 'X'.*row 2"),
    "repeated": (COUNTS, CENTROIDS.replace("0,2", "0,1"), r"field 0, cell 1.*unique within"),
    "empty": ("", CENTROIDS, "cannot be read as a table"),
    "no cells": (COUNTS, CENTROIDS.splitlines()[0] + "\n", "holds no cell"),
    "ragged": (COUNTS + "1,2,3,4,5\n", CENTROIDS, "cannot be read as a table"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_refused(tmp_path: Path, case: str) -> None:
    counts, centroids, said = BAD[case]
    with pytest.raises(InputError, match=said):
        read_field_tables(
            written(tmp_path, counts, "counts.csv"), written(tmp_path, centroids, "centroids.csv")
        )


@pytest.mark.parametrize(
    ("offsets", "said"),
    [
        ("field,x_offset,y_offset\n0,0,0\n", "no offset for field 1"),
        ("field,x_offset,y_offset\n0,0,0\n1,1,1\n1,2,2\n", "more than one offset"),
        ("field,left,top\n0,0,0\n", "needs columns field, x_offset and y_offset"),
        ("field,x_offset,y_offset\n0,0,0\n1,a,0\n", "row 2: 'a'"),
    ],
)
def test_bad_offsets_are_refused(
    tables: tuple[Path, Path], tmp_path: Path, offsets: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read_field_tables(*tables, offsets=written(tmp_path, offsets, "offsets.csv"))


def test_missing_files_are_named(tables: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match=r"There is no file .*none\.csv"):
        read_field_tables(tables[0], tables[1].with_name("none.csv"))
    with pytest.raises(InputError, match="No table is given"):
        read_field_tables([], [])
