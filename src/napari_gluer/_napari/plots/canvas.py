"""A figure in a panel: as wide as the panel, in the colours of the theme, scrolled where higher.

Figures are made and drawn in a thread: those of many cells and groups take a second.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QImage, QPixmap, QResizeEvent
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from napari_gluer._napari.folding import is_open
from napari_gluer._napari.jobs import Running, report, start
from napari_gluer._napari.plots.theming import recolored, screen_colors
from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import INCH, one_at_a_time
from napari_gluer.figures.params import FigureParams

Make = Callable[[FigureParams], Figure]

_DPI = 96
_FONT = 8.0
_WIDTHS = (120.0, 174.0, 250.0, 400.0)  # mm that are tried where the panel is too narrow
_NARROWEST, _LOWEST = 60.0, 240
_SETTLED = 150  # ms after the last change of size


@dataclass(frozen=True)
class Sheet:
    """What a figure is drawn on.

    Attributes
    ----------
    params
        Its look, but for the width and the size of text, which are those of the screen.
    width
        Of the panel, in pixels.
    ratio
        Dots of the screen for a pixel.
    ground, ink
        Colours, ``#rrggbb``.
    """

    params: FigureParams
    width: int
    ratio: float
    ground: str
    ink: str


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure as it is shown, and its dots, uint8 ``(y, x, 4)``."""

    figure: Figure
    dots: NDArray[np.uint8]
    ratio: float


def pictured(make: Make, sheet: Sheet) -> Picture:
    """A figure at the panel's width; wider, to be scrolled, where that is too narrow.

    Raises
    ------
    InputError
        If it cannot be drawn at any width.
    """
    with one_at_a_time():
        figure = recolored(_made(make, sheet), sheet.ground, sheet.ink)
        figure.set_dpi(_DPI * sheet.ratio)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        dots = np.array(canvas.buffer_rgba(), np.uint8)  # type: ignore[no-untyped-call]
        return Picture(figure, dots, sheet.ratio)


def _made(make: Make, sheet: Sheet) -> Figure:
    own = max(sheet.width / _DPI * INCH, _NARROWEST)
    refused: InputError | None = None
    for width in (own, *(one for one in _WIDTHS if one > own)):
        changes = {"width_mm": width, "font_size": _FONT, "dpi": _DPI}
        try:
            return make(sheet.params.model_copy(update=changes))
        except InputError as error:
            refused = error
    raise refused if refused is not None else InputError("There is nothing to draw.")


class FigureView(QScrollArea):
    """Shows one figure, and draws it anew when the panel's width or the theme changes.

    Parameters
    ----------
    viewer
        Whose theme.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._make: Make | None = None
        self._params = FigureParams()
        self.figure: Figure | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setMinimumHeight(_LOWEST)
        self._running = Running()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.draw)
        self.destroyed.connect(self._running.cancel)
        viewer.events.theme.connect(self._soon)

    def sheet(self, params: FigureParams) -> Sheet:
        """What a figure would be drawn on now."""
        viewport = self.viewport()
        width = 0 if viewport is None else viewport.width() - 2
        return Sheet(params, width, self.devicePixelRatioF(), *screen_colors(self._viewer))

    def show_picture(self, picture: Picture, make: Make, params: FigureParams) -> None:
        """Show a figure that was drawn.

        Parameters
        ----------
        make
            Makes it anew, at another width.
        params
            Its look, for that.
        """
        self._running.cancel()
        self._make, self._params = make, params
        self._put(picture)

    def draw(self) -> None:
        """Draw the figure anew."""
        make = self._make
        if make is None or not is_open(self):
            return
        self._running.cancel()
        sheet = self.sheet(self._params)
        self._running.job = start(
            "GLUER: Figure",
            lambda _: pictured(make, sheet),
            done=self._redrawn,
            failed=report,
            progressed=lambda *_: None,
        )

    def clear(self) -> None:
        """Show nothing."""
        self._running.cancel()
        self._make = self.figure = None
        self.takeWidget()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw anew once the width has settled."""
        super().resizeEvent(event)
        if event is not None and event.size().width() != event.oldSize().width():
            self._soon()

    def _soon(self) -> None:
        if is_open(self):
            self._timer.start(_SETTLED)

    def _redrawn(self, picture: Picture) -> None:
        if is_open(self):
            self._put(picture)

    def _put(self, picture: Picture) -> None:
        height, width = picture.dots.shape[:2]
        dots, kind = picture.dots.tobytes(), QImage.Format.Format_RGBA8888
        image = QImage(dots, width, height, 4 * width, kind)
        pixels = QPixmap.fromImage(image)
        pixels.setDevicePixelRatio(picture.ratio)
        shown = QLabel()
        shown.setPixmap(pixels)
        shown.setFixedSize(round(width / picture.ratio), round(height / picture.ratio))
        self.setWidget(shown)
        self.figure = picture.figure
