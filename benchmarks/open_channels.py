# ruff: noqa: TID251 - it measures napari's window
"""How long opening an image of 41 channels keeps napari's window from answering.

Run: ``tools/with_display .venv/bin/python benchmarks/open_channels.py [file]``

Without a file one of 41 channels, 1024 × 1024, is made in a temporary folder. ``all_at_once`` is
what a script gets (and what the window did before): every layer in one go. ``in_use`` is what a
person gets: the visible channels first, the hidden ones in the pauses.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import napari
import numpy as np
import tifffile
from qtpy.QtCore import QEventLoop, QTimer

CHANNELS, SIDE = 41, 1024


def made(folder: str) -> str:
    planes = np.random.default_rng(0).integers(0, 255, (CHANNELS, SIDE, SIDE)).astype(np.uint8)
    names = {"Name": [f"Marker {i}" for i in range(CHANNELS)]}
    path = Path(folder) / "many.ome.tif"
    tifffile.imwrite(path, planes, metadata={"axes": "CYX", "Channel": names})
    return str(path)


def opened(viewer: napari.Viewer, path: str, *, in_use: bool) -> dict[str, float]:
    """Seconds until the file shows, until all layers are there, and the longest silence."""
    loop, beats, marks = QEventLoop(), [], {}
    pulse = QTimer()
    pulse.setInterval(1)

    def beat() -> None:
        beats.append(time.perf_counter())
        if len(viewer.layers) >= marks.get("layers", 1e9):
            loop.quit()

    def start() -> None:
        marks["start"] = time.perf_counter()
        viewer.open(path, plugin="napari-gluer")
        marks["shown"] = time.perf_counter()
        marks["layers"] = CHANNELS

    pulse.timeout.connect(beat)
    pulse.start()
    if in_use:
        QTimer.singleShot(0, start)
    else:
        start()
        beats.insert(0, marks["start"])
    loop.exec()
    pulse.stop()
    silence = np.diff([marks["start"], *[b for b in beats if b > marks["start"]]]).max()
    return {
        "opened_s": round(marks["shown"] - marks["start"], 2),
        "all_layers_s": round(beats[-1] - marks["start"], 2),
        "longest_silence_s": round(float(silence), 2),
    }


def main(path: str) -> None:
    viewer = napari.Viewer()
    opened(viewer, path, in_use=False)  # what is loaded once
    found = {}
    for way, in_use in (("all_at_once", False), ("in_use", True)):
        viewer.layers.clear()
        found[way] = opened(viewer, path, in_use=in_use)
    print(json.dumps(found))
    viewer.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(sys.argv[1] if len(sys.argv) > 1 else made(folder))
