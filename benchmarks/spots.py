"""Ten million spots from csv.gz and parquet, and their assignment to 10,000 × 10,000 labels.

Run ``python benchmarks/spots.py`` (Linux); ``--spots`` and ``--side`` make it smaller. The files
are made in a temporary folder; every reading runs in a process of its own, whose peak of memory is
measured.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import zarr

import napari_gluer as ng

_CELL = 50  # pixels from one cell to the next
_GENES = 500
_PART = 500_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spots", type=int, default=10_000_000)
    parser.add_argument("--side", type=int, default=10_000)
    parser.add_argument("--child", nargs=3, metavar=("TABLE", "LABELS", "KIND"))
    words = parser.parse_args()
    if words.child:
        table, labels, kind = words.child
        print(json.dumps(child(Path(table), Path(labels), kind)))
        return
    with tempfile.TemporaryDirectory() as folder:
        labels = make_labels(Path(folder), words.side)
        make_tables(Path(folder), words.spots, words.side)
        print(f"{words.spots:,} spots, labels {words.side} × {words.side}\n")
        print("| table | MB | read, s | peak while reading, GB | labels | assign, s | peak, GB |")
        print("|---|---|---|---|---|---|---|")
        for name, kind in (
            ("spots.csv.gz", "memory"),
            ("spots.parquet", "memory"),
            ("spots.parquet", "zarr"),
        ):
            print(line(Path(folder) / name, labels, kind), flush=True)


def line(table: Path, labels: Path, kind: str) -> str:
    words = [sys.executable, __file__, "--child", str(table), str(labels), kind]
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603
    said = json.loads(done.stdout.splitlines()[-1])
    size = table.stat().st_size / 1e6
    return (
        f"| {table.name} | {size:.0f} | {said['read']:.1f} | {said['read_peak']:.2f} | {kind} | "
        f"{said['assign']:.1f} | {said['peak']:.2f} |"
    )


def child(table: Path, labels: Path, kind: str) -> dict[str, float]:
    """Read and assign, from a cold start; a small run first compiles what numba compiles."""
    one = pd.DataFrame({"gene": ["A"], "x": [0.0], "y": [0.0]})
    ng.assign_spots(one, np.ones((2, 2), np.int32))
    start = time.perf_counter()
    spots = ng.read_spots(table)
    read = time.perf_counter() - start
    read_peak = peak()
    array = zarr.open_array(str(labels), mode="r")
    opened = array[:] if kind == "memory" else array
    start = time.perf_counter()
    cells = ng.assign_spots(spots, opened)
    assign = time.perf_counter() - start
    said = cells.uns["gluer"]["spots"]
    assert said["orientation"] == "y flipped", said["outcome"]
    assert said["agreeing"] == 1.0, said["outcome"]
    return {"read": read, "read_peak": read_peak, "assign": assign, "peak": peak()}


def peak() -> float:
    """Largest memory of this process so far, GB; getrusage would count its parent's too."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e9


def make_labels(folder: Path, side: int) -> Path:
    """Squares of 40 × 40 pixels on a grid, numbered from 1, in chunks of 1,024 pixels."""
    rows, columns = np.ogrid[:side, :side]
    numbers = (rows // _CELL) * (side // _CELL + 1) + columns // _CELL + 1
    inside = (rows % _CELL < 40) & (columns % _CELL < 40)
    array = zarr.create_array(
        str(folder / "labels.zarr"), shape=(side, side), chunks=(1024, 1024), dtype="int32"
    )
    array[:] = np.where(inside, numbers, 0).astype(np.int32)
    return folder / "labels.zarr"


def make_tables(folder: Path, spots: int, side: int) -> None:
    """The same spots as Xenium would name them, in pixels, y counted from the last row."""
    random = np.random.default_rng(0)
    genes = np.array([f"GENE{i}" for i in range(_GENES)])
    with (
        pa.CompressedOutputStream(str(folder / "spots.csv.gz"), "gzip") as stream,
        pq.ParquetWriter(folder / "spots.parquet", schema()) as parquet,
        pa_csv.CSVWriter(stream, schema()) as text,
    ):
        for start in range(0, spots, _PART):
            part = batch(random, genes, min(_PART, spots - start), side, start)
            text.write(part)
            parquet.write(part)


def schema() -> pa.Schema:
    numbers = {name: pa.float64() for name in ("x", "y", "z", "qv")}
    return pa.schema(
        {"transcript_id": pa.int64(), "cell_id": pa.int64(), "gene": pa.string(), **numbers}
    )


def batch(
    random: np.random.Generator, genes: np.ndarray, spots: int, side: int, start: int
) -> pa.Table:
    # clear of pixel borders, so that all must agree
    columns, rows = random.integers(0, side, (2, spots))
    cells = (rows // _CELL) * (side // _CELL + 1) + columns // _CELL + 1
    inside = (rows % _CELL < 40) & (columns % _CELL < 40)
    x = columns + random.uniform(-0.4, 0.4, spots)
    y = side - 1 - rows + random.uniform(-0.4, 0.4, spots)
    values = [
        np.arange(start, start + spots),
        np.where(inside, cells, 0),
        genes[random.integers(0, _GENES, spots)],
        x.round(3),
        y.round(3),
        random.uniform(0, 20, spots).round(2),
        random.uniform(0, 40, spots).round(1),
    ]
    return pa.table([pa.array(one) for one in values], schema=schema())


if __name__ == "__main__":
    main()
