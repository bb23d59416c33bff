"""A small map of all cells with the one that is asked marked."""

import numpy as np
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

_MOST = 5000
_HEIGHT, _NARROW = 150, 100
_MARK = "#ff3b30"
_GREY = (0.55, 0.55, 0.55, 0.6)


class NearPlot(QWidget):
    """Cells in the co-embedding, coloured as the tissue is; the asked one has a ring."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figure = Figure(dpi=80, layout="constrained")
        self.canvas = FigureCanvasQTAgg(self.figure)  # type: ignore[no-untyped-call]
        self.canvas.setFixedHeight(_HEIGHT)
        self.canvas.setMinimumWidth(_NARROW)
        self.canvas.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)
        self.place: tuple[float, float] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_cell(
        self,
        points: NDArray[np.float32],
        row: int,
        colors: NDArray[np.uint8] | None,
        ground: str,
    ) -> None:
        """Draw.

        Parameters
        ----------
        points
            ``(n, 2)``: all cells; at most 5,000 are drawn.
        row
            The cell to mark.
        colors
            uint8 ``(n, 4)``, transparent ones are grey; None where nothing is painted.
        ground
            Colour of the background.
        """
        rng = np.random.default_rng(0)
        n = len(points)
        drawn = np.sort(rng.choice(n, _MOST, replace=False)) if n > _MOST else np.arange(n)
        shown = np.tile(np.array(_GREY), (len(drawn), 1))
        if colors is not None:
            seen = colors[drawn, 3] > 0
            shown[seen] = colors[drawn][seen] / 255
        self.figure.clear()
        self.figure.set_facecolor(ground)
        axes = self.figure.subplots()
        axes.set_axis_off()
        axes.scatter(points[drawn, 0], points[drawn, 1], c=shown, s=4, linewidths=0)
        self.place = (float(points[row, 0]), float(points[row, 1]))
        axes.plot(*self.place, "o", ms=11, mfc="none", mec=_MARK, mew=2)
        axes.plot(*self.place, "o", ms=3, color=_MARK)
        self.canvas.draw_idle()  # type: ignore[no-untyped-call]

    def clear(self) -> None:
        """Draw nothing."""
        self.place = None
        self.figure.clear()
        self.canvas.draw_idle()  # type: ignore[no-untyped-call]
