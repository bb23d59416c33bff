"""Pictures of the Cells step on the real MIBI field, taken from napari's window.

    tools/with_display python benchmarks/pictures/cells_step.py OUT_DIR

Writes the field segmented by default with contours over HH3, the fits of the markers, and the
table of markers and genes. The data lie in the folder that NAPARI_GLUER_SHARED_DATA names, or in
../shared/data.
"""

import os
import sys
import time
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication, QWidget

import napari_gluer as ng
from napari_gluer._napari.attached import attach

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FIELD = "mibi_dcis_simpleseg/Point2203_pt1072_31606.ome.tif"
REFERENCE = "citeseq_pbmc_bremsc/rna.h5ad"
SIZE = (1280, 800)
LONGEST = 300  # seconds a job may take


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    data = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", SHARED))
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    viewer.open(str(data / FIELD), plugin="napari-gluer")
    for layer in viewer.layers:
        layer.visible = layer.name == "HH3"
        if layer.visible:
            layer.colormap = "gray"
    _, step = viewer.window.add_plugin_dock_widget("napari-gluer", "Cells")
    settle()

    started = time.monotonic()
    step.finding.preview.click()
    wait(step)
    print(f"preview: {time.monotonic() - started:.1f} s, {step.outcome.text()}")
    viewer.screenshot(path=str(out / "cells_preview.png"), canvas_only=False, flash=False)

    started = time.monotonic()
    step.run.click()
    wait(step)
    print(f"run: {time.monotonic() - started:.1f} s, {step.outcome.text()}")
    cells = viewer.layers["cells"]
    cells.contour, cells.opacity = 2, 1
    settle()
    viewer.screenshot(path=str(out / "cells_contours.png"), canvas_only=False, flash=False)

    step.look.click()
    settle()
    grab(step.plots, out / "cells_mixtures.png")
    step.plots.markers.setCurrentRow(1)
    settle()
    grab(step.plots, out / "cells_mixture_one.png")
    reference = ng.read_reference(data / REFERENCE)
    attach(cells, reference=reference)  # for the column of links; blood says little of a breast
    step.edit.click()
    settle()
    grab(step.markers, out / "cells_markers.png")
    step.markers.reject()
    step.plots.close()
    viewer.close()


def wait(step: QWidget) -> None:
    end = time.monotonic() + LONGEST
    while step.busy:
        QApplication.processEvents()
        time.sleep(0.01)
        if time.monotonic() > end:
            raise SystemExit(f"It takes more than {LONGEST} s: {step.outcome.text()}")
    settle()


def settle() -> None:
    for _ in range(20):
        QApplication.processEvents()
        time.sleep(0.02)


def grab(widget: QWidget, path: Path) -> None:
    widget.grab().save(str(path))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
