import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tifffile import imwrite

from napari_gluer.io.images import read_image
from napari_gluer.io.lazy import full_key

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


@pytest.mark.parametrize("key", [5, (0, 0, 0, 0, 0), ([1, 2],), True, (0, -5)])
def test_what_cannot_index_says_so(key: Any) -> None:
    with pytest.raises(IndexError):
        full_key(key, SHAPE)


def test_the_file_closes_with_the_last_view(tmp_path: Path) -> None:
    imwrite(tmp_path / "a.tif", STORED[0], photometric="minisblack")
    image = read_image(tmp_path / "a.tif")
    handle = image.data._file.tif.filehandle
    channel = image.data
    del image
    gc.collect()
    assert not handle.closed
    assert_array_equal(channel[2], STORED[0, 2])
    del channel
    gc.collect()
    assert handle.closed
