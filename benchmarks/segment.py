"""Segmentation: agreement with given masks, and time and memory of big images.

Run ``python benchmarks/segment.py [quality] [tiles] [big] [--side 20000]``; all three by default.
Prints Markdown. ``big`` makes an image of `side` pixels a side (uint16, zarr) in a temporary
folder, about 0.8 GB at 20,000, and measures in a fresh process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr

from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.nuclei import segment
from napari_gluer.segmentation.scores import f1_score
from napari_gluer.tiles import TileParams

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data"))
PIECE = 1000  # side of the piece that is repeated, pixels
NUCLEI = 500  # of a piece: 200,000 at 20,000 pixels a side


def quality() -> None:
    stardist, mibi = SHARED / "nuclei_stardist", SHARED / "mibi_dcis_simpleseg"
    mif = SHARED / "mif_fihc4_phenoptr/FIHC4__0929309_HP_IM3_2_"
    field = "Point2203_pt1072_31606"
    alone = (None, None)
    cases = {
        "DSB2018, 512 × 512 (by hand)": (
            stardist / "img2d.tif",
            stardist / "mask2d.tif",
            alone,
        ),
        "DSB2018, 256 × 256 (by hand)": (
            stardist / "tests_img2d.tif",
            stardist / "tests_mask2d.tif",
            alone,
        ),
        "stack, synthetic": (stardist / "img3d.tif", stardist / "mask3d.tif", alone),
        "MIBI, agreement with simpleSeg": (
            mibi / field / "HH3.tif",
            mibi / f"{field}_mask_simpleseg.tif",
            alone,
        ),
        "mIF DAPI, agreement with inForm": (
            Path(f"{mif}component_data.tif"),
            Path(f"{mif}binary_seg_maps.tif"),
            (3, 1),
        ),
    }
    print("| image | found | given | F1 at IoU 0.3 | 0.5 | 0.7 |\n|---|---|---|---|---|---|")
    for name, (picture, mask, keys) in cases.items():
        pixels = tifffile.imread(picture, key=keys[0])
        truth = tifffile.imread(mask, key=keys[1]).astype(np.int64)
        labels = segment(MultiplexImage(pixels[np.newaxis], ["DAPI"]))
        scores = " | ".join(f"{f1_score(labels, truth, iou):.3f}" for iou in (0.3, 0.5, 0.7))
        print(f"| {name} | {labels.max()} | {len(np.unique(truth)) - 1} | {scores} |")


def piece() -> np.ndarray:
    """A piece of tissue: elliptic nuclei of mixed brightness, many touching, Poisson noise."""
    rng = np.random.default_rng(0)
    pixels = np.full((PIECE, PIECE), 100.0)
    window = np.indices((33, 33)) - 16
    for _ in range(NUCLEI):
        y, x = rng.integers(0, PIECE, 2)
        angle, long, short = rng.uniform(0, np.pi), rng.uniform(8, 11), rng.uniform(6, 9)
        along = window[0] * np.sin(angle) + window[1] * np.cos(angle)
        across = window[0] * np.cos(angle) - window[1] * np.sin(angle)
        inside = (along / long) ** 2 + (across / short) ** 2 <= 1
        rows, columns = (np.arange(-16, 17) + n for n in (y, x))
        at = np.ix_(rows % PIECE, columns % PIECE)
        pixels[at] = np.where(inside, np.maximum(pixels[at], rng.uniform(400, 1600)), pixels[at])
    return rng.poisson(pixels).astype(np.uint16)


def write_image(folder: Path, side: int) -> Path:
    path = folder / "image.zarr"
    array = zarr.create_array(path, shape=(1, side, side), dtype="uint16", chunks=(1, PIECE, PIECE))
    block = piece()
    for row in range(0, side, PIECE):
        for column in range(0, side, PIECE):
            turned = np.roll(block, (row // 7 % PIECE, column // 3 % PIECE), (0, 1))
            at = (slice(row, min(row + PIECE, side)), slice(column, min(column + PIECE, side)))
            array[(0, *at)] = turned[: side - row, : side - column]
    return path


def measured(path: Path, tile_side: int, store: Path | None) -> dict[str, Any]:
    """Seconds, peak memory in GB and number of cells, in a process of its own."""
    arguments = [sys.executable, __file__, "child", "--image", str(path)]
    arguments += ["--tile-side", str(tile_side)]
    arguments += ["--store", str(store)] if store else []
    told = subprocess.run(arguments, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found


def child(path: Path, tile_side: int, store: Path | None) -> None:
    warm = np.random.default_rng(0).poisson(np.kron(np.eye(4), np.full((20, 20), 99)) + 9)
    segment(MultiplexImage(warm[np.newaxis], ["DAPI"]))  # compiles
    image = MultiplexImage(zarr.open_array(path, mode="r"), ["DAPI"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    labels = segment(image, tiles=TileParams(side=tile_side), store=store)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = range(0, labels.shape[0], 2000)
    cells = max(int(np.asarray(labels[row : row + 2000]).max()) for row in rows)
    parts = {"seconds": seconds, "peak": peak / 2**20, "before": before / 2**20, "cells": cells}
    print(json.dumps(parts))


def tiles(folder: Path) -> None:
    path = write_image(folder, 4000)
    print("| 4,000 × 4,000 | seconds | peak memory (GB) | cells |\n|---|---|---|---|")
    for name, side in (("one tile", 4000), ("tiles of 2,000", 2000), ("tiles of 1,000", 1000)):
        found = measured(path, side, None)
        print(f"| {name} | {found['seconds']:.1f} | {found['peak']:.2f} | {found['cells']:,} |")


def big(folder: Path, side: int) -> None:
    path = write_image(folder, side)
    found = measured(path, 0, folder / "store")
    again = measured(path, 0, folder / "store")
    print("| image | seconds | peak memory (GB) | before (GB) | cells | again, finished (s) |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {side:,} × {side:,} uint16 into zarr | {found['seconds']:.0f} | {found['peak']:.2f} | "
        f"{found['before']:.2f} | {found['cells']:,} | {again['seconds']:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["quality", "tiles", "big"])
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--tile-side", type=int, default=0)
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    if given.what == ["child"]:
        child(given.image, given.tile_side, given.store)
        return
    with tempfile.TemporaryDirectory() as name:
        steps = {
            "quality": quality,
            "tiles": lambda: tiles(Path(name) / "tiles"),
            "big": lambda: big(Path(name) / "big", given.side),
        }
        for what in given.what:
            (Path(name) / what).mkdir(exist_ok=True)
            steps[what]()
            print(flush=True)


if __name__ == "__main__":
    main()
