import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_gluer.errors import InputError
from napari_gluer.painting import LabelIndex, LookUp, code_levels, paint, paint_levels

IDS = st.sampled_from([0, 0, 0, 1, 2, 3, 7, 300, 65_536, 70_000_001, 2**40, 2**53 + 3])
SHAPES = st.one_of(
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
)
IMAGES = arrays(np.int64, SHAPES, elements=IDS)
SMALL = np.array([[0, 5, 5, 0], [9, 9, 0, 2], [0, 0, 2, 2]])


def table(labels: Any, names: list[str] | None = None) -> AnnData:
    wanted = np.asarray(labels)
    obs = pd.DataFrame({"label": wanted}, index=names or [f"cell {label}" for label in wanted])
    return AnnData(np.zeros((len(obs), 1), np.float32), obs=obs)


def some_cells(labels: np.ndarray, seed: int) -> np.ndarray:
    """A random part of the labels, in random order."""
    ids = np.unique(labels[labels != 0])
    rng = np.random.default_rng(seed)
    return rng.permutation(ids)[: rng.integers(0, len(ids) + 1)]


def pixel_by_pixel(labels: np.ndarray, value_of: dict[int, float], empty: float) -> np.ndarray:
    picture = np.full(labels.shape, empty)
    for place in np.ndindex(labels.shape):
        picture[place] = value_of.get(int(labels[place]), empty)
    return picture


@given(IMAGES, st.integers(0, 2**16), st.sampled_from([np.int64, np.uint64, np.float64]))
def test_every_pixel_shows_its_own_cell(labels: np.ndarray, seed: int, dtype: type) -> None:
    ids = some_cells(labels, seed)
    values = np.random.default_rng(seed).normal(size=len(ids)).astype(np.float32)
    truth = pixel_by_pixel(labels, dict(zip(ids.tolist(), values.tolist(), strict=True)), np.nan)
    if dtype != np.float64 or labels.max(initial=0) < 2**53:
        labels = labels.astype(dtype)
    picture = paint(labels, table(ids), values)
    assert picture.dtype == np.float32
    assert picture.shape == labels.shape
    np.testing.assert_array_equal(np.asarray(picture), truth.astype(np.float32))


@given(IMAGES, st.integers(0, 2**16))
def test_a_series_is_joined_by_name_in_any_order(labels: np.ndarray, seed: int) -> None:
    ids = some_cells(labels, seed)
    cells = table(ids)
    rng = np.random.default_rng(seed)
    values = pd.Series(rng.normal(size=len(ids)), index=cells.obs_names)
    shuffled = values.iloc[rng.permutation(len(ids))]
    np.testing.assert_array_equal(
        np.asarray(paint(labels, cells, shuffled)),
        np.asarray(paint(labels, cells, values.to_numpy())),
    )


@given(IMAGES, st.integers(0, 2**16))
def test_every_pixel_shows_the_category_of_its_own_cell(labels: np.ndarray, seed: int) -> None:
    ids = some_cells(labels, seed)
    cells = table(ids)
    rng = np.random.default_rng(seed)
    kinds = pd.Categorical(
        rng.choice(["T", "B", "NK"], len(ids)), categories=["T", "B", "NK", "unused"]
    )
    series = pd.Series(kinds, index=cells.obs_names).iloc[rng.permutation(len(ids))]
    series[series == "B"] = np.nan
    code = {"T": 1, "NK": 3}
    of_cell = {
        int(label): code.get(series[name], 0)
        for label, name in zip(ids, cells.obs_names, strict=True)
    }
    levels, names = code_levels(labels, cells, series)
    assert names == ["T", "B", "NK", "unused"]
    truth = pixel_by_pixel(labels, of_cell, 0)
    np.testing.assert_array_equal(np.asarray(levels[0]), truth)
    assert levels[0].dtype == np.uint8


def test_labels_of_other_integers_and_of_floats() -> None:
    cells = table([9, 2, 5])
    truth = np.full(SMALL.shape, np.nan)
    for label, value in ((9, 1.0), (2, 2.0), (5, 3.0)):
        truth[label == SMALL] = value
    for dtype in ("u1", "i2", "u4", "f4"):
        for key in (np.int32, np.uint64, np.float64):
            cells.obs["label"] = np.array([9, 2, 5], key)
            picture = paint(SMALL.astype(dtype), cells, [1, 2, 3])
            np.testing.assert_array_equal(np.asarray(picture), truth)


def test_neighbouring_ids_stay_apart_however_large() -> None:
    ids = np.array([2**53, 2**53 + 1, 2**53 + 2])
    for key in (np.int64, np.uint64):
        picture = paint(ids[np.newaxis], table(ids[::-1].astype(key)), [3, 2, 1])
        np.testing.assert_array_equal(np.asarray(picture), [[1, 2, 3]])


