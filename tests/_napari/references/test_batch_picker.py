"""Columns of batches are offered, "none" first, and the choice outlives a change of reference."""

from typing import Any

import numpy as np
import pytest
from anndata import AnnData

from napari_gluer._napari.references.batch_picker import BatchPicker


def _reference(**columns: Any) -> AnnData:
    made = AnnData(np.ones((60, 2), np.float32))
    for name, values in columns.items():
        made.obs[name] = np.tile(values, 60 // len(values))
    return made


@pytest.fixture
def picker(qtbot: Any) -> BatchPicker:
    made = BatchPicker()
    qtbot.addWidget(made)
    return made


def _shown(picker: BatchPicker) -> list[str]:
    return [picker.itemText(i) for i in range(picker.count())]


def test_none_is_offered_first_and_chosen(picker: BatchPicker) -> None:
    picker.show_reference(_reference(sex=["f", "m"], donor=["a", "b", "c"]))
    assert _shown(picker) == ["none", "donor (3)", "sex (2)"]
    assert picker.column == ""
    assert picker.has_likely
    picker.setCurrentIndex(1)
    assert picker.column == "donor"


def test_the_choice_stays_where_the_next_reference_has_it(picker: BatchPicker) -> None:
    picker.show_reference(_reference(sex=["f", "m"], donor=["a", "b"]))
    picker.setCurrentIndex(1)
    picker.show_reference(_reference(donor=["x", "y", "z"]))
    assert picker.column == "donor"
    picker.show_reference(_reference(sex=["f", "m"]))
    assert (picker.column, picker.has_likely) == ("", False)
    picker.show_reference(None)
    assert _shown(picker) == ["none"]


def test_no_column_counts_where_none_can_be_chosen(picker: BatchPicker) -> None:
    picker.show_reference(_reference(donor=["a", "b"]))
    picker.setCurrentIndex(1)
    picker.setEnabled(False)
    assert picker.column == ""
    picker.setEnabled(True)
    assert picker.column == "donor"
