"""What each section writes, caught before it is a page."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer.trust.params import ReportParams
from napari_gluer.trust.sections import known_partners, permuted, unmatched_cells, unmeasured_genes


class Caught:
    """Stands for a page, and keeps what is written by kind."""

    def __init__(self) -> None:
        self.written: list[tuple[str, Any]] = []

    def __getattr__(self, kind: str) -> Callable[..., None]:
        return lambda what, *_, **__: self.written.append((kind, what))

    def all_of(self, kind: str) -> list[Any]:
        return [what for one, what in self.written if one == kind]


def judged(support: list[float], *, absent: list[bool], text: str = "") -> AnnData:
    cells = AnnData(np.ones((len(support), 1), np.float32))
    cells.obs["gluer_support"], cells.obs["gluer_unmatched"] = support, absent
    cells.uns["gluer"] = {"absence": json.dumps({"text": text, "auroc": {"B": 0.9, "A": 0.4}})}
    return cells


def test_unmatched_cells_are_counted_apart() -> None:
    page = Caught()
    nothing = float("nan")
    unmatched_cells(
        page, judged([nothing, 0.2, 0.9, nothing, 0.1], absent=[True, True, False, True, False])
    )
    assert page.all_of("text")[0].startswith(
        "3 of 5 cells are unmatched: 2 without signal in any linked feature, 1 of a type"
    )
    (table,) = page.all_of("table")
    assert table["AUROC"].to_dict() == {"A": 0.4, "B": 0.9}
    assert list(table.index) == ["A", "B"]  # the worst told first


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("absent types cannot be detected", "warning"),
        ("absent types were not looked for", "warning"),
        ("no type is absent", "text"),
    ],
)
def test_what_could_not_be_told_is_a_warning(text: str, kind: str) -> None:
    page = Caught()
    unmatched_cells(page, judged([0.5], absent=[False], text=text))
    assert f"{text[0].upper()}{text[1:]}." in page.all_of(kind)


def expected(grades: list[str], predicted: list[float], measured: list[bool]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "predicted": predicted,
            "low": 0.0,
            "high": 1.0,
            "grade": grades,
            "expressed": 0.5,
            "nearest": "x",
            "measured": measured,
        },
        index=[f"g{i}" for i in range(len(grades))],
    )


def test_only_genes_never_measured_are_counted_and_the_best_come_first() -> None:
    page = Caught()
    table = expected(
        ["low", "good", "low", "good", "low"],
        [0.1, 0.8, 0.3, 0.99, 0.3],
        [False, False, False, True, False],
    )
    unmeasured_genes(page, table, ReportParams())
    assert "of 4 genes: 3 low, 1 good." in page.all_of("text")[0]
    (shown,) = page.all_of("table")
    assert list(shown.index) == ["g1", "g2", "g4", "g0"]
    assert shown["expected correlation"].tolist() == [0.8, 0.3, 0.3, 0.1]
    page = Caught()
    unmeasured_genes(page, table[table["measured"]], ReportParams())
    assert page.written[1:] == [("text", "Every gene of the reference was measured.")]
    page = Caught()
    unmeasured_genes(page, table.drop(columns="measured"), ReportParams())
    assert "of 5 genes: 3 low, 2 good." in page.all_of("text")[0]


@pytest.mark.parametrize(
    ("verdict", "kind"), [("clearly better", "text"), ("not clearly better", "warning")]
)
def test_what_is_not_clearly_better_than_chance_is_a_warning(verdict: str, kind: str) -> None:
    page = Caught()
    permuted(page, SimpleNamespace(verdict=verdict, text="so it is"), "")
    assert page.written[1:] == [(kind, "so it is")]
    page = Caught()
    permuted(page, None, "there are too few cells")
    assert page.written[1:] == [
        ("text", "Not compared with permuted features: there are too few cells")
    ]


def named(names: list[str]) -> AnnData:
    cells = AnnData(np.zeros((len(names), 1), np.float32))
    cells.obs["cell_id"] = names
    return cells


def test_partners_are_found_by_name_not_by_row() -> None:
    rng = np.random.default_rng(3)
    names = [f"cell{i}" for i in range(40)]
    reference = AnnData(np.zeros((40, 1), np.float32))
    reference.obs_names = [names[i] for i in rng.permutation(40)]
    own = [names[i] if i % 3 else f"other{i}" for i in rng.permutation(40)]
    pairs = known_partners(named(own), reference)
    assert pairs is not None
    by_loop = [
        (row, column)
        for column, name in enumerate(own)
        for row, theirs in enumerate(reference.obs_names)
        if name == theirs
    ]
    assert [tuple(pair) for pair in pairs] == by_loop
    assert len(by_loop) == 26


def test_ten_partners_are_the_fewest_and_one_name_for_two_is_none() -> None:
    reference = AnnData(np.zeros((12, 1), np.float32))
    reference.obs_names = [f"cell{i}" for i in range(12)]
    found = [
        known_partners(named([f"cell{i}" if i < n else f"no{i}" for i in range(12)]), reference)
        for n in (9, 10)
    ]
    assert found[0] is None
    assert found[1] is not None
    assert len(found[1]) == 10
    reference.obs_names = ["cell0", *[f"cell{i}" for i in range(11)]]
    assert known_partners(named([f"cell{i}" for i in range(12)]), reference) is None