def test_missing_values_and_no_cells_show_nothing() -> None:
    picture = np.asarray(paint(SMALL, table([5, 2]), [np.nan, 4]))
    assert np.isnan(picture[SMALL != 2]).all()
    assert (picture[SMALL == 2] == 4).all()
    assert np.isnan(np.asarray(paint(SMALL, table([]), []))).all()
    assert np.isnan(np.asarray(paint(np.zeros((3, 3), int), table([]), []))).all()


@pytest.mark.parametrize(
    ("labels", "values", "says"),
    [
        ([5, 4], [1, 2], r"1 of 2 cells .* label 4 .* the image has 3 cells"),
        ([5, 10], [1, 2], "label 10 "),
        ([0, 5], [1, 2], r"own positive whole number.*; 0 is none"),
        ([-5, 5], [1, 2], "-5 is none"),
        ([5.5, 5], [1, 2], r"5\.5 is none"),
        ([5, np.nan], [1, 2], "nan is none"),
        ([5, 5, 2], [1, 2, 3], "5 is repeated"),
        ([5, 2], [1, 2, 3], r"2 cells want as many values; these have shape \(3,\)"),
        ([5, 2], [[1], [2]], r"shape \(2, 1\)"),
        ([5, 2], 1.0, r"shape \(\)"),
    ],
)
def test_tables_and_values_of_other_labels(labels: list[float], values: Any, says: str) -> None:
    cells = table(labels, [f"row {i}" for i in range(len(labels))])
    with pytest.raises(InputError, match=says):
        paint(SMALL, cells, values)


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (["cell 5", "cell 4"], r"1 cells have no value \(cell 2\), 1 values no cell \(cell 4\)"),
        (["cell 5"], "1 cells have no value"),
        (["cell 5", "cell 2", "cell 9"], "1 values no cell"),
        ([0, 1], "2 cells have no value"),
        (["cell 5", "cell 2", "cell 2"], "do not belong to these cells"),
    ],
)
def test_series_of_other_cells(index: list[Any], says: str) -> None:
    values = pd.Series(np.arange(len(index), dtype=float), index=index)
    with pytest.raises(InputError, match=says):
        paint(SMALL, table([5, 2]), values)
    with pytest.raises(InputError, match=says):
        code_levels(SMALL, table([5, 2]), values.astype(str))


def test_a_table_without_labels() -> None:
    with pytest.raises(InputError, match=r"no obs\['label'\]"):
        paint(SMALL, AnnData(np.zeros((2, 1), np.float32)), [1, 2])


