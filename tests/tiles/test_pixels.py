"""Cuts are read late, and travel with their pixels only where they must."""

import pickle  # noqa: TID251 - what a cluster does with tasks
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from napari_gluer.tiles import Cut, pixels_print


class Watched:
    """An array that counts how often it is read."""

    def __init__(self, *, reopens: bool) -> None:
        self.reads = 0
        self.reopens = reopens

    def __getitem__(self, key: Any) -> Any:
        self.reads += 1
        return np.arange(12).reshape(3, 4)[key]


def _sent(cut: Cut) -> Cut:
    sent = pickle.loads(pickle.dumps(cut))  # noqa: S301 - made here
    assert isinstance(sent, Cut)
    return sent


def test_a_cut_is_read_when_asked() -> None:
    array = Watched(reopens=False)
    cut = Cut(array, np.s_[1:, 2])
    assert array.reads == 0
    np.testing.assert_array_equal(cut.read(), [6, 10])


def test_pixels_travel_with_a_cut_of_an_array_that_cannot_be_reopened() -> None:
    array = Watched(reopens=False)
    sent = _sent(Cut(array, np.s_[1]))
    assert array.reads == 1
    np.testing.assert_array_equal(sent.read(), [4, 5, 6, 7])
    assert len(pickle.dumps(Cut(np.zeros((2_000, 2_000)), np.s_[:2, :2]))) < 1_000


def test_an_array_that_reopens_is_read_where_it_arrives() -> None:
    array = Watched(reopens=True)
    sent = _sent(Cut(array, np.s_[2]))
    assert array.reads == 0
    np.testing.assert_array_equal(sent.read(), [8, 9, 10, 11])


def test_zarr_travels_by_name_from_disk_and_by_value_from_memory(tmp_path: Path) -> None:
    pixels = np.arange(10_000).reshape(100, 100)
    on_disk = zarr.create_array(tmp_path / "a", data=pixels)
    in_memory = zarr.create_array({}, data=pixels)
    for array in (on_disk, in_memory):
        np.testing.assert_array_equal(_sent(Cut(array, np.s_[3:5])).read(), pixels[3:5])
    assert len(pickle.dumps(Cut(on_disk))) < 4_000 < len(pickle.dumps(Cut(in_memory)))


def test_a_whole_array_is_cut_without_a_key() -> None:
    np.testing.assert_array_equal(Cut(np.arange(3)).read(), [0, 1, 2])


def test_the_fingerprint_tells_shape_type_and_pixels_apart() -> None:
    pixels = np.zeros((2, 300, 200), np.uint16)
    changed = pixels.copy()
    changed[1, -1, -1] = 1
    prints = {
        pixels_print(one)
        for one in (pixels, changed, pixels.astype(np.int16), pixels[:, :, :-1], pixels[:1])
    }
    assert len(prints) == 5
    assert pixels_print(pixels) == pixels_print(pixels.copy())


def test_the_fingerprint_reads_little_of_a_big_image() -> None:
    class Counting(Watched):
        shape, dtype = (1, 50_000, 60_000), np.dtype(np.uint8)
        pixels = 0

        def __getitem__(self, key: Any) -> Any:
            _, rows, columns = key
            shape = rows.stop - rows.start, columns.stop - columns.start
            self.pixels += shape[0] * shape[1]
            return np.zeros(shape, np.uint8)

    array = Counting(reopens=False)
    pixels_print(array)
    assert 0 < array.pixels <= 64 * 64 * 64


def test_strips_are_read_once_for_a_fingerprint() -> None:
    class Strips:
        dtype, shape, chunks = np.dtype("u2"), (300, 900), (40, 900)
        pixels = np.random.default_rng(0).integers(0, 9, (300, 900)).astype("u2")
        reads = 0

        def __getitem__(self, key: Any) -> Any:
            self.reads += 1
            return self.pixels[key]

    strips = Strips()
    assert pixels_print(strips) == pixels_print(strips.pixels)
    assert strips.reads == 5  # bands of rows, not 40 windows
