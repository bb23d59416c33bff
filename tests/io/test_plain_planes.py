"""Windows of uncompressed files, byte for byte those of NumPy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from napari_gluer.io.images import read_image
from napari_gluer.io.plain_planes import PlainPlanes, plain_planes

SHAPE = (3, 2, 21, 34)
STORED = np.random.default_rng(0).integers(0, 60_000, SHAPE).astype(np.uint16)
PLAIN: dict[str, dict[str, Any]] = {
    "one strip": {},
    "rows": {"rowsperstrip": 1},
    "some rows": {"rowsperstrip": 8},
    "big endian": {"byteorder": ">"},
    "bigtiff": {"bigtiff": True},
}


class Counted:
    """A file handle that counts the bytes read."""

    def __init__(self, handle: Any) -> None:
        self._handle, self.bytes, self.lock = handle, 0, handle.lock

    def seek(self, at: int) -> None:
        self._handle.seek(at)

    def read(self, size: int) -> bytes:
        self.bytes += size
        return bytes(self._handle.read(size))


@pytest.fixture(scope="module", params=PLAIN)
def level(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("plain") / "a.ome.tif"
    tifffile.imwrite(path, STORED, metadata={"axes": "CZYX"}, **PLAIN[request.param])
    with tifffile.TiffFile(path) as tif:
        found = plain_planes(tif.series[0])
        assert found is not None
        yield found


def axis_keys(length: int) -> st.SearchStrategy[Any]:
    bounds = st.none() | st.integers(-length - 3, length + 3)
    steps = st.none() | st.integers(1, 5)
    return st.integers(0, length - 1) | st.builds(slice, bounds, bounds, steps)


@given(key=st.tuples(*(axis_keys(length) for length in SHAPE)))
def test_any_window_is_what_numpy_gives(level: PlainPlanes, key: tuple[Any, ...]) -> None:
    block = level[key]
    assert block.shape == STORED[key].shape
    assert_array_equal(block, STORED[key])


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8", "u4"])
@pytest.mark.parametrize("pages", [False, True])
def test_every_type_with_pages_together_or_apart(tmp_path: Path, dtype: str, pages: bool) -> None:
    data = (STORED[:, 0] % 200).astype(dtype)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        if pages:
            for plane in data:
                writer.write(plane, contiguous=False, metadata=None, description="x" * 17)
        else:
            writer.write(data, photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert plain_planes(tif.series[0]) is not None
    assert_array_equal(read_image(tmp_path / "a.tif").data[1:, 3:9, 4:30], data[1:, 3:9, 4:30])


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zlib"},
        {"tile": (16, 16)},
        {"predictor": True, "compression": "zlib"},
        {"photometric": "rgb", "planarconfig": "contig"},
    ],
)
def test_what_is_stored_otherwise_is_left_to_others(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    data = STORED[:, 0]
    if "photometric" in options:
        data = np.moveaxis(data, 0, -1)
    tifffile.imwrite(tmp_path / "a.tif", data, **{"photometric": "minisblack", **options})
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert plain_planes(tif.series[0]) is None


def test_a_window_costs_its_own_bytes(tmp_path: Path) -> None:
    data = np.zeros((2, 1000, 2000), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        found = plain_planes(tif.series[0])
        assert found is not None
        counted = Counted(tif.filehandle)
        found._places = [(counted, start) for _, start in found._places]
        assert found[1, 100:200, 300:400].shape == (100, 100)
        assert counted.bytes == 100 * 100 * 2
        assert found[0, 100:200, 300:1500].shape == (100, 1200)
        assert counted.bytes == 100 * 100 * 2 + 100 * 2000 * 2
