"""A selection is compared with the rest; the table sorts, paints and is saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog

import napari_gluer as ng
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.plots.marker_rows import COLUMNS
from napari_gluer._napari.plots.markers import MarkersStep
from napari_gluer._napari.steps.explore import ExploreStep


@pytest.fixture
def step(qtbot: Any, tissue_of_types: Any) -> MarkersStep:
    made = MarkersStep(tissue_of_types.viewer)
    qtbot.addWidget(made)
    made.resize(340, 600)
    made.show()
    return made


@pytest.fixture
def compared(step: MarkersStep, run: Callable[..., str], tissue_of_types: Any) -> MarkersStep:
    cells = tissue_of_types.cells
    chosen = cells.obs["label"][(cells.obs["cell_type_transferred"] == "B cell").to_numpy()]
    linked_of(tissue_of_types.layer).selections.choose(chosen)
    run(step)
    return step


def column(step: MarkersStep, name: str) -> list[str]:
    place = list(COLUMNS).index(name)
    model = step.table.sorted
    return [str(model.index(row, place).data()) for row in range(model.rowCount())]


def test_the_table_is_the_librarys(compared: MarkersStep, tissue_of_types: Any) -> None:
    cells = tissue_of_types.cells
    inside = (cells.obs["cell_type_transferred"] == "B cell").to_numpy()
    expected = ng.marker_genes(cells, inside)
    assert column(compared, "gene")[: len(expected)] == expected["gene"].tolist()
    n = int(inside.sum())
    assert compared.outcome.text() == (
        f"{n} cells against {88 - n}, {24 + 40:,} genes. Left out: 2 unmatched."
    )
    assert "no measurement" in compared.note.text()


def test_a_click_on_a_title_sorts_by_value(qtbot: Any, compared: MarkersStep) -> None:
    place = list(COLUMNS).index("difference")
    header = compared.table.horizontalHeader()
    assert header is not None
    x = header.sectionViewportPosition(place) + 5
    for _ in range(2):
        qtbot.mouseClick(
            header.viewport(), Qt.MouseButton.LeftButton, pos=header.rect().center().__class__(x, 5)
        )
    assert compared.found is not None
    expected = compared.found.table.sort_values("difference")["difference"]
    shown = [float(one) for one in column(compared, "difference")]
    backwards = expected[::-1].to_list()
    order = expected.to_list() if shown[0] < shown[-1] else backwards
    np.testing.assert_allclose(shown, order, rtol=6e-3, atol=1e-3)


def test_a_click_on_a_row_paints_the_gene(
    qtbot: Any, compared: MarkersStep, tissue_of_types: Any, finish: Callable[..., str]
) -> None:
    viewer = tissue_of_types.viewer
    explore = ExploreStep(viewer)
    qtbot.addWidget(explore)
    for wanted in ("measured", "imputed"):
        row = column(compared, "values").index(wanted)
        gene = column(compared, "gene")[row]
        compared.table.scrollTo(compared.table.sorted.index(row, 0))
        place = compared.table.visualRect(compared.table.sorted.index(row, 0)).center()
        qtbot.mouseClick(compared.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        finish(explore)
        shown = linked_of(tissue_of_types.layer).shown
        assert shown is not None
        assert (shown.what.name, shown.what.origin.value) == (gene, wanted)


def test_names_narrow_the_table(qtbot: Any, compared: MarkersStep) -> None:
    qtbot.keyClicks(compared.filter, "gene3")
    found = column(compared, "gene")
    assert found
    assert all("GENE3" in one for one in found)


def test_the_whole_table_is_saved(
    qtbot: Any, compared: MarkersStep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "markers.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    qtbot.mouseClick(compared.save, Qt.MouseButton.LeftButton)
    assert compared.found is not None
    saved = pd.read_csv(path)
    assert list(saved) == list(compared.found.table)
    np.testing.assert_allclose(saved["auroc"], compared.found.table["auroc"], rtol=1e-6)


def test_marked_rows_are_copied(qtbot: Any, compared: MarkersStep) -> None:
    compared.table.selectRow(1)
    qtbot.keyClick(compared.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    lines = clipboard.text().split("\n")
    assert len(lines) == 2
    assert lines[1].split("\t")[0] == column(compared, "gene")[1]


def test_without_a_selection_it_says_what_to_do(
    step: MarkersStep, run: Callable[..., str], notified: list[Any]
) -> None:
    assert "No cells are selected" in run(step)
    assert not step.save.isEnabled()


def test_named_selections_are_listed_with_their_sizes(
    step: MarkersStep, tissue_of_types: Any, run: Callable[..., str]
) -> None:
    selections = linked_of(tissue_of_types.layer).selections
    selections.choose(np.arange(20, 30))
    selections.keep("rim")
    selections.clear()
    texts = [step.selection.itemText(i) for i in range(step.selection.count())]
    assert texts == ["current selection (0)", "rim (10)"]
    step.selection.setCurrentIndex(1)
    assert run(step).startswith("10 cells against 78")
    selections.delete("rim")
    assert step.selection.count() == 1
