"""Sections that fold, and editors that a scrolling wheel does not change."""

from magicgui.widgets import Container, PushButton, Widget
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QWidget

TICKS = "QAbstractItemView::indicator:unchecked { border: 1px solid gray; border-radius: 2px; }"
"""Style of lists with ticks: napari's draws no box where there is none."""

_INDENT = 12
_LOOK = "QPushButton { text-align: left; border: none; background: transparent; padding: 3px 0; }"


class Section(Container[Widget]):
    """A header that folds its content away.

    Parameters
    ----------
    title
        Text of the header.
    content
        What folds.
    tooltip
        Shown over the header.
    """

    def __init__(self, title: str, content: Widget, tooltip: str = "") -> None:
        self._title = title
        self._content = content
        self._header = PushButton(text=title, tooltip=tooltip)
        self._header.native.setStyleSheet(_LOOK)
        super().__init__(widgets=[self._header, content], labels=False)
        self.margins = (0, 0, 0, 0)
        if isinstance(content, Container):
            content.margins = (_INDENT, 0, 0, 0)
        self._header.changed.connect(lambda: self.fold(folded=not self.folded))
        self.fold(folded=True)

    @property
    def folded(self) -> bool:
        """Whether the content is hidden."""
        return self._folded

    def retitle(self, title: str) -> None:
        """Change the text of the header."""
        self._title = title
        self.fold(folded=self.folded)

    def fold(self, *, folded: bool) -> None:
        """Hide or show the content."""
        self._folded = folded
        self._content.visible = not folded
        self._header.text = f"{'▸' if folded else '▾'} {self._title}"


def boxed(content: QWidget) -> Container[Widget]:
    """A Qt widget as the content of a section."""
    box: Container[Widget] = Container(widgets=[], labels=False)
    layout = box.native.layout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(content)
    return box


class _NoStrayWheel(QObject):
    """Passes the wheel on to the scroll area unless the editor has the focus."""

    def eventFilter(self, editor: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Swallow the wheel over an editor that was not clicked."""
        if (
            event is not None
            and event.type() == QEvent.Type.Wheel
            and isinstance(editor, QWidget)
            and not editor.hasFocus()
        ):
            event.ignore()
            return True
        return False


def is_open(widget: QObject) -> bool:
    """Whether Qt has not deleted the widget yet."""
    return bool(isalive(widget))  # type: ignore[no-untyped-call]


def no_stray_wheel(editor: QWidget) -> None:
    """Let the wheel change `editor` only after a click into it."""
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    editor.installEventFilter(_NoStrayWheel(editor))
