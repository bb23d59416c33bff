"""Models that know nothing of tiles: put together, they give what one window would."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
from distributed import LocalCluster
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import label

from napari_gluer.errors import InputError
from napari_gluer.polygons import Polygon, Regions
from napari_gluer.segmentation.cellpose import Cellpose
from napari_gluer.segmentation.instanseg import InstanSeg
from napari_gluer.segmentation.keeping import Memory
from napari_gluer.segmentation.nuclei import SegmentParams, segment
from napari_gluer.segmentation.params import Expansion
from napari_gluer.segmentation.scene import Scene
from napari_gluer.segmentation.scores import f1_score
from napari_gluer.segmentation.stitching import Model, find_with
from napari_gluer.tiles import TileParams
from napari_gluer.track import silently

from .pictures import blobs, dapi


class Pieces:
    """Stands in for Cellpose and InstanSeg: connected pieces above one half."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def eval(self, pixels: np.ndarray, **asked: Any) -> tuple[np.ndarray, None, None]:
        self.asked.append(asked | {"shape": pixels.shape, "range": (pixels.min(), pixels.max())})
        return label(pixels > 0.25), None, None

    def eval_small_image(self, pixels: np.ndarray, **asked: Any) -> np.ndarray:
        self.asked.append(asked | {"shape": pixels.shape})
        return label(pixels[0] > 0.25)[np.newaxis, np.newaxis].astype(np.float32)

    eval_medium_image = eval_small_image


class Shaky(Pieces):
    """Outlines that depend on the window, by a pixel."""

    def eval(self, pixels: np.ndarray, **asked: Any) -> tuple[np.ndarray, None, None]:
        step = [pixels.shape[0] % 3 - 1, pixels.shape[1] % 3 - 1]
        shifted = ndimage.shift(pixels, step, order=0, mode="nearest")
        return super().eval(shifted, **asked)


class Wrong(Pieces):
    def eval(self, pixels: np.ndarray, **_asked: Any) -> tuple[np.ndarray, None, None]:
        return pixels[:-1], None, None


CELLPOSE = SegmentParams(method=Cellpose(overlap=32))


def scattered(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return blobs(shape, rng.uniform(0, 1, (25, len(shape))) * shape, 4.0, seed)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(20, 80), st.sampled_from([(100, 120), (12, 50, 60)]))
def test_tiles_give_the_whole(seed: int, side: int, shape: tuple[int, ...]) -> None:
    image = dapi(scattered(seed, shape))
    whole = segment(image, CELLPOSE, tiles=TileParams(side=1000), model=Pieces())
    tiled = segment(image, CELLPOSE, tiles=TileParams(side=side), model=Pieces())
    np.testing.assert_array_equal(tiled, whole)
    assert whole.max() > 0


def test_the_whole_is_what_the_model_gives() -> None:
    pixels = scattered(1, (90, 80))
    low, high = np.percentile(pixels, [1, 99.8])
    expected = label((pixels - np.float32(low)) / np.float32(high - low) > 0.25)
    np.testing.assert_array_equal(segment(dapi(pixels), CELLPOSE, model=Pieces()), expected)


@pytest.mark.parametrize("side", [33, 50, 71])
def test_outlines_that_shake_are_not_counted_twice(side: int) -> None:
    centres = np.array([(y, x) for y in range(10, 190, 18) for x in range(10, 190, 18)], float)
    pixels = blobs((200, 200), centres, 5.0)
    whole = segment(dapi(pixels), CELLPOSE, model=Pieces())
    tiled = segment(dapi(pixels), CELLPOSE, tiles=TileParams(side=side), model=Shaky())
    assert whole.max() == len(centres)
    assert tiled.max() == len(centres)
    assert f1_score(tiled, whole, 0.5) == 1.0


def test_a_cell_longer_than_the_overlap_is_one_cell() -> None:
    pixels = np.full((80, 300), 10.0, np.float32)
    pixels[38:46, 5:295] = 100
    found = segment(dapi(pixels), CELLPOSE, tiles=TileParams(side=70), model=Pieces())
    assert found.max() == 1
    np.testing.assert_array_equal(found > 0, pixels > 50)


