"""Runs against brute force."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.measurement.runs import Places, grouped, medians, numbered, runs_of, sums


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


def views(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """The same pixels, laid out in memory in other ways."""
    wide = np.zeros((4, 9, 20), pixels.dtype)
    wide[1:3, 2:7, 5:11] = pixels
    raw = np.frombuffer(b"x" + pixels.tobytes(), np.uint8)[1:]
    return {
        "contiguous": pixels,
        "a part of a larger array": wide[1:3, 2:7, 5:11],
        "columns first": np.asfortranarray(pixels),
        "channels last": np.stack([pixels, pixels], axis=-1)[..., 1],
        "backwards": pixels[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": np.frombuffer(pixels.tobytes(), pixels.dtype).reshape(pixels.shape),
        "not aligned": raw.view(pixels.dtype).reshape(pixels.shape),
        "other byte order": pixels.astype(pixels.dtype.newbyteorder()),
    }


@pytest.mark.parametrize("dtype", ["u2", "i2", "f4", "f8"])
def test_memory_layout_does_not_matter(dtype: str) -> None:
    labels = blocks(1, (2, 5, 6))
    pixels = np.random.default_rng(2).integers(0, 60_000, (2, 5, 6)).astype(dtype)
    runs = runs_of(labels)
    for name, view in views(pixels).items():
        flat, at = Places(runs).of(view)
        total, counted = sums(runs, flat, at)
        truth = [pixels[labels == label].sum(dtype=float) for label in runs.keys[:, 0]]
        np.testing.assert_allclose(total, truth, rtol=1e-12, err_msg=name)
        assert counted is None


def test_long_rows_of_the_largest_values_do_not_run_over() -> None:
    pixels = np.full((1, 1, 65_536), 65_535, np.uint16)
    runs = runs_of(np.ones(pixels.shape, np.int32))
    assert sums(runs, *Places(runs).of(pixels))[0][0] == 65_536 * 65_535
    large = np.full((1, 4, 1000), 2**32 - 1, np.uint32)
    runs = runs_of(np.ones(large.shape, np.int32))
    assert sums(runs, *Places(runs).of(large))[0][0] == 4000 * (2**32 - 1)
    huge = np.full((1, 4, 1000), 2**63 - 1, np.int64)
    assert sums(runs, *Places(runs).of(huge))[0][0] == pytest.approx(4000 * 2.0**63)


@given(st.integers(0, 2**16), st.sampled_from(["u1", "f4"]))
def test_medians_are_those_of_numpy(seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    labels = blocks(seed, (2, 6, 7))
    labels[0, 0, 0] = 3
    pixels = rng.integers(0, 9, labels.shape).astype(dtype)
    if dtype == "f4":
        pixels[rng.random(labels.shape) < 0.4] = np.nan
    runs = runs_of(labels)
    found = medians(*grouped(runs, *Places(runs).of(pixels), runs.sizes))
    for label, median in zip(runs.keys[:, 0], found, strict=True):
        held = pixels[labels == label].astype(float)
        held = held[np.isfinite(held)]
        np.testing.assert_equal(median, np.median(held) if held.size else np.nan)
