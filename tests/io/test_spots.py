"""Tables of spots: what is read, kept and refused."""

import bz2
import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io import spot_tables
from napari_gluer.io.labels_files import read_labels
from napari_gluer.io.spot_columns import SpotParams
from napari_gluer.io.spots import read_spots

COSMX = """fov,cell_ID,x_local_px,y_local_px,z,target
2,0,4829.825,3045.83,2,P2RY12
2,12,5335.5,3085.25,1,NegPrb3
3,9223372036854775807,4902.0,3207.0,0,CD34
"""


def written(folder: Path, text: str, name: str = "spots.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def frame(**columns: object) -> pd.DataFrame:
    """Spots with columns of Xenium."""
    rows = len(next(iter(columns.values())))  # type: ignore[arg-type]
    given_columns = {
        "feature_name": [f"G{i % 3}" for i in range(rows)],
        "x_location": np.arange(rows) * 0.85,
        "y_location": np.arange(rows) * 0.2125,
    }
    return pd.DataFrame(given_columns | columns)


def test_a_table_of_cosmx(tmp_path: Path) -> None:
    path = written(tmp_path, COSMX)
    spots = read_spots(path)
    assert list(spots.columns) == ["gene", "x", "y", "z", "cell", "fov"]
    assert spots["gene"].tolist() == ["P2RY12", "NegPrb3", "CD34"]
    assert spots["gene"].cat.categories.tolist() == ["CD34", "NegPrb3", "P2RY12"]
    np.testing.assert_array_equal(spots["x"], [4829.825, 5335.5, 4902.0])
    np.testing.assert_array_equal(spots["y"], [3045.83, 3085.25, 3207.0])
    np.testing.assert_array_equal(spots["z"], [2, 1, 0])
    assert spots["cell"].dtype == np.int64
    assert spots["cell"].tolist() == [0, 12, 2**63 - 1]
    assert spots["fov"].tolist() == [2, 2, 3]
    about = spots.attrs
    assert about["columns"] == {
        "gene": "target",
        "x": "x_local_px",
        "y": "y_local_px",
        "z": "z",
        "cell": "cell_ID",
        "fov": "fov",
    }
    assert (about["unit"], about["frame"], about["pixel_size_um"]) == ("px", "local", 0)
    assert about["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert about["outcome"].startswith(
        "3 spots of 3 genes: gene from 'target', x from 'x_local_px'"
    )


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.csv.bz2", "t.txt", "t.parquet"])
def test_all_kinds_of_file_give_the_same(tmp_path: Path, name: str) -> None:
    table = frame(
        cell_id=["aaab-1", "UNASSIGNED", "aaab-1", "aaac-1"],
        qv=[40.0, 12.5, 20.0, 3.0],
        fov_name=["A1", "A1", "B2", "B2"],
    )
    path = tmp_path / name
    mark = "\t" if ".tsv" in name or ".txt" in name else ","
    text = table.to_csv(index=False, sep=mark).encode()
    if name.endswith(".parquet"):
        table.to_parquet(path)
    else:
        packed = {".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)
        path.write_bytes(packed(text))
    spots = read_spots(path)
    assert spots["cell"].isna().tolist() == [False, True, False, False]
    assert spots["cell"].cat.categories.tolist() == ["aaab-1", "aaac-1"]
    # 0.85 µm are 4 pixels, and the first begins at 0
    np.testing.assert_allclose(spots["x"], [-0.5, 3.5, 7.5, 11.5], atol=1e-12)
    np.testing.assert_allclose(spots["y"], [-0.5, 0.5, 1.5, 2.5], atol=1e-12)
    assert spots["quality"].tolist() == [40, 12.5, 20, 3]
    assert spots["fov"].tolist() == ["A1", "A1", "B2", "B2"]
    assert spots.attrs["pixel_size_um"] == 0.2125


def test_parquet_with_the_types_of_old_xenium(tmp_path: Path) -> None:
    table = pa.table(
        {
            "feature_name": pa.array([b"A", b"B", b"A"], pa.binary()),
            "x_location": pa.array([1.0, 2.0, 3.0], pa.float32()),
            "y_location": pa.array([1, 2, 3], pa.int16()),
            "cell_id": pa.array([5, -1, None], pa.int32()),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    spots = read_spots(tmp_path / "t.parquet", SpotParams(pixel_size_um=0.5))
    assert spots["gene"].tolist() == ["A", "B", "A"]
    assert spots["x"].tolist() == [1.5, 3.5, 5.5]
    assert spots["cell"].tolist() == [5, 0, 0]


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1", "2.0", "", "-1"], [1, 2, 0, 0]),
        (["7", "NA", "None", "0"], [7, 0, 0, 0]),
        (["9223372036854775807", "1", "1", "1"], [2**63 - 1, 1, 1, 1]),
        (["3", "unassigned", "UNASSIGNED", "4"], [3, 0, 0, 4]),
    ],
)
def test_numbers_of_cells_are_exact_and_none_is_0(
    tmp_path: Path, cells: list[str], read: list[int]
) -> None:
    rows = "\n".join(f"A,1,2,{cell}" for cell in cells)
    spots = read_spots(written(tmp_path, f"gene,x,y,cell\n{rows}\n"))
    assert spots["cell"].dtype == np.int64
    assert spots["cell"].tolist() == read


@pytest.mark.parametrize("cell", ["1.5", "9223372036854775808", "c_1_1"])
def test_cells_that_are_no_numbers_are_names(tmp_path: Path, cell: str) -> None:
    spots = read_spots(written(tmp_path, f"gene,x,y,cell\nA,1,2,{cell}\nA,1,2,0\n"))
    assert spots["cell"].iloc[0] == cell
    assert spots["cell"].isna().tolist() == [False, True]


def test_units_and_origin(tmp_path: Path) -> None:
    path = written(tmp_path, "gene,x,y\nA,10,20\n")
    assert read_spots(path)[["x", "y"]].to_numpy().tolist() == [[10, 20]]
    known = read_spots(path, SpotParams(pixel_size_um=0.5))  # a plain x is then in µm
    assert known[["x", "y"]].to_numpy().tolist() == [[20, 40]]
    assert "divided by 0.5 µm" in known.attrs["outcome"]
    pixels = read_spots(path, SpotParams(pixel_size_um=0.5, unit="px", x0=4, y0=5))
    assert pixels[["x", "y"]].to_numpy().tolist() == [[6, 15]]
    moved = read_spots(path, SpotParams(pixel_size_um=0.5, x0=4, y0=5))  # x0 in the table's unit
    assert moved[["x", "y"]].to_numpy().tolist() == [[12, 30]]
    unknown = read_spots(path, SpotParams(unit="um"))
    assert (unknown.attrs["unit"], unknown["x"].iloc[0]) == ("um", 10)
    assert "the pixel size is not known" in unknown.attrs["outcome"]


def test_quality_and_field_choose_spots_over_many_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spot_tables, "_BLOCK", 4096)
    random = np.random.default_rng(3)
    table = frame(
        qv=random.uniform(0, 40, 2000).round(1),
        fov=random.integers(1, 5, 2000),
        cell_id=random.integers(0, 300, 2000),
    )
    path = written(tmp_path, table.to_csv(index=False))
    parts: list[object] = []

    def track(items: object, _desc: str) -> object:
        for item in items:  # type: ignore[attr-defined]
            parts.append(item)
            yield item

    spots = read_spots(path, SpotParams(least_quality=20, only_fov="2, 4"), track=track)  # type: ignore[arg-type]
    assert len(parts) > 5
    expected = table[(table["qv"] >= 20) & table["fov"].isin([2, 4])]
    assert spots["cell"].tolist() == expected["cell_id"].tolist()
    assert spots["gene"].tolist() == expected["feature_name"].tolist()
    np.testing.assert_allclose(spots["x"], expected["x_location"] / 0.2125 - 0.5)
    assert f"{2000 - len(expected):,} spots left out" in spots.attrs["outcome"]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A", "b", "Ünï", 'with "quotes"', "a,b"]),
            st.floats(-1e9, 1e9),
            st.floats(-1e9, 1e9),
            st.integers(0, 2**63 - 1),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_what_pandas_writes_is_read_exactly(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, float, int]]
) -> None:
    table = pd.DataFrame(rows, columns=["gene", "x", "y", "cell"])
    folder = tmp_path_factory.mktemp("spots")
    table.to_csv(folder / "t.csv.gz", index=False)
    table.to_parquet(folder / "t.parquet")
    for name in ("t.csv.gz", "t.parquet"):
        spots = read_spots(folder / name)
        assert spots["gene"].tolist() == table["gene"].tolist()
        for column in ("x", "y", "cell"):
            np.testing.assert_array_equal(spots[column], table[column])


