"""Claims of a zarr against what is stored."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_gluer.errors import InputError
from napari_gluer.io.zarr_checks import refuse_impossible


def stored(folder: Path, shape: tuple[int, ...] = (64, 64), **options: Any) -> Path:
    data = np.random.default_rng(0).integers(0, 4000, shape).astype(np.uint16)
    zarr.create_array(folder / "a.zarr", data=data, **{"chunks": (16, 16), **options})
    return folder / "a.zarr"


def claiming(path: Path, shape: tuple[int, ...]) -> Any:
    about = path / "zarr.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "shape": shape}))
    return zarr.open_array(path, mode="r")


def test_what_is_stored_is_taken(tmp_path: Path) -> None:
    refuse_impossible("a", zarr.open_array(stored(tmp_path), mode="r"))


def test_a_claim_that_nothing_bears_out_is_refused(tmp_path: Path) -> None:
    array = claiming(stored(tmp_path), (100_000, 100_000))
    start = time.perf_counter()
    with pytest.raises(InputError, match=r"a claims 18\.6 GB of pixels, shape \(100000, 100000\)"):
        refuse_impossible("a", array)
    assert time.perf_counter() - start < 1


def test_many_absent_blocks_are_refused_and_some_are_not(tmp_path: Path) -> None:
    path = stored(tmp_path)
    refuse_impossible("a", claiming(path, (16 * 70, 16 * 70)))
    with pytest.raises(InputError, match="next to none of them are stored"):
        refuse_impossible("a", claiming(path, (16 * 75, 16 * 75)))


def test_a_large_sparse_image_is_taken(tmp_path: Path) -> None:
    path = stored(tmp_path, (512, 512), chunks=(256, 256))
    refuse_impossible("a", claiming(path, (16_000, 16_000)))


def test_blocks_in_shards_count_as_one_file(tmp_path: Path) -> None:
    path = stored(tmp_path, chunks=(1, 1), shards=(64, 64))
    refuse_impossible("a", zarr.open_array(path, mode="r"))
    refuse_impossible("a", claiming(path, (64 * 60, 64 * 60)))


def test_a_zip_is_judged_by_its_size(tmp_path: Path) -> None:
    path = stored(tmp_path)
    claiming(path, (100_000, 100_000))
    shutil.make_archive(str(path), "zip", path)
    array = zarr.open_array(zarr.storage.ZipStore(f"{path}.zip", mode="r"), mode="r")
    with pytest.raises(InputError, match="next to none"):
        refuse_impossible("a", array)


@pytest.mark.parametrize(("dtype", "shape"), [("c8", (4, 4)), ("M8[s]", (4, 4)), ("u1", (0, 4))])
def test_arrays_of_no_numbers_are_refused(
    tmp_path: Path, dtype: str, shape: tuple[int, ...]
) -> None:
    array = zarr.create_array({}, shape=shape, dtype=dtype, chunks=(4, 4), zarr_format=2)
    with pytest.raises(InputError, match="an image of numbers is needed"):
        refuse_impossible("a", array)


def test_blocks_beyond_memory_are_refused() -> None:
    array = zarr.create_array({}, shape=(70_000, 70_000), dtype="u1", chunks=(70_000, 70_000))
    with pytest.raises(InputError, match="blocks of 5 GB"):
        refuse_impossible("a", array)
