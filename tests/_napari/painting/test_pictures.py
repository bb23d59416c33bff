"""What is shown as pictures of numbers, pixel by pixel against the labels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.utils.colormaps import ensure_colormap

from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.pictures import (
    Codes,
    category_codes,
    no_levels,
    rest,
    rgba,
    solid,
    value_levels,
)
from napari_gluer.painting import LabelIndex
from napari_gluer.palette import GREY

LABELS = np.array([[0, 5, 5, 0], [9, 9, 0, 2], [0, 0, 2, 2]])
INDEX = LabelIndex(LABELS)


def values(**more: object) -> Shown:
    found = {
        "what": Paintable("CD8A", Origin.GENE),
        "title": "CD8A",
        "labels": np.array([9, 2, 5]),
        "values": np.array([1, 2, 4], np.float32),
        "limits": (0.0, 4.0),
    }
    return Shown(**{**found, **more})


def types(**more: object) -> Shown:
    found = {
        "what": Paintable("kind", Origin.CATEGORY),
        "title": "kind",
        "labels": np.array([9, 2, 5]),
        "codes": np.array([1, 0, -1]),
        "names": ("B", "T"),
        "colors": ("#FF0000", "#00FF00"),
    }
    return Shown(**{**found, **more})


def at(codes: Codes, label: int) -> int:
    picture = np.asarray(codes.levels[0])
    found = np.unique(picture[label == LABELS])
    assert len(found) == 1
    return int(found[0])


def test_faded_and_hidden_cells_are_not_in_the_picture_of_values() -> None:
    shown = values(opacity=np.array([1, 0.3, 0], np.float32))
    picture = np.asarray(value_levels(INDEX, shown)[0])
    assert (picture[LABELS == 9] == 1).all()
    assert np.isnan(picture[LABELS != 9]).all()


def test_nothing_remains_where_all_cells_have_a_value() -> None:
    assert rest(INDEX, values()) is None
    assert rest(INDEX, values(opacity=np.array([1, 1, 0], np.float32))) is None


def test_unmatched_cells_are_grey_and_opaque() -> None:
    shown = values(
        values=np.array([np.nan, 2, 4], np.float32), unmatched=np.array([True, False, False])
    )
    codes = rest(INDEX, shown)
    assert codes is not None
    assert codes.colors[at(codes, 9)] == rgba(GREY)
    assert [at(codes, label) for label in (0, 2, 5)] == [0, 0, 0]


@given(st.floats(0, 4), st.floats(0.2, 3))
def test_faded_cells_have_the_colour_of_their_value(value: float, gamma: float) -> None:
    shown = values(
        values=np.array([value, 2, 4], np.float32),
        opacity=np.array([0.3, 1, 1], np.float32),
        gamma=gamma,
    )
    codes = rest(INDEX, shown)
    assert codes is not None
    found = codes.colors[at(codes, 9)]
    step = np.rint(np.float32(value) / 4 * 127) / 127
    expected = np.asarray(ensure_colormap("viridis").map([step**gamma]))[0]
    np.testing.assert_allclose(found[:3], expected[:3], atol=1e-5)
    assert found[3] == pytest.approx(0.3)
    assert at(codes, 2) == 0


def test_bodies_show_every_cell_once() -> None:
    shown = values(
        values=np.array([0, np.nan, 4], np.float32),
        unmatched=np.array([False, True, False]),
        opacity=np.array([1, 1, 0.3], np.float32),
    )
    codes = solid(INDEX, shown)
    assert codes is not None
    lowest, highest = np.asarray(ensure_colormap("viridis").map([0.0, 1.0]))[:, :3]
    np.testing.assert_allclose(codes.colors[at(codes, 9)], [*lowest, 1], atol=1e-6)
    assert codes.colors[at(codes, 2)] == rgba(GREY)
    np.testing.assert_allclose(codes.colors[at(codes, 5)], [*highest, 0.3], atol=1e-6)
    assert at(codes, 0) == 0
    hidden = solid(INDEX, replace(shown, opacity=np.array([0, 1, 0], np.float32)))
    assert hidden is not None
    assert (at(hidden, 9), at(hidden, 5)) == (0, 0)


def test_bodies_of_a_blend_have_the_mixed_colours() -> None:
    blend = np.array([[255, 0, 255, 255], [0, 0, 0, 0], [0, 255, 0, 255]], np.uint8)
    codes = solid(INDEX, values(blend=blend))
    assert codes is not None
    np.testing.assert_allclose(codes.colors[at(codes, 9)], [1, 0, 1, 1], atol=0.07)
    np.testing.assert_allclose(codes.colors[at(codes, 5)], [0, 1, 0, 1], atol=0.07)
    assert at(codes, 2) == 0


def test_nothing_to_show_is_no_picture() -> None:
    assert solid(INDEX, values(values=np.full(3, np.nan, np.float32))) is None
    assert np.isnan(np.asarray(no_levels(INDEX)[0])).all()


def test_of_a_pyramid_without_values_3d_views_get_next_to_nothing() -> None:
    labels = np.zeros((6, 1400, 1400), np.int32)
    labels[2:4, 5:9, 5:9] = 7
    index = LabelIndex(labels)
    assert len(index.levels) > 1
    levels = no_levels(index)
    assert [one.shape for one in levels[:-1]] == [one.shape for one in index.levels[:-1]]
    assert levels[-1].shape == (4, 4, 4)
    assert all(np.isnan(np.asarray(one)).all() for one in levels)


def test_categories_have_their_number_and_fade_to_another() -> None:
    plain = category_codes(INDEX, types())
    assert [at(plain, label) for label in (9, 2, 5, 0)] == [2, 1, 0, 0]
    assert plain.colors[1] == (1, 0, 0, 1)
    faded = category_codes(INDEX, types(opacity=np.array([0.3, 1, 0.3], np.float32)))
    assert [at(faded, label) for label in (9, 2, 5)] == [4, 1, 0]
    np.testing.assert_allclose(faded.colors[4], (0, 1, 0, 0.3), atol=1e-6)
    hidden = category_codes(INDEX, types(opacity=np.array([0, 1, 0], np.float32)))
    assert [at(hidden, label) for label in (9, 2, 5)] == [0, 1, 0]


def test_two_hundred_categories_fade_too() -> None:
    n = 200
    labels = np.arange(1, n + 1).reshape(1, n)
    shown = types(
        labels=labels.ravel(),
        codes=np.arange(n),
        names=tuple(f"t{i}" for i in range(n)),
        colors=("#010203",) * n,
        opacity=np.full(n, 0.3, np.float32),
    )
    picture = np.asarray(category_codes(LabelIndex(labels), shown).levels[0])
    np.testing.assert_array_equal(picture[0], np.arange(1, n + 1) + n)


def test_the_same_picture_is_known_again() -> None:
    shown = values(unmatched=np.array([True, False, False]))
    one, other = rest(INDEX, shown), rest(INDEX, replace(shown, limits=(0.0, 9.0)))
    assert one is not None
    assert one.same_cells(other)
    assert not one.same_cells(rest(LabelIndex(LABELS), shown))
    assert not one.same_cells(rest(INDEX, values(unmatched=np.array([True, True, False]))))
    assert not one.same_cells(None)


def test_the_colour_table_has_a_background() -> None:
    colormap = category_codes(INDEX, types()).colormap
    np.testing.assert_allclose(colormap.map(np.array([0, 1, 2]))[:, 3], [0, 1, 1])
