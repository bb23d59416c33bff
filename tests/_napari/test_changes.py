"""Edited masks: at any moment, what is shown at a pixel belongs to the cell measured there."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Labels

from napari_gluer._napari.attached import attach, index_of, stale_of
from napari_gluer._napari.changes import LabelChanges
from napari_gluer.painting import LabelIndex, paint

pytestmark = pytest.mark.usefixtures("qapp")

_SIDE = 14
_PLACES = st.tuples(st.integers(0, _SIDE - 1), st.integers(0, _SIDE - 1))
_LABELS = st.integers(0, 9)

_EDITS = st.one_of(
    st.tuples(st.just("paint"), _PLACES, _LABELS),
    st.tuples(st.just("stroke"), _PLACES, _LABELS),
    st.tuples(st.just("fill"), _PLACES, _LABELS),
    st.tuples(st.just("polygon"), _PLACES, _LABELS),
    st.tuples(st.just("items"), _PLACES, _LABELS),
    st.tuples(st.just("undo"), _PLACES, _LABELS),
    st.tuples(st.just("redo"), _PLACES, _LABELS),
    st.tuples(st.just("script"), _PLACES, _LABELS),
    st.tuples(st.just("merge"), _PLACES, _LABELS),
    st.tuples(st.just("renumber"), _PLACES, _LABELS),
    st.tuples(st.just("reorder"), _PLACES, _LABELS),
    st.tuples(st.just("copy"), _PLACES, _LABELS),
)


def _drawn() -> np.ndarray:
    drawn = np.zeros((_SIDE, _SIDE), np.int32)
    for i in range(6):
        y, x = 4 * (i // 3) + 1, 4 * (i % 3) + 1
        drawn[y : y + 3, x : x + 3] = i + 1
    return drawn


def _table(labels: np.ndarray) -> AnnData:
    """One row a label, in any order; the value tells which cell was measured."""
    ids = np.unique(labels)[1:]
    ids = np.random.default_rng(len(ids)).permutation(ids)
    obs = pd.DataFrame({"label": ids}, index=[f"cell {i}" for i in ids])
    return AnnData(ids[:, np.newaxis].astype(np.float32) * 10, obs=obs)


def _stroke(layer: Labels, place: tuple[int, int], label: int) -> None:
    with layer.block_history():
        for step in range(3):
            layer.paint((place[0], (place[1] + step) % _SIDE), label)


def _script(layer: Labels, place: tuple[int, int], label: int) -> None:
    layer.data[place] = label
    layer.refresh()


def _replace(layer: Labels, kind: str, place: tuple[int, int], label: int) -> None:
    data = np.asarray(layer.data)
    layer.data = {
        "merge": np.where(data == label, data[place], data),
        "renumber": np.where(data > 0, (data + label) % 11, 0).astype(np.int32),
        "copy": data.copy(),
    }[kind]


def _edit(layer: Labels, kind: str, place: tuple[int, int], label: int) -> None:
    y, x = place
    corners = [place, (y, x + 4), (y + 4, x)]
    acts: dict[str, Callable[[], None]] = {
        "paint": lambda: layer.paint(place, label),
        "stroke": lambda: _stroke(layer, place, label),
        "fill": lambda: layer.fill(place, label),
        "polygon": lambda: layer.paint_polygon(corners, label),
        "items": lambda: layer.data_setitem((np.array([y, x]), np.array([x, y])), label),
        "undo": layer.undo,
        "redo": layer.redo,
        "script": lambda: _script(layer, place, label),
    }
    acts.get(kind, lambda: _replace(layer, kind, place, label))()


def _assert_true_or_empty(layer: Labels, cells: AnnData, measured: np.ndarray) -> None:
    shown = cells[~np.isin(cells.obs["label"], stale_of(layer))]
    picture = np.asarray(paint(index_of(layer), shown, shown.X[:, 0]))
    now = np.asarray(layer.data)
    painted = np.isfinite(picture)
    np.testing.assert_array_equal(picture[painted], 10.0 * measured[painted])
    np.testing.assert_array_equal(picture[painted], 10.0 * now[painted])
    # and nothing is left empty without need: a cell that kept all of its pixels has its colour
    same = [one for one in np.unique(measured)[1:] if np.array_equal(measured == one, now == one)]
    np.testing.assert_array_equal(painted, np.isin(measured, same))


@given(edits=st.lists(_EDITS, max_size=8), sooner=st.booleans(), multiples=st.booleans())
@settings(deadline=None, max_examples=50)
def test_a_painted_value_belongs_to_the_cell_measured_there(
    edits: list[Any], *, sooner: bool, multiples: bool
) -> None:
    measured = _drawn()
    layer = Labels(measured.copy())
    layer.brush_size = 2
    cells = _table(measured)
    attach(layer, cells=cells, measured=cells, index=LabelIndex(measured))
    for kind, place, label in edits:
        if kind == "reorder":
            cells = cells[np.random.default_rng(label).permutation(cells.n_obs)].copy()
            attach(layer, cells=cells)
        else:
            _edit(layer, kind, place, label)
        if sooner:
            _assert_true_or_empty(layer, cells, measured)
    if multiples:
        stale_of(layer)
    _assert_true_or_empty(layer, cells, measured)


@given(edits=st.lists(_EDITS, min_size=1, max_size=6))
@settings(deadline=None, max_examples=30)
def test_all_strokes_undone_leave_nothing_stale(edits: list[Any]) -> None:
    measured = _drawn()
    layer = Labels(measured.copy())
    cells = _table(measured)
    attach(layer, cells=cells)
    strokes = [one for one in edits if one[0] in {"paint", "stroke", "fill", "polygon", "items"}]
    for edit in strokes:
        _edit(layer, *edit)
    for _ in strokes:
        layer.undo()
    np.testing.assert_array_equal(layer.data, measured)
    assert stale_of(layer).tolist() == []


class _OnDisk:
    """An array that is only sliced, as a zarr is."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape, self.ndim, self.dtype = array.shape, array.ndim, array.dtype

    def __getitem__(self, key: Any) -> np.ndarray:
        if any(not isinstance(one, slice) for one in np.index_exp[key]):
            raise TypeError(key)
        return self._array[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._array, dtype)


def test_arrays_on_disk_are_read_where_they_were_painted() -> None:
    inside = _drawn()
    labels = _OnDisk(inside)
    changes = LabelChanges(labels)
    changes.painted(labels, [((np.array([1, 2]), np.array([1, 12])), np.array([1, 0]), 8)])
    assert changes.look(labels, closely=True).tolist() == []  # not there yet
    inside[1, 1] = inside[2, 12] = 8
    assert changes.look(labels, closely=False).tolist() == [1, 8]
    assert changes.index.ids.tolist() == [1, 2, 3, 4, 5, 6]


def test_volumes_are_followed_too() -> None:
    volume = np.stack([_drawn()] * 3)
    layer = Labels(volume.copy())
    cells = _table(volume)
    attach(layer, cells=cells)
    layer.n_edit_dimensions = 3
    layer.brush_size = 1
    layer.paint((2, 1, 1), 5)
    assert stale_of(layer).tolist() == [1, 5]
    layer.undo()
    assert stale_of(layer).tolist() == []
