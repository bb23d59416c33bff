"""Cells: find them or choose masks, measure, clean."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QLabel

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach, full_resolution, measured_of
from napari_gluer._napari.folding import Section, no_stray_wheel
from napari_gluer._napari.forms import form, read
from napari_gluer._napari.images import Source, sources
from napari_gluer._napari.layers import place_like, show_labels
from napari_gluer._napari.pickers import ChannelList, Picker, labels_layers
from napari_gluer._napari.steps.base import Outcome, Step, side_by_side
from napari_gluer.errors import InputError, listed
from napari_gluer.painting import LabelIndex
from napari_gluer.segmentation.nuclei import guessed_nuclear
from napari_gluer.track import Track

_LARGEST_GROWTH = 100.0


class Instead(Enum):
    """What can be chosen in place of a layer."""

    FIND = "find the cells, in place of a labels layer"
    TABLE = "the values that came with the labels, in place of an image"


@dataclass(frozen=True, eq=False)
class Found:
    """What the step computed."""

    labels: Any
    index: LabelIndex
    measured: AnnData
    cells: AnnData


class CellsStep(Step):
    """From an image to a table of clean measurements, one row per cell."""

    title = "Cells"
    run_text = "Find and measure"
    hint = "Choose the tissue image and where its cells come from."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.cells_from = Picker(self.viewer, self._cell_options)
        self.image = Picker(self.viewer, self._image_options)
        self.nuclear = ChannelList()
        self.nuclear_label = QLabel("Nuclei")
        self.nuclear.setToolTip("Tick the channels that show nuclei.")
        self.grow = _growth_box()
        self._grow_row = side_by_side(QLabel("Grow nuclei by"), self.grow)
        self.segmenting = form(ng.SegmentParams(), hide=("nuclear_channels", "method.expansion"))
        self.clean = QCheckBox("Clean the measurements")
        self.clean.setChecked(True)
        self.clean.setToolTip("Drop cells of odd size and separate signal from background.")
        self.cleaning = form(ng.CleanParams())
        self._segmenting_section = Section("How cells are found", self.segmenting)
        self._cleaning_section = Section("How they are cleaned", self.cleaning)
        self.rows.addRow("Image", self.image)
        self.rows.addRow("Cells", self.cells_from)
        self.rows.addRow(self.nuclear_label, self.nuclear)
        self.rows.addRow(self._grow_row)
        self.add(self._segmenting_section)
        self.add(self.clean)
        self.add(self._cleaning_section)
        self.fill_up()
        self.cells_from.currentIndexChanged.connect(self._cells_changed)
        self.image.currentIndexChanged.connect(self._image_changed)
        self.clean.toggled.connect(self._show_what_applies)
        self._cells_changed()
        self._image_changed()

    def prepare(self) -> Callable[[Track], Found]:
        """Read the choices; segmenting and measuring happen in the thread."""
        source, chosen = self.image.value, self.cells_from.value
        if source is None:
            raise InputError("There is no image yet. Open one, or File ▸ Open Sample ▸ GLUER.")
        self._for = (source, chosen)
        clean = read(ng.CleanParams, self.cleaning) if self.clean.isChecked() else None
        if source is Instead.TABLE:
            table = measured_of(chosen)
            labels = np.asarray(full_resolution(chosen))
            return lambda track: _cleaned(table, labels, clean, track)
        if chosen is Instead.FIND:
            params = self._segment_params(source)
            return lambda track: _found(source, params, clean, track)
        labels = np.asarray(full_resolution(chosen))
        return lambda track: _measured(source, labels, clean, track)

    def finish(self, result: Found) -> Outcome:
        """Attach the table to its labels layer, a new one where cells were found."""
        source, chosen = self._for
        layer = chosen
        if chosen is Instead.FIND:
            like = source.like if source.like in self.viewer.layers else None
            layer = show_labels(self.viewer, result.labels, name="cells", like=like)
        elif layer not in self.viewer.layers:
            raise InputError(f"The layer “{layer.name}” is gone; the result was discarded.")
        elif (
            source is not Instead.TABLE
            and _unplaced(layer)
            and layer.ndim == len(source.image.spatial_shape)
        ):
            place_like(layer, source.like)
        attach(layer, cells=result.cells, measured=result.measured, index=result.index)
        self.cells_from.choose(layer)
        return outcome(result.cells)

    def _segment_params(self, source: Source) -> ng.SegmentParams:
        params = read(ng.SegmentParams, self.segmenting)
        method = params.method.model_copy(update={"expansion": self.grow.value()})
        changed = {"nuclear_channels": self._ticked(source), "method": method}
        return params.model_copy(update=changed)

    def _ticked(self, source: Source) -> tuple[str, ...]:
        ticked = self.nuclear.ticked
        if not ticked:
            raise InputError(
                "Tick a channel that shows nuclei, or choose a labels layer under Cells. "
                f"The image has {listed(source.image.channels)}."
            )
        return ticked

    def _cell_options(self) -> list[tuple[str, Any]]:
        find = [("find them in the image", Instead.FIND)]
        masks: list[tuple[str, Any]] = list(labels_layers(self.viewer))
        return [*find, *masks] if sources(self.viewer) else [*masks, *find]

    def _image_options(self) -> list[tuple[str, Any]]:
        chosen = self.cells_from.value
        found = [(source.name, source) for source in sources(self.viewer)]
        if isinstance(chosen, Labels) and measured_of(chosen) is not None:
            return [("the values of the table", Instead.TABLE), *found]
        return found

    def _cells_changed(self) -> None:
        self.image.refresh()
        self._show_what_applies()

    def _image_changed(self) -> None:
        source = self.image.value
        channels = source.image.channels if isinstance(source, Source) else ()
        if tuple(channels) != self.nuclear.channels:
            self.nuclear.show_channels(channels, _guess(channels))
        in_um = isinstance(source, Source) and source.image.spacing_um is not None
        self.grow.setSuffix(" µm" if in_um else " pixels")
        self._show_what_applies()

    def _show_what_applies(self) -> None:
        finding = self.cells_from.value is Instead.FIND
        for widget in (self.nuclear_label, self.nuclear, self._grow_row):
            widget.setVisible(finding)
        self._segmenting_section.visible = finding
        self._cleaning_section.visible = self.clean.isChecked()
        from_table = self.image.value is Instead.TABLE
        self.run.setText("Clean" if from_table else "Find and measure" if finding else "Measure")


def outcome(cells: AnnData) -> Outcome:
    """What became of the cells: counts in the line, names of markers and reasons as details."""
    measured = slots.info(cells).get(slots.KIND, slots.INTENSITY) == slots.INTENSITY
    size = f"{cells.n_vars:,} {'channels' if measured else 'features'}"
    report = slots.info(cells).get(slots.CLEAN)
    if not isinstance(report, dict):
        return Outcome(f"{cells.n_obs:,} cells, {size}.")
    dropped = ", ".join(f"{n:,} by {step}" for step, n in report["dropped"].items() if n)
    parts = [f"{report['kept']:,} of {report['cells']:,} cells kept, {size}."]
    parts += [f"Dropped: {dropped}."] if dropped else []
    if n := len(report["not_separated"]):
        parts.append(f"No clear split into signal and ground: {n} markers.")
    if n := len(report["constant"]):
        parts.append(f"The same in every cell: {n}.")
    parts += [f"Skipped: {', '.join(report['skipped'])}."] if report["skipped"] else []
    return Outcome(" ".join(parts), _details(report))


def _details(report: dict[str, Any]) -> str:
    parts = []
    if report["not_separated"]:
        names = ", ".join(report["not_separated"])
        parts.append(f"No clear split into signal and ground (kept, judge with care): {names}.")
    if report["constant"]:
        parts.append(f"The same in every cell: {', '.join(report['constant'])}.")
    why = "; ".join(f"{step}: {reason}" for step, reason in report["skipped"].items())
    return "\n\n".join([*parts, *([f"Skipped – {why}."] if why else [])])


def _growth_box() -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0, _LARGEST_GROWTH)
    box.setSingleStep(0.5)
    box.setDecimals(1)
    box.setValue(ng.SegmentParams().method.expansion)
    box.setToolTip(
        "Nuclei grow this far into cells and stop where two meet. 0: nuclei only, which misses "
        "most of a membrane marker; 2 to 4 µm is usual for lymphocytes."
    )
    no_stray_wheel(box)
    return box


def _guess(channels: Any) -> tuple[str, ...]:
    try:
        return guessed_nuclear(channels) if channels else ()
    except InputError:  # no channel has a known name: the person ticks one
        return ()


def _unplaced(layer: Layer) -> bool:
    return bool(np.all(layer.scale == 1) and np.all(layer.translate == 0))


def _found(source: Source, params: Any, clean: Any, track: Track) -> Found:
    labels = ng.segment(source.image, params, track=track)
    return _measured(source, labels, clean, track)


def _measured(source: Source, labels: Any, clean: Any, track: Track) -> Found:
    return _cleaned(ng.measure(source.image, labels, track=track), labels, clean, track)


def _cleaned(measured: Any, labels: Any, clean: Any, track: Track) -> Found:
    cells = measured if clean is None else ng.clean(measured, clean, track=track)
    index = LabelIndex(labels)
    index.positions(cells)  # refuses a table that belongs to other labels
    _ = index.levels  # built here rather than in the window's thread at the first painting
    return Found(labels, index, measured, cells)
