"""Intervals: names of peaks as people write them; overlaps against every pair tried by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.analysis.intervals import (
    overlap_matrix,
    overlapping,
    peak_intervals,
    plain_chromosome,
)
from napari_gluer.errors import InputError


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("chr1", "1"),
        ("1", "1"),
        ("CHR2L", "2L"),
        ("chrX", "X"),
        ("chrM", "MT"),
        ("M", "MT"),
        ("MT", "MT"),
        (" chrUn_KI270742v1 ", "Un_KI270742v1"),
        ("GL000194.1", "GL000194.1"),
    ],
)
def test_chromosomes_as_people_write_them(written: str, plain: str) -> None:
    assert plain_chromosome(written) == plain


def test_names_of_peaks() -> None:
    names = [
        "chr1:100-200",
        "chr1-100-200",
        "1_100_200",
        "chrX:1,000-2,500:+",
        "chrUn_KI270742v1-7-9",
        "chrUn-KI:7-9",
        "CD3",
        "chr1:200-100",
    ]
    found = peak_intervals(names)
    assert found["chromosome"].tolist()[:6] == [
        "1", "1", "1", "X", "Un_KI270742v1", "Un-KI",
    ]  # fmt: skip
    assert found["chromosome"].isna().tolist() == [False] * 6 + [True] * 2
    assert found[["start", "end"]].to_numpy()[:6].tolist() == [
        [100, 200], [100, 200], [100, 200], [1000, 2500], [7, 9], [7, 9],
    ]  # fmt: skip
    assert list(found.index) == names


@pytest.mark.parametrize("names", [["CD3", "CD8", "chr1:1-2"], []])
def test_columns_that_are_no_peaks_are_refused(names: list[str]) -> None:
    with pytest.raises(InputError, match="not named as peaks"):
        peak_intervals(names)


def table(rows: list[tuple[str, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["chromosome", "start", "end"])


@st.composite
def intervals(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from("12X"), st.integers(0, 60), st.integers(1, 25)), max_size=14
        )
    )
    return table([(name, start, start + length) for name, start, length in rows])


@given(intervals(), intervals(), st.integers(1, 6))
def test_overlaps_are_those_of_every_pair(
    one: pd.DataFrame, other: pd.DataFrame, least: int
) -> None:
    truth = {
        (i, j)
        for i, a in enumerate(one.itertuples())
        for j, b in enumerate(other.itertuples())
        if a.chromosome == b.chromosome and min(a.end, b.end) - max(a.start, b.start) >= least
    }
    rows, columns = overlapping(one, other, least)
    assert len(rows) == len(truth)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == truth
    matrix = overlap_matrix(one, other, least)
    assert matrix.shape == (len(one), len(other))
    assert set(zip(*map(np.ndarray.tolist, matrix.nonzero()), strict=True)) == truth


def test_half_open_intervals_that_touch_do_not_overlap() -> None:
    one, other = table([("1", 10, 20)]), table([("1", 20, 30), ("1", 19, 21), ("2", 10, 20)])
    assert overlapping(one, other)[1].tolist() == [1]


def test_what_has_no_chromosome_overlaps_nothing() -> None:
    one = pd.DataFrame({"chromosome": [None, "1"], "start": [1, 1], "end": [9, 9]})
    assert overlapping(one, table([("1", 0, 5)]))[0].tolist() == [1]
