"""Folded choices of the Cells step: what is measured, how big images are worked through."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QFormLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_gluer._napari.attached import full_resolution
from napari_gluer._napari.forms import form, read
from napari_gluer._napari.pickers import Picker, labels_layers
from napari_gluer._napari.steps.base import side_by_side
from napari_gluer.measurement.params import MeasureParams
from napari_gluer.tiles import TileParams

_FEW = 5  # letters that fit the panel


class MeasureOptions(QWidget):
    """A second labels layer for nuclei within the cells, and the statistics to measure.

    Parameters
    ----------
    viewer
        Its labels layers are offered.
    cells
        Gives the labels layer of the cells, which is not offered.
    """

    def __init__(self, viewer: ViewerModel, cells: Callable[[], Any]) -> None:
        super().__init__()
        self.nuclei = Picker(viewer, lambda: _nuclei(viewer, cells()))
        self.nuclei.setMinimumContentsLength(_FEW)
        self.nuclei.setToolTip(
            "Labels of nuclei: then nuclei and cytoplasm are measured apart too. Their numbers "
            "need not be those of the cells."
        )
        self.form = form(MeasureParams())
        rows = QFormLayout()
        rows.addRow("Nuclei (optional)", self.nuclei)
        _stack(self, rows, self.form.native)

    @property
    def params(self) -> MeasureParams:
        """What to measure."""
        return read(MeasureParams, self.form)

    @property
    def nuclei_labels(self) -> Any:
        """The labels of nuclei, None without."""
        return None if self.nuclei.value is None else labels_of(self.nuclei.value)


class BigImages(QWidget):
    """Tiles, threads, cluster, and a folder that keeps finished tiles."""

    def __init__(self) -> None:
        super().__init__()
        self.form = form(TileParams())
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("none")
        self.folder.setToolTip(
            "Finished tiles are kept in this folder: after a crash or a restart the same run goes "
            "on from there."
        )
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        rows = QFormLayout()
        rows.addRow("Folder", side_by_side(self.folder, browse))
        _stack(self, rows, self.form.native, rows_last=True)

    @property
    def params(self) -> TileParams:
        """How big images are worked through."""
        return read(TileParams, self.form)

    def _browse(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder for finished tiles")
        if path:
            self.folder.setText(path)


def labels_of(layer: Labels) -> Any:
    """A layer's labels at full resolution: a NumPy array, or what is sliced like one."""
    labels = full_resolution(layer)
    lazy = hasattr(labels, "shape") and hasattr(labels, "dtype")
    return labels if lazy else np.asarray(labels)


def _nuclei(viewer: ViewerModel, cells: Any) -> list[tuple[str, Any]]:
    found = [(name, layer) for name, layer in labels_layers(viewer) if layer is not cells]
    return [("none", None), *found]


def _stack(widget: QWidget, rows: QFormLayout, below: QWidget, *, rows_last: bool = False) -> None:
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addLayout(rows)
    layout.insertWidget(0 if rows_last else 1, below)
