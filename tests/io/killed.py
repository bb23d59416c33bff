"""Kill a child at random moments while it replaces a file, and look at what it left.

Run as a script: ``python killed.py FOLDER KILLS [KIND ...]``. It imports everything once and
forks, so that a round costs milliseconds. The child writes generations 1, 2, 3 … of the same thing
over each other; after the kill the file must be one whole generation. Prints the generations found
as JSON.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.io.cells import read_cells, write_cells
from napari_gluer.io.geojson_out import write_geojson
from napari_gluer.io.h5ad import checked_table
from napari_gluer.io.labels_files import read_labels
from napari_gluer.io.labels_writing import write_labels
from napari_gluer.io.maps import MapHeader, TrainedMap, load_map, save_map
from napari_gluer.io.tables_out import write_table
from napari_gluer.pipeline.placing import aside_in, placed
from napari_gluer.pipeline.records import UNFINISHED, why_unfinished

N = 60
ROWS = np.arange(1, N + 1)
LABELS = np.repeat(np.repeat(ROWS.reshape(6, 10), 9, 0), 9, 1).astype(np.int32)


def cells_of(generation: int) -> AnnData:
    table = AnnData(
        np.full((N, 40), generation, np.float32),
        obs=pd.DataFrame({"label": ROWS, "generation": generation}, index=ROWS.astype(str)),
    )
    table.layers["raw"] = table.X + ROWS[:, None]
    slots.note(table, kind="intensity", generation=generation)
    return table


def one(values: object) -> int:
    """The one value that all of them have."""
    found = set(np.unique(np.asarray(values)).tolist())
    assert len(found) == 1, f"generations are mixed: {found}"
    return int(found.pop())


def table_of(path: Path) -> int:
    # looking an HDF5 file over takes a process of its own, too slow for hundreds of rounds
    h5ad = path.suffix == ".h5ad"
    cells = checked_table(anndata.read_h5ad(path), path.name) if h5ad else read_cells(path)
    generation = one(cells.X)
    assert one(cells.obs["generation"]) == generation
    assert one(np.asarray(cells.layers["raw"]) - ROWS[:, None]) == generation
    assert slots.info(cells)["generation"] == generation
    return generation


def labels_of(path: Path) -> int:
    found = np.asarray(read_labels(path)).astype(np.int64)
    generation = int(found[0, 0]) - 1
    np.testing.assert_array_equal(found, LABELS + generation)
    return generation


def features_of(path: Path) -> int:
    features = json.loads(path.read_text())["features"]
    assert len(features) == N
    return one([one["properties"]["measurements"]["generation"] for one in features])


def map_of(generation: int) -> TrainedMap:
    header = MapHeader(
        software="1", features={"A": ["A"], "B": ["B"]}, kind="counts", normalised=False,
        reference_fingerprint="", n_reference=3, params={}, seed=generation, shares=(0.0, 0.0),
        scale=1.0, network={}, least_linked=1, provenance={}, outcome="",
    )  # fmt: skip
    names = ("space", "unmapped", "scores", "usable")
    arrays = {f"reference_{name}": np.full((3, 2), generation, "f4") for name in names}
    arrays |= {"anchored_reference": np.ones(3, bool), "directions": np.full((2, 2), 1.0)}
    return TrainedMap(header, arrays | {"cell_mean": np.ones(2), "cell_spread": np.ones(2)})


def generation_of_map(path: Path) -> int:
    found = load_map(path)
    assert one(found.arrays["reference_space"]) == found.header.seed
    return found.header.seed


def write_run(folder: Path, generation: int) -> None:
    """A whole run folder, moved into place as `napari_gluer.run` does."""
    with aside_in(folder) as aside:
        write_cells(cells_of(generation), aside / "cells.h5ad")
        write_labels(LABELS + generation, aside / "labels.ome.tif")
        picture = f"gene_{generation % 3}.png"  # another gene than the run before
        (aside / picture).write_text(str(generation))
        names = ["cells.h5ad", "labels.ome.tif", picture, "run.json"]
        (aside / "run.json").write_text(json.dumps({"files": names, "generation": generation}))
        placed(aside, folder)


def generation_of_run(folder: Path) -> int:
    """Each file is whole; where there is a record, all of them are of its run."""
    found = [table_of(folder / "cells.h5ad"), labels_of(folder / "labels.ome.tif")]
    record = folder / "run.json"
    if not record.exists():
        assert why_unfinished(folder), "a folder of mixed files does not say so"
        return max(found)
    known = json.loads(record.read_text())
    told = int(known["generation"])
    inside = {path.name for path in folder.iterdir() if path.name[0] != "."}
    assert inside - {UNFINISHED} == set(known["files"])
    assert found == [told, told], f"the record is of {told}, the files of {found}"
    return told


Write, Read = Callable[[Path, int], object], Callable[[Path], int]
KINDS: dict[str, tuple[str, Write, Read]] = {
    "h5ad": ("c.h5ad", lambda path, g: write_cells(cells_of(g), path), table_of),
    "zarr": ("c.zarr", lambda path, g: write_cells(cells_of(g), path), table_of),
    "zip": ("c.zarr.zip", lambda path, g: write_cells(cells_of(g), path), table_of),
    "csv": (
        "c.csv.gz",
        lambda path, g: write_table(cells_of(g), path),
        lambda path: one(pd.read_csv(path)["generation"]),
    ),
    "parquet": (
        "c.parquet",
        lambda path, g: write_table(cells_of(g), path),
        lambda path: one(pd.read_parquet(path)["generation"]),
    ),
    "geojson": (
        "c.geojson",
        lambda path, g: write_geojson(cells_of(g), LABELS, path),
        features_of,
    ),
    "tiff": ("l.ome.tif", lambda path, g: write_labels(LABELS + g, path), labels_of),
    "ome-zarr": ("l.zarr", lambda path, g: write_labels(LABELS + g, path), labels_of),
    "map": ("m.safetensors", lambda path, g: save_map(map_of(g), path), generation_of_map),
    "run": ("run", write_run, generation_of_run),
}


def in_a_child(work: Callable[[], object]) -> int:
    """Number of a child that does the work; its result, if it ends, goes to a file."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def done_in_a_child(work: Callable[[], object]) -> None:
    """Wait for it: the parent keeps no threads and locks, which a fork would break."""
    _, status = os.waitpid(in_a_child(work), 0)
    assert status == 0, "the file is broken (see above)"


