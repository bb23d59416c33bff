"""Image: open what the cells are in, and see whether its size and channels are right."""

from typing import ClassVar

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtWidgets import QDoubleSpinBox, QFileDialog, QLabel, QPushButton

from napari_gluer._napari.folding import is_open, no_stray_wheel
from napari_gluer._napari.images import Source, sources
from napari_gluer._napari.opening import open_path, open_sample
from napari_gluer._napari.pickers import Picker
from napari_gluer._napari.pixel_size import give_pixel_size
from napari_gluer._napari.steps.base import Step, side_by_side
from napari_gluer.errors import listed

_FILES = (
    "Images, masks, outlines, spots, tables (*.tif *.tiff *.qptiff *.btf *.tf8 *.h5ad *.csv "
    "*.csv.gz *.parquet *.geojson *.ozx *.zip);;All files (*)"
)
_SHOWN = 60  # channels named


class ImageStep(Step):
    """Opens an image, spots or a table, and says what was found in it."""

    title: ClassVar[str] = "Image"
    hint: ClassVar[str] = "Open a tissue image, spots or a table of cells; or try the sample."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.file = QPushButton("Open a file…")
        self.folder = QPushButton("Open a folder…")
        self.folder.setToolTip("OME-Zarr, one file per channel, or the folder of an earlier run.")
        self.sample = QPushButton("Open the simulated tissue")
        self.sample.setToolTip("A made-up tissue with its reference, to try every step.")
        self.image = Picker(self.viewer, self._options)
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.pixel, self.plane = _micrometres(0.5), _micrometres(1.0)
        self.plane.setPrefix("z ")
        self.plane.setToolTip("Distance between two planes.")
        self.set_pixel = QPushButton("Set")
        self.set_pixel.setToolTip("Give every channel of the image this pixel size.")
        self._pixel_row = side_by_side(self.pixel, self.plane, self.set_pixel)
        self._pixel_label = QLabel("Pixel size")
        self.add(side_by_side(self.file, self.folder))
        self.add(self.sample)
        self.rows.addRow("Image", self.image)
        self.rows.addRow(self._pixel_label, self._pixel_row)
        self.add(self.facts)
        self.fill_up()
        self.run.hide()
        self.cancel.hide()
        self.file.clicked.connect(self._open_file)
        self.folder.clicked.connect(self._open_folder)
        self.sample.clicked.connect(lambda: self.guarded(lambda: open_sample(self.viewer)))
        self.set_pixel.clicked.connect(lambda: self.guarded(self._set_pixel))
        self.image.currentIndexChanged.connect(self._show)
        self._show()

    def open(self, path: str) -> None:
        """Open a file or folder, as dropping it on the window does."""
        added: list[Layer] | None = self.guarded(lambda: open_path(self.viewer, path))
        if added:
            self.say(f"Opened {listed([layer.name for layer in added], 4)}.")

    def _options(self) -> list[tuple[str, Source]]:
        return [(source.name, source) for source in sources(self.viewer)]

    def _open_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Image, spots or table", "", _FILES)
        if path:
            self.open(path)

    def _open_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of an image or of a run")
        if path:
            self.open(path)

    def _set_pixel(self) -> None:
        source = self.image.value
        if isinstance(source, Source):
            size = float(self.pixel.value())
            planes = (float(self.plane.value()),) * (len(source.image.spatial_shape) - 2)
            give_pixel_size(self.viewer, source, (*planes, size, size))
            self.image.refresh()
            self._show()
            self.say(f"A pixel is {size:g} µm wide. Cells measured before: measure them again.")

    def _show(self) -> None:
        if not is_open(self):
            return
        source = self.image.value
        known = isinstance(source, Source)
        self.image.setVisible(known)
        row = self.rows.labelForField(self.image)
        if row is not None:
            row.setVisible(known)
        self.facts.setText(facts(source) if known else "")
        unknown = known and source.image.spacing_um is None
        self._pixel_row.setVisible(unknown)
        self.plane.setVisible(unknown and len(source.image.spatial_shape) == 3)
        self._pixel_label.setVisible(unknown)


def _micrometres(value: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(4)
    box.setRange(0.0001, 1000)
    box.setValue(value)
    box.setSuffix(" µm")
    no_stray_wheel(box)
    return box


def facts(source: Source) -> str:
    """What an image holds, as rich text."""
    image = source.image
    sides = " × ".join(f"{side:,}" for side in reversed(image.data.shape[1:]))
    spacing = image.spacing_um
    size = " × ".join(f"{side:.4g}" for side in reversed(spacing)) if spacing else ""
    pixel = f"{size} µm" if size else "<b>unknown</b>: sizes are in pixels until you set it"
    depth = " (x × y × z)" if len(image.data.shape) == 4 else ""
    lines = [
        f"<b>{len(image.channels)}</b> channels: {listed(image.channels, _SHOWN)}",
        f"<b>{sides}</b> pixels{depth}, {image.data.dtype}",
        f"Pixel size: {pixel}",
    ]
    return "<br>".join([*lines, *([source.note] if source.note else [])])
