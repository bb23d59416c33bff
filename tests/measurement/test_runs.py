"""Runs against brute force."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.measurement.runs import numbered, runs_of


def blocks(seed: int, shape: tuple[int, int, int], dtype: str = "i4") -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.choice([0, 0, 3, 9], shape).astype(dtype)


SHAPES = st.tuples(*(st.integers(1, 7) for _ in range(3)))


@given(st.integers(0, 2**16), SHAPES, st.sampled_from(["i4", "u1", "u2", "i8", "u4", ">i4"]))
def test_runs_cover_every_cell_once(seed: int, shape: Any, dtype: str) -> None:
    labels = blocks(seed, shape, dtype)
    runs = runs_of(labels)
    drawn = np.zeros(labels.size, np.int64)
    for start, stop, row in zip(runs.starts, runs.stops, runs.group, strict=True):
        assert start // shape[2] == (stop - 1) // shape[2], "a run stays in its row"
        assert (drawn[start:stop] == 0).all()
        drawn[start:stop] = runs.keys[row, 0]
    np.testing.assert_array_equal(drawn.reshape(shape), labels)
    ids, sizes = np.unique(labels[labels > 0], return_counts=True)
    np.testing.assert_array_equal(runs.keys[:, 0], ids)
    np.testing.assert_array_equal(runs.sizes, sizes)


@given(st.integers(0, 2**16), SHAPES)
def test_nuclei_cut_runs(seed: int, shape: Any) -> None:
    labels, nuclei = blocks(seed, shape), blocks(seed + 1, shape, "u2")
    runs = runs_of(labels, nuclei)
    pairs = np.stack([labels[labels > 0], nuclei[labels > 0]], axis=1)
    keys, sizes = np.unique(pairs, axis=0, return_counts=True) if len(pairs) else (pairs, [])
    np.testing.assert_array_equal(runs.keys, keys)
    np.testing.assert_array_equal(runs.sizes, sizes)


@given(st.lists(st.one_of(st.integers(0, 20), st.integers(0, 2**62)), max_size=30))
def test_numbers_are_those_of_unique(values: list[int]) -> None:
    ids, places = numbered(np.array(values, np.int64))
    truth, inverse = np.unique(np.array(values, np.int64), return_inverse=True)
    np.testing.assert_array_equal(ids, truth)
    np.testing.assert_array_equal(places, inverse)
