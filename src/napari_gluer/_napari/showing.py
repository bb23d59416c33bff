"""Open napari on a result: the demo, on a screen or as pictures."""

import os
import sys
from pathlib import Path
from typing import cast

import napari
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLabel

from napari_gluer._napari.attached import attach
from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.layers import show_labels
from napari_gluer._napari.paintables import paintables
from napari_gluer._napari.steps.explore import ExploreStep
from napari_gluer.pipeline import Result
from napari_gluer.sample import SampleTissue

_PLUGIN = "napari-gluer"
_SIZE = (1440, 900)
_WIDEST_TEXT = 420


def can_show() -> bool:
    """Whether there is a screen, real or virtual, to open a window on."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show_demo(result: Result, tissue: SampleTissue, verdict: str, out: Path) -> list[Path]:
    """Show the tissue with an imputed gene and the transferred types, and save both as pictures.

    On a real screen napari stays open until it is closed; on a virtual one it is closed.

    Parameters
    ----------
    result, tissue
        What `run` made of the simulated tissue.
    verdict
        Shown beside the picture.
    out
        Folder for the PNGs.

    Returns
    -------
    list of pathlib.Path
        The PNGs.
    """
    viewer = napari.Viewer(title="napari-gluer demo: SIMULATED tissue", show=True)
    viewer.window.resize(*_SIZE)
    labels = add_result(viewer, result, tissue)
    _, step = viewer.window.add_plugin_dock_widget(_PLUGIN, "Explore")
    viewer.window.add_dock_widget(_text(verdict), name="How right is it?", area="bottom")
    explore = cast("ExploreStep", step)
    gene = next(iter(result.painted))
    names = {one.name: one for one in paintables(result.cells, tissue.reference)}
    files = [out / "napari_types.png", out / "napari_gene.png"]
    for name, path in zip(("cell_type_transferred", gene), files, strict=True):
        explore.search_box.setText(names[name].label)
        explore.pick(names[name])
        while explore.busy:
            QApplication.processEvents()
        QApplication.processEvents()  # the docks take their sizes
        viewer.reset_view()
        viewer.layers.selection.active = labels
        QApplication.processEvents()
        viewer.screenshot(path=str(path), canvas_only=False, flash=False)
    if os.environ.get("NAPARI_GLUER_VIRTUAL_DISPLAY"):
        viewer.close()
    else:
        napari.run()
    return files


def add_result(viewer: ViewerModel, result: Result, tissue: SampleTissue) -> Labels:
    """Add the image's channels and the cells with their tables."""
    for data, options, _ in image_layers(tissue.image, "simulated tissue"):
        viewer.add_image(data, **options)
    first = viewer.layers[0]
    labels = show_labels(viewer, result.found.labels, name="cells", like=first)
    attach(labels, cells=result.cells, measured=result.found.cells, reference=tissue.reference)
    return labels


def _text(verdict: str) -> QLabel:
    label = QLabel(verdict)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setStyleSheet("font-family: monospace; padding: 6px;")
    label.setMinimumWidth(_WIDEST_TEXT)
    return label
