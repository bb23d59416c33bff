from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from napari_gluer.errors import InputError
from napari_gluer.io import labels_writing
from napari_gluer.io.images import read_image
from napari_gluer.io.labels_files import open_labels, read_labels
from napari_gluer.io.labels_writing import write_labels


@pytest.mark.parametrize(
    ("largest", "dtype"), [(0, "u1"), (255, "u1"), (256, "u2"), (65536, "u4"), (2**32 - 1, "u4")]
)
def test_labels_are_written_small_tiled_and_compressed(
    tmp_path: Path, largest: int, dtype: str
) -> None:
    labels = np.zeros((600, 530), np.int64)
    labels[3, 4] = largest
    write_labels(labels, tmp_path / "l.ome.tif", 0.5)
    with tifffile.TiffFile(tmp_path / "l.ome.tif") as file:
        page = file.pages[0]
        assert (page.dtype, page.is_tiled, page.tile) == (np.dtype(dtype), True, (512, 512))
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert file.is_ome
    np.testing.assert_array_equal(read_labels(tmp_path / "l.ome.tif"), labels)
    assert read_image(tmp_path / "l.ome.tif").pixel_size_um == pytest.approx((0.5, 0.5))


def test_three_dimensional_labels_and_their_pixel_size(tmp_path: Path) -> None:
    labels = np.arange(3 * 20 * 20).reshape(3, 20, 20)
    write_labels(labels, tmp_path / "l.ome.tif", (2.0, 0.5, 0.25))
    np.testing.assert_array_equal(read_labels(tmp_path / "l.ome.tif"), labels)
    assert read_image(tmp_path / "l.ome.tif").pixel_size_um == pytest.approx((2.0, 0.5, 0.25))


def test_labels_that_cannot_be_written_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2³²"):
        write_labels(np.array([[2**32]]), tmp_path / "l.ome.tif")
    with pytest.raises(InputError, match="fractions"):
        write_labels(np.array([[0.5]]), tmp_path / "l.ome.tif")
    assert not list(tmp_path.iterdir())


class Watched:
    """Labels that are only given in blocks, and remember the largest one."""

    def __init__(self, labels: np.ndarray) -> None:
        self._labels = labels
        self.shape, self.dtype, self.ndim = labels.shape, labels.dtype, labels.ndim
        self.largest = 0

    def __getitem__(self, key: Any) -> np.ndarray:
        block = self._labels[key]
        self.largest = max(self.largest, block.size)
        return block


