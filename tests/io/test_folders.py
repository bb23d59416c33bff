"""Folders of TIFFs and CODEX experiments, laid out as its processor does."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from tifffile import imwrite

from napari_gluer.errors import InputError
from napari_gluer.io.codex import names_near
from napari_gluer.io.folders import is_tissue_folder
from napari_gluer.io.images import read_image

CYCLES, CHANNELS = 3, 4
STACK = np.random.default_rng(0).integers(0, 999, (CYCLES, CHANNELS, 20, 30)).astype(np.uint16)
FLAT = STACK.reshape(-1, 20, 30)
LISTED = "DAPI-01\nBlank\nBlank\nBlank\nHOECHST\nCD31\nCD8\nCD45\nHOECHST\nCD20\nKi67\nempty\n"
NAMES = (
    "DAPI-01", "Blank", "Blank-1", "Blank-2", "HOECHST", "CD31", "CD8", "CD45", "HOECHST-1",
    "CD20", "Ki67", "empty",
)  # fmt: skip


def write_names(folder: Path, text: str = LISTED, name: str = "channelNames.txt") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode())


@pytest.mark.parametrize("kind", ["hyperstack", "planes", "shaped", "slices"])
@pytest.mark.parametrize("where", [".", "..", "../.."])
def test_a_stack_takes_its_names_from_the_list(tmp_path: Path, kind: str, where: str) -> None:
    folder = tmp_path / "processed" / "tiles"
    write_names(folder / where)
    file = folder / "reg001_X01_Y01.tif"
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "hyperstack":
        imwrite(file, STACK, imagej=True, metadata={"axes": "TCYX"})
    elif kind == "slices":
        imwrite(file, FLAT, imagej=True, metadata={"axes": "ZYX"})
    else:
        imwrite(file, STACK if kind == "shaped" else FLAT, photometric="minisblack")
    for path in (file, folder):
        image = read_image(path)
        assert image.channels == NAMES
        assert image.notes == ()
        assert_array_equal(image.data, FLAT)
        assert_array_equal(image.data[5, 3:7], FLAT[5, 3:7])


def test_a_stack_with_depth_keeps_it(tmp_path: Path) -> None:
    deep = np.arange(3 * 2 * 4 * 20 * 30, dtype=np.uint16).reshape(3, 2, 4, 20, 30)
    write_names(tmp_path)
    imwrite(tmp_path / "reg001_X01_Y01.tif", deep, imagej=True, metadata={"axes": "TZCYX"})
    image = read_image(tmp_path / "reg001_X01_Y01.tif")
    assert image.channels == NAMES
    assert_array_equal(image.data, deep.transpose(0, 2, 1, 3, 4).reshape(12, 2, 20, 30))


def test_a_list_of_another_length_is_refused_with_the_numbers(tmp_path: Path) -> None:
    write_names(tmp_path, "DAPI\nCD3\n")
    imwrite(tmp_path / "reg001.tif", STACK, imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(InputError, match=r"names 2 channels.*3 cycles × 4 channels = 12"):
        read_image(tmp_path / "reg001.tif")


def test_a_list_does_not_touch_files_with_names_or_of_one_channel(tmp_path: Path) -> None:
    write_names(tmp_path)
    names = {"Name": ["a", "b", "c", "d"]}
    about = {"axes": "CYX", "Channel": names}
    imwrite(tmp_path / "named.ome.tif", STACK[0], metadata=about, photometric="minisblack")
    imwrite(tmp_path / "single.tif", STACK[0, 0])
    assert read_image(tmp_path / "named.ome.tif").channels == ("a", "b", "c", "d")
    assert read_image(tmp_path / "single.tif").channels == ("Channel 0",)


def test_a_list_is_looked_for_above_only_in_regions(tmp_path: Path) -> None:
    write_names(tmp_path)
    (tmp_path / "reg001").mkdir()
    (tmp_path / "others").mkdir()
    assert names_near(tmp_path / "reg001") is not None
    assert names_near(tmp_path / "others") is None
    assert names_near(tmp_path / "others" / "reg002_X01_Y01.tif") is not None


BY_CYCLE = """1: DAPI-01, Blank, Blank, Blank
2: HOECHST, CD31, CD8, CD45
3: HOECHST, CD20, Ki67, empty
"""
WITH_TABS = BY_CYCLE.replace(": ", "\t").replace(", ", "\t")


@pytest.mark.parametrize(
    "text", ["\ufeff" + LISTED.replace("\n", "\r\n"), BY_CYCLE + "\n\n", WITH_TABS]
)
def test_lists_as_people_write_them(tmp_path: Path, text: str) -> None:
    write_names(tmp_path, text, "CHANNELNAMES.txt")
    imwrite(tmp_path / "reg001.tif", STACK, imagej=True, metadata={"axes": "TCYX"})
    assert read_image(tmp_path / "reg001.tif").channels == NAMES


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    write_names(tmp_path, "\n\n")
    imwrite(tmp_path / "reg001.tif", STACK, imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(InputError, match="names no channel"):
        read_image(tmp_path / "reg001.tif")


def test_several_tiles_ask_for_one(tmp_path: Path) -> None:
    write_names(tmp_path)
    for tile in (1, 2):
        file = tmp_path / f"reg001_X0{tile}_Y01.tif"
        imwrite(file, STACK + tile, imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(InputError, match="2 stacks: reg001_X01_Y01, reg001_X02_Y01"):
        read_image(tmp_path)
    for choice in (1, "reg001_X02_Y01"):
        assert_array_equal(read_image(tmp_path, series=choice).data, FLAT + 2)
    with pytest.raises(InputError, match="no stack 'reg009'"):
        read_image(tmp_path, series="reg009")


def write_planes(folder: Path, depths: int) -> None:
    folder.mkdir()
    for t in range(CYCLES):
        for c in range(CHANNELS):
            for z in range(depths):
                name = f"reg001_X01_Y01_t{t + 1:03}_z{z + 1:03}_c{c + 1:03}.tif"
                imwrite(folder / name, STACK[t, c] + z)


@pytest.mark.parametrize("depths", [1, 2])
def test_a_tile_of_single_planes(tmp_path: Path, depths: int) -> None:
    folder = tmp_path / "reg001_X01_Y01"
    write_planes(folder, depths)
    assert read_image(folder).channels[11] == "Channel 11"
    assert "numbered" in read_image(folder).notes[0]
    write_names(tmp_path)
    image = read_image(folder)
    assert image.channels == NAMES
    expected = np.stack([FLAT + z for z in range(depths)], axis=1)
    assert_array_equal(image.data, expected if depths > 1 else FLAT)
    write_names(tmp_path, "DAPI\n")
    with pytest.raises(InputError, match="names 1 channels, and reg001_X01_Y01 has planes of 12"):
        read_image(folder)
    (folder / "reg001_X01_Y01_t002_z001_c003.tif").unlink()
    with pytest.raises(InputError, match=f"has {12 * depths - 1} planes; 3 cycles"):
        read_image(folder)


def test_planes_of_several_tiles_are_refused(tmp_path: Path) -> None:
    for tile in "12":
        imwrite(tmp_path / f"reg001_X0{tile}_Y01_t001_z001_c001.tif", FLAT[0])
    with pytest.raises(InputError, match="planes of 2 tiles"):
        read_image(tmp_path)


def test_stitched_channels_come_in_the_order_of_cycles(tmp_path: Path) -> None:
    files = {
        "reg001_cyc010_ch001_CD8": 2,
        "reg001_cyc002_ch003_CD31": 1,
        "reg001_cyc001_ch001_DAPI-1": 0,
    }
    for name, plane in files.items():
        imwrite(tmp_path / f"{name}.tif", FLAT[plane])
    image = read_image(tmp_path)
    assert image.channels == ("DAPI-1", "CD31", "CD8")
    assert_array_equal(image.data, FLAT[:3])


def test_a_folder_of_one_stack_is_that_stack(tmp_path: Path) -> None:
    imwrite(tmp_path / "tissue.tif", FLAT[:3], photometric="minisblack")
    assert_array_equal(read_image(tmp_path).data, FLAT[:3])


def test_different_pixel_sizes_are_told(tmp_path: Path) -> None:
    for name, size in (("CD3", 2e4), ("CD8", 4e4)):
        unit = {"resolutionunit": "CENTIMETER"}
        imwrite(tmp_path / f"{name}.tif", FLAT[0], resolution=(size, size), **unit)
    image = read_image(tmp_path)
    assert image.pixel_size_um == pytest.approx((0.5, 0.5))
    assert "different pixel sizes; that of CD3.tif" in image.notes[0]


def test_which_folders_are_ours(tmp_path: Path) -> None:
    markers, photos, empty = (tmp_path / name for name in ("markers", "photos", "empty"))
    for folder in (markers, photos, empty):
        folder.mkdir()
    imwrite(markers / "CD3.tif", FLAT[0])
    (markers / "notes.txt").touch()
    (markers / ".DS_Store").touch()
    imwrite(photos / "scan.tif", FLAT[0])
    for number in range(5):
        (photos / f"{number}.jpg").touch()
    found = [is_tissue_folder(one) for one in (markers, photos, empty, tmp_path / "none")]
    assert found == [True, False, False, False]
    write_names(photos)
    assert is_tissue_folder(photos)


def test_a_folder_of_stacks_without_named_axes_says_what_is_wrong(tmp_path: Path) -> None:
    for name in ("CD3", "CD8"):
        imwrite(tmp_path / f"{name}.tif", np.zeros((5, 20, 30), np.uint16))
    with pytest.raises(InputError, match=r"CD3\.tif has 5 channels, .* named axes"):
        read_image(tmp_path)
    for name in ("CD3", "CD8"):
        stack = np.zeros((5, 20, 30), np.uint16)
        imwrite(tmp_path / f"{name}.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    assert read_image(tmp_path).data.shape == (2, 5, 20, 30)
