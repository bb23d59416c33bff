"""Explanations are the library's, and what all cells of a table share is computed once."""

from typing import Any

import numpy as np
import pytest

import napari_gluer as ng
from napari_gluer._napari.asking import explained
from napari_gluer._napari.asking.explained import Explaining, named_column


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was computed anew."""
    made: list[str] = []
    explainer, intervals = explained.Explainer, ng.prediction_intervals

    def explaining(*args: Any) -> Any:
        made.append("explainer")
        return explainer(*args)

    def bounds(cells: Any, reference: Any, gene: str) -> Any:
        made.append(gene)
        return intervals(cells, reference, gene)

    monkeypatch.setattr(explained, "Explainer", explaining)
    monkeypatch.setattr(ng, "prediction_intervals", bounds)
    return made


def test_it_says_what_the_library_says(tissue_of_types: Any, counted: list[str]) -> None:
    cells, reference = tissue_of_types.cells, tissue_of_types.reference
    asked = Explaining()
    for label in (20, 57):
        found = asked.explain(cells, reference, label)
        expected = ng.explain_cell(cells, reference, label, column="cell_type")
        assert found.neighbours.equals(expected.neighbours)
        assert found.features.equals(expected.features)
    assert asked.column == "cell_type"
    assert counted.count("explainer") == 1


def test_intervals_are_the_librarys_and_kept_for_a_gene(
    tissue_of_types: Any, counted: list[str]
) -> None:
    cells, reference = tissue_of_types.cells, tissue_of_types.reference
    one, other = (str(name) for name in reference.var_names[:2])
    low, high = ng.prediction_intervals(cells, reference, one)
    counted.clear()
    asked = Explaining()
    for row in (0, 9, 40):
        assert asked.interval(cells, reference, one, row) == (low[row], high[row])
    assert counted == [one]
    asked.interval(cells, reference, other, 0)
    assert counted == [one, other]


def test_another_table_is_computed_anew(tissue_of_types: Any, counted: list[str]) -> None:
    cells, reference = tissue_of_types.cells, tissue_of_types.reference
    order = np.arange(cells.n_obs)[::-1]
    turned = cells[order].copy()
    asked = Explaining()
    first = asked.explain(cells, reference, 20)
    again = asked.explain(turned, reference, 20)
    assert counted.count("explainer") == 2
    assert again.neighbours.equals(first.neighbours)  # by label, whatever its row


def test_the_column_that_was_transferred_names_the_neighbours(tissue_of_types: Any) -> None:
    cells, reference = tissue_of_types.cells, tissue_of_types.reference
    assert named_column(cells, reference) == "cell_type"
    bare = cells.copy()
    bare.obs = bare.obs[["label"]]
    assert named_column(bare, reference) == "cell_type"
    reference = reference.copy()
    reference.obs["lineage"] = "B"
    bare.obs["lineage_transferred"] = "B"
    assert named_column(bare, reference) == "lineage"
