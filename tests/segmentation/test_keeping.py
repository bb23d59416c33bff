"""Memory and folder keep the same things; only the folder outlives the run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_gluer.segmentation.keeping import Folder, Keep, Memory
from napari_gluer.tiles import Store, TileParams, tiles_of

SHAPE = (50, 70)
PART = (slice(10, 40), slice(5, 65))
TILES = tiles_of(SHAPE, TileParams(side=20))
TOLD = [np.arange(6, dtype=np.float64).reshape(2, 3), np.empty((0, 2)), np.array([2**40])]


def folder(path: Path, side: int = 20) -> Folder:
    return Folder(Store(path / "store", {"side": side}), SHAPE, side)


@pytest.fixture(params=["memory", "folder"])
def keep(request, tmp_path: Path) -> Keep:
    makers: dict[str, Callable[[], Keep]] = {
        "memory": lambda: Memory(tuple(slice(0, length) for length in SHAPE)),
        "folder": lambda: folder(tmp_path),
    }
    return makers[request.param]()


def test_what_was_told_comes_back(keep: Keep) -> None:
    assert keep.done("basins") == set()
    keep.finish("basins", TILES[3], TOLD)
    keep.finish("basins", TILES[0])
    keep.finish("cells", TILES[1])
    assert keep.done("basins") == {0, 3}
    assert keep.done("cells") == {1}
    for found, expected in zip(keep.told("basins", 3), TOLD, strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_values_are_none_until_they_are_noted(keep: Keep) -> None:
    assert keep.value("range") is None
    keep.note("range", [1.5, 0.1 + 0.2])
    assert keep.value("range") == [1.5, 0.1 + 0.2]  # to the last digit
    keep.note("range", {"diameter": 3.0})
    assert keep.value("range") == {"diameter": 3.0}
    assert keep.value("recipe") is None


def test_arrays_begin_at_zero_and_keep_what_is_written(keep: Keep) -> None:
    cells = keep.array("cells")
    assert cells.shape == SHAPE
    assert cells.dtype == np.int32
    assert not np.asarray(cells[:]).any()
    for tile in TILES:
        cells[keep.at(tile.core)] = tile.number + 1
    again = np.asarray(keep.array("cells")[:])
    for tile in TILES:
        assert (again[tile.core] == tile.number + 1).all()
    assert not np.asarray(keep.array("nuclei")[:]).any()


def test_memory_covers_the_part_alone() -> None:
    keep = Memory(PART)
    assert keep.array("cells").shape == (30, 60)
    assert keep.at((slice(12, 20), slice(5, 6))) == (slice(2, 10), slice(0, 1))


def test_a_new_run_finds_all_of_it_in_the_folder(tmp_path: Path) -> None:
    first = folder(tmp_path)
    first.array("cells")[20:40, 20:40] = 8
    first.finish("cells", TILES[5], TOLD)
    first.note("recipe", {"diameter": 12.25})
    again = folder(tmp_path)
    assert again.done("cells") == {5}
    assert again.value("recipe") == {"diameter": 12.25}
    assert np.asarray(again.array("cells")[:]).sum() == 8 * 400
    np.testing.assert_array_equal(again.told("cells", 5)[0], TOLD[0])
    assert not list((tmp_path / "store").rglob("*.partial"))


def test_a_tile_whose_table_was_not_written_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    keep = folder(tmp_path)
    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        keep.finish("basins", TILES[2], TOLD)
    assert keep.done("basins") == set()
    assert not (tmp_path / "store" / "told" / "basins" / "2.npz").exists()


@pytest.mark.parametrize(("side", "chunk"), [(20, 20), (1024, 50), (3000, 50)])
def test_small_images_have_chunks_no_larger_than_they_are(
    tmp_path: Path, side: int, chunk: int
) -> None:
    assert folder(tmp_path, side).array("cells").chunks == (chunk, min(side, 70))


@pytest.mark.parametrize("side", [512, 1024, 1500, 2048, 3000, 3001])
def test_no_chunk_is_shared_by_two_tiles(tmp_path: Path, side: int) -> None:
    keep = Folder(Store(tmp_path / "store", {}), (9000, 9000), side)
    (chunk, _) = keep.array("cells").chunks
    assert side % chunk == 0
    assert chunk <= 1024 or chunk == side