def test_regions_windows_growth_and_stores(tmp_path: Path) -> None:
    image = dapi(scattered(2, (120, 130)))
    params = CELLPOSE.model_copy(update={"growth": Expansion(distance=2)})
    tiles = TileParams(side=50)
    whole = segment(image, params, model=Pieces())
    stored = segment(image, params, model=Pieces(), tiles=tiles, store=tmp_path / "s")
    np.testing.assert_array_equal(np.asarray(stored[:]), whole)
    again = Pieces()
    segment(image, params, model=again, tiles=tiles, store=tmp_path / "s")
    assert not again.asked
    window = (slice(30, 100), slice(20, 90))
    part = segment(image, params, window=window, model=Pieces())
    assert f1_score(part, whole[window], 1.0) == 1.0
    left = Polygon((np.array([[-1.0, -1], [-1, 60], [130, 60], [130, -1]]),))
    inside = segment(image, params, regions=Regions(include=(left,)), model=Pieces())
    assert 0 < inside.max() < whole.max()


def test_a_cluster_gives_the_same(cluster: str) -> None:
    image = dapi(scattered(3, (100, 90)))
    found = segment(image, CELLPOSE, tiles=TileParams(side=40, cluster=cluster), model=_reachable())
    np.testing.assert_array_equal(found, segment(image, CELLPOSE, model=_reachable()))


def _reachable() -> Any:
    """A stand-in that another process can build: a module's own name does not reach there."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    return Pieces()


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as running:
        yield running.scheduler_address


def test_cellpose_is_asked_in_its_own_words() -> None:
    model = Pieces()
    method = Cellpose(diameter=6.0, flow_threshold=0.7, cellprob_threshold=-1)
    segment(dapi(scattered(4, (60, 70)), 0.5), SegmentParams(method=method), model=model)
    (asked,) = model.asked
    low, high = asked.pop("range")
    assert low < 0.05
    assert 0.9 < high < 1.5
    assert asked == {
        "normalize": False,
        "diameter": 12.0,
        "flow_threshold": 0.7,
        "cellprob_threshold": -1,
        "shape": (60, 70),
    }


def test_cellpose_works_stacks_as_such() -> None:
    model = Pieces()
    image = dapi(scattered(4, (9, 40, 50)), (2.0, 0.5, 0.5))
    segment(image, SegmentParams(method=Cellpose()), model=model)
    asked = model.asked[0]
    assert asked["do_3D"] is True
    assert asked["z_axis"] == 0
    assert asked["anisotropy"] == 4.0
    assert asked["diameter"] is None


def test_instanseg_is_asked_in_its_own_words() -> None:
    model = Pieces()
    pixels = scattered(5, (60, 70))
    method = InstanSeg(target="cells")
    found = segment(dapi(pixels, 0.5), SegmentParams(method=method), model=model)
    same = segment(dapi(pixels, 0.5), SegmentParams(method=Cellpose()), model=Pieces())
    np.testing.assert_array_equal(found, same)
    assert model.asked == [
        {
            "pixel_size": 0.5,
            "normalise": False,
            "return_image_tensor": False,
            "target": "cells",
            "shape": (1, 60, 70),
        }
    ]
    segment(dapi(pixels), SegmentParams(method=method), model=model)
    assert model.asked[-1]["pixel_size"] is None


def test_instanseg_refuses_stacks() -> None:
    with pytest.raises(InputError, match="InstanSeg outlines cells in planes"):
        segment(dapi(scattered(5, (5, 40, 40))), SegmentParams(method=InstanSeg()), model=Pieces())


@pytest.mark.parametrize(
    ("method", "says"),
    [
        (Cellpose(model="m"), r"Cellpose is not installed.*napari-gluer\[cellpose\]"),
        (InstanSeg(model="m"), r"InstanSeg is not installed.*napari-gluer\[instanseg\]"),
    ],
)
def test_a_missing_extra_is_named(method: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        segment(dapi(scattered(5, (40, 40))), SegmentParams(method=method))


def test_a_model_that_gives_no_labels_is_told() -> None:
    with pytest.raises(InputError, match=r"Cellpose gave float32 of shape \(39, 40\)"):
        segment(dapi(scattered(5, (40, 40))), CELLPOSE, model=Wrong())


def test_flat_images_and_nothing_found_are_told() -> None:
    with pytest.raises(InputError, match="nearly every pixel is 4"):
        segment(dapi(np.full((40, 40), 4.0)), CELLPOSE, model=Pieces())

    class Blind(Pieces):
        def eval(self, pixels: np.ndarray, **_asked: Any) -> Any:
            return np.zeros(pixels.shape, int), None, None

    with pytest.raises(InputError, match="The model found no cells"):
        segment(dapi(scattered(5, (40, 40))), CELLPOSE, model=Blind())


def told_apart(pixels: np.ndarray) -> np.ndarray:
    """Cells by their brightness, which differs from cell to cell: touching ones come apart."""
    values, labels = np.unique(pixels, return_inverse=True)
    return np.where(pixels > 0.3, labels.reshape(pixels.shape) + (values[0] > 0.3), 0)


@pytest.mark.parametrize("shape", [(90, 110), (14, 40, 50)])
@pytest.mark.parametrize("side", [17, 29, 64])
@pytest.mark.parametrize("seed", [0, 1])
def test_touching_cells_are_put_together_pixel_by_pixel(
    shape: tuple[int, ...], side: int, seed: int
) -> None:
    """Cells without gaps, smaller than the overlap: whatever the tiles, each comes back whole."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 1, (60, len(shape))) * shape
    at = np.argwhere(np.ones(shape, bool))
    apart = ((at[:, np.newaxis] - centres) ** 2).sum(2)
    cells = np.where(apart.min(1) < 49, apart.argmin(1) + 1, 0).reshape(shape)
    pixels = np.where(cells, 100 + cells, 0).astype(np.float32)
    part = tuple(slice(0, length) for length in shape)
    keep = Memory(part)
    scene = Scene(dapi(pixels), ("DAPI",), None, part)
    model = Model(told_apart, 20, "Brightness")
    found = find_with(model, scene, keep, TileParams(side=side), silently)
    first = {int(n): i for i, n in enumerate(dict.fromkeys(cells[cells > 0].tolist()), 1)}
    expected = np.vectorize(lambda n: first.get(n, 0))(cells)
    np.testing.assert_array_equal(found, expected)


