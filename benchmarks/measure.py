"""Speed and memory of measuring, one Markdown table: ``python benchmarks/measure.py``.

Simulated: 30 channels × 4096 × 4096 uint16, 20,000 cells. Everything is done in one process on the
same arrays, the best of some runs each; `ng.measure` is compiled before, as it is after its first
use on a computer. Memory beyond the inputs is the rise of the peak of a process of its own, which
holds the arrays and then measures them. scikit-image is asked for the same properties, once on all
channels together and once channel by channel.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage as ndi
from skimage.measure import regionprops_table

import napari_gluer as ng
from napari_gluer.measurement.intensities import measure
from napari_gluer.measurement.params import MeasureParams

SIDE, CHANNELS, CELLS = 4096, 30, 20_000
PROPERTIES = ("label", "area", "centroid", "intensity_mean")
BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
EVERYTHING = MeasureParams(median=True, sum=True, std=True, shape=True, bounding_box=True)


def simulated_labels(*, touching: bool) -> np.ndarray:
    """20,000 cells on a jittered grid: discs of 16 to 26 px, or polygons without gaps."""
    rng = np.random.default_rng(0)
    rows = int(np.ceil(np.sqrt(CELLS)))
    step = SIDE / rows
    grid = np.stack(np.divmod(np.arange(CELLS), rows), axis=1)
    centres = np.clip((grid + 0.5) * step + rng.uniform(-5, 5, grid.shape), 0, SIDE - 1).astype(int)
    free = np.ones((SIDE, SIDE), bool)
    free[tuple(centres.T)] = False
    numbers = np.zeros((SIDE, SIDE), np.int32)
    numbers[tuple(centres.T)] = np.arange(1, CELLS + 1)
    distance, nearest = ndi.distance_transform_edt(free, return_indices=True)
    labels = numbers[tuple(nearest)]
    radii = np.r_[0, rng.uniform(8, 13, CELLS)]
    return labels if touching else np.where(distance < radii[labels], labels, 0).astype(np.int32)


def simulated_image() -> ng.MultiplexImage:
    pixels = np.random.default_rng(1).integers(0, 60_000, (CHANNELS, SIDE, SIDE), dtype=np.uint16)
    return ng.MultiplexImage(pixels, [f"Marker {number}" for number in range(CHANNELS)], 0.5)


def best(work: Callable[[], Any], runs: int) -> tuple[float, Any]:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return min(times), found


def per_channel(labels: np.ndarray, image: ng.MultiplexImage) -> None:
    for pixels in image.data:
        regionprops_table(labels, pixels, properties=PROPERTIES)


def peak() -> float:
    """Peak of this process's memory in MB.

    Linux hands the peak that `getrusage` tells down from parent to child; its own file does not.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_UNIT / 1e6


def print_memory(labels_file: str, *, everything: bool) -> None:
    """In a process of its own: what measuring adds to the peak, which holds the inputs only."""
    labels, image = np.load(labels_file), simulated_image()
    small = ng.MultiplexImage(image.data[:, :512, :512], image.channels, 0.5)
    params = EVERYTHING if everything else None
    measure(small, labels[:512, :512], params)  # compiled code counts as the program
    before = peak()
    measure(image, labels, params)
    print(json.dumps(peak() - before))


def memory(*, everything: bool) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/labels.npy"
        np.save(file, simulated_labels(touching=False))
        words = [sys.executable, __file__, "--memory", "everything" if everything else "means"]
        done = subprocess.run([*words, "--labels", file], check=True, capture_output=True)  # noqa: S603
    return float(json.loads(done.stdout))


def check(cells: Any, truth: dict[str, np.ndarray]) -> None:
    means = np.column_stack([truth[f"intensity_mean-{column}"] for column in range(CHANNELS)])
    np.testing.assert_allclose(cells.X, means, rtol=1e-6)
    np.testing.assert_array_equal(cells.obs["volume_px"], truth["area"])
    np.testing.assert_allclose(cells.obsm["spatial"][:, 1], truth["centroid-0"] * 0.5)


def row(name: str, image: ng.MultiplexImage, labels: np.ndarray, sums: float) -> str:
    measure(image, labels)
    ours, cells = best(lambda: measure(image, labels), 15)
    last = np.moveaxis(image.data, 0, -1)
    theirs, truth = best(lambda: regionprops_table(labels, last, properties=PROPERTIES), 3)
    check(cells, truth)
    single, _ = best(lambda: per_channel(labels, image), 1)
    return (
        f"| {name} | {(labels > 0).mean():.0%} | {ours:.3f} | {theirs:.2f} | {theirs / ours:.0f} × "
        f"| {single:.1f} | {single / ours:.0f} × | {sums:.3f} | {ours / sums:.2f} |"
    )


def main() -> None:
    image = simulated_image()
    sums, _ = best(lambda: np.sum(image.data), 5)
    print(f"{CHANNELS} × {SIDE} × {SIDE} uint16, {CELLS:,} cells; seconds. {platform.platform()}\n")
    print(
        "| cells | cover | ng.measure | regionprops_table, all channels | ratio "
        "| channel by channel | ratio | numpy.sum | ng.measure / numpy.sum |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, touching in (("discs", False), ("touching", True)):
        print(row(name, image, simulated_labels(touching=touching), sums))
    labels = simulated_labels(touching=False)
    measure(image, labels, EVERYTHING)
    everything, _ = best(lambda: measure(image, labels, EVERYTHING), 2)
    print(f"\nWith median, sum, std, shape and bounding box: {everything:.2f} s.")
    means, more = memory(everything=False), memory(everything=True)
    print(f"Memory beyond the inputs: {means:.0f} MB; with everything {more:.0f} MB.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", choices=["means", "everything"], help="used by itself")
    parser.add_argument("--labels", help="used by itself")
    given = parser.parse_args()
    if given.memory:
        print_memory(given.labels, everything=given.memory == "everything")
    else:
        main()
