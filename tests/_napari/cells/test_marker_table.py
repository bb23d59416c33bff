"""The table of channels shows, edits, resets and refuses."""

from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QComboBox, QDialogButtonBox, QLineEdit

from napari_gluer import slots
from napari_gluer._napari.cells.edits import edited_table, left_out, with_edits, with_links
from napari_gluer._napari.cells.marker_rows import FOUND, LINKS, NOTE, Row, rows_of
from napari_gluer._napari.cells.marker_table import MarkerDialog
from napari_gluer.errors import InputError
from napari_gluer.markers import annotate

CHANNELS = ["DAPI", "CD3e", "CD15", "HLA.DR", "blank1", "mystery"]


@pytest.fixture
def table() -> AnnData:
    return AnnData(np.ones((4, len(CHANNELS)), np.float32), var=annotate(CHANNELS))


@pytest.fixture
def kept() -> list[list[Row]]:
    return []


@pytest.fixture
def dialog(qtbot: Any, table: AnnData, kept: list[list[Row]]) -> MarkerDialog:
    made = MarkerDialog(rows_of(table, {"CD3e": "CD3E", "mystery": "not there"}), kept.append)
    qtbot.addWidget(made)
    made.show()
    return made


def _text(dialog: MarkerDialog, channel: str, column: int) -> str:
    return str(dialog.model.index(CHANNELS.index(channel), column).data())


def _type_genes(qtbot: Any, dialog: MarkerDialog, channel: str, text: str) -> None:
    index = dialog.model.index(CHANNELS.index(channel), 2)
    dialog.table.setCurrentIndex(index)
    dialog.table.edit(index)
    editor = dialog.table.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.table.findChild(QLineEdit) is None)


def _click(qtbot: Any, dialog: MarkerDialog, button: QDialogButtonBox.StandardButton) -> None:
    qtbot.mouseClick(dialog.buttons.button(button), Qt.MouseButton.LeftButton)


SAVE, CANCEL = QDialogButtonBox.StandardButton.Save, QDialogButtonBox.StandardButton.Cancel


def test_every_channel_is_shown_with_what_is_known(dialog: MarkerDialog) -> None:
    assert [_text(dialog, name, 1) for name in CHANNELS] == [
        "nuclear",
        "marker",
        "marker",
        "marker",
        "blank",
        "marker",
    ]
    assert _text(dialog, "CD3e", 2) == annotate(["CD3e"]).loc["CD3e", "genes"] != ""
    assert _text(dialog, "CD3e", FOUND) == "CD3E"
    assert _text(dialog, "mystery", FOUND) == "not there"
    assert _text(dialog, "CD15", NOTE).startswith("weak")
    assert not dialog.table.isColumnHidden(FOUND)


def test_without_a_reference_its_column_is_hidden(qtbot: Any, table: AnnData) -> None:
    dialog = MarkerDialog(rows_of(table), lambda _: None)
    qtbot.addWidget(dialog)
    assert dialog.table.isColumnHidden(FOUND)


def test_genes_are_typed_and_kept(qtbot: Any, dialog: MarkerDialog, kept: list[list[Row]]) -> None:
    _type_genes(qtbot, dialog, "mystery", "FOXP3, IL2RA;FOXP3 ;")
    assert _text(dialog, "mystery", 2) == "FOXP3;IL2RA"
    _click(qtbot, dialog, SAVE)
    assert not dialog.isVisible()
    assert [(row.channel, row.genes, row.role) for row in kept[0]] == [
        ("mystery", "FOXP3;IL2RA", "marker")
    ]


def test_a_role_is_chosen(qtbot: Any, dialog: MarkerDialog, kept: list[list[Row]]) -> None:
    index = dialog.model.index(CHANNELS.index("mystery"), 1)
    dialog.table.edit(index)
    box = dialog.table.findChild(QComboBox)
    assert box.currentText() == "marker"
    qtbot.keyClick(box, Qt.Key.Key_End)
    box.activated.emit(box.currentIndex())
    assert _text(dialog, "mystery", 1) == "ignore"
    _click(qtbot, dialog, SAVE)
    assert [(row.channel, row.role) for row in kept[0]] == [("mystery", "ignore")]


def test_cancel_keeps_nothing(qtbot: Any, dialog: MarkerDialog, kept: list[list[Row]]) -> None:
    _type_genes(qtbot, dialog, "mystery", "FOXP3")
    _click(qtbot, dialog, CANCEL)
    assert not dialog.isVisible()
    assert kept == []


def test_reset_gives_what_the_names_say(qtbot: Any, table: AnnData, kept: list[list[Row]]) -> None:
    edited = edited_table(table, {"CD3e": "CD3D"}, {"blank1": "marker"})
    dialog = MarkerDialog(rows_of(edited), kept.append)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.mouseClick(dialog.reset, Qt.MouseButton.LeftButton)
    _click(qtbot, dialog, SAVE)
    assert {(row.channel, row.role, row.genes) for row in kept[0]} == {
        ("CD3e", "marker", table.var.loc["CD3e", "genes"]),
        ("blank1", "blank", ""),
    }


