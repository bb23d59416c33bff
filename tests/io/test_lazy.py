import gc
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tifffile import imwrite

from napari_gluer.errors import InputError
from napari_gluer.io.images import read_image
from napari_gluer.io.lazy import ChannelView, LazyPixels, PlanePixels, StackedPixels, full_key

from .zarrs import write_image

SHAPE = (3, 4, 20, 30)
STORED = np.arange(np.prod(SHAPE), dtype=np.int32).reshape(SHAPE)


@pytest.fixture(scope="module")
def pixels(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("lazy") / "a.ome.tif"
    imwrite(path, STORED.transpose(1, 0, 2, 3), metadata={"axes": "ZCYX"})
    return read_image(path).data


def axis_keys(length: int) -> st.SearchStrategy[Any]:
    bounds = st.integers(-length, length)
    return st.integers(-length, length - 1) | st.builds(slice, bounds, bounds, st.integers(1, 3))


keys = st.tuples(*(axis_keys(length) for length in SHAPE)).flatmap(
    lambda key: st.integers(0, 4).map(lambda n: key[:n])
)


@given(key=keys)
def test_any_index_gives_what_numpy_gives(pixels: Any, key: tuple[Any, ...]) -> None:
    assert_array_equal(pixels[key], STORED[key])


def test_ellipsis_and_single_indices(pixels: Any) -> None:
    assert_array_equal(pixels[...], STORED)
    assert_array_equal(pixels[..., 3], STORED[..., 3])
    assert_array_equal(pixels[1, ..., 2:5], STORED[1, ..., 2:5])
    assert_array_equal(pixels[np.int64(2)], STORED[2])
    assert_array_equal(np.asarray(pixels, np.float64), STORED.astype(np.float64))
    assert len(pixels) == 3


@pytest.mark.parametrize(
    "key", [5, (0, 0, 0, 0, 0), ([1, 2],), True, (0, -5), slice(None, None, -1)]
)
def test_what_cannot_index_says_so(key: Any) -> None:
    with pytest.raises(IndexError):
        full_key(key, SHAPE)


def test_the_file_closes_with_the_last_view(tmp_path: Path) -> None:
    imwrite(tmp_path / "a.tif", STORED[0], photometric="minisblack")
    image = read_image(tmp_path / "a.tif")
    handle = image.data._source.file.tif.filehandle
    channel = image.data
    del image
    gc.collect()
    assert not handle.closed
    assert_array_equal(channel[2], STORED[0, 2])
    del channel
    gc.collect()
    assert handle.closed


def sent(pixels: Any) -> Any:
    """What another process would get."""
    data = bytes(ForkingPickler.dumps(pixels))
    assert len(data) < STORED.nbytes / 5, "the pixels themselves were sent"
    return ForkingPickler.loads(data)


def made(folder: Path, kind: str) -> Any:
    """Lazy pixels of every kind that hold ``STORED``."""
    if kind == "zarr":
        write_image(folder / "a.zarr", STORED, names="czyx")
        return read_image(folder / "a.zarr").data
    if kind == "tiff":
        imwrite(folder / "a.ome.tif", STORED, metadata={"axes": "CZYX"})
        return read_image(folder / "a.ome.tif").data
    parts = []
    for number, channel in enumerate(STORED):
        planes = channel if kind == "planes" else [channel]
        for z, plane in enumerate(planes):
            axes = {"axes": "ZYX" if plane.ndim == 3 else "YX"}
            imwrite(folder / f"{number}-{z}.ome.tif", plane, metadata=axes)
        files = [folder / f"{number}-{z}.ome.tif" for z in range(len(planes))]
        stack = [read_image(file).data for file in files]
        parts.append(PlanePixels(stack) if kind == "planes" else stack[0])
    return StackedPixels(parts)


KINDS = ("tiff", "zarr", "stack", "planes")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_sliced_like_an_array_here_and_when_sent(tmp_path: Path, kind: str) -> None:
    pixels = made(tmp_path, kind)
    assert pixels.reopens
    again = sent(pixels)
    for view in (pixels, again):
        assert (view.shape, view.dtype, view.ndim) == (SHAPE, STORED.dtype, 4)
        assert view.size == STORED.size
        for key in (
            1,
            (..., 3),
            (slice(1, 3), 2),
            (2, 1, slice(0, 20, 3), slice(4, 9)),
            slice(3, 3),
        ):
            assert_array_equal(view[key], STORED[key])
        assert_array_equal(view, STORED)
    assert_array_equal(sent(ChannelView(pixels, 2))[1, 3:5], STORED[2, 1, 3:5])


def _summed(pixels: Any) -> int:
    return int(pixels[1:].sum())


@pytest.mark.parametrize("kind", ["tiff", "zarr"])
def test_another_process_opens_the_file_again(tmp_path: Path, kind: str) -> None:
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as pool:
        assert pool.submit(_summed, made(tmp_path, kind)).result() == STORED[1:].sum()


@pytest.mark.parametrize("kind", KINDS)
def test_threads_read_at_once(tmp_path: Path, kind: str) -> None:
    pixels = made(tmp_path, kind)
    rng = np.random.default_rng(0)
    keys = [
        (int(c), int(z), slice(int(y), int(y) + 9), slice(int(x), int(x) + 11))
        for c, z, y, x in zip(*(rng.integers(0, n, 200) for n in SHAPE), strict=True)
    ]
    with ThreadPoolExecutor(8) as pool:
        for key, block in zip(keys, pool.map(lambda key: pixels[key], keys), strict=True):
            assert_array_equal(block, STORED[key])


def test_a_compressed_tiled_file_is_read_by_threads_at_once(tmp_path: Path) -> None:
    data = np.random.default_rng(1).integers(0, 500, (4, 300, 320)).astype(np.uint16)
    options = {"tile": (32, 32), "compression": "zlib", "photometric": "minisblack"}
    imwrite(tmp_path / "a.ome.tif", data, metadata={"axes": "CYX"}, **options)
    pixels = read_image(tmp_path / "a.ome.tif").data
    with ThreadPoolExecutor(8) as pool:
        blocks = list(pool.map(lambda i: pixels[i % 4, i : i + 150], range(100)))
    for i, block in enumerate(blocks):
        assert_array_equal(block, data[i % 4, i : i + 150])


def test_a_file_that_changed_or_went_is_not_read_elsewhere(tmp_path: Path) -> None:
    pixels = made(tmp_path, "tiff")
    data = bytes(ForkingPickler.dumps(pixels))
    imwrite(tmp_path / "a.ome.tif", STORED[:, :1], metadata={"axes": "CZYX"})
    with pytest.raises(InputError, match="was changed while it was in use"):
        ForkingPickler.loads(data)
    (tmp_path / "a.ome.tif").unlink()
    with pytest.raises(InputError, match="can no longer be opened"):
        ForkingPickler.loads(data)


def test_a_view_of_an_array_in_memory_does_not_reopen() -> None:
    view = ChannelView(STORED, 1)
    assert not view.reopens
    assert_array_equal(view[2], STORED[1, 2])
    assert_array_equal(view[1:, 3], STORED[1, 1:, 3])


def test_axes_that_are_not_stored_and_time_points() -> None:
    movie = STORED.transpose(1, 2, 3, 0)
    pixels = LazyPixels(movie, "TYXC", "CZYX", {"T": 2}, name="movie")
    expected = STORED[:, 2][:, np.newaxis]
    assert pixels.shape == (3, 1, 20, 30)
    for key in (
        0,
        (0, 0),
        (slice(1, 3), slice(None), 4),
        (1, slice(0, 1)),
        (..., 5),
        (0, slice(1, 1)),
    ):
        assert_array_equal(pixels[key], expected[key])


def test_images_of_other_shapes_do_not_stack() -> None:
    with pytest.raises(InputError, match="do not stack"):
        StackedPixels([STORED, STORED[:, :, :5]])


def test_stacks_of_several_channels_each_follow_one_another() -> None:
    stack = StackedPixels([STORED, STORED[:2] + 5])
    whole = np.concatenate([STORED, STORED[:2] + 5])
    assert_array_equal(stack, whole)
    for key in (4, slice(1, None, 2), (-2, ..., 7)):
        assert_array_equal(stack[key], whole[key])
