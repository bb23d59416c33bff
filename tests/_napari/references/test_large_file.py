"""A part is offered of large files only, drawn from the column that looks like types."""

from pathlib import Path
from typing import Any

import pytest

import napari_gluer as ng
from napari_gluer._napari.references.large_file import LARGE, LargeFile
from napari_gluer._napari.references.peek import Peek

PATH = Path("atlas.h5ad")
COLUMNS = {"donor": 8, "author_Cell_Type": 31, "leiden": 20}


@pytest.fixture
def question(qtbot: Any) -> LargeFile:
    made = LargeFile()
    qtbot.addWidget(made)
    return made


def choices(question: LargeFile) -> list[str]:
    return [question.by.itemText(i) for i in range(question.by.count())]


def test_nothing_is_asked_of_a_small_file(question: LargeFile) -> None:
    for found in (None, Peek(PATH, LARGE, COLUMNS)):
        question.show_peek(found)
        assert question.isHidden()
        assert question.params(PATH) is None


def test_of_a_large_one_a_part_is_offered_by_type(question: LargeFile) -> None:
    question.show_peek(Peek(PATH, 1_234_567, COLUMNS))
    assert not question.isHidden()
    assert "atlas.h5ad holds <b>1,234,567</b> cells" in question.said.text()
    assert choices(question) == ["none", "donor (8)", "author_Cell_Type (31)", "leiden (20)"]
    chosen = question.params(PATH)
    assert chosen == ng.SubsampleParams(by=("author_Cell_Type",))
    question.by.setCurrentIndex(0)
    assert question.params(PATH) == ng.SubsampleParams()


def test_without_a_column_of_types_it_is_drawn_from_all(question: LargeFile) -> None:
    question.show_peek(Peek(PATH, LARGE + 1, {"donor": 8}))
    assert question.by.currentText() == "none"
    assert question.params(PATH) == ng.SubsampleParams()


def test_numbers_typed_into_the_form_count(question: LargeFile) -> None:
    question.show_peek(Peek(PATH, 900_000, {}))
    question.form.rows["n_cells"].widget.value = 2_000
    found = question.params(PATH)
    assert found is not None
    assert (found.n_cells, found.least) == (2_000, ng.SubsampleParams().least)


def test_an_answer_for_another_file_does_not_count(question: LargeFile) -> None:
    question.show_peek(Peek(PATH, 900_000, COLUMNS))
    assert question.params(Path("other.h5ad")) is None


def test_it_is_hidden_while_the_reference_comes_from_elsewhere(question: LargeFile) -> None:
    question.offer(offered=True)
    assert question.isHidden()
    question.show_peek(Peek(PATH, 900_000, COLUMNS))
    question.offer(offered=False)
    assert question.isHidden()
    question.offer(offered=True)
    assert not question.isHidden()


def test_another_file_has_its_own_columns(question: LargeFile) -> None:
    question.show_peek(Peek(PATH, 900_000, COLUMNS))
    question.show_peek(Peek(Path("b.h5ad"), 900_000, {"class": 3}))
    assert choices(question) == ["none", "class (3)"]
    assert question.by.currentData() == "class"
