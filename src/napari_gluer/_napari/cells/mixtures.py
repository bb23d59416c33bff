"""A window in which the fits of every marker are looked at: histogram, components, threshold."""

from pathlib import Path
from typing import Any

from anndata import AnnData
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_gluer import slots
from napari_gluer._napari.jobs import report
from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path
from napari_gluer.mixture_pictures import mixture_figure

_ALL = "All markers"
_UNCLEAR = "no clear split"
_FILES = "PNG (*.png);;PDF (*.pdf);;SVG (*.svg)"
_SUFFIXES = (".png", ".pdf", ".svg")
_SIZE, _LIST_WIDTH = (1000, 680), 210
_PAGE_WIDTH, _MOST_DOTS = 735, 150
_DOTS = 300


class MixtureWindow(QWidget):
    """Markers to choose from, the plot of the chosen one or of all, and a way to save it.

    Parameters
    ----------
    cells
        A table that a mixture cleaned.
    parent
        The window it belongs to.

    Raises
    ------
    InputError
        If the table holds no fits.
    """

    def __init__(self, cells: AnnData, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Signal and ground of every marker")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._cells = cells
        self.markers = QListWidget()
        self.markers.setFixedWidth(_LIST_WIDTH)
        self.area = QScrollArea()
        self.area.setWidgetResizable(False)
        self.area.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.save = QPushButton("Save…")
        self.save.setToolTip("The plot that is shown, as PNG, PDF or SVG.")
        self.save.clicked.connect(self._save)
        side = QVBoxLayout()
        side.addWidget(self.markers, 1)
        side.addWidget(self.save)
        both = QHBoxLayout(self)
        both.addLayout(side)
        both.addWidget(self.area, 1)
        self.resize(*_SIZE)
        self.figure = Figure()
        for name, text in _listed(cells):
            item = QListWidgetItem(text, self.markers)
            item.setData(Qt.ItemDataRole.UserRole, name)
        self.markers.currentItemChanged.connect(self._show)
        self.markers.setCurrentRow(0)

    def _show(self) -> None:
        item = self.markers.currentItem()
        name = None if item is None else item.data(Qt.ItemDataRole.UserRole)
        self.figure = mixture_figure(self._cells, [name] if name else None)
        self.area.setWidget(_Canvas(self.figure))

    def _save(self) -> None:
        item = self.markers.currentItem()
        name = "markers" if item is None else item.data(Qt.ItemDataRole.UserRole) or "markers"
        path, kind = QFileDialog.getSaveFileName(
            self, "Save the plot", f"{name.replace('/', '-')}.png", _FILES
        )
        if path:
            try:
                save_figure(self.figure, with_suffix(path, kind))
            except InputError as error:
                report(error)


def has_fits(cells: AnnData) -> bool:
    """Whether a table holds fits of markers to look at."""
    return bool(_fits(cells))


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all.

    Raises
    ------
    InputError
        If it cannot be written, or not in this format.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"{path.name}: choose a name that ends in {', '.join(_SUFFIXES)}.")
    dots = figure.dpi
    try:
        with atomic_path(path) as partial:
            figure.savefig(partial, dpi=_DOTS)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        figure.set_dpi(dots)


def with_suffix(path: str, kind: str) -> Path:
    """The path that was typed, with the suffix of the chosen kind of file where it has none."""
    typed = Path(path)
    if typed.suffix.lower() in _SUFFIXES:
        return typed
    suffix = next((one for one in _SUFFIXES if one in kind), _SUFFIXES[0])
    return typed.with_name(typed.name + suffix)


def _listed(cells: AnnData) -> list[tuple[str, str]]:
    """Markers, and their names with a word where signal and ground do not separate."""
    fits = _fits(cells)
    if not fits:
        raise InputError(
            "There are no fits to look at. Clean the measurements with a mixture first "
            "(How they are cleaned ▸ Signal)."
        )
    names = [
        (name, name if fit["separated"] else f"{name} – {_UNCLEAR}") for name, fit in fits.items()
    ]
    return [("", _ALL), *names]


def _fits(cells: AnnData) -> dict[str, Any]:
    return slots.info(cells).get(slots.CLEAN, {}).get("mixtures") or {}


class _Canvas(FigureCanvasQTAgg):
    """A figure of fixed size, over which the wheel scrolls the page."""

    def __init__(self, figure: Figure) -> None:
        wide, high = figure.get_size_inches()
        dots = min(_PAGE_WIDTH / wide, _MOST_DOTS)
        figure.set_dpi(dots)
        super().__init__(figure)  # type: ignore[no-untyped-call]
        self.setFixedSize(QSize(round(wide * dots), round(high * dots)))

    def wheelEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the page."""
        event.ignore()
