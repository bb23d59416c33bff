from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer import slots
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.plots.grouping import Way, grouped, ways
from napari_gluer.errors import InputError

TYPE = Paintable("cell_type_transferred", Origin.TYPE)


def table(n: int = 30, seed: int = 0) -> AnnData:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(1, n + 1)) * 7
    types = pd.Categorical.from_codes(labels // 7 % 3 - 1, ["B", "T"])
    obs = pd.DataFrame(
        {
            "label": labels,
            "cell_type_transferred": types,
            "area_um2": 1.0,
            slots.UNMATCHED: labels % 5 == 0,
        },
        index=labels.astype(str),
    )
    return AnnData(np.ones((n, 1), np.float32), obs=obs)


def members(cells: AnnData, by: Any, **more: Any) -> dict[str, set[int]]:
    found = grouped(cells, by, **more)
    labels = slots.cell_labels(cells)[found.rows]
    return {name: set(labels[found.codes == i].tolist()) for i, name in enumerate(found.names)}


def test_columns_come_before_other_ways() -> None:
    found = ways(table())
    assert found[0] == ("cell_type", TYPE)
    assert [value for _, value in found[1:]] == list(Way)


def test_a_column_leaves_unmatched_and_untyped_cells_out() -> None:
    cells = table()
    found = members(cells, TYPE)
    matched = {int(one) for one in cells.obs["label"] if one % 5}
    assert found == {
        "B": {one for one in matched if one // 7 % 3 == 1},
        "T": {one for one in matched if one // 7 % 3 == 2},
    }
    left = grouped(cells, TYPE).left_out
    assert left == {"unmatched": 6, "in no group": len(matched) - len(found["B"] | found["T"])}


@given(st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30)))
def test_selections_are_joined_by_label(one: set[int], other: set[int], stale: set[int]) -> None:
    cells = table()
    labels = {name: {7 * i for i in chosen} for name, chosen in (("one", one), ("other", other))}
    out = {7 * i for i in stale}
    usable = {int(label) for label in cells.obs["label"] if label % 5} - out
    expected = {name: own & usable for name, own in labels.items() if own & usable}
    given_named = {name: np.array(sorted(own), np.int64) for name, own in labels.items()}
    more = {"named": given_named, "stale": np.array(sorted(out), np.int64)}
    if not expected:
        with pytest.raises(InputError):
            grouped(cells, Way.NAMED, **more)
        return
    assert members(cells, Way.NAMED, **more) == expected
    found = grouped(cells, Way.NAMED, **more)
    inside = set().union(*expected.values())
    assert found.n_cells == len(inside)
    assert found.left_out.get("in no group", 0) == len(usable - inside)


def test_a_selection_and_the_rest_are_everything_matched() -> None:
    cells = table()
    found = members(cells, Way.SELECTION, current=np.array([7, 14, 35, 9999]))
    assert found["selection"] == {7, 14}
    assert found["selection"] | found["the rest"] == {int(x) for x in cells.obs["label"] if x % 5}
    assert members(cells, Way.NONE) == {"all cells": found["selection"] | found["the rest"]}


@pytest.mark.parametrize(
    ("by", "more", "says"),
    [
        (Way.SELECTION, {}, "No cells are selected"),
        (Way.NAMED, {}, "No selection has a name"),
        (Way.SELECTION, {"current": np.array([3])}, "No cells are selected"),
        (Way.NONE, {"stale": 7 * np.arange(31)}, "No cell is left"),
    ],
)
def test_what_is_missing_is_said(by: Way, more: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        grouped(table(), by, **more)
