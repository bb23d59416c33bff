"""A figure in a panel: as wide as the panel, in the colours of the theme, scrolled where higher."""

from collections.abc import Callable

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from napari.components import ViewerModel
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

from napari_gluer._napari.folding import is_open
from napari_gluer._napari.plots.theming import recolored, screen_colors
from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import INCH
from napari_gluer.figures.params import FigureParams

Make = Callable[[FigureParams], Figure]

_DPI = 96
_FONT = 8.0
_WIDTHS = (120.0, 174.0, 250.0, 400.0)  # mm that are tried where the panel is too narrow
_NARROWEST, _LOWEST = 60.0, 240
_SETTLED = 150  # ms after the last change of size


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
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.draw)
        viewer.events.theme.connect(self._soon)

    def show_figure(self, make: Make, params: FigureParams) -> None:
        """Draw a figure.

        Parameters
        ----------
        make
            Makes it at a width.
        params
            Its look, but for the width and the size of text, which are those of the screen.

        Raises
        ------
        InputError
            If it cannot be drawn at any width.
        """
        figure = self._made(make, params)
        self._make, self._params = make, params
        self._put(figure)

    def draw(self) -> None:
        """Draw the figure anew."""
        if self._make is not None and is_open(self):
            self._put(self._made(self._make, self._params))

    def clear(self) -> None:
        """Show nothing."""
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

    def _made(self, make: Make, params: FigureParams) -> Figure:
        """At the panel's width; wider, to be scrolled, where that is too narrow."""
        viewport = self.viewport()
        pixels = 0 if viewport is None else viewport.width() - 2
        own = max(pixels / _DPI * INCH, _NARROWEST)
        refused: InputError | None = None
        for width in (own, *(one for one in _WIDTHS if one > own)):
            changes = {"width_mm": width, "font_size": _FONT, "dpi": _DPI}
            try:
                return make(params.model_copy(update=changes))
            except InputError as error:
                refused = error
        raise refused if refused is not None else InputError("There is nothing to draw.")

    def _put(self, figure: Figure) -> None:
        recolored(figure, *screen_colors(self._viewer))
        canvas = FigureCanvasQTAgg(figure)  # type: ignore[no-untyped-call]
        width, height = figure.get_size_inches() * _DPI
        canvas.setFixedSize(round(width), round(height))
        self.setWidget(canvas)
        canvas.draw_idle()  # type: ignore[no-untyped-call]
        self.figure = figure