def test_the_brightness_of_the_whole_is_what_each_window_is_scaled_by() -> None:
    pixels = np.random.default_rng(0).gamma(2, 100, (60, 70)).astype(np.float32)
    pixels[:, :35] /= 50  # a window of its own would stretch the dim half
    ranges: list[tuple[int, float, float]] = []

    def outline(window: np.ndarray) -> np.ndarray:
        ranges.append((window.size, float(window.min()), float(window.max())))
        return (window > 0.1).astype(int)

    part = (slice(0, 60), slice(0, 70))
    keep = Memory(part)
    scene = Scene(dapi(pixels), ("DAPI",), None, part)
    tiles = TileParams(side=35, workers=1)
    find_with(Model(outline, 0, "Recorder"), scene, keep, tiles, silently)
    low, high = np.percentile(pixels, [1, 99.8])
    expected = []
    for tile in scene.tiles(tiles):
        block = (pixels[tile.core] - low) / (high - low)
        expected.append((block.size, float(block.min()), float(block.max())))
    np.testing.assert_allclose(sorted(ranges), sorted(expected), rtol=1e-5, atol=1e-6)


def test_a_cell_that_leans_away_from_both_tiles_is_found_once() -> None:
    """Each tile sees the centre across the border: no core claims the cell, the first adds it."""

    def outline(window: np.ndarray) -> np.ndarray:
        left = window[0, 0] > 0.2
        start = 37 if left else 34 - 24  # the right tile sees columns from 24 on
        found = np.zeros(window.shape, int)
        found[10:17, start : start + 9] = 1
        return found

    pixels = np.zeros((30, 80), np.float32)
    pixels[10:17, 36:44] = 100
    pixels[0, 0] = 50  # tells the windows apart
    part = (slice(0, 30), slice(0, 80))
    scene = Scene(dapi(pixels), ("DAPI",), None, part)
    found = find_with(
        Model(outline, 16, "Leaning"), scene, Memory(part), TileParams(side=40), silently
    )
    expected = np.zeros((30, 80), int)
    expected[10:17, 37:46] = 1
    np.testing.assert_array_equal(found, expected)