def rounds(kind: str, folder: Path, kills: int) -> list[int]:
    """Generations that were found after each kill."""
    name, write, read = KINDS[kind]
    path, said = folder / name, folder / "found.txt"
    done_in_a_child(lambda: [write(path, 1), write(path, 2)])
    begun = time.perf_counter()
    done_in_a_child(lambda: write(path, 3))
    took = time.perf_counter() - begun
    drawn, generations = np.random.default_rng(sum(kind.encode())), [3]
    for _ in range(kills):
        first = generations[-1] + 1
        child = in_a_child(lambda: [write(path, g) for g in range(first, first + 1000)])  # noqa: B023
        time.sleep(drawn.uniform(0, 2.5 * min(took, 0.2)))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        done_in_a_child(lambda: said.write_text(str(read(path))))
        generations.append(int(said.read_text()))
        assert generations[-1] >= first - 1, f"back from {first - 1} to {generations[-1]}"
        for left in folder.glob(".*"):  # what killed children leave is hidden; make room
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return generations


def main(folder: Path, kills: int, kinds: list[str]) -> None:
    found = {}
    for kind in kinds or list(KINDS):
        (folder / kind).mkdir(parents=True)
        found[kind] = rounds(kind, folder / kind, kills)
        print(json.dumps(found), flush=True)  # noqa: T201 - how the parent is answered


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
