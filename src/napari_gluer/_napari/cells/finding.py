"""How cells are found: the channels that show nuclei, how far nuclei grow, the method."""

from typing import Any

from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QWidget

import napari_gluer as ng
from napari_gluer._napari.browsing import add_browse
from napari_gluer._napari.folding import Section
from napari_gluer._napari.forms import Form, form, read
from napari_gluer._napari.images import Source
from napari_gluer._napari.pickers import ChannelList
from napari_gluer.errors import InputError, listed
from napari_gluer.segmentation.nuclei import guessed_nuclear

_GROWTH = "growth"
_GROWTH_TIP = (
    "Nuclei grow into cells and stop where two meet. Without, most of a membrane marker is missed; "
    "2 to 4 µm is usual for lymphocytes."
)


class Finding:
    """The widgets from which `SegmentParams` are read.

    Attributes
    ----------
    nuclear
        Channels to tick.
    growth, settings
        Forms of one field, and of all others.
    browse
        Buttons beside the lines for a method's model file.
    preview
        A button, for the step to connect.
    """

    def __init__(self) -> None:
        self.nuclear = ChannelList()
        self.nuclear.setToolTip("Tick the channels that show nuclei.")
        others = tuple(name for name in ng.SegmentParams.model_fields if name != _GROWTH)
        self.growth = form(ng.SegmentParams(), hide=others)
        self._growth_box = self.growth.rows[_GROWTH].widget.native
        self.settings = form(ng.SegmentParams(), hide=("nuclear_channels", _GROWTH))
        self.browse = _browse_models(self.settings)
        self.preview = QPushButton("Preview")
        self.preview.setToolTip("Find the cells of what is in view, and outline them.")
        self.section = Section("How cells are found", self.settings)
        self.nuclear_label, self.growth_label = QLabel("Nuclei"), QLabel("Growth")
        self.growth_label.setToolTip(_GROWTH_TIP)

    def add_rows(self, rows: QFormLayout) -> None:
        """Put the rows that are always seen into a layout."""
        rows.addRow(self.nuclear_label, self.nuclear)
        rows.addRow(self.growth_label, self._growth_box)
        rows.addRow(self.preview)

    def show_source(self, source: Source | None) -> None:
        """List the channels of an image, with those ticked whose names say nuclei."""
        channels = source.image.channels if source is not None else ()
        if tuple(channels) != self.nuclear.channels:
            self.nuclear.show_channels(channels, _guess(channels))
        in_um = source is not None and source.image.spacing_um is not None
        self.growth_label.setText(f"Growth ({'µm' if in_um else 'px'})")

    def set_visible(self, *, visible: bool) -> None:
        """Show what applies only where cells are found."""
        labels: list[QWidget] = [self.nuclear_label, self.growth_label]
        for widget in (*labels, self.nuclear, self._growth_box, self.preview):
            widget.setVisible(visible)
        self.section.visible = visible

    def params(self, source: Source) -> ng.SegmentParams:
        """The parameters as they are shown.

        Raises
        ------
        InputError
            If no channel is ticked or a value is out of bounds.
        """
        ticked = self.nuclear.ticked
        if not ticked:
            raise InputError(
                "Tick a channel that shows nuclei, or choose a labels layer under Cells. "
                f"The image has {listed(source.image.channels)}."
            )
        growth = getattr(read(ng.SegmentParams, self.growth), _GROWTH)
        changed: dict[str, Any] = {"nuclear_channels": ticked, _GROWTH: growth}
        return read(ng.SegmentParams, self.settings).model_copy(update=changed)


def _browse_models(settings: Form) -> list[QPushButton]:
    methods = [one for one in settings.rows["method"].widget if isinstance(one, Form)]
    return [add_browse(one, "model", "Model file") for one in methods if "model" in one.rows]


def _guess(channels: Any) -> tuple[str, ...]:
    if len(channels) == 1:
        return tuple(channels)
    try:
        return guessed_nuclear(channels) if channels else ()
    except InputError:  # no channel has a known name: the person ticks one
        return ()
