"""Pan a million points, and draw around points to see their cells: seconds, drawing included.

Run under a display: ``tools/with_display python benchmarks/embedding.py``. On a screen without a
graphics card (Xvfb) napari draws in software, as in the numbers of ``docs/benchmarks.md``.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import napari
import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from scipy import sparse

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.embedding.scatter import ScatterView
from napari_gluer._napari.embedding.scene import Scene
from napari_gluer._napari.embedding.step import EmbeddingStep
from napari_gluer._napari.layers import show_values, warm_up

_SIZE, _FRAMES, _SLOW_FRAMES, _LASSOS = (800, 600), 30, 3, 7
_LEFT = Qt.MouseButton.LeftButton


def cloud(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of 20 clouds, as a UMAP has them, and their colours."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 20, n)
    points = rng.uniform(-10, 10, (20, 2))[group] + rng.normal(0, 1, (n, 2))
    colors = np.c_[rng.integers(40, 255, (20, 3))[group], np.full(n, 255)]
    return points.astype(np.float32), colors.astype(np.uint8)


def per_frame(move: Callable[[int], None], frames: int) -> float:
    """Median seconds of a frame; the first one, which sets things up, does not count."""
    move(0)
    taken = []
    for i in range(1, frames + 1):
        start = time.perf_counter()
        move(i)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def pan_ours(n: int) -> float:
    """Drag with the mouse; every step is drawn before the next one."""
    points, colors = cloud(n)
    view = ScatterView()
    view.draws = False
    view.resize(*_SIZE)
    half = n // 2
    scene = Scene(
        cells=points[:half],
        reference=points[half:],
        cell_colors=colors[:half],
        reference_colors=colors[half:],
    )
    view.show_scene(scene, fit=True)
    view.show()
    QTest.mousePress(view, _LEFT, pos=QPoint(300, 300))

    def move(i: int) -> None:
        QTest.mouseMove(view, QPoint(300 + 3 * i, 300 + 2 * i))
        view.repaint()
        QApplication.processEvents()

    found = per_frame(move, _FRAMES)
    view.close()
    return found


def pan_matplotlib(n: int) -> float:
    """A scatter of the same points, moved by its limits."""
    points, colors = cloud(n)
    figure = Figure(figsize=(_SIZE[0] / 100, _SIZE[1] / 100), dpi=100)
    canvas, axes = FigureCanvasQTAgg(figure), figure.add_subplot()
    axes.scatter(*points.T, s=1, c=colors / 255, linewidths=0)
    canvas.resize(*_SIZE)
    canvas.show()

    def move(i: int) -> None:
        axes.set_xlim(-12 + 0.1 * i, 12 + 0.1 * i)
        canvas.draw()
        QApplication.processEvents()

    found = per_frame(move, _SLOW_FRAMES)
    canvas.close()
    return found


def pan_points(n: int) -> float:
    """A Points layer of napari, moved by its camera."""
    points, colors = cloud(n)
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*_SIZE)
    viewer.add_points(points, size=0.05, face_color=colors / 255, border_width=0)
    viewer.reset_view()

    def move(i: int) -> None:
        viewer.scene.camera.center = (0, 0.1 * i, 0)
        viewer.screenshot(canvas_only=True, flash=False)

    found = per_frame(move, _SLOW_FRAMES)
    viewer.close()
    return found


def tissue(side: int, pitch: int) -> tuple[np.ndarray, AnnData]:
    """Square cells in rows, with a co-embedding of 20 clouds."""
    across = side // pitch
    ids = np.arange(1, across**2 + 1, dtype=np.int32).reshape(across, across)
    labels = np.kron(ids, np.ones((pitch, pitch), np.int32))
    labels[::pitch], labels[:, ::pitch] = 0, 0
    n = across**2
    points, _ = cloud(n)
    obs = pd.DataFrame({"label": np.arange(1, n + 1)}, index=np.arange(1, n + 1).astype(str))
    cells = AnnData(np.random.default_rng(1).random((n, 2), np.float32), obs=obs)
    cells.obsm[slots.EMBEDDING] = cells.obsm[slots.UNMAPPED] = points
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix((n, 1000), dtype=np.float32)
    both = {slots.REFERENCE_FACTORS: points[:1000], slots.REFERENCE_UNMAPPED: points[:1000]}
    slots.note(cells, **both)
    return labels, cells


def lasso_to_tissue(side: int, pitch: int) -> tuple[int, list[float], list[float]]:
    """Seconds from the release of the mouse to the highlighted tissue on the screen, and of CPU."""
    warm_up()  # compiled in the background while cells are integrated
    labels, cells = tissue(side, pitch)
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 800)
    layer = viewer.add_labels(labels, name="cells")
    attach(layer, cells=cells, measured=cells)
    show_values(viewer, layer, cells, cells.X[:, 0], name="marker")
    step = EmbeddingStep(viewer)
    viewer.window.add_dock_widget(step, name="Embedding", area="right")
    step.controls.kind.setCurrentText("Factors")
    viewer.reset_view()
    view = step.panes.views[0]
    # napari shows a busy cursor and slices at its leisure: a screenshot waits for the drawing
    viewer.screenshot(canvas_only=True, flash=False)
    start = time.perf_counter()
    viewer.screenshot(canvas_only=True, flash=False)
    grabbing = time.perf_counter() - start
    taken, busy, counts = [], [], []
    angles = np.linspace(0, 2 * np.pi, 60)
    for i in range(_LASSOS):
        middle = np.array([view.width() / 2 + 12 * i - 40, view.height() / 2])
        places = [
            QPoint(*np.rint(middle + 60 * np.array([np.cos(a), np.sin(a)])).astype(int).tolist())
            for a in angles
        ]
        QTest.mousePress(view, _LEFT, pos=places[0])
        for place in places[1:]:
            QTest.mouseMove(view, place)
        QApplication.processEvents()
        start, worked = time.perf_counter(), time.process_time()
        QTest.mouseRelease(view, _LEFT, pos=places[-1])
        QApplication.processEvents()
        viewer.screenshot(canvas_only=True, flash=False)
        taken.append(time.perf_counter() - start)
        busy.append(time.process_time() - worked)
        counts.append(len(step.view.linked.selections.current))
    assert min(counts) > 100, counts
    viewer.close()
    print(f"(a screenshot alone: {grabbing:.3f} s; cells chosen: {counts})")
    return cells.n_obs, taken, busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--side", type=int, default=10_000, help="pixels of the tissue's side")
    given = parser.parse_args()
    app = QApplication.instance() or QApplication([])
    print("| points | ours, s a frame | frames a second | matplotlib, s | napari Points, s |")
    print("|---|---|---|---|---|")
    for n in given.points:
        ours, theirs, points = pan_ours(n), pan_matplotlib(n), pan_points(n)
        print(f"| {n:,} | {ours:.3f} | {1 / ours:.0f} | {theirs:.2f} | {points:.2f} |", flush=True)
    n, (first, *others), (begun, *busy) = lasso_to_tissue(given.side, 31)
    print("| cells | first lasso (of CPU), s | further lassos, median (longest), s | of CPU, s |")
    print("|---|---|---|---|")
    median, longest, worked = statistics.median(others), max(others), statistics.median(busy)
    print(f"| {n:,} | {first:.2f} ({begun:.2f}) | {median:.2f} ({longest:.2f}) | {worked:.2f} |")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    del app


if __name__ == "__main__":
    main()