def test_a_refusal_is_told_and_leaves_the_dialog_open(
    qtbot: Any, table: AnnData, notified: list[Any]
) -> None:
    def refuse(_rows: list[Row]) -> None:
        raise InputError("FOXP4X is no gene of the reference.")

    dialog = MarkerDialog(rows_of(table), refuse)
    qtbot.addWidget(dialog)
    dialog.show()
    _click(qtbot, dialog, SAVE)
    assert dialog.isVisible()
    assert dialog.said.text() == "FOXP4X is no gene of the reference."
    assert [one.severity.value for one in notified] == ["warning"]


def test_edits_are_marked_and_go_over_to_the_next_table(table: AnnData) -> None:
    edited = edited_table(table, {"CD3e": "CD3D", "CD15": "FUT4"}, {"mystery": "ignore"})
    assert "genes_source" not in table.var
    assert edited.var["genes_source"].tolist() == ["", "edited", "", "", "", ""]  # CD15 is FUT4
    assert edited.var["role_source"].tolist() == ["", "", "", "", "", "edited"]
    fewer = [name for name in CHANNELS if name != "DAPI"][::-1]
    again = AnnData(np.zeros((2, 5), np.float32), var=annotate(fewer))
    carried = with_edits(again, edited)
    expected = annotate(fewer)
    expected.loc["CD3e", "genes"] = "CD3D"
    expected.loc["mystery", "role"] = "ignore"
    pd.testing.assert_frame_equal(carried.var[["genes", "role"]], expected, check_dtype=False)
    assert with_edits(again, None) is again
    slots.note(again, kind=slots.COUNTS)  # genes that bear the names of channels
    assert with_edits(again, edited) is again


def test_an_edit_taken_back_is_no_edit(table: AnnData) -> None:
    back = edited_table(
        edited_table(table, {"CD3e": "CD3D"}, {}), {"CD3e": table.var.loc["CD3e", "genes"]}, {}
    )
    assert back.var["genes_source"].tolist() == [""] * 6
    assert back.var["genes"].tolist() == table.var["genes"].tolist()


def test_edits_survive_a_file(table: AnnData, tmp_path: Any) -> None:
    edited = edited_table(table, {"CD3e": "CD3D"}, {"mystery": "ignore"})
    edited.write_h5ad(tmp_path / "cells.h5ad")
    read = anndata.read_h5ad(tmp_path / "cells.h5ad")
    carried = with_edits(table, read)
    assert carried.var.loc["CD3e", "genes"] == "CD3D"
    assert carried.var.loc["mystery", "role"] == "ignore"


def _click_tick(qtbot: Any, dialog: MarkerDialog, channel: str) -> None:
    """A click on the tick itself, as wide as the style draws it."""
    index = dialog.model.index(CHANNELS.index(channel), LINKS)
    place = dialog.table.visualRect(index)
    qtbot.mouseClick(
        dialog.table.viewport(),
        Qt.MouseButton.LeftButton,
        pos=place.topLeft() + QPoint(10, place.height() // 2),
    )


def test_a_click_keeps_a_marker_out_of_the_link(
    qtbot: Any, dialog: MarkerDialog, kept: list[list[Row]]
) -> None:
    _click_tick(qtbot, dialog, "CD15")
    _click_tick(qtbot, dialog, "DAPI")  # no marker: nothing to tick
    _click_tick(qtbot, dialog, "CD3e")
    _click_tick(qtbot, dialog, "CD3e")
    _click(qtbot, dialog, SAVE)
    assert [(row.channel, row.links) for row in kept[0]] == [("CD15", False)]


def test_what_is_left_out_goes_over_to_the_next_table(table: AnnData) -> None:
    out = with_links(table, {"CD15": False, "CD3e": False, "not there": False})
    assert left_out(table) == []
    assert left_out(out) == ["CD3e", "CD15"]
    assert left_out(with_links(out, {"CD3e": True})) == ["CD15"]
    assert with_links(out, {}) is out
    fewer = AnnData(np.zeros((2, 2), np.float32), var=annotate(["CD15", "HLA.DR"]))
    assert left_out(with_edits(fewer, out)) == ["CD15"]
    assert [row.channel for row in rows_of(out) if not row.links] == ["CD3e", "CD15"]


def test_leaving_a_marker_out_changes_nothing_else(table: AnnData) -> None:
    table.layers["raw"] = table.X + 1
    table.obsm["X_gluer"] = np.arange(8.0).reshape(4, 2)
    table.obs["label"] = [4, 2, 9, 7]
    table.raw = table
    slots.note(table, kind="intensity")
    out = with_links(table, {"CD15": False})
    assert out.X is table.X
    np.testing.assert_array_equal(out.layers["raw"], table.layers["raw"])
    np.testing.assert_array_equal(out.obsm["X_gluer"], table.obsm["X_gluer"])
    np.testing.assert_array_equal(out.raw.X, table.raw.X)
    pd.testing.assert_frame_equal(out.obs, table.obs)
    pd.testing.assert_frame_equal(out.var.drop(columns="left_out"), table.var)
    slots.note(out, kind="counts")
    out.obs["label"] = 0
    assert slots.info(table)["kind"] == "intensity"
    assert table.obs["label"].tolist() == [4, 2, 9, 7]


def test_reset_lets_every_marker_link(qtbot: Any, table: AnnData, kept: list[list[Row]]) -> None:
    dialog = MarkerDialog(rows_of(with_links(table, {"CD15": False})), kept.append)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.mouseClick(dialog.reset, Qt.MouseButton.LeftButton)
    _click(qtbot, dialog, SAVE)
    assert [(row.channel, row.links) for row in kept[0]] == [("CD15", True)]
