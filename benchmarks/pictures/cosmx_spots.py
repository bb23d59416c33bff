"""CosMx spots over the cells that they were assigned to, as napari shows them.

Run ``tools/with_display python benchmarks/pictures/cosmx_spots.py OUT.png [FOLDER]``; FOLDER is
``spots_cosmx_giottodata`` (MIT licence, NanoString CosMx Lung12) where it is not in shared/data.
"""

import sys
from pathlib import Path

import napari
import numpy as np
from napari.layers import Layer
from qtpy.QtWidgets import QApplication

import napari_gluer as ng
from napari_gluer._napari.spots import assigned, spots_layer

_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "spots_cosmx_giottodata"
_SIZE = (1000, 1000)


def main(out: Path, folder: Path = _FOLDER) -> None:
    # nothing is said of where the crop starts, of its field, or of the direction of y
    spots = ng.read_spots(folder / "Lung12_tx_file.csv")
    labels = ng.read_labels(folder / "CellLabels" / "CellLabels_F002.tif")
    cells = ng.assign_spots(spots, labels)
    viewer = napari.Viewer()  # a hidden one draws nothing
    shown = viewer.add_labels(labels.astype(np.int32), name="cells", opacity=0.4)
    outlines = viewer.add_labels(labels.astype(np.int32), name="outlines", opacity=0.9)
    outlines.contour = 2
    field = spots[spots["fov"].astype(str) == cells.uns["gluer"]["spots"]["field"]]
    layer = viewer.add_layer(Layer.create(*spots_layer(field.reset_index(drop=True), "spots")))
    print(assigned(layer, shown, cells))
    viewer.scene.camera.center = tuple((size - 1) / 2 for size in labels.shape)
    viewer.scene.camera.zoom = 0.98 * min(np.divide(_SIZE, labels.shape))
    QApplication.processEvents()
    viewer.screenshot(out, size=_SIZE, canvas_only=True, flash=False)
    viewer.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