def cells(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Squares of 8 × 8 with numbers of their own, some left out."""
    rng = np.random.default_rng(seed)
    grid = rng.permutation(int(np.prod([-(-side // 8) for side in shape[-2:]]))) + 1
    grid[rng.random(len(grid)) < 0.3] = 0
    small = grid.reshape([-(-side // 8) for side in shape[-2:]])
    plane = small.repeat(8, 0).repeat(8, 1)[: shape[-2], : shape[-1]]
    return np.broadcast_to(plane, shape).copy()


@pytest.mark.parametrize("name", ["l.ome.tif", "l.ome.zarr"])
@pytest.mark.parametrize("shape", [(5000, 2100), (2, 600, 530), (513, 1025), (3, 3)])
def test_labels_are_written_block_by_block(
    tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    labels = cells(shape)
    watched = Watched(labels)
    write_labels(watched, tmp_path / name)
    assert watched.largest <= 2048 * 2048
    assert_array_equal(read_labels(tmp_path / name), labels)
    assert read_labels(tmp_path / name).dtype == np.min_scalar_type(labels.max())


def test_a_lazy_zarr_becomes_a_tiff_and_back(tmp_path: Path) -> None:
    labels = cells((300, 400))
    stored = zarr.create_array(tmp_path / "in.zarr", data=labels.astype("u4"), chunks=(64, 64))
    write_labels(stored, tmp_path / "l.ome.tif", 0.5)
    write_labels(open_labels(tmp_path / "l.ome.tif").data, tmp_path / "back.zarr", 0.5)
    assert_array_equal(read_labels(tmp_path / "back.zarr"), labels)
    assert open_labels(tmp_path / "back.zarr").pixel_size_um == pytest.approx((0.5, 0.5))


@given(height=st.integers(1, 40), width=st.integers(1, 40), planes=st.integers(0, 3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_any_shape_comes_back(tmp_path: Path, height: int, width: int, planes: int) -> None:
    labels = np.arange(max(1, planes) * height * width).reshape(-1, height, width)
    labels = labels if planes else labels[0]
    for name in ("l.ome.tif", "l.zarr"):
        write_labels(labels, tmp_path / name)
        expected = labels[0] if planes == 1 and name.endswith("tif") else labels
        back = read_labels(tmp_path / name)
        assert_array_equal(back.reshape(expected.shape), expected)


def test_the_pyramid_keeps_small_cells(tmp_path: Path) -> None:
    labels = np.zeros((2500, 3001), np.uint32)
    at = np.arange(8, 2492, 8)
    labels[np.ix_(at, at)] = np.arange(len(at) ** 2).reshape(len(at), -1) + 1
    write_labels(labels, tmp_path / "l.zarr", (0.5, 0.25))
    levels = open_labels(tmp_path / "l.zarr").pyramid
    assert [level.shape for level in levels] == [(2500, 3001), (1250, 1501), (625, 751)]
    for level in levels:
        assert len(np.unique(level[...])) == len(at) ** 2 + 1
    padded = np.pad(labels, ((0, 0), (0, 3)))
    expected = padded.reshape(625, 4, 751, 4).max((1, 3))
    assert_array_equal(levels[2][...], expected)


def test_levels_lie_on_each_other(tmp_path: Path) -> None:
    write_labels(cells((2500, 1100)), tmp_path / "l.zarr", 0.5)
    facts = zarr.open_group(tmp_path / "l.zarr", mode="r").attrs["ome"]
    assert facts["version"] == "0.5"
    assert "image-label" in facts
    scales = facts["multiscales"][0]
    assert [axis["name"] for axis in scales["axes"]] == ["y", "x"]
    assert {axis["unit"] for axis in scales["axes"]} == {"micrometer"}
    for number, dataset in enumerate(scales["datasets"]):
        scale, shift = (one for one in dataset["coordinateTransformations"])
        assert scale["scale"] == pytest.approx([0.5 * 2**number] * 2)
        assert shift["translation"] == pytest.approx([0.5 * (2**number - 1) / 2] * 2)


def test_an_older_zarr_is_replaced_whole_and_other_folders_are_not(tmp_path: Path) -> None:
    target = tmp_path / "l.zarr"
    write_labels(cells((2500, 40)), target)
    (target / "mine.txt").write_text("old")
    write_labels(cells((30, 40), 1), target)
    assert_array_equal(read_labels(target), cells((30, 40), 1))
    assert not (target / "mine.txt").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["l.zarr"]
    for name in ("notes.zarr", "notes.ome.tif"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.txt").write_text("all of it")
        with pytest.raises(InputError, match="other things in it"):
            write_labels(cells((30, 40)), tmp_path / name)
        assert (tmp_path / name / "thesis.txt").read_text() == "all of it"


@pytest.mark.parametrize("name", ["l.zarr", "l.ome.tif"])
@pytest.mark.parametrize("value", [-1, 0.5, np.nan])
def test_what_are_no_labels_leaves_what_was_there(tmp_path: Path, name: str, value: float) -> None:
    write_labels(cells((30, 40)), tmp_path / name)
    wrong = np.zeros((3000, 40))
    wrong[-1, -1] = value
    with pytest.raises(InputError, match="Labels must"):
        write_labels(Watched(wrong), tmp_path / name)
    assert_array_equal(read_labels(tmp_path / name), cells((30, 40)))
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("wrong", [np.zeros(3, int), np.zeros((2, 2, 2, 2), int), [[True]]])
def test_arrays_of_other_shapes_and_kinds_are_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(InputError, match="Labels must"):
        write_labels(wrong, tmp_path / "l.zarr")
    assert not list(tmp_path.iterdir())


def test_other_endings_are_refused(tmp_path: Path) -> None:
    for name in ("l.png", "l", "l.h5"):
        with pytest.raises(InputError, match=r"ends in \.ome\.tif or \.zarr"):
            write_labels(np.ones((4, 4), int), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_pixel_size_of_other_axes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"one number or 2; this one is \(1, 2, 3\)"):
        write_labels(np.ones((4, 4), int), tmp_path / "l.ome.tif", (1, 2, 3))


def test_labels_beyond_32_bit_offsets_are_a_bigtiff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels_writing, "_CLASSIC", 999)
    for side, big in ((30, False), (40, True)):
        write_labels(np.ones((side, side), int), tmp_path / "l.ome.tif")
        with tifffile.TiffFile(tmp_path / "l.ome.tif") as file:
            assert file.is_bigtiff == big
