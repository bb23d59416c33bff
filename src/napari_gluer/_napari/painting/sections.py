"""Several sections painted alike: which belong together, and how they are laid side by side."""

from itertools import pairwise
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from napari_gluer import slots
from napari_gluer._napari.adding import place_like
from napari_gluer._napari.attached import KEY, cells_of, held
from napari_gluer._napari.captions import OVER, PAINTS
from napari_gluer._napari.images import sources
from napari_gluer._napari.pickers import labels_layers

_SHIFTED = "shifted by"
_GAP = 0.05  # between sections, of the widest one
_FOUND_IN, _IMAGE = "found in", "image"
_OURS = (PAINTS, OVER, "selection of")


def siblings(viewer: ViewerModel, layer: Labels) -> list[Labels]:
    """Other labels layers whose cells were integrated with the same reference; viewer's order."""
    mine = _reference(layer)
    if mine is None:
        return []
    others = [one for _, one in reversed(labels_layers(viewer)) if one is not layer]
    return [one for one in others if isinstance(one, Labels) and _reference(one) == mine]


def lay_side_by_side(viewer: ViewerModel, layers: list[Labels]) -> None:
    """Move sections that lie upon each other, with their images and paintings, next to each other.

    `put_back` takes the moves back.
    """
    put_back(viewer)
    if not overlap(layers):
        return
    widths = [_extent(layer) for layer in layers]
    gap = _GAP * max(high - low for low, high in widths)
    start = widths[0][0]
    for layer, (low, high) in zip(layers, widths, strict=True):
        for one in (layer, *_images_of(viewer, layer)):
            _shift(one, start - low)
        place_paintings(viewer, layer)
        start += high - low + gap


def put_back(viewer: ViewerModel) -> None:
    """Move everything back to where it was."""
    moved = [layer for layer in viewer.layers if held(layer).get(_SHIFTED)]
    for layer in moved:
        _shift(layer, -held(layer)[_SHIFTED])
        if isinstance(layer, Labels):
            place_paintings(viewer, layer)


def place_paintings(viewer: ViewerModel, labels: Labels) -> None:
    """Move what was painted of labels to where they lie now."""
    identity = str(labels.unique_id)
    for layer in viewer.layers:
        if identity in (held(layer).get(name) for name in _OURS):
            place_like(layer, labels)


def overlap(layers: list[Labels]) -> bool:
    """Whether any two sections lie upon each other in x."""
    spans = sorted(_extent(layer) for layer in layers)
    return any(after[0] < before[1] for before, after in pairwise(spans))


class SectionsPanel(QWidget):
    """A tick for painting all sections with one scale, and one for laying them side by side."""

    changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.together = QCheckBox("All sections together")
        self.together.setToolTip("Paint every section with the same limits and colours.")
        self.beside = QCheckBox("Side by side")
        self.beside.setToolTip(
            "Move sections that lie upon each other, with their images; unticked, they go back."
        )
        self.names = QLabel()
        self.names.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.together, self.beside, self.names):
            layout.addWidget(widget)
        self.together.toggled.connect(self._toggle)
        self.beside.toggled.connect(self.changed.emit)
        self.beside.setEnabled(False)

    def offer(self, names: list[str]) -> None:
        """Say which other sections there are."""
        self.names.setText(f"With {', '.join(names)}." if names else "")
        if not names:
            self.together.setChecked(False)

    def _toggle(self, ticked: bool) -> None:  # noqa: FBT001 - a signal's argument
        self.beside.setEnabled(ticked)
        if not ticked:
            self.beside.setChecked(False)
        self.changed.emit(ticked)


def _reference(layer: Labels) -> Any:
    cells = cells_of(layer)
    if cells is None or slots.WEIGHTS not in cells.obsm:
        return None
    return slots.info(cells).get(slots.FINGERPRINT)


def _extent(layer: Layer) -> tuple[float, float]:
    """Where a layer begins and ends in x, in world units."""
    low, high = layer.extent.world[:, -1]
    return float(low), float(high)


def _shift(layer: Layer, by: float) -> None:
    if by:
        translate = np.array(layer.translate, float)
        translate[-1] += by
        layer.translate = translate
        entries = layer.metadata.setdefault(KEY, {})
        entries[_SHIFTED] = entries.get(_SHIFTED, 0.0) + by


def _images_of(viewer: ViewerModel, labels: Labels) -> list[Layer]:
    """Layers of the image that the labels were found in, where that is known."""
    key = held(labels).get(_FOUND_IN)
    found = (one for one in sources(viewer) if key is not None and one.key == key)
    like = next((one.like for one in found), None)
    if like is None:
        return []
    image = held(like).get(_IMAGE)
    same = [one for one in viewer.layers if image is not None and held(one).get(_IMAGE) is image]
    return same or [like]
