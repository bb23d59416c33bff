"""What every step has: a body that scrolls, Run and Cancel, progress, one line of outcome."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from magicgui.widgets import Widget
from napari.components import ViewerModel
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QDockWidget,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_gluer._napari.closing import guard
from napari_gluer._napari.failures import explained, report
from napari_gluer._napari.folding import is_open
from napari_gluer._napari.jobs import Running, start
from napari_gluer._napari.layer_changes import follow_layers
from napari_gluer._napari.time_left import TimeLeft
from napari_gluer._napari.undoing import bind_keys
from napari_gluer.track import Track

_MARGIN, _GAP, _NARROWEST = 8, 6, 315


class Outcome(NamedTuple):
    """What a step did: a line that fits the panel, and details that the mouse brings up."""

    text: str
    details: str = ""


class Step(QWidget):
    """One step of the flow.

    A subclass fills `rows` and `body`, and says in `prepare` what to run and in `finish` what
    becomes of the result.

    Parameters
    ----------
    napari_viewer
        napari passes the viewer by this name.
    """

    title: ClassVar[str]
    run_text: ClassVar[str] = "Run"
    hint: ClassVar[str] = ""
    joins_tabs: ClassVar[bool] = True
    """Whether docks of other steps become tabs of the same place."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        # napari hands plugins a proxy; what it returns is a new object every time, and layers are
        # told apart by identity here
        self.viewer: ViewerModel = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._placed = False
        self._running = Running()
        self._time_left = TimeLeft()
        self.waiting: list[QWidget] = []
        """Further buttons that wait while a job runs."""
        self.rows = QFormLayout()
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setVerticalSpacing(_GAP)
        self.rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, 0)
        self.body.setSpacing(_GAP)
        self.run = QPushButton(self.run_text)
        self.cancel = QPushButton("Cancel")
        self.progress = QProgressBar()
        self.outcome = _wrapped_label(self.hint)
        self._lay_out()
        bind_keys(self.viewer)
        self.run.clicked.connect(self._start)
        self.cancel.clicked.connect(self._cancel)
        self.destroyed.connect(self._running.cancel)
        self._set_busy(busy=False)

    def prepare(self) -> Callable[[Track], Any]:
        """Read the widgets and layers, and return the work for the thread."""
        raise NotImplementedError

    def finish(self, result: Any) -> Outcome:
        """Attach the result to the layers and return the outcome in plain words."""
        raise NotImplementedError

    def add(self, widget: QWidget | Widget, stretch: int = 0) -> None:
        """Put a widget under those that are there."""
        native = widget.native if isinstance(widget, Widget) else widget
        self.body.addWidget(native, stretch)

    def fill_up(self) -> None:
        """Keep the body's widgets together at the top."""
        self.body.addStretch(1)

    @property
    def busy(self) -> bool:
        """Whether a job runs whose result is awaited."""
        return self._running.job is not None

    def say(self, text: str, details: str = "") -> None:
        """Show one line of outcome; `details` under the mouse."""
        self.outcome.setText(f"{text} (Point here for details.)" if details else text)
        self.outcome.setToolTip(details)

    def guarded(self, act: Callable[[], Any]) -> Any:
        """The value of `act`; an error is told, in one notification, and gives None."""
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - nobody above could tell it plainly
            self._tell(error)
            return None

    def run_job(self, work: Callable[[Track], Any], finish: Callable[[Any], Outcome]) -> None:
        """Run `work` in a thread, then `finish` in the window's, and say what it returns."""
        self._set_busy(busy=True)
        self._time_left = TimeLeft()
        self.say("Starting …")
        self._running.job = start(
            f"GLUER: {self.title}",
            work,
            done=self._while_open(lambda result: self._done(finish, result)),
            failed=self._while_open(self._failed),
            progressed=self._while_open(self._progressed),
        )

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Join the tabs of the other steps when shown for the first time."""
        super().showEvent(event)
        guard(self, self.viewer)
        follow_layers(self, self.viewer)
        if not self._placed:
            self._placed = True
            QTimer.singleShot(0, self._while_open(self._join_tabs))

    def _join_tabs(self) -> None:
        # napari stacks docks upon each other and does not read `tabify` from the manifest
        dock = self.parentWidget()
        window = dock.parentWidget() if isinstance(dock, QDockWidget) else None
        if not isinstance(dock, QDockWidget) or not isinstance(window, QMainWindow):
            return
        dock.setWindowTitle(self.title)
        for other in window.findChildren(QDockWidget):
            together = window.dockWidgetArea(other) == window.dockWidgetArea(dock)
            joins = getattr(other.widget(), "joins_tabs", False)
            if other is not dock and together and joins:
                window.tabifyDockWidget(other, dock)
                dock.show()
                dock.raise_()
                return

    def _start(self) -> None:
        work = self.guarded(self.prepare)
        if work is not None:
            self.run_job(work, self.finish)

    def _cancel(self) -> None:
        self._running.cancel()
        self._set_busy(busy=False)
        self.say("Cancelled. Everything is as it was.")

    def _done(self, finish: Callable[[Any], Outcome], result: Any) -> None:
        self._set_busy(busy=False)
        outcome = self.guarded(lambda: finish(result))
        if outcome is not None:
            self.say(*outcome)

    def _failed(self, error: Exception) -> None:
        self._set_busy(busy=False)
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        self.say(explained(error))
        report(error)

    def _progressed(self, desc: str, done: int, total: int) -> None:
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.say(self._time_left.said(desc, done, total))

    def _while_open(self, callback: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any) -> None:
            if is_open(self):
                callback(*args)

        return call

    def _set_busy(self, *, busy: bool) -> None:
        if not busy:
            self._running.job = None
        for button in (self.run, *self.waiting):
            button.setEnabled(not busy)
        self.cancel.setEnabled(busy)
        self.progress.setRange(0, 0 if busy else 1)
        self.progress.reset()
        self.progress.setVisible(busy)

    def _lay_out(self) -> None:
        inside = QWidget()
        self.body.addLayout(self.rows)
        inside.setLayout(self.body)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setWidget(inside)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run, 2)
        buttons.addWidget(self.cancel, 1)
        self.footer = QVBoxLayout()
        self.footer.setContentsMargins(_MARGIN, 0, _MARGIN, _MARGIN)
        self.footer.setSpacing(_GAP)
        self.footer.addLayout(buttons)
        self.footer.addWidget(self.progress)
        self.footer.addWidget(self.outcome)
        everything = QVBoxLayout(self)
        everything.setContentsMargins(0, 0, 0, 0)
        everything.setSpacing(_GAP)
        everything.addWidget(self.scroll_area, 1)
        everything.addLayout(self.footer)
        self.setMinimumWidth(_NARROWEST)


def side_by_side(*widgets: QWidget) -> QWidget:
    """Widgets in one row."""
    box, row = QWidget(), QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    box.setLayout(row)
    return box


def _wrapped_label(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