KEYS = [
    2,
    -1,
    slice(None),
    slice(1, 3),
    slice(None, None, -2),
    (1, 2),
    (slice(0, 2), 3),
    (slice(None, None, 2), slice(1, None)),
    (..., slice(0, 2)),
    (np.array([0, 2]), np.array([1, 3])),
    ([0, 2],),
    (slice(None), [3, 0]),
    np.array([True, False, True]),
    (None, 0),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_slicing_is_numpys(key: Any) -> None:
    picture = paint(SMALL, table([9, 2, 5]), [1, 2, 3])
    np.testing.assert_array_equal(picture[key], np.asarray(picture)[key])


def test_a_picture_has_what_an_array_has() -> None:
    picture = paint(np.stack([SMALL] * 2), table([9]), [1])
    array = np.asarray(picture)
    for name in ("shape", "ndim", "size", "dtype"):
        assert getattr(picture, name) == getattr(array, name)
    assert len(picture) == 2
    assert np.asarray(picture, np.float64).dtype == np.float64
    assert np.nanmax(picture[0]) == 1
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(picture, copy=False)


def test_painting_is_lazy() -> None:
    labels = LabelIndex(np.random.default_rng(0).integers(0, 50, (1000, 1000)))
    assert len(labels.levels) == 2
    cells = table(np.arange(1, 50))
    tracemalloc.start()
    levels = paint_levels(labels, cells, np.arange(49.0))
    part = levels[0][:10, :10]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert part.shape == (10, 10)
    assert peak < 200_000


def test_a_shared_index_gives_the_same_picture() -> None:
    index = LabelIndex(SMALL)
    for values in ([1, 2, 3], [7, 8, 9]):
        np.testing.assert_array_equal(
            np.asarray(paint(index, table([9, 2, 5]), values)),
            np.asarray(paint(SMALL, table([9, 2, 5]), values)),
        )


def coarser(level: np.ndarray) -> np.ndarray:
    """The greatest of 2 × 2 pixels, one by one."""
    height, width = ((size + 1) // 2 for size in level.shape[-2:])
    halved = np.zeros((*level.shape[:-2], height, width), level.dtype)
    for y, x in np.ndindex(height, width):
        halved[..., y, x] = level[..., 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].max(axis=(-2, -1))
    return halved


@pytest.mark.parametrize("shape", [(600, 30), (513, 7), (1030, 3), (2, 5, 600), (1, 1025)])
def test_pyramid_keeps_the_greatest_of_four(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(1, 90, shape) * (rng.random(shape) < 0.2) * 3
    index = LabelIndex(labels)
    np.testing.assert_array_equal(np.r_[0, index.ids][index.levels[0]], labels)
    for finer, level in zip(index.levels, index.levels[1:], strict=False):
        np.testing.assert_array_equal(level, coarser(finer))
        assert level.dtype == np.int32
        assert max(finer.shape[-2:]) > 512
    assert max(index.levels[-1].shape[-2:]) <= 512


def test_small_images_have_one_level() -> None:
    assert len(LabelIndex(np.zeros((512, 512), int)).levels) == 1
    assert len(LabelIndex(np.zeros((512, 513), int)).levels) == 2


def test_no_cell_gets_lost_in_the_background() -> None:
    labels = np.zeros((2051, 1203), int)
    rng = np.random.default_rng(0)
    for i, (y, x) in enumerate(np.ndindex(60, 30)):  # one pixel a cell, in tiles of 32
        labels[32 * y + rng.integers(32), 32 * x + rng.integers(32)] = 10 * (i + 1)
    index = LabelIndex(labels)
    assert len(index.levels) == 4
    values = np.arange(1800.0)
    for level in paint_levels(index, table(index.ids), values):
        shown = np.asarray(level)
        np.testing.assert_array_equal(np.unique(shown[np.isfinite(shown)]), values)


def test_all_levels_show_the_same_values() -> None:
    labels = np.kron(SMALL, np.ones((256, 256), int))
    levels = paint_levels(labels, table([9, 2, 5]), [1, 2, 3])
    assert [level.shape for level in levels] == [(768, 1024), (384, 512)]
    np.testing.assert_array_equal(np.asarray(levels[1]), np.asarray(levels[0])[::2, ::2])


def test_codes_of_plain_values_come_in_sorted_order() -> None:
    cells = table([9, 2, 5])
    for kinds, names in (
        (["b", "a", "b"], ["a", "b"]),
        ([True, False, True], ["False", "True"]),
        ([3, 1, 3], ["1", "3"]),
    ):
        levels, found = code_levels(SMALL, cells, pd.Series(kinds, index=cells.obs_names))
        assert found == names
        truth = pixel_by_pixel(SMALL, {9: 2, 2: 1, 5: 2}, 0)
        np.testing.assert_array_equal(np.asarray(levels[0]), truth)


@pytest.mark.parametrize(
    ("n", "dtype"), [(255, np.uint8), (256, np.uint16), (300, np.uint16), (66_000, None)]
)
def test_many_categories_have_codes_of_their_own(n: int, dtype: Any) -> None:
    labels = np.arange(1, n + 1).reshape(1, n)
    cells = table(labels[0])
    kinds = pd.Series([f"{i:05d}" for i in range(n)], index=cells.obs_names)
    try:
        levels, names = code_levels(labels, cells, kinds)
    except InputError:  # a refusal in words is as right, for more than can be told apart
        assert n > 65_535
        return
    assert names == list(kinds)
    assert dtype is None or levels[0].dtype == dtype
    np.testing.assert_array_equal(np.asarray(levels[0]), labels)


def test_look_up_by_hand() -> None:
    picture = LookUp(np.array([[0, 2], [1, 1]], np.int32), np.array([-1, 10, 20]))
    np.testing.assert_array_equal(np.asarray(picture), [[-1, 20], [10, 10]])
    assert picture[0, 1] == 20


def test_the_same_picture_is_known_by_its_index_and_values() -> None:
    index, cells = LabelIndex(SMALL), table([9, 2])
    one = paint(index, cells, [1, np.nan])
    assert one.shows_the_same(paint(index, cells, [1, np.nan]))
    assert not one.shows_the_same(paint(index, cells, [1, 2]))
    assert not one.shows_the_same(paint(SMALL, cells, [1, np.nan]))
    assert not one.shows_the_same(np.asarray(one))
    codes, _ = code_levels(index, cells, pd.Series(["a", "b"], index=cells.obs_names))
    assert not one.shows_the_same(codes[0])


def test_the_places_of_the_last_cells_are_not_those_of_others() -> None:
    index = LabelIndex(SMALL)
    for labels in ([9, 2], [2, 9], [5], [9, 2]):
        found = index.places(np.array(labels))
        assert index.ids[found].tolist() == labels
    with pytest.raises(InputError, match="label 4"):
        index.places(np.array([9, 4]))


def test_planes_stay_apart_unless_the_volume_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.random.default_rng(0).integers(0, 9, (4, 600, 8))
    assert [level.shape for level in LabelIndex(labels).levels] == [(4, 600, 8), (4, 300, 4)]
    monkeypatch.setattr("napari_gluer.painting._MOST_VOXELS", 1000)
    levels = LabelIndex(labels).levels
    assert [level.shape for level in levels[2:]] == [(2, 150, 2)]
    truth = levels[1].reshape(2, 2, 150, 2, 2, 2).max(axis=(1, 3, 5))
    np.testing.assert_array_equal(levels[2], truth)
