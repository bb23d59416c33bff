"""Damaged Blosc blocks are refused, and whole ones are read as before."""

from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from distributed.protocol.pickle import dumps, loads
from zarr.codecs import BloscCodec, ZstdCodec

from napari_gluer.errors import InputError
from napari_gluer.io.images import read_image
from napari_gluer.io.labels_files import read_labels
from napari_gluer.io.zarr_codecs import CheckedBlosc, guarded

PIXELS = np.random.default_rng(0).integers(0, 50, (3, 96, 80)).astype("<u2")
MADE: dict[str, dict[str, Any]] = {
    "2, Blosc": {"zarr_format": 2, "compressors": numcodecs.Blosc(cname="zstd")},
    "2, plain": {"zarr_format": 2, "compressors": None},
    "2, a filter": {"zarr_format": 2, "filters": [numcodecs.Delta("<u2"), numcodecs.Blosc()]},
    "3, Blosc": {"zarr_format": 3, "compressors": BloscCodec(shuffle="bitshuffle")},
    "3, Zstd": {"zarr_format": 3, "compressors": ZstdCodec()},
    "3, shards": {"zarr_format": 3, "compressors": BloscCodec(), "shards": (1, 96, 96)},
}


@pytest.fixture(params=MADE)
def array(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = zarr.create_array(
        tmp_path / "a.zarr",
        shape=PIXELS.shape,
        dtype=PIXELS.dtype,
        chunks=(1, 48, 48),
        attributes={"unit": "counts"},
        **MADE[request.param],
    )
    made[:] = PIXELS
    return zarr.open_array(tmp_path / "a.zarr", mode="r")


def test_arrays_are_read_as_before(array: Any) -> None:
    found = guarded(array)
    np.testing.assert_array_equal(found[:], PIXELS)
    np.testing.assert_array_equal(found[1:, 3:50], PIXELS[1:, 3:50])
    same = ("shape", "chunks", "shards", "dtype", "path", "read_only")
    assert [getattr(found, name) for name in same] == [getattr(array, name) for name in same]
    assert dict(found.attrs) == {"unit": "counts"}
    travelled = loads(dumps(found))  # as to the workers of a cluster
    np.testing.assert_array_equal(travelled[2], PIXELS[2])


@pytest.mark.parametrize("length", [0, 15, 16, 100])
def test_a_block_that_ends_too_soon_is_refused(length: int) -> None:
    block = numcodecs.Blosc().encode(PIXELS)
    with pytest.raises(ValueError, match=f"a block of {length} bytes"):
        CheckedBlosc().decode(block[:length])


def test_a_block_that_claims_too_much_is_refused() -> None:
    block = bytearray(numcodecs.Blosc().encode(PIXELS))
    assert CheckedBlosc().decode(bytes(block)) == PIXELS.tobytes()
    block[15] = 0x7C  # two gigabytes: Blosc itself would read on beyond the memory it has
    with pytest.raises(ValueError, match="says that it has 2080"):
        CheckedBlosc().decode(bytes(block))


@pytest.mark.parametrize("name", ["2, Blosc", "2, a filter", "3, Blosc", "3, shards"])
def test_a_damaged_image_is_refused_not_fatal(name: str, tmp_path: Path) -> None:
    group = zarr.create_group(tmp_path / "i.zarr", zarr_format=MADE[name]["zarr_format"])
    made = group.create_array(
        "0", shape=PIXELS.shape, dtype=PIXELS.dtype, chunks=(1, 48, 48), **{
            key: value for key, value in MADE[name].items() if key != "zarr_format"
        },
    )  # fmt: skip
    made[:] = PIXELS
    scales = {"axes": [{"name": axis} for axis in "cyx"], "datasets": [{"path": "0"}]}
    group.attrs["multiscales"] = [{**scales, "version": "0.4"}]
    for file in (tmp_path / "i.zarr" / "0").rglob("*"):
        if file.is_file() and not file.name.startswith((".", "zarr.json")):
            block = bytearray(file.read_bytes())
            block[12:16] = b"\x2f\x09\x11\x7c"
            file.write_bytes(block)
    image = read_image(tmp_path / "i.zarr")
    with pytest.raises(InputError, match=r"i\.zarr"):
        image.data[:]
    with pytest.raises(InputError, match="Pixels of 0 cannot be read"):
        read_labels(tmp_path / "i.zarr" / "0")
