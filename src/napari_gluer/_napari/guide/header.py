"""The line of one step in the guide: number, title, whether it is done, what came of it."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QFont, QFontMetrics, QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_gluer._napari.guide.states import TITLES, State

_LOOK = (
    "QPushButton { text-align: left; padding: 4px 6px; font-weight: 600; }"
    "QLabel { font-weight: 400; }"
)
_DONE, _NOW, _LATER = "✓", "▸", "·"
_GAP, _ROOM = 4, 20


class StepHeader(QWidget):
    """A button that opens a step; beside its title one line of outcome.

    Parameters
    ----------
    number
        Place in the flow, from 1.
    title
        Name of the step.
    """

    def __init__(self, number: int, title: str) -> None:
        super().__init__()
        self._text = f"{number}  {title}"
        self.button = QPushButton(self._text)
        self.button.setStyleSheet(_LOOK)
        self.button.setCheckable(True)
        self.line = Elided()
        self.line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside = QHBoxLayout(self.button)
        inside.setContentsMargins(self._title_width(), 0, _GAP, 0)
        inside.addWidget(self.line)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)

    def show_state(self, state: State, *, is_open: bool, before: str) -> None:
        """Show how far the step is.

        Parameters
        ----------
        state
            Of the step.
        is_open
            Whether its panel is unfolded below.
        before
            Title of the step that has to be done first.
        """
        sign = _DONE if state.is_done else _NOW if state.opens else _LATER
        self.button.setText(f"{sign}  {self._text}")
        self.button.setEnabled(state.opens)
        self.button.setChecked(is_open)
        self.button.setToolTip(state.outcome if state.opens else f"Opens when {before} is done.")
        self.button.setAccessibleName(f"{self._text} {state.outcome}")
        self.line.show_text(state.outcome)

    def _title_width(self) -> int:
        """Room for the longest title, so that the outcomes stand below each other."""
        bold = QFont(self.button.font())
        bold.setBold(True)
        titles = (f"{_DONE}  {len(TITLES)}  {title}" for title in TITLES)
        return max(QFontMetrics(bold).horizontalAdvance(title) for title in titles) + _ROOM


class Elided(QLabel):
    """One line that ends in … where it does not fit; the whole of it is under the mouse."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.hide()

    @property
    def whole(self) -> str:
        """The text before it was cut."""
        return self._whole

    def show_text(self, text: str) -> None:
        """Show `text`; nothing at all where it is empty."""
        self._whole = text
        self.setToolTip(text)
        self.setVisible(bool(text))
        self._cut()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Any width will do."""
        return QSize(0, self.fontMetrics().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Cut the text to the new width."""
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        margins = self.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room))
