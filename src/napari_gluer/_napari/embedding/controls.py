"""The rows above the panes: layout and its settings, arrangement, tool, colours."""

from typing import Any, cast

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_gluer._napari.embedding.lasso import HELP
from napari_gluer._napari.embedding.panes import ARRANGEMENTS, Pane
from napari_gluer._napari.embedding.spaces import Factors, Principal, Space
from napari_gluer._napari.embedding.view import Layout
from napari_gluer._napari.folding import Section, boxed, no_stray_wheel
from napari_gluer._napari.forms import Form, form, read
from napari_gluer._napari.selecting.how import HowBar
from napari_gluer.analysis.layouts import Tsne, Umap
from napari_gluer.analysis.sampled_layouts import SampledLayoutParams

_KINDS: dict[str, type[Umap | Tsne | Principal | Factors]] = {
    "Principal components": Principal,
    "UMAP": Umap,
    "t-SNE": Tsne,
    "Factors": Factors,
}
_SPACES: dict[str, Space] = {"After integration": "after", "Before integration": "before"}
_COLORS = ("Coloured as the tissue", "Coloured by side")
_GAP = 4


class Controls(QWidget):
    """What is shown, and what the mouse does; the widget itself holds the settings.

    Parameters
    ----------
    rows
        Takes the rows of what is needed often.

    Attributes
    ----------
    legend
        A line for below the panes.
    """

    changed = Signal()
    """Points must be placed anew."""

    recolored = Signal()
    """Other colours are asked for."""

    tool_changed = Signal()

    def __init__(self, rows: QFormLayout) -> None:
        super().__init__()
        self.kind = _combo(list(_KINDS))
        self.kind.setToolTip("How many dimensions become two.")
        self.arrangement = _combo(list(ARRANGEMENTS))
        self.space = _combo(list(_SPACES))
        self.coloring = _combo(_COLORS)
        self.forms: dict[str, Form] = {name: form(kind()) for name, kind in _KINDS.items()}
        self.max_cells: Form = form(SampledLayoutParams(), hide=("layout",))
        self.linked = QCheckBox("Pan and zoom panes together")
        self.linked.setChecked(True)
        self.settings = Section("Settings", boxed(self._settings()), "Of layout, space and colours")
        self.how = HowBar()
        self.lasso, self.drag = _tool("Lasso", HELP), _tool("Move", "Drag to move; wheel to zoom.")
        self.fit = _tool("Fit", "Show all points (or double-click).")
        self.fit.setCheckable(False)
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self._lay_out(rows)
        self._connect()
        self._show_form()

    @property
    def layout_params(self) -> Layout:
        """The layout that is asked for.

        Raises
        ------
        InputError
            If a setting is out of bounds.
        """
        name = self.kind.currentText()
        chosen: Any = read(_KINDS[name], self.forms[name])
        if isinstance(chosen, Umap | Tsne):
            most = read(SampledLayoutParams, self.max_cells).max_cells
            return SampledLayoutParams(layout=chosen, max_cells=most)
        return cast("Principal | Factors", chosen)

    @property
    def kind_text(self) -> str:
        """Name of the layout."""
        return self.kind.currentText()

    @property
    def panes(self) -> tuple[Pane, ...]:
        """The panes of the arrangement."""
        return ARRANGEMENTS[self.arrangement.currentText()]

    @property
    def spaces(self) -> set[Space]:
        """The spaces that the panes show."""
        return {self.space_of(pane) for pane in self.panes}

    @property
    def by_side(self) -> bool:
        """Whether cells and reference have a colour each, whatever is painted."""
        return self.coloring.currentText() == _COLORS[1]

    @property
    def draws(self) -> bool:
        """Whether the left button draws a lasso."""
        return self.lasso.isChecked()

    @property
    def are_linked(self) -> bool:
        """Whether panes are dragged and zoomed together."""
        return self.linked.isChecked()

    def space_of(self, pane: Pane) -> Space:
        """The space that a pane shows."""
        return pane.space or _SPACES[self.space.currentText()]

    def _settings(self) -> QWidget:
        inside, column = QWidget(), QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        for one in (*self.forms.values(), self.max_cells):
            column.addWidget(one.native)
        for widget in (self.space, self.coloring, self.linked):
            column.addWidget(widget)
        inside.setLayout(column)
        return inside

    def _lay_out(self, rows: QFormLayout) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Layout", self.kind)
        rows.addRow("Panes", self.arrangement)
        rows.addRow("Mouse", _row(self.lasso, self.drag, self.fit))
        rows.addRow("Choose", self.how)
        column.addWidget(self.settings.native)
        tools = QButtonGroup(self)
        for one in (self.lasso, self.drag):
            tools.addButton(one)
        self.lasso.setChecked(True)

    def _connect(self) -> None:
        for combo in (self.kind, self.arrangement):
            combo.currentIndexChanged.connect(self._show_form)
        for combo in (self.kind, self.arrangement, self.space):
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
        for one in (*self.forms.values(), self.max_cells):
            for row in one.rows.values():
                if row.widget is not None:
                    row.widget.changed.connect(lambda *_: self.changed.emit())
        self.linked.toggled.connect(lambda _: self.changed.emit())
        self.coloring.currentIndexChanged.connect(lambda _: self.recolored.emit())
        self.lasso.toggled.connect(lambda _: self.tool_changed.emit())

    def _show_form(self) -> None:
        name = self.kind.currentText()
        for one, rows in self.forms.items():
            rows.visible = one == name
        self.max_cells.visible = _KINDS[name] in (Umap, Tsne)
        self.space.setEnabled(any(pane.space is None for pane in self.panes))


def _combo(texts: Any) -> QComboBox:
    combo = QComboBox()
    combo.addItems(list(texts))
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    no_stray_wheel(combo)
    return combo


def _tool(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setCheckable(True)
    return button


def _row(*widgets: QWidget) -> QWidget:
    box, row = QWidget(), QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(_GAP)
    for widget in widgets:
        row.addWidget(widget)
    box.setLayout(row)
    return box
