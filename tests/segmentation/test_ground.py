"""The ground on a coarse grid: aligned, the same for every window, and near the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_gluer.segmentation.ground import Ground
from napari_gluer.segmentation.scale import Grid

PLANE, THICK = Grid.of(2, None), Grid.of(3, (2.0, 0.5, 0.5))


def whole(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, length) for length in shape)


def under_all(ground: Ground, pixels: np.ndarray) -> np.ndarray:
    return ground.under(pixels, whole(pixels.shape), whole(pixels.shape))


@given(st.floats(5, 200), st.tuples(*[st.integers(0, 400)] * 4))
def test_windows_start_and_end_on_the_coarse_grid(window: float, ends: tuple[int, ...]) -> None:
    ground, shape = Ground(window, PLANE), (401, 333)
    part = tuple(
        slice(
            min(pair) % length, min(pair) % length + 1 + max(pair) % (length - min(pair) % length)
        )
        for pair, length in zip((ends[:2], ends[2:]), shape, strict=True)
    )
    for found, key, margin, block, length in zip(
        ground.aligned(part, shape), part, ground.margin, ground.block, shape, strict=True
    ):
        assert found.start % block == 0
        assert found.stop % block == 0 or found.stop == length
        assert found.start == 0 or key.start - margin - block < found.start <= key.start - margin
        assert found.stop == length or key.stop + margin <= found.stop < key.stop + margin + block


@pytest.mark.parametrize("shape", [(230, 260), (7, 90, 95)])
@pytest.mark.parametrize("window", [10.0, 30.0, 60.0])
def test_every_window_sees_the_same_ground(shape: tuple[int, ...], window: float) -> None:
    rng = np.random.default_rng(1)
    pixels = ndimage.gaussian_filter(rng.gamma(1.0, 80, shape), 2).astype(np.float32)
    ground = Ground(window, PLANE if len(shape) == 2 else THICK)
    expected = under_all(ground, pixels)
    for _ in range(5):
        starts = [int(rng.integers(0, length)) for length in shape]
        part = tuple(
            slice(start, int(rng.integers(start, length)) + 1)
            for start, length in zip(starts, shape, strict=True)
        )
        at = ground.aligned(part, shape)
        found = ground.under(np.ascontiguousarray(pixels[at]), at, part)
        np.testing.assert_array_equal(found, expected[part])


def test_blocks_follow_the_window_and_the_steps() -> None:
    assert Ground(20.0, PLANE).block == (1, 1)
    assert Ground(100.0, PLANE).block == (4, 4)
    assert Ground(100.0, THICK).block == (1, 4, 4)


@pytest.mark.parametrize(("shape", "grid"), [((120, 133), PLANE), ((8, 60, 61), THICK)])
@pytest.mark.parametrize("window", [12.0, 50.0, 110.0])
@pytest.mark.parametrize("level", [0.0, 7.5, -40.0, 60_000.0])
def test_a_constant_is_its_own_ground(
    shape: tuple[int, ...], grid: Grid, window: float, level: float
) -> None:
    pixels = np.full(shape, level, np.float32)
    found = under_all(Ground(window, grid), pixels)
    assert found.shape == shape
    np.testing.assert_allclose(found, level, rtol=2e-6)


@pytest.mark.parametrize("window", [20.0, 50.0, 80.0])
@pytest.mark.parametrize("slope", [(0.5, 0.0), (0.0, 0.5), (0.3, -0.4)])
def test_a_tilt_is_recovered(window: float, slope: tuple[float, float]) -> None:
    """Away from the borders an opening leaves a tilt as it is; the coarse grid may not shift it."""
    y, x = np.mgrid[:400, :420]
    pixels = (500 + slope[0] * y + slope[1] * x).astype(np.float32)
    inner = (slice(150, -150),) * 2
    found = under_all(Ground(window, PLANE), pixels)
    np.testing.assert_allclose(found[inner], pixels[inner], atol=0.01)


def test_nuclei_do_not_lift_the_ground_and_it_is_never_far_below() -> None:
    pixels = np.full((300, 300), 40.0, np.float32)
    rng = np.random.default_rng(2)
    for y, x in rng.uniform(10, 290, (60, 2)):
        pixels[int(y) - 6 : int(y) + 6, int(x) - 6 : int(x) + 6] = 300
    np.testing.assert_allclose(under_all(Ground(72.0, PLANE), pixels), 40, atol=2.0)
