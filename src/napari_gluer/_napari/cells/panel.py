"""The choices of the Cells step: what is offered, and what of it applies."""

from enum import Enum
from typing import Any, ClassVar

from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points
from qtpy.QtWidgets import QCheckBox, QPushButton

import napari_gluer as ng
from napari_gluer._napari.attached import cells_of, measured_of, stale_of
from napari_gluer._napari.cells.finding import Finding
from napari_gluer._napari.cells.mixtures import has_fits
from napari_gluer._napari.cells.options import BigImages, MeasureOptions
from napari_gluer._napari.cells.regions import RegionRows
from napari_gluer._napari.folding import Section, boxed
from napari_gluer._napari.forms import form
from napari_gluer._napari.images import Source, sources
from napari_gluer._napari.pickers import Picker, labels_layers
from napari_gluer._napari.spots import spot_sources
from napari_gluer._napari.steps.base import Step, side_by_side
from napari_gluer.measurement.spots import AssignParams


class Instead(Enum):
    """What can be chosen in place of a layer."""

    FIND = "find the cells, in place of a labels layer"
    TABLE = "the values that came with the labels, in place of an image"


class CellsPanel(Step):
    """Where cells and values come from, and folded sections for everything else."""

    title: ClassVar[str] = "Cells"
    run_text: ClassVar[str] = "Find and measure"
    hint: ClassVar[str] = "Choose the tissue image and where its cells come from."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.cells_from = Picker(self.viewer, self._cell_options)
        self.image = Picker(self.viewer, self._image_options)
        self.finding = Finding()
        self.regions = RegionRows(self.viewer, self.image_layer)
        self.measuring = MeasureOptions(self.viewer, lambda: self.cells_from.value)
        self.placing = form(AssignParams())
        self.clean = QCheckBox("Clean the measurements")
        self.clean.setChecked(True)
        self.clean.setToolTip("Drop cells of odd size and separate signal from background.")
        self.cleaning = form(ng.CleanParams())
        self.big = BigImages()
        self.look = QPushButton("Look at the markers…")
        self.look.setToolTip("Histogram, signal, ground and threshold of every marker.")
        self.edit = QPushButton("Genes…")
        self.edit.setToolTip("See and change what each channel is and which genes it stands for.")
        self.again = QPushButton()
        self.again.setToolTip(
            "Labels were painted, erased or replaced. Their cells are measured again; all others "
            "keep their values and results."
        )
        self._fold()
        self._lay_out_rows()
        self.cells_from.currentIndexChanged.connect(self._cells_changed)
        self.image.currentIndexChanged.connect(self._image_changed)
        self.clean.toggled.connect(self.show_what_applies)
        self._cells_changed()
        self._image_changed()

    def image_layer(self) -> Layer | None:
        """The layer in whose pixels regions are meant: the image's, or the labels' with spots."""
        if isinstance(self.image.value, Source):
            return self.image.value.like
        chosen = self.cells_from.value
        return chosen if isinstance(chosen, Labels) else None

    def _cell_options(self) -> list[tuple[str, Any]]:
        find = [("find them in the image", Instead.FIND)]
        masks: list[tuple[str, Any]] = list(labels_layers(self.viewer))
        return [*find, *masks] if sources(self.viewer) else [*masks, *find]

    def _image_options(self) -> list[tuple[str, Any]]:
        chosen = self.cells_from.value
        found = [(source.name, source) for source in sources(self.viewer)]
        found += [(_counted(name, layer), layer) for name, layer in spot_sources(self.viewer)]
        if isinstance(chosen, Labels) and measured_of(chosen) is not None:
            return [("the values of the table", Instead.TABLE), *found]
        return found

    def _cells_changed(self) -> None:
        self.image.refresh()
        self.measuring.nuclei.refresh()
        self.show_what_applies()

    def _image_changed(self) -> None:
        source = self.image.value
        self.finding.show_source(source if isinstance(source, Source) else None)
        self.show_what_applies()

    def show_what_applies(self) -> None:
        """Show the rows and buttons that belong to what is chosen."""
        chosen, source = self.cells_from.value, self.image.value
        finding, from_spots = chosen is Instead.FIND, isinstance(source, Points)
        from_table = source is Instead.TABLE
        self.finding.set_visible(visible=finding)
        self.sections["regions"].visible = not from_table
        self.sections["measuring"].visible = not from_table and not from_spots
        self.sections["placing"].visible = from_spots
        self.sections["cleaning"].visible = self.clean.isChecked()
        self.sections["big"].visible = not from_table
        cells = cells_of(chosen) if isinstance(chosen, Labels) else None
        self.look.setEnabled(cells is not None and has_fits(cells))
        self.edit.setEnabled(cells is not None)
        self.run.setText("Clean" if from_table else "Find and measure" if finding else "Measure")

    def _fold(self) -> None:
        self.sections = {
            "regions": Section("Regions", boxed(self.regions)),
            "measuring": Section("What is measured", boxed(self.measuring)),
            "placing": Section("How spots lie on the labels", self.placing),
            "cleaning": Section("How they are cleaned", self.cleaning),
            "big": Section("Big images", boxed(self.big)),
        }

    def _lay_out_rows(self) -> None:
        self.rows.addRow("Image", self.image)
        self.rows.addRow("Cells", self.cells_from)
        self.finding.add_rows(self.rows)
        self.add(self.finding.section)
        for name in ("regions", "measuring", "placing"):
            self.add(self.sections[name])
        self.add(self.clean)
        self.add(self.sections["cleaning"])
        self.add(self.sections["big"])
        self.add(side_by_side(self.look, self.edit))
        self.fill_up()
        self.footer.insertWidget(0, self.again)
        self.again.hide()

    def offer_again(self) -> None:
        """Show the button that measures edited cells again, where there are any."""
        chosen = self.cells_from.value
        number = len(stale_of(chosen)) if isinstance(chosen, Labels) else 0
        cells = "changed cell" if number == 1 else f"{number:,} changed cells"
        self.again.setText(f"Measure the {cells} again")
        self.again.setVisible(bool(number))


def _counted(name: str, spots: Points) -> str:
    return name if "spots" in name else f"{name} ({len(spots.data):,} spots)"
