from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer import slots
from napari_gluer._napari.asking.facts import facts_of, in_words, table_rows
from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Origin, Paintable


def known(cells: AnnData, label: int, **more: Any) -> dict[str, str]:
    return dict(facts_of(label, cells, **more).rows)


@pytest.fixture
def table(integrated_tables: tuple[AnnData, AnnData]) -> AnnData:
    return integrated_tables[0].copy()


def painted(cells: AnnData, **more: Any) -> Shown:
    labels = slots.cell_labels(cells)[::-1]
    gene = Paintable("GENE30", Origin.GENE)
    values = labels.astype(np.float32)
    return Shown(what=gene, title="", labels=labels, values=values, unit="log1p", **more)


def test_a_card_is_the_cells_row_whatever_the_order(table: AnnData) -> None:
    slots.note(table, spatial_unit="um")
    rows = known(table, 40)
    own = table.obs.set_index("label").loc[40]
    assert rows["name"] == "40"
    assert rows["size"] == "16 µm²"
    x, y = table.obsm["spatial"][list(table.obs["label"]).index(40)]
    assert rows["position"] == f"x {x:,.1f}, y {y:,.1f} µm"
    chance = in_words(own["cell_type_probability"])
    assert rows["cell_type"] == f"{own['cell_type_transferred']}, chance {chance}"
    assert rows["confidence"] == in_words(own["gluer_confidence"])
    assert known(table[::-1].copy(), 40) == rows


def test_what_is_painted_is_read_by_label(table: AnnData) -> None:
    assert known(table, 40, shown=painted(table))["GENE30 (imputed)"] == "40 log1p"
    codes = np.where(slots.cell_labels(table) == 40, 1, -1)
    region = Shown(
        what=Paintable("region", Origin.CATEGORY),
        title="",
        labels=slots.cell_labels(table),
        codes=codes,
        names=("up", "low"),
        colors=("#000000", "#ffffff"),
    )
    assert known(table, 40, shown=region)["region"] == "low"
    assert known(table, 41, shown=region)["region"] == "no value"


def test_unmatched_cells_have_no_type_and_a_reason(table: AnnData) -> None:
    shown = painted(table)
    grey = shown.labels == 12
    values = np.where(grey, np.nan, shown.values).astype(np.float32)
    shown = replace(shown, values=values, unmatched=grey)
    facts = facts_of(12, table, shown)
    rows = dict(facts.rows)
    assert rows["cell_type"] == "unmatched"
    assert rows["GENE30 (imputed)"] == "unmatched"
    assert "seems to lack cells of its type" in facts.notes[0]
    table.obs.loc[table.obs["label"] == 12, slots.SUPPORT] = np.nan
    assert "no feature that links" in facts_of(12, table).notes[0]


def test_a_stale_or_absent_cell_says_only_why(table: AnnData) -> None:
    facts = facts_of(40, table, painted(table), reason="It was changed.")
    assert (facts.rows, facts.row, facts.notes) == ((), None, ("It was changed.",))
    assert facts_of(999, table).notes == ("The table does not have this cell.",)


def test_a_table_before_the_integration_has_a_card(cells: AnnData) -> None:
    rows = known(cells, 3)
    assert rows["size"] == "100 pixels"
    assert rows["cluster"] == "odd"
    assert "confidence" not in rows


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.8, "0.80 (high)"), (0.79, "0.79 (fair)"), (0.5, "0.50 (fair)"), (0.1, "0.10 (low)"),
     (np.nan, "not known")],
)  # fmt: skip
def test_confidence_in_words(value: float, words: str) -> None:
    assert in_words(value) == words


def test_the_card_is_text(table: AnnData) -> None:
    lines = facts_of(12, table).text.split("\n")
    assert lines[:2] == ["label\t12", "name\t12"]
    assert lines[-1].startswith("Unmatched")


def test_rows_of_tables_are_text() -> None:
    table = pd.DataFrame({"weight": [0.25, 0.5], "type": ["B", None]}, index=["r1", "r2"])
    assert table_rows(table, {"type": "", "weight": ".2f"}) == [
        ("r1", "B", "0.25"),
        ("r2", "", "0.50"),
    ]
