"""The table of marker genes: words for numbers, sorting by value, copying, picking."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication

from napari_gluer._napari.plots.marker_rows import COLUMNS, MarkerModel, MarkerTable

TABLE = pd.DataFrame(
    {
        "gene": ["CD3E", "MS4A1", "NKG7", "CD3"],
        "values": ["imputed", "imputed", "imputed", "measured"],
        "difference": [1.5, -0.25, 10.0, np.nan],
        "auroc": [0.91, 0.4, 0.62, 0.5],
        "share_in": [0.805, 0.1, 0.33, 1.0],
        "share_out": [0.12, 0.6, 0.3, 0.0],
        "p_adjusted": [3.2e-17, 0.04, 0.0, np.nan],
    }
)


@pytest.fixture
def table(qtbot: Any) -> MarkerTable:
    made = MarkerTable()
    qtbot.addWidget(made)
    made.resize(500, 240)
    made.show()
    made.show_table(TABLE)
    return made


def column(table: MarkerTable, name: str) -> list[str]:
    place = list(COLUMNS).index(name)
    model = table.sorted
    return [str(model.index(row, place).data()) for row in range(model.rowCount())]


def test_numbers_are_told_as_a_person_would(table: MarkerTable) -> None:
    assert column(table, "gene") == TABLE["gene"].tolist()
    assert column(table, "difference") == ["1.5", "-0.25", "10", ""]
    assert column(table, "share_in") == ["80", "10", "33", "100"]
    assert column(table, "p_adjusted") == ["3.2e-17", "0.04", "0", ""]


@pytest.mark.parametrize("name", ["difference", "auroc", "share_in", "p_adjusted"])
@pytest.mark.parametrize("order", [Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder])
def test_columns_sort_by_value_and_not_by_text(
    table: MarkerTable, name: str, order: Qt.SortOrder
) -> None:
    table.sortByColumn(list(COLUMNS).index(name), order)
    up = order == Qt.SortOrder.AscendingOrder
    values = TABLE.set_index("gene")[name].fillna(-np.inf)
    expected = values.sort_values(ascending=up, kind="stable").index.tolist()
    assert column(table, "gene") == expected


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_any_values_sort(qapp: object, values: list[float]) -> None:
    rows = pd.concat([TABLE.iloc[[0]]] * len(values), ignore_index=True)
    rows["difference"] = values
    made = MarkerTable()
    made.show_table(rows)
    made.sortByColumn(list(COLUMNS).index("difference"), Qt.SortOrder.AscendingOrder)
    role = Qt.ItemDataRole.UserRole
    place = list(COLUMNS).index("difference")
    found = [made.sorted.index(i, place).data(role) for i in range(len(values))]
    assert found == sorted(values)


def test_titles_say_what_they_mean(qapp: object) -> None:
    model = MarkerModel()
    titles = [model.headerData(i, Qt.Orientation.Horizontal) for i in range(len(COLUMNS))]
    assert titles == list(COLUMNS.values())
    tip = model.headerData(3, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert "0.5 tells nothing" in tip
    assert model.headerData(0, Qt.Orientation.Vertical) is None


@pytest.mark.parametrize(
    ("typed", "genes"),
    [("cd3", ["CD3E", "CD3"]), (" nkg7 ", ["NKG7"]), ("", TABLE["gene"].tolist()), ("none", [])],
)
def test_names_are_narrowed_whatever_their_case(
    table: MarkerTable, typed: str, genes: list[str]
) -> None:
    table.narrow(typed)
    assert column(table, "gene") == genes


def test_a_click_picks_the_row_that_is_seen(qtbot: Any, table: MarkerTable) -> None:
    table.sortByColumn(list(COLUMNS).index("auroc"), Qt.SortOrder.DescendingOrder)
    place = table.visualRect(table.sorted.index(2, 4)).center()
    with qtbot.waitSignal(table.picked) as heard:
        qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert heard.args == ["CD3", "measured"]


def test_enter_picks_the_marked_row(qtbot: Any, table: MarkerTable) -> None:
    table.setCurrentIndex(table.sorted.index(1, 0))
    with qtbot.waitSignal(table.picked) as heard:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert heard.args == ["MS4A1", "imputed"]


def test_what_is_shown_is_copied_where_no_row_is_marked(qtbot: Any, table: MarkerTable) -> None:
    table.clearSelection()
    table.narrow("cd3")
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text().split("\n") == [
        "\t".join(COLUMNS.values()),
        "CD3E\timputed\t1.5\t0.91\t80\t12\t3.2e-17",
        "CD3\tmeasured\t\t0.5\t100\t0\t",
    ]


def test_another_table_takes_its_place_in_its_own_order(table: MarkerTable) -> None:
    table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    table.show_table(TABLE.iloc[::-1])
    assert column(table, "gene") == TABLE["gene"].tolist()[::-1]
