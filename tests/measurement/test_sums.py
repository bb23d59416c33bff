"""Sums and medians over runs against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.measurement.runs import Runs, runs_of
from napari_gluer.measurement.sums import Laid, Places, grouped, medians, squares, sums, together


def blocks(seed: int, shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(seed).choice([0, 0, 3, 9], shape).astype("i4")


def laid_on(runs: Runs, pixels: np.ndarray) -> Laid:
    return Places(runs).of(pixels if pixels.ndim == 4 else pixels[np.newaxis])


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
    truth = [[pixels[labels == label].sum(dtype=float)] for label in runs.keys[:, 0]]
    for name, view in views(pixels).items():
        total, counted = sums(runs, laid_on(runs, view))
        np.testing.assert_allclose(total, truth, rtol=1e-12, err_msg=name)
        assert counted is None


@given(
    st.integers(0, 2**16),
    st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 80)),
    st.sampled_from(["u1", "u2", "bool", "i2", "u4", "i8", "f4"]),
    st.integers(1, 5),
)
def test_channels_together_are_channels_one_by_one(
    seed: int, shape: tuple[int, int, int], dtype: str, number: int
) -> None:
    labels = np.repeat(blocks(seed, shape), 3, axis=2)
    wide = np.random.default_rng(seed).integers(0, 255, (number + 2, *labels.shape)).astype(dtype)
    runs = runs_of(labels)
    for pixels in (wide[1:-1], wide[::2], np.moveaxis(np.moveaxis(wide, 0, -1).copy(), -1, 0)):
        laid = laid_on(runs, pixels)
        assert laid.number == len(pixels)
        total, counted = sums(runs, laid)
        truth = [
            [plane[labels == label].sum(dtype=float) for plane in pixels]
            for label in runs.keys[:, 0]
        ]
        np.testing.assert_array_equal(total, np.reshape(truth, total.shape))
        assert counted is None
        for place, plane in enumerate(pixels):
            held = laid.channel(place)[laid.at]
            np.testing.assert_array_equal(held, plane.ravel()[runs.starts])


def test_only_narrow_pixels_are_taken_together() -> None:
    assert [together(np.dtype(kind)) for kind in ("u1", "u2", ">u2", "bool")] == [4] * 4
    assert [together(np.dtype(kind)) for kind in ("i2", "u4", "f4", "f8")] == [1] * 4


@given(st.integers(0, 2**16), st.sampled_from(["f4", "f8"]))
def test_not_finite_pixels_are_counted_apart(seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    labels = blocks(seed, (2, 4, 9))
    pixels = rng.normal(size=(3, *labels.shape)).astype(dtype)
    pixels[1][rng.random(labels.shape) < 0.3] = rng.choice([np.nan, np.inf, -np.inf])
    runs = runs_of(labels)
    laid = laid_on(runs, pixels)
    total, counted = sums(runs, laid)
    sizes = runs.sizes[:, np.newaxis] if counted is None else counted
    means = total / np.maximum(sizes, 1)
    apart = squares(runs, laid, means)
    for row, label in enumerate(runs.keys[:, 0]):
        for channel, plane in enumerate(pixels):
            held = plane[labels == label].astype(float)
            held = held[np.isfinite(held)]
            assert np.broadcast_to(sizes, total.shape)[row, channel] == len(held)
            assert total[row, channel] == pytest.approx(held.sum(), rel=1e-5, abs=1e-5)
            truth = ((held - means[row, channel]) ** 2).sum()
            assert apart[row, channel] == pytest.approx(truth, rel=1e-9, abs=1e-12)


def test_long_rows_of_the_largest_values_do_not_run_over() -> None:
    pixels = np.full((3, 1, 1, 65_536), 65_535, np.uint16)
    runs = runs_of(np.ones(pixels.shape[1:], np.int32))
    assert sums(runs, laid_on(runs, pixels))[0].tolist() == [[65_536 * 65_535] * 3]
    large = np.full((1, 4, 1000), 2**32 - 1, np.uint32)
    runs = runs_of(np.ones(large.shape, np.int32))
    assert sums(runs, laid_on(runs, large))[0][0, 0] == 4000 * (2**32 - 1)
    huge = np.full((1, 4, 1000), 2**63 - 1, np.int64)
    assert sums(runs, laid_on(runs, huge))[0][0, 0] == pytest.approx(4000 * 2.0**63)


@given(st.integers(0, 2**16), st.sampled_from(["u1", "f4"]))
def test_medians_are_those_of_numpy(seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    labels = blocks(seed, (2, 6, 7))
    labels[0, 0, 0] = 3
    pixels = rng.integers(0, 9, labels.shape).astype(dtype)
    if dtype == "f4":
        pixels[rng.random(labels.shape) < 0.4] = np.nan
    runs = runs_of(labels)
    laid = laid_on(runs, pixels)
    found = medians(*grouped(runs, laid.channel(0), laid.at, runs.sizes))
    for label, median in zip(runs.keys[:, 0], found, strict=True):
        held = pixels[labels == label].astype(float)
        held = held[np.isfinite(held)]
        np.testing.assert_equal(median, np.median(held) if held.size else np.nan)
