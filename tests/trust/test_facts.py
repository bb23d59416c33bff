"""What a report says without computing anew, against what the tables hold."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import napari_gluer as ng
from napari_gluer.trust.facts import (
    absent_types,
    confidence_by_type,
    integrated_facts,
    link_table,
    true_types,
    types_of,
    unlinked_table,
)

QUICK: dict[str, Any] = {"network": {"max_epochs": 3}}


@pytest.fixture(scope="module")
def integrated(typed: Any) -> tuple[AnnData, AnnData]:
    cells = typed.cells.copy()
    cells.X[:, 0] = 1  # constant once cells are divided by nothing
    cells.uns["gluer"] = {"kind": "log1p", "path": "cells.h5ad", "sha256": "a" * 64}
    cells.X = np.log1p(cells.X)
    return ng.integrate(cells, typed.reference, ng.IntegrateParams(**QUICK)), typed.reference


def test_facts_are_those_of_the_tables(integrated: tuple[AnnData, AnnData]) -> None:
    cells, reference = integrated
    facts = integrated_facts(cells, reference)["value"]
    assert facts["Cells"] == "90"
    assert facts["Reference cells"] == "150"
    assert facts["Reference genes"] == "40"
    assert facts["Linked features"] == str(len(json.loads(cells.uns["gluer"]["links"])))
    assert facts["Their file"] == "cells.h5ad (SHA-256 aaaaaaaaaaaa…)"
    assert facts["Anchors"] == f"{cells.uns['gluer']['n_anchors']:,}"
    assert "numpy" in facts["Versions"]


def test_links_and_what_took_no_part(integrated: tuple[AnnData, AnnData]) -> None:
    cells, reference = integrated
    links, unlinked = link_table(cells, reference), unlinked_table(cells)
    assert list(links.index) == [f"Protein{i}" for i in range(1, 24)]
    assert links["genes"].tolist() == [f"GENE{i}" for i in range(1, 24)]
    share = (reference[:, "GENE5"].X.toarray() > 0).mean()
    assert links.loc["Protein5", "reference cells that express it"] == pytest.approx(share)
    assert unlinked["why"].to_dict() == {"Protein0": "one value in all cells"}


def test_confidence_by_type_by_hand() -> None:
    cells = AnnData(np.ones((5, 1), np.float32))
    cells.obs["gluer_unmatched"] = [False, True, False, False, False]
    named = pd.DataFrame(
        {
            "t_transferred": pd.Categorical(["A", "A", "B", "A", None], categories=["A", "B", "C"]),
            "t_probability": [0.9, 0.5, 0.8, 1.0, 0.0],
        }
    )
    found = confidence_by_type(cells, named)
    assert list(found.index) == ["A", "B"]
    np.testing.assert_allclose(found.loc["A"], [3, 0.8, 2 / 3, 1 / 3])
    np.testing.assert_allclose(found.loc["B"], [1, 0.8, 1, 0])


def test_right_labels_where_the_cells_have_their_own() -> None:
    cells = AnnData(np.ones((4, 1), np.float32))
    named = pd.DataFrame({"t_transferred": pd.Categorical(["A", "B", "A", "A"])})
    assert true_types(cells, named, "t") is None
    cells.obs["t"] = ["A ", "A", None, "B"]
    np.testing.assert_array_equal(true_types(cells, named, "t"), [1, 0, np.nan, 0])
    spaced = named.apply(lambda one: one.cat.rename_categories({"A": "A ", "B": " B"}))
    np.testing.assert_array_equal(true_types(cells, spaced, "t"), [1, 0, np.nan, 0])
    cells.obs["t"] = ["x", "y", "z", "x"]  # other names are no truth
    assert true_types(cells, named, "t") is None


def test_the_column_is_the_one_that_was_judged_by(integrated: tuple[AnnData, AnnData]) -> None:
    cells, reference = integrated
    assert types_of(cells, reference) == "cell_type"
    without = reference.copy()
    del without.obs["cell_type"]
    assert types_of(cells, without) == ""


def test_absent_types_worst_first() -> None:
    cells = AnnData(np.ones((2, 1), np.float32))
    known = {"text": "said", "auroc": {"A": 0.9, "B": 0.6}}
    cells.uns["gluer"] = {"absence": json.dumps(known)}
    words, table = absent_types(cells)
    assert words == "said"
    assert table["AUROC"].to_dict() == {"B": 0.6, "A": 0.9}
    assert list(table.index) == ["B", "A"]
    assert absent_types(AnnData(np.ones((2, 1), np.float32)))[0] == ""
