from typing import Any

import numpy as np
import pytest

import napari_gluer as ng
from napari_gluer._napari.plots.comparing import compared
from napari_gluer.errors import InputError
from napari_gluer.track import silently

NONE = np.empty(0, np.int64)


def test_measured_and_imputed_markers_are_those_of_the_library(integrated_tables: Any) -> None:
    cells, reference = integrated_tables
    chosen = np.arange(11, 40)
    found = compared(cells, reference, chosen, NONE, silently)
    inside = cells.obs["label"].isin(chosen).to_numpy()
    measured = ng.marker_genes(cells, inside)
    imputed = ng.marker_genes(cells, inside, reference=reference)
    own = found.table[found.table["values"] == "measured"]
    assert own["gene"].tolist() == measured["gene"].tolist()
    np.testing.assert_allclose(own["auroc"], measured["auroc"])
    other = found.table[found.table["values"] == "imputed"]
    np.testing.assert_allclose(other["difference"], imputed["difference"])
    assert (found.n_selected, found.n_rest) == (27, 61)  # 12 and 13 are unmatched
    assert found.left_out == "2 unmatched"


def test_edited_cells_are_left_out(integrated_tables: Any) -> None:
    cells, _ = integrated_tables
    stale = np.array([20, 21, 90, 5000])
    found = compared(cells, None, np.arange(11, 40), stale, silently)
    kept = cells[~cells.obs["label"].isin(stale)].copy()
    expected = ng.marker_genes(kept, kept.obs["label"].isin(np.arange(11, 40)).to_numpy())
    np.testing.assert_allclose(found.table["score"], expected["score"])
    assert (found.n_selected, found.n_rest) == (25, 60)
    assert found.left_out == "2 unmatched, 3 changed"
    assert set(found.table["values"]) == {"measured"}


def test_labels_that_are_gone_do_not_count(integrated_tables: Any) -> None:
    cells, _ = integrated_tables
    one = compared(cells, None, np.arange(11, 40), NONE, silently)
    same = compared(cells, None, np.r_[np.arange(11, 40), 7777], NONE, silently)
    assert one.n_selected == same.n_selected
    with pytest.raises(InputError, match="None of the selected cells"):
        compared(cells, None, np.array([7777]), NONE, silently)
