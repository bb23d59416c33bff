"""From values to what is shown: limits, colours, opacity; by label, never by row."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_gluer import slots
from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.looks import (
    FADED,
    below,
    categories_shown,
    certainty_of,
    names_of,
    only,
    robust_limits,
    styled,
    unmatched_of,
    values_shown,
    with_one_scale,
)
from napari_gluer._napari.painting.style import PaintStyle, Uncertain
from napari_gluer.errors import InputError
from napari_gluer.palette import GREY, UNMATCHED

GENE = Paintable("CD8A", Origin.GENE)
MARKER = Paintable("CD3", Origin.MARKER)
TYPE = Paintable("kind_transferred", Origin.TYPE)
HALF = PaintStyle(uncertain=Uncertain.FADE)


def table(labels: list[int], **columns: object) -> AnnData:
    obs = pd.DataFrame({"label": labels, **columns}, index=[f"c{one}" for one in labels])
    return AnnData(np.zeros((len(labels), 1), np.float32), obs=obs)


def kinds(cells: AnnData, names: list[str | None]) -> Shown:
    series = pd.Series(pd.Categorical(names), index=cells.obs_names)
    return categories_shown(TYPE, cells, series, title="kind")


def test_genes_of_unmatched_cells_have_no_value_and_markers_keep_theirs() -> None:
    cells = table([7, 3, 9], gluer_unmatched=[False, True, False])
    gene = values_shown(GENE, cells, [1, 2, 3], title="CD8A")
    np.testing.assert_array_equal(gene.values, [1, np.nan, 3])
    np.testing.assert_array_equal(gene.unmatched, [False, True, False])
    marker = values_shown(MARKER, cells, [1, 2, 3], title="CD3")
    np.testing.assert_array_equal(marker.values, [1, 2, 3])
    assert marker.unmatched is None


def test_values_are_joined_by_the_names_of_cells() -> None:
    cells = table([7, 3, 9])
    series = pd.Series([9.0, 7.0, 3.0], index=["c9", "c7", "c3"])
    shown = values_shown(MARKER, cells, series, title="CD3")
    np.testing.assert_array_equal(shown.values, shown.labels)


def test_a_table_whose_rows_were_only_numbered_is_refused() -> None:
    cells = table([1, 2])
    slots.note(cells, **{slots.NUMBERED: True})
    with pytest.raises(InputError, match="cannot be matched"):
        values_shown(MARKER, cells, [1, 2], title="CD3")


@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(-1e3, 1e3, width=32)))
def test_limits_are_the_percentiles_and_never_of_zero_width(values: np.ndarray) -> None:
    low, high = robust_limits(values, 5, 95)
    assert low < high
    expected = np.percentile(values, (5, 95))
    if expected[0] < expected[1]:
        np.testing.assert_allclose((low, high), expected, rtol=1e-6)


@given(st.data())
def test_faded_are_exactly_the_matched_cells_below_the_bound(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 20))
    sure = np.array(data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)), np.float32)
    sure[data.draw(arrays(bool, n))] = np.nan
    unmatched = data.draw(arrays(bool, n))
    cells = table(list(range(1, n + 1)), gluer_unmatched=unmatched)
    shown = values_shown(GENE, cells, np.ones(n), title="g")
    for kind, opacity in ((Uncertain.FADE, FADED), (Uncertain.HIDE, 0)):
        found = styled(shown, PaintStyle(uncertain=kind, bound=0.5), certainty=sure)
        truth = [
            1 if lost or one >= 0.5 else opacity for one, lost in zip(sure, unmatched, strict=True)
        ]
        given_opacity = np.ones(n) if found.opacity is None else found.opacity
        np.testing.assert_allclose(given_opacity, truth)


def test_without_the_switch_all_are_opaque() -> None:
    shown = values_shown(GENE, table([1, 2]), [1, 2], title="g")
    assert styled(shown, PaintStyle(), certainty=np.zeros(2, np.float32)).opacity is None
    assert styled(shown, HALF, certainty=None).opacity is None


def test_what_is_not_isolated_is_grey_and_faded_and_its_colour_comes_back() -> None:
    shown = kinds(table([1, 2, 3, 4]), ["T", "B", "NK", None])
    alone = styled(shown, PaintStyle(isolated=("T", "B")))
    assert dict(zip(alone.names, alone.colors, strict=True))["NK"] == GREY
    np.testing.assert_allclose(alone.opacity, [1, 1, FADED, FADED])
    back = styled(alone, PaintStyle())
    assert (back.colors, back.opacity) == (shown.colors, None)
    strange = styled(shown, PaintStyle(isolated=("gone",)))
    assert (strange.colors, strange.opacity) == (shown.colors, None)


def test_chosen_colours_win_over_the_palette() -> None:
    shown = kinds(table([1, 2]), ["T", "B"])
    colored = styled(shown, PaintStyle(), colors={"T": "#123456"})
    assert dict(zip(colored.names, colored.colors, strict=True)) == {
        "B": shown.colors[0],
        "T": "#123456",
    }


def test_a_type_is_judged_by_its_own_probability() -> None:
    cells = table([1, 2], kind_probability=[0.2, 0.9], gluer_confidence=[0.6, 0.7])
    column, values = certainty_of(TYPE, cells) or ("", None)
    assert column == "kind_probability"
    np.testing.assert_allclose(values, [0.2, 0.9])
    assert (certainty_of(GENE, cells) or ("", None))[0] == slots.CONFIDENCE
    assert certainty_of(GENE, table([1])) is None


def test_unmatched_types_are_not_counted_as_below() -> None:
    shown = kinds(table([1, 2, 3]), ["T", UNMATCHED, "T"])
    np.testing.assert_array_equal(unmatched_of(shown), [False, True, False])
    found = below(shown, HALF, np.array([0.1, 0.1, 0.9], np.float32))
    np.testing.assert_array_equal(found, [True, False, False])


def test_sections_have_the_limits_of_all_their_values() -> None:
    one = values_shown(MARKER, table([1, 2]), [0, 1], title="m")
    other = values_shown(MARKER, table([1, 2, 3]), [5, 9, np.nan], title="m")
    found = with_one_scale([one, other], PaintStyle(low=0, high=100))
    assert [one.limits for one in found] == [(0, 9), (0, 9)]


def test_sections_share_categories_and_their_colours() -> None:
    one, other = kinds(table([1, 2, 3]), ["T", "B", UNMATCHED]), kinds(table([1, 2]), ["NK", "T"])
    found = with_one_scale([one, other], PaintStyle())
    assert found[0].names == found[1].names == ("B", "T", "NK", UNMATCHED)
    assert found[0].colors == found[1].colors
    assert found[0].colors[3] == GREY
    for before, after in zip((one, other), found, strict=True):
        assert list(names_of(before)) == list(names_of(after))


def test_missing_categories_stay_missing_in_sections() -> None:
    found = with_one_scale(
        [kinds(table([1, 2]), ["T", None]), kinds(table([1]), ["B"])], PaintStyle()
    )
    assert found[0].codes is not None
    assert found[0].codes.tolist() == [found[0].names.index("T"), -1]


def test_a_part_of_the_cells_keeps_their_values() -> None:
    cells = table([7, 3, 9], gluer_unmatched=[False, True, False])
    shown = values_shown(GENE, cells, [1, 2, 3], title="g")
    shown = replace(shown, opacity=np.array([1, 1, 0], np.float32))
    part = only(shown, np.array([False, True, True]))
    assert part.labels.tolist() == [3, 9]
    np.testing.assert_array_equal(part.values, [np.nan, 3])
    np.testing.assert_array_equal(part.opacity, [1, 0])
    np.testing.assert_array_equal(part.unmatched, [True, False])
