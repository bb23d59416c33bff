"""One pane: points that are dragged, zoomed, pointed at and drawn around."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt, QTimer, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_gluer._napari.embedding.raster import Window
from napari_gluer._napari.embedding.scene import EMPTY, Scene

_SMALLEST = 110
_ZOOM_PER_STEP, _DEGREES = 1.2, 120.0
_NEAREST = 3  # pixels between the mouse and the point it asks
_HOVER_WAIT = 60  # ms
_MARGIN = 6


class ScatterView(QWidget):
    """Shows a `Scene`; the left button draws a lasso or drags, the wheel zooms.

    Parameters
    ----------
    describe
        Text for the point under the mouse: row of the cells or of the reference, and which.
    """

    enclosed = Signal(object, object)
    """An outline ``(k, 2)`` in the units of the points was drawn, with these keys held."""

    window_changed = Signal(object)
    """The person dragged or zoomed; with the new `Window`."""

    cleared = Signal()
    """Escape was pressed, or a place without a point clicked."""

    def __init__(
        self, describe: Callable[[int, bool], str] = lambda _row, _cell: "", title: str = ""
    ) -> None:
        super().__init__()
        self.setMinimumSize(_SMALLEST, _SMALLEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.title, self.axes, self.note = title, ("", ""), ""
        self.draws = True
        """Whether the left button draws a lasso; else it drags."""
        self._describe = describe
        self._scene = EMPTY
        self._window: Window | None = None
        self._same_scale, self._untouched = True, True
        self._image = QImage()
        self._pixels = np.zeros((1, 1), np.uint32)  # what the image reads its colours from
        self._ranks = np.zeros((1, 1), np.int32)
        self._stale = True
        self._lasso: list[QPointF] = []
        self._dragged: QPointF | None = None
        self._hover = QTimer(self)
        self._hover.setSingleShot(True)
        self._hover.setInterval(_HOVER_WAIT)
        self._hover.timeout.connect(self._tell)
        self._pointed = QPointF()

    @property
    def scene(self) -> Scene:
        """What is drawn."""
        return self._scene

    @property
    def window_shown(self) -> Window | None:
        """The part of the plane that is seen; None before the first points."""
        return self._window

    def show_scene(self, scene: Scene, *, fit: bool, same_scale: bool = True) -> None:
        """Draw other points or colours; `fit` shows all of them."""
        self._scene, self._same_scale = scene, same_scale
        if fit or self._window is None:
            self.fit()
        self._redraw()

    def fit(self) -> None:
        """Show all points."""
        points = self._scene.extent
        if len(points):
            width, height = self._size()
            self._window = Window.around(points, width, height, same_scale=self._same_scale)
        self._untouched = True
        self._redraw()

    def look_at(self, window: Window) -> None:
        """Show the same part as another pane."""
        width, height = self._size()
        middle = window.resized(width, height)
        if middle != self._window:
            self._window, self._untouched = middle, False
            self._redraw()

    def ensure_drawn(self) -> NDArray[np.uint32]:
        """The picture as it is now, ``(height, width)`` as 0xAARRGGBB, drawn anew if it must be."""
        if self._stale and self._window is not None:
            self._pixels, self._ranks = self._scene.picture(self._window)
            height, width = self._pixels.shape
            memory: Any = self._pixels.data  # read in place; `_pixels` keeps it
            self._image = QImage(memory, width, height, 4 * width, QImage.Format.Format_RGB32)
            self._image.setDevicePixelRatio(self.devicePixelRatioF())
            self._stale = False
        return self._pixels

    def to_widget(self, x: float, y: float) -> QPointF:
        """Where a place of the plane is on the widget."""
        if self._window is None:
            return QPointF()
        pixel = self._window.pixels(np.array([[x, y]], np.float32))[0] / self.devicePixelRatioF()
        return QPointF(float(pixel[0]), float(pixel[1]))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802, ARG002 - Qt's name
        """Draw points, names of the axes and the lasso."""
        self.ensure_drawn()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(*self._scene.ground))
        if self._window is not None:
            painter.drawImage(0, 0, self._image)
        self._write(painter)
        if len(self._lasso) > 1:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(*self._scene.text), 1.5, Qt.PenStyle.DashLine))
            painter.drawPolygon(QPolygonF(self._lasso))
        painter.end()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show all points still, or keep the middle of what is looked at."""
        super().resizeEvent(event)
        if self._untouched:
            self.fit()
        elif self._window is not None:
            before = self._window
            width, height = self._size()
            grown = min(width / before.width, height / before.height)
            middle = before.resized(width, height)
            self._window = middle.zoomed(grown, width / 2, height / 2)
        self._redraw()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Begin a lasso, or to drag."""
        if event is None:
            return
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self.draws:
            self._lasso = [event.position()]
        elif left or event.button() in (Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton):
            self._dragged = event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Lengthen the lasso, drag, or wait whether the mouse rests on a point."""
        if event is None:
            return
        at = event.position()
        if self._lasso:
            self._lasso.append(at)
            self.update()
        elif self._dragged is not None and self._window is not None:
            step = (at - self._dragged) * self.devicePixelRatioF()
            self._dragged = at
            self._look(self._window.moved(step.x(), step.y()))
        else:
            self._pointed = at
            self._hover.start()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Close the lasso."""
        self._dragged = None
        drawn, self._lasso = self._lasso, []
        if event is None or not drawn or self._window is None:
            return
        self.update()
        if len(drawn) < 3:
            if self.point_at(drawn[0]) is None:
                self.cleared.emit()
            return
        ratio = self.devicePixelRatioF()
        places = [self._window.place(one.x() * ratio, one.y() * ratio) for one in drawn]
        self.enclosed.emit(np.array(places), event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802, ARG002
        """Show all points."""
        self._lasso = []
        self.fit()
        if self._window is not None:
            self.window_changed.emit(self._window)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Zoom about the mouse."""
        if event is None or self._window is None:
            return
        ratio, at = self.devicePixelRatioF(), event.position()
        factor = _ZOOM_PER_STEP ** (event.angleDelta().y() / _DEGREES)
        self._look(self._window.zoomed(factor, at.x() * ratio, at.y() * ratio))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Escape chooses nothing; plus, minus and arrows look around; 0 shows all."""
        if event is None or not self._by_key(Qt.Key(event.key())):
            super().keyPressEvent(event)

    def point_at(self, at: QPointF) -> tuple[int, bool] | None:
        """The point at a place of the widget: its row, and whether it is a cell; None if none."""
        self.ensure_drawn()
        ratio = self.devicePixelRatioF()
        x, y = int(at.x() * ratio), int(at.y() * ratio)
        if not (0 <= y < self._ranks.shape[0] and 0 <= x < self._ranks.shape[1]):
            return None
        near = self._ranks[
            max(y - _NEAREST, 0) : y + _NEAREST + 1, max(x - _NEAREST, 0) : x + _NEAREST + 1
        ]
        rank = self._ranks[y, x] or near.max(initial=0)
        row = self._scene.row(int(rank))
        if row is None:
            return None
        n_reference = len(self._scene.reference)
        return (row - n_reference, True) if row >= n_reference else (row, False)

    def _by_key(self, key: Qt.Key) -> bool:
        if key == Qt.Key.Key_Escape:
            self._lasso = []
            self.update()
            self.cleared.emit()
            return True
        window = self._window
        if window is None:
            return False
        if key == Qt.Key.Key_0:
            self.fit()
            self.window_changed.emit(self._window)
            return True
        x, y = window.width / 2, window.height / 2
        steps = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1)}
        steps[Qt.Key.Key_Down] = (0, -1)
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._look(window.zoomed(_ZOOM_PER_STEP, x, y))
        elif key == Qt.Key.Key_Minus:
            self._look(window.zoomed(1 / _ZOOM_PER_STEP, x, y))
        elif key in steps:
            right, down = steps[key]
            self._look(window.moved(right * window.width / 10, down * window.height / 10))
        else:
            return False
        return True

    def _look(self, window: Window) -> None:
        self._window, self._untouched = window, False
        self._redraw()
        self.window_changed.emit(window)

    def _redraw(self) -> None:
        self._stale = True
        self.update()

    def _size(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(int(self.width() * ratio), 1), max(int(self.height() * ratio), 1)

    def _tell(self) -> None:
        found = None if self._lasso or self._dragged else self.point_at(self._pointed)
        text = "" if found is None else self._describe(*found)
        QToolTip.showText(self.mapToGlobal(self._pointed.toPoint()), text, self)

    def _write(self, painter: QPainter) -> None:
        """Names of pane and axes, small."""
        painter.save()
        font = painter.font()
        font.setPointSizeF(max(font.pointSizeF() * 0.85, 6))
        painter.setFont(font)
        painter.setPen(QColor(*self._scene.text))
        box = self.rect().adjusted(_MARGIN, _MARGIN - 2, -_MARGIN, -_MARGIN + 2)
        corner = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        painter.drawText(box, corner, self.title)
        middle = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(box, middle, self.note)
        below = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
        painter.drawText(box, below, f"{self.axes[0]} →" if self.axes[0] else "")
        painter.translate(box.left(), box.bottom())
        painter.rotate(-90)
        upwards = f"{self.axes[1]} →" if self.axes[1] else ""
        painter.drawText(0, painter.fontMetrics().ascent(), upwards)
        painter.restore()
