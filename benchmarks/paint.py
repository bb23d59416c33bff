# ruff: noqa: TID251 - it measures napari's window
"""Paints 100,000 cells: first show and switch to another gene, drawing included, and memory.

Run: ``tools/with_display .venv/bin/python benchmarks/paint.py [side] [cells]``

Cells are discs on a 10,000 × 10,000 image, and boxes in a stack of 40 × 2,000 × 2,000 seen in
slices and in 3-D. They are painted through the Explore step: a name is picked, its values computed
(imputed genes: weights · expression), and the window drawn. In the same run the same labels are
coloured by a ``DirectLabelColormap`` with an entry for each label, as other plugins do. Every time
ends with a screenshot of the canvas, whose own time is told apart.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import napari
import numpy as np
import pandas as pd
from anndata import AnnData
from napari.utils.colormaps import DirectLabelColormap, ensure_colormap
from qtpy.QtWidgets import QApplication
from scipy import sparse

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.layers import warm_up
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.steps.explore import ExploreStep
from napari_gluer.expression import expression, fingerprint

N_REFERENCE, N_GENES, NEIGHBOURS = 8000, 3000, 20
SWITCHES = 8


def discs(side: int, n: int) -> np.ndarray:
    """About `n` discs on a jittered grid; labels in random order."""
    rng = np.random.default_rng(0)
    per_side = int(np.ceil(np.sqrt(n)))
    step = side // per_side
    radius = max(step * 0.45, 1)
    labels = np.zeros((side, side), np.int32)
    y, x = np.ogrid[:step, :step]
    inside = (y - step / 2) ** 2 + (x - step / 2) ** 2 < radius**2
    names = rng.permutation(per_side**2)[:n] + 1
    for i, name in enumerate(names):
        top, left = (i // per_side) * step, (i % per_side) * step
        labels[top : top + step, left : left + step][inside] = name
    return labels


def boxes(n: int) -> np.ndarray:
    """About `n` boxes of 4 × 15 × 15 voxels in a stack."""
    deep, side = 8, int(np.ceil(np.sqrt(n / 8)))
    small = np.random.default_rng(0).permutation(deep * side**2).reshape(deep, side, side) + 1
    labels = small.repeat(5, 0).repeat(17, 1).repeat(17, 2).astype(np.int32)
    labels[::5] = 0
    for axis in (1, 2):
        edge: list[Any] = [slice(None)] * 3
        for start in (0, 1):
            edge[axis] = slice(start, None, 17)
            labels[tuple(edge)] = 0
    return labels


def tables(labels: np.ndarray) -> tuple[AnnData, AnnData]:
    """Cells with types, confidence and weights on a reference, as `integrate` leaves them."""
    rng = np.random.default_rng(1)
    found = np.unique(labels[labels > 0])
    n = len(found)
    label = rng.permutation(found)
    counts = sparse.random(N_REFERENCE, N_GENES, 0.08, "csr", np.float32, rng)
    counts.data = np.ceil(counts.data * 20)
    genes = pd.DataFrame(index=[f"GENE{i}" for i in range(N_GENES)])
    names = pd.DataFrame(index=[f"r{i}" for i in range(N_REFERENCE)])
    reference = AnnData(counts, obs=names, var=genes)
    obs = pd.DataFrame(
        {
            "label": label,
            "cluster": pd.Categorical(rng.integers(0, 20, n).astype(str)),
            slots.CONFIDENCE: rng.random(n),
            slots.UNMATCHED: rng.random(n) < 0.03,
            "type_transferred": pd.Categorical(rng.choice(list("abcdefgh"), n)),
            "type_probability": rng.random(n),
        },
        index=label.astype(str),
    )
    cells = AnnData(rng.random((n, 20)).astype(np.float32), obs=obs)
    columns = rng.integers(0, N_REFERENCE, n * NEIGHBOURS)
    rows = np.arange(0, n * NEIGHBOURS + 1, NEIGHBOURS)
    values = np.full(n * NEIGHBOURS, 1 / NEIGHBOURS, np.float32)
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix((values, columns, rows), (n, N_REFERENCE))
    known = {slots.REFERENCE_NAMES: np.asarray(reference.obs_names), "links": "{}"}
    slots.note(cells, **known, **{slots.FINGERPRINT: fingerprint(reference, expression(reference))})
    return cells, reference


def megabytes(entry: str = "VmRSS") -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{entry}:")[2].split()[0]) / 1024


def drawn(viewer: napari.Viewer) -> None:
    QApplication.processEvents()
    viewer.screenshot(canvas_only=True, flash=False)


def seconds(viewer: napari.Viewer, act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    drawn(viewer)
    return time.perf_counter() - start


class Painting:
    """The Explore step, picked from as a person would."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self.step = ExploreStep(viewer)
        viewer.window.add_dock_widget(self.step, name="Explore", area="right")

    def pick(self, name: str, origin: Origin) -> None:
        """Paint, and wait until it is there."""
        self.step.pick(Paintable(name, origin))
        while self.step.busy:
            QApplication.processEvents()


