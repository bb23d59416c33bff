"""Folded panels of the Explore step: colours of values, and the confidence switch."""

from typing import Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from napari_gluer._napari.folding import no_stray_wheel
from napari_gluer._napari.linked import Shown
from napari_gluer._napari.painting.style import COLORMAPS, PaintStyle, Uncertain
from napari_gluer._napari.steps.base import side_by_side

_GAP = 6
_UNCERTAIN = {Uncertain.SHOW: "Show", Uncertain.FADE: "Fade", Uncertain.HIDE: "Hide"}


class StylePanel(QWidget):
    """A panel that asks for changes of the style.

    Attributes
    ----------
    asked
        Emitted with the fields of `PaintStyle` that a person set.
    """

    asked = Signal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._showing = False
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setVerticalSpacing(_GAP)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)

    def show_style(self, style: PaintStyle) -> None:
        """Show the fields of `style`; nothing is asked."""
        self._showing = True
        self._fill(style)
        self._showing = False

    def _fill(self, style: PaintStyle) -> None:
        raise NotImplementedError

    def _ask(self, **changes: Any) -> None:
        if not self._showing:
            self.asked.emit(changes)


class ColoursPanel(StylePanel):
    """Colour map, limits by percentiles, gamma."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colormap = QComboBox()
        self.colormap.addItems(COLORMAPS)
        _narrow(self.colormap)
        self.low, self.high = _spin(0, 100, 1), _spin(0, 100, 1)
        self.low.setToolTip("Cells below this percentile of the values have the lowest colour.")
        self.high.setToolTip("Cells above this percentile of the values have the highest colour.")
        self.gamma = _spin(0.1, 5, 2)
        self.gamma.setSingleStep(0.1)
        self.gamma.setToolTip("Below 1, low values are told apart better; above 1, high ones.")
        self.limits = QLabel()
        self.limits.setWordWrap(True)
        self.reset = QPushButton("Usual colours")
        self.reset.setToolTip("viridis from percentile 1 to 99, gamma 1; categories as at first.")
        self.form.addRow("Colour map", self.colormap)
        self.form.addRow("Low percentile", self.low)
        self.form.addRow("High percentile", self.high)
        self.form.addRow("Gamma", self.gamma)
        self.form.addRow(self.limits)
        self.form.addRow(self.reset)
        self.colormap.currentTextChanged.connect(lambda name: self._ask(colormap=name))
        self.low.valueChanged.connect(lambda value: self._ask(low=value))
        self.high.valueChanged.connect(lambda value: self._ask(high=value))
        self.gamma.valueChanged.connect(lambda value: self._ask(gamma=value))

    def _fill(self, style: PaintStyle) -> None:
        if self.colormap.findText(style.colormap) < 0:  # set in napari's own controls
            self.colormap.addItem(style.colormap)
        self.colormap.setCurrentText(style.colormap)
        for spin, value in ((self.low, style.low), (self.high, style.high)):
            spin.setValue(value)
        self.gamma.setValue(style.gamma)

    def show_limits(self, shown: Shown | None) -> None:
        """Say the limits in the values' own unit."""
        continuous = shown is not None and shown.values is not None
        for editor in (self.colormap, self.low, self.high, self.gamma):
            editor.setEnabled(continuous or shown is None)
        if shown is None or shown.values is None:
            self.limits.setText("" if shown is None else "Categories: double-click a colour below.")
            return
        low, high = shown.limits
        self.limits.setText(f"From {low:.3g} to {high:.3g} {shown.unit}".rstrip())


class ConfidencePanel(StylePanel):
    """What becomes of cells that are less sure than a bound."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.what = QComboBox()
        for kind, text in _UNCERTAIN.items():
            self.what.addItem(text, kind)
        self.bound = _spin(0, 1, 2)
        self.bound.setSingleStep(0.05)
        self.bound.setToolTip(
            "Confidence of the match with the reference; where a type is painted, its probability."
        )
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.form.addRow(side_by_side(self.what, QLabel("cells below"), self.bound))
        self.form.addRow(self.told)
        self.what.currentIndexChanged.connect(lambda: self._ask(uncertain=self.what.currentData()))
        self.bound.valueChanged.connect(lambda value: self._ask(bound=value))

    def _fill(self, style: PaintStyle) -> None:
        self.what.setCurrentIndex(list(_UNCERTAIN).index(style.uncertain))
        self.bound.setValue(style.bound)

    def tell(self, column: str, n_below: int, n_cells: int) -> None:
        """Say how many cells are below the bound; "" as the column where nothing tells."""
        if not column:
            self.told.setText("Nothing tells how sure these cells are: integrate them first.")
        else:
            self.told.setText(f"{n_below:,} of {n_cells:,} cells are below, by {column}.")


def _spin(low: float, high: float, decimals: int) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(low, high)
    spin.setDecimals(decimals)
    spin.setKeyboardTracking(False)  # a number is taken when it is typed in full
    _narrow(spin)
    return spin


def _narrow(editor: Any) -> None:
    editor.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    editor.setMinimumWidth(60)
    no_stray_wheel(editor)