def test_members_of_gzip_are_read_on(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"gene,x,y\nA,1,2\n") + gzip.compress(b"B,3,4\n"))
    assert read_spots(path)["gene"].tolist() == ["A", "B"]


def test_a_byte_order_mark_and_other_marks_between_values(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfgene; x; y\r\nA;1;2\r\n")
    assert read_spots(path)[["x", "y"]].to_numpy().tolist() == [[1, 2]]


BAD = {
    "gene,x,y\nA,1,2\nB,abc,3\nC,x7,1\n": "2 of 3 values in column 'x'.*row 2: 'abc', row 3: 'x7'",
    "gene,x,y\nA,1,2\nB,,3\n": "1 of 2 values in column 'x'.*row 2: ",
    "gene,x,y\nA,1,nan\nB,1,inf\n": "2 of 2 values in column 'y'.*row 1: .*row 2: 'inf'",
    "gene,x,y\nA,1,2\nB,1,-inf\n": "row 2: '-inf'",
    "gene,x,y,z\nA,1,2,top\n": "column 'z'.*row 1: 'top'",
    "gene,x,y,qv\nA,1,2,good\n": "column 'qv'.*row 1: 'good'",
    "gene,x,y\nA,1,2\n,3,4\n": r"1 of 2 spots have no gene in column 'gene' \(rows 2\)",
    "gene,x,y\nNaN,1,2\nA,3,4\n": "no gene .*rows 1",
    "gene,x,y\n": "column names but no spot",
    "": "is empty",
    "\n": "is empty",
    "gene,x\nA,1\n": "no column for y",
    "gene,x,y\nA,1,2\nB,1\n": "cannot be read.*Expected 3 columns, got 2",
    "gene,x,x,y\nA,1,1,2\n": "2 columns for x",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_tables_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=BAD[text]):
        read_spots(written(tmp_path, text))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"x_location": ["1", "two", "3"]}, "1 of 3 values in column 'x_location'.*row 2: 'two'"),
        ({"x_location": [1.0, np.nan, np.inf]}, "2 of 3 values.*row 2: 'nan', row 3: 'inf'"),
        ({"feature_name": ["A", None, ""]}, "2 of 3 spots have no gene.*rows 2, 3"),
        ({"y_location": [[1], [2], [3]]}, "cannot be read"),
    ],
)
def test_bad_parquet_is_refused(tmp_path: Path, values: dict[str, object], said: str) -> None:
    path = tmp_path / "t.parquet"
    frame(**values).to_parquet(path)
    with pytest.raises(InputError, match=said):
        read_spots(path)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.parquet", "t.csv.bz2"])