def timed(viewer: napari.Viewer, painting: Painting, title: str) -> dict[str, float]:
    genes = [f"GENE{i}" for i in range(5, 5 + SWITCHES)]
    found = {
        "first show": seconds(viewer, lambda: painting.pick("GENE1", Origin.GENE)),
        "second": seconds(viewer, lambda: painting.pick("GENE2", Origin.GENE)),
        "another gene": _median(viewer, painting, genes, Origin.GENE),
        "another marker": _median(viewer, painting, list("1234567"), Origin.MARKER),
    }
    found["first types"] = seconds(viewer, lambda: painting.pick("type_transferred", Origin.TYPE))
    both = ["cluster", "type_transferred"] * 3
    kinds = {"cluster": Origin.CLUSTER, "type_transferred": Origin.TYPE}
    found["other types"] = median(
        seconds(viewer, lambda name=name: painting.pick(name, kinds[name])) for name in both
    )
    found["screenshot alone"] = median(seconds(viewer, lambda: None) for _ in range(5))
    print(title, json.dumps({name: round(value, 3) for name, value in found.items()}), flush=True)
    return found


def _median(viewer: napari.Viewer, painting: Painting, names: list[str], kind: Origin) -> float:
    return median(seconds(viewer, lambda name=name: painting.pick(name, kind)) for name in names)


def direct(viewer: napari.Viewer, layer: Any, cells: AnnData) -> list[float]:
    """First show and switches with an entry of a dictionary for each label."""
    taken = []
    for gene in range(4):
        values = cells.X[:, gene]

        def recolor(values: np.ndarray = values) -> None:
            colors = np.asarray(ensure_colormap("viridis").map(values))
            table: dict[Any, Any] = dict(zip(cells.obs["label"], colors, strict=True))
            table[None] = table[0] = "transparent"
            layer.colormap = DirectLabelColormap(color_dict=table)

        taken.append(seconds(viewer, recolor))
    return taken


def plane(viewer: napari.Viewer, side: int, n: int) -> None:
    labels = discs(side, n)
    cells, reference = tables(labels)
    before = megabytes()
    layer = viewer.add_labels(labels, name="cells", scale=(0.5, 0.5), translate=(3, 4))
    attach(layer, cells=cells, reference=reference)
    viewer.reset_view()
    drawn(viewer)
    print(f"{cells.n_obs:,} cells on {side:,} × {side:,}", flush=True)
    painting = Painting(viewer)
    drawn(viewer)
    shown = megabytes()
    ours = timed(viewer, painting, "look-up")
    print(f"memory: {megabytes() - shown:.0f} MB for painting", flush=True)
    viewer.layers.clear()
    del painting
    print(f"memory after clearing: {megabytes() - before:.0f} MB over the start", flush=True)
    layer = viewer.add_labels(labels, name="direct", opacity=1)
    viewer.reset_view()
    drawn(viewer)
    before = megabytes()
    taken = direct(viewer, layer, cells)
    switch = median(taken[1:])
    print(f"DirectLabelColormap: first {taken[0]:.2f}, another {switch:.2f} s", flush=True)
    print(f"memory: {megabytes() - before:.0f} MB; peak {megabytes('VmHWM'):.0f} MB in all")
    for name in ("another gene", "another marker"):
        print(f"{name}: {switch / ours[name]:.0f} times faster", flush=True)
    viewer.layers.clear()


def stack(viewer: napari.Viewer, n: int) -> None:
    labels = boxes(n)
    cells, reference = tables(labels)
    layer = viewer.add_labels(labels, name="stack", scale=(2, 0.5, 0.5), translate=(1, 2, 3))
    attach(layer, cells=cells, reference=reference)
    viewer.reset_view()
    print(f"{cells.n_obs:,} cells in {' × '.join(f'{size:,}' for size in labels.shape)}")
    painting = Painting(viewer)
    drawn(viewer)
    timed(viewer, painting, "slices")
    layer.visible = False
    start = time.perf_counter()
    viewer.dims.ndisplay = 3
    drawn(viewer)
    print(f"to 3-D: {time.perf_counter() - start:.2f} s")
    timed(viewer, painting, "3-D")


def main(side: int, n: int) -> None:
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 800)
    warm_up()
    drawn(viewer)
    plane(viewer, side, n)
    stack(viewer, n)
    viewer.close()


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:3]]
    main(*given, *(10_000, 100_000)[len(given) :])
