"""The fits of every marker are looked at and saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from matplotlib.figure import Figure
from matplotlib.image import imread
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QFileDialog

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.cells.mixtures import (
    MixtureWindow,
    has_fits,
    save_figure,
    with_suffix,
)
from napari_gluer.errors import InputError
from napari_gluer.markers import annotate

CHANNELS = [
    "CD20",
    "CD45R/B220",
    "CD4",
    "CD8",
    "CD31",
    "CD68",
    "DAPI",
    *(f"M{i}" for i in range(14)),
]


@pytest.fixture(scope="module")
def cleaned() -> AnnData:
    """400 cells; CD20 has two kinds of them, the other channels noise."""
    rng = np.random.default_rng(0)
    values = rng.gamma(4, 50, (400, len(CHANNELS)))
    values[:150, 0] = rng.normal(3000, 300, 150)
    cells = AnnData(values.astype(np.float32), var=annotate(CHANNELS))
    cells.obs = pd.DataFrame({"label": range(1, 401)}, index=cells.obs_names)
    return ng.clean(cells)


@pytest.fixture
def window(qtbot: Any, cleaned: AnnData) -> MixtureWindow:
    made = MixtureWindow(cleaned)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(made)
    made.show()
    return made


def test_markers_are_listed_with_those_that_do_not_separate_marked(window: MixtureWindow) -> None:
    texts = [window.markers.item(i).text() for i in range(window.markers.count())]
    assert texts[0] == "All markers"
    assert "CD20" in texts
    assert "CD4 – no clear split" in texts
    assert not [text for text in texts if "DAPI" in text]


def test_all_markers_are_on_a_page_that_scrolls(window: MixtureWindow) -> None:
    canvas = window.area.widget()
    assert len([axes for axes in window.figure.axes if axes.has_data()]) == len(CHANNELS) - 1
    wide, high = window.figure.get_size_inches()
    assert canvas.height() / canvas.width() == pytest.approx(high / wide, abs=0.01)
    assert window.area.verticalScrollBar().maximum() > 0
    assert window.area.horizontalScrollBar().maximum() == 0
    turned = QWheelEvent(
        QPointF(5, 5),
        QPointF(canvas.mapToGlobal(QPoint(5, 5))),
        QPoint(0, 0),
        QPoint(0, -240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, turned)
    assert not turned.isAccepted()  # left to the page


def test_a_click_shows_one_marker(qtbot: Any, window: MixtureWindow) -> None:
    item = next(
        window.markers.item(i)
        for i in range(window.markers.count())
        if window.markers.item(i).text() == "CD20"
    )
    place = window.markers.visualItemRect(item).center()
    qtbot.mouseClick(window.markers.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert len([axes for axes in window.figure.axes if axes.has_data()]) == 1
    assert "CD20" in " ".join(
        [axes.get_title() + axes.get_title("left") for axes in window.figure.axes]
    )


def test_a_table_without_fits_is_refused(qtbot: Any) -> None:
    with pytest.raises(InputError, match="no fits to look at"):
        MixtureWindow(AnnData(np.ones((3, 2), np.float32)))


SAVED = {
    "plot.png": ("PNG (*.png)", "plot.png", b"\x89PNG"),
    "plot": ("PDF (*.pdf)", "plot.pdf", b"%PDF"),
    "CD3.all": ("SVG (*.svg)", "CD3.all.svg", b"<?xml"),
}


@pytest.mark.parametrize("typed", SAVED)
def test_the_plot_is_saved(
    qtbot: Any, window: MixtureWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    kind, saved, begins = SAVED[typed]
    chosen = (str(tmp_path / typed), kind)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: chosen)
    shown = window.figure.dpi
    qtbot.mouseClick(window.save, Qt.MouseButton.LeftButton)
    assert [path.name for path in tmp_path.iterdir()] == [saved]
    assert (tmp_path / saved).read_bytes().startswith(begins)
    assert window.figure.dpi == shown
    if saved.endswith("png"):
        picture = imread(tmp_path / saved)
        assert picture.shape[1] == pytest.approx(window.figure.get_size_inches()[0] * 300, abs=1)
        assert picture[..., :3].std() > 0.05


def test_the_name_of_the_file_is_offered_without_a_folder(
    qtbot: Any, window: MixtureWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str] = []

    def answer(_parent: object, _title: str, name: str, _kinds: str) -> tuple[str, str]:
        offered.append(name)
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    row = next(
        i
        for i in range(window.markers.count())
        if window.markers.item(i).text().startswith("CD45R/B220")
    )
    window.markers.setCurrentRow(row)
    qtbot.mouseClick(window.save, Qt.MouseButton.LeftButton)
    assert offered == ["CD45R-B220.png"]


@pytest.mark.parametrize("name", ["plot.docx", "missing/../../proc/plot.png"])
def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    path = Path("/proc/plot.png") if "proc" in name else tmp_path / name
    with pytest.raises(InputError):
        save_figure(Figure(), path)
    assert not list(tmp_path.iterdir())


def test_a_suffix_is_added_only_where_it_lacks() -> None:
    assert with_suffix("/a/b.PDF", "PNG (*.png)") == Path("/a/b.PDF")
    assert with_suffix("/a/b", "") == Path("/a/b.png")


def test_tables_without_fits_are_known(cells: AnnData) -> None:
    assert not has_fits(cells)
    slots.note(cells, clean={"mixtures": {}})
    assert not has_fits(cells)
    slots.note(cells, clean={"mixtures": {"CD3": {"separated": True}}})
    assert has_fits(cells)