@pytest.mark.parametrize("kept", [0, 1, 10, 0.5, 0.999])
def test_files_cut_short_are_refused(tmp_path: Path, name: str, kept: float) -> None:
    table = frame(qv=np.random.default_rng(0).uniform(0, 40, 5000))
    path = tmp_path / name
    if name.endswith(".parquet"):
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        read_spots(path)


def test_the_wrong_kind_of_file_is_refused(tmp_path: Path) -> None:
    for name, content in (
        ("t.parquet", b"gene,x,y\nA,1,2\n"),
        ("t.csv", bytes(range(256)) * 20),
        ("t.csv", b"gene,x,y\n\xff\xfe,1,2\n"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read_spots(tmp_path / name)
    with pytest.raises(InputError, match=r"not a table of spots by its name.*\.parquet"):
        read_spots(written(tmp_path, "gene,x,y\nA,1,2\n", "t.xlsx"))
    with pytest.raises(InputError, match="There is no file"):
        read_spots(tmp_path / "none.csv")


def test_nothing_left_and_no_field_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, COSMX)
    with pytest.raises(InputError, match=r"no spot of 3 is left.*only_fov '7'.*view are 2, 3"):
        read_spots(path, SpotParams(only_fov="7"))
    plain = written(tmp_path, "gene,x,y\nA,1,2\n", "plain.csv")
    with pytest.raises(InputError, match="no column for the field of view"):
        read_spots(plain, SpotParams(only_fov="7"))
    told = read_spots(plain, SpotParams(least_quality=20)).attrs["outcome"]
    assert "no quality column" in told


def test_real_cosmx_equals_pandas(shared_data: Path) -> None:
    path = shared_data / "spots_cosmx_giottodata" / "Lung12_tx_file.csv"
    spots, expected = read_spots(path), pd.read_csv(path)
    assert len(spots) == 25_825
    assert (spots["gene"].astype(str) == expected["target"]).all()
    for ours, theirs in (("x", "x_local_px"), ("y", "y_local_px"), ("cell", "cell_ID")):
        np.testing.assert_array_equal(spots[ours], expected[theirs])


def test_spots_and_outlines_of_xenium_lie_on_the_same_pixels(tmp_path: Path) -> None:
    """Both count µm from the corner of the first pixel; a cell of 2 × 3 pixels holds its spots."""
    um = 0.2125
    corners = np.array([[4, 7], [7, 7], [7, 9], [4, 9]]) * um
    pd.DataFrame(corners, columns=["vertex_x", "vertex_y"]).assign(cell_id="aaab-1").to_parquet(
        tmp_path / "cell_boundaries.parquet"
    )
    labels = read_labels(
        tmp_path / "cell_boundaries.parquet",
        like=MultiplexImage(np.zeros((1, 12, 12), np.uint8), ["DAPI"], um),
    )
    assert_array_equal(np.argwhere(labels), [[y, x] for y in (7, 8) for x in (4, 5, 6)])
    inside = [(4.1, 7.1), (6.9, 8.9), (3.9, 7.5), (7.1, 8.5)]
    rows = "\n".join(f"A,{x * um},{y * um},c-1" for x, y in inside)
    path = written(tmp_path, f"feature_name,x_location,y_location,cell_id\n{rows}\n")
    spots = read_spots(path)
    assert "from the first one's corner" in spots.attrs["outcome"]
    under = labels[np.rint(spots["y"]).astype(int), np.rint(spots["x"]).astype(int)]
    assert under.tolist() == [1, 1, 0, 0]
