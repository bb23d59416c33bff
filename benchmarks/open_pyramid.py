# ruff: noqa: TID251 - it measures napari's window
"""Opens a 20,000 × 20,000 six-channel pyramidal OME-TIFF in napari by our reader, and measures.

Run: ``tools/with_display .venv/bin/python benchmarks/open_pyramid.py [side] [channels]``

The file is written to a temporary folder (about 1 GB for the default). The start of napari is not
counted; memory is that of the process beyond what it had with an empty window.
"""

import json
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import napari
import numpy as np
import tifffile
from qtpy.QtWidgets import QApplication

from napari_gluer._napari.reader import get_reader

TILE = 512
LEVELS = 6


def plane(side: int, channel: int, factor: int) -> np.ndarray:
    """Cells of 24 px on a slow gradient with noise of a camera's last bits; thinned by `factor`."""
    at = np.arange(0, side, factor)
    y, x = np.meshgrid(at, at, indexing="ij", sparse=True)
    cells = ((y // 12 + x // 12 + channel) % 2) * ((y // 24 * 7 + x // 24 * 13) % 97) * 40
    noise = (y * 31 + x * 17 + channel) % 7
    return (cells + noise + (y + x) // 200 + 100).astype(np.uint16)


def write(path: Path, side: int, channels: int) -> None:
    names = [f"Marker {i}" for i in range(channels)]
    metadata = {
        "axes": "CYX", "Channel": {"Name": names}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5,
    }  # fmt: skip
    options = {"tile": (TILE, TILE), "compression": "zlib", "compressionargs": {"level": 1}}
    options |= {"photometric": "minisblack", "maxworkers": 2}
    with tifffile.TiffWriter(path, bigtiff=True) as tif:
        for level in range(LEVELS):
            factor = 2**level
            shape = (channels, *(len(range(0, side, factor)),) * 2)
            planes = (plane(side, i, factor) for i in range(channels))
            first = {"subifds": LEVELS - 1, "metadata": metadata} if level == 0 else {}
            tif.write(
                tiles(planes), shape=shape, dtype="u2", **options,
                **(first or {"subfiletype": 1, "metadata": None}),
            )  # fmt: skip


def tiles(planes):
    for one in planes:
        for y in range(0, one.shape[0], TILE):
            for x in range(0, one.shape[1], TILE):
                yield np.ascontiguousarray(one[y : y + TILE, x : x + TILE])


def megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def peak_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def drawn(viewer: napari.Viewer) -> np.ndarray:
    QApplication.processEvents()
    return viewer.screenshot(canvas_only=True, flash=False)


def main(side: int, channels: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slide.ome.tif"
        written = get_context("spawn").Process(target=write, args=(path, side, channels))
        written.start()  # in a process of its own, whose memory is not counted
        written.join()
        viewer = napari.Viewer()
        drawn(viewer)
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the start
        before = megabytes()
        start = time.perf_counter()
        reader = get_reader(str(path))
        assert reader is not None
        layers = reader(str(path))
        opened = time.perf_counter() - start
        added = viewer.open(str(path), plugin="napari-gluer")
        picture = drawn(viewer)
        shown = time.perf_counter() - start - opened
        after, peak = megabytes(), peak_megabytes()
        start = time.perf_counter()
        viewer.scene.camera.zoom = 4
        zoomed_picture = drawn(viewer)
        zoomed = time.perf_counter() - start
        assert picture[..., :3].any()
        assert zoomed_picture[..., :3].any()
        found = {
            "file_MB": round(path.stat().st_size / 2**20),
            "layers": len(added),
            "read_layers": len(layers),
            "open_s": round(opened, 2),
            "open_and_show_s": round(shown, 2),
            "extra_MB": round(after - before),
            "extra_peak_MB": round(peak - before),
            "zoom_s": round(zoomed, 2),
            "extra_MB_zoomed": round(megabytes() - before),
        }
        print(json.dumps(found))
        viewer.close()


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:]]
    main(*(numbers + [20_000, 6][len(numbers) :]))
