"""What is said of an integration, and which tables count as unchanged."""

import json
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer._napari.integrating import chosen, is_unchanged, outcome


def _integrated(cells: AnnData, n_unmatched: int, **more: Any) -> AnnData:
    table = cells.copy()
    table.obs[slots.UNMATCHED] = np.arange(cells.n_obs) < n_unmatched
    slots.note(table, outcome="done", links=json.dumps({"CD3": "CD3E"}), **more)
    slots.note(table, **{slots.REFERENCE_NAMES: np.array(["a", "b"])})
    return table


def _choice(*tried: tuple[float, float, float]) -> str:
    names = ("transcriptome", "mapped", "agreement")
    rows = [dict(zip(names, one, strict=True)) for one in tried]
    return json.dumps({"transcriptome": 0.5, "mapped": 1.0, "tried": rows})


def test_what_was_chosen_is_one_sentence() -> None:
    assert chosen({"rank": 24, "chosen": _choice((0.5, 1, 0.3))}) == (
        "Chosen from the data: 24 factors, linear map 100%, transcriptome 50%."
    )
    assert chosen({"rank": 20, "chosen": _choice()}) == "20 factors."
    assert chosen({}) == ""


def test_sections_are_counted_together_and_detailed_apart(cells: AnnData) -> None:
    choice = {"rank": 5, "chosen": _choice((0, 0.5, 0.21), (0.5, 1, 0.345))}
    left = _integrated(cells, 2, unlinked=json.dumps({"CD4": "silent", "CD7": "silent"}), **choice)
    right = _integrated(cells[:10], 1, **choice)
    said = outcome({"left": left, "right": right, "third": right})
    assert said.text == (
        "64 cells of “left”, 10 of “right” and 10 of “third” integrated with 2 reference cells "
        "over 1 linked features. Chosen from the data: 5 factors, linear map 100%, transcriptome "
        "50%. 4 cells have no signal and stay unmatched. Next: Explore."
    )
    assert said.details.splitlines() == [
        "left: done.",
        "right: done.",
        "third: done.",
        "Not linked, silent: CD4, CD7.",
        "Agreement of held-out features (linear map, transcriptome):",
        "  50%, 0%: 0.210",
        "  100%, 50%: 0.345",
    ]


def test_absent_types_are_told_apart_from_cells_without_signal(cells: AnnData) -> None:
    text = "3 cells have no counterpart in the reference"
    table = _integrated(cells, 5, absence=json.dumps({"text": text}))
    table.obs[slots.SUPPORT] = np.where(np.arange(cells.n_obs) < 2, np.nan, 0.5)
    said = outcome({"left": table}).text
    assert "2 cells have no signal and stay unmatched. 3 cells have no counterpart" in said
    both = outcome({"left": table, "right": table}).text
    assert "“left”: 3 cells have no counterpart in the reference. “right”: 3 cells" in both


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_edits_do_not_count_as_a_change_but_values_and_cells_do(cells: AnnData, make: Any) -> None:
    before = AnnData(make(cells.X), obs=cells.obs, var=cells.var)
    edited, remeasured, others = before.copy(), before.copy(), before.copy()
    edited.var["genes"] = "CD3E"
    remeasured.X[3, 1] = 7
    others.obs_names = others.obs_names[::-1]
    assert is_unchanged(before, before)
    assert is_unchanged(before, edited)
    assert not is_unchanged(before, remeasured)
    assert not is_unchanged(before, others)
    assert not is_unchanged(before, before[:5])
    assert not is_unchanged(before, None)
