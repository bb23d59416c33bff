"""Which image of a TIFF, and files whose claims cannot be true."""

import struct
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from tifffile import imwrite

from napari_gluer.errors import InputError
from napari_gluer.io.images import read_image
from napari_gluer.io.labels_files import read_labels

CYX = np.random.default_rng(0).integers(0, 1000, (3, 40, 50)).astype(np.uint16)
TCYX = np.stack([CYX, CYX + 1, CYX + 2])


def test_a_time_point_of_an_ome_tiff(tmp_path: Path) -> None:
    imwrite(tmp_path / "a.ome.tif", TCYX, metadata={"axes": "TCYX"}, photometric="minisblack")
    assert_array_equal(read_image(tmp_path / "a.ome.tif", time=1).data, CYX + 1)
    assert_array_equal(read_image(tmp_path / "a.ome.tif", time=2).data[1, 3:5], CYX[1, 3:5] + 2)
    with pytest.raises(InputError, match="3 time points"):
        read_image(tmp_path / "a.ome.tif")
    with pytest.raises(InputError, match="no time point 3"):
        read_image(tmp_path / "a.ome.tif", time=3)


def write_two(path: Path) -> None:
    with tifffile.TiffWriter(path, ome=True) as writer:
        for number, name in enumerate(("tumour", "stroma")):
            names = {"Name": [f"{name} {i}" for i in range(3)]}
            about = {"axes": "CYX", "Name": name, "Channel": names, "PhysicalSizeX": 0.5 + number}
            about |= {"PhysicalSizeY": 0.5 + number}
            writer.write(CYX + number, metadata=about, photometric="minisblack")


def test_a_series_of_an_ome_tiff_has_its_own_names_and_size(tmp_path: Path) -> None:
    write_two(tmp_path / "a.ome.tif")
    with pytest.raises(InputError, match=r"2 images: 0 'tumour'.*1 'stroma'"):
        read_image(tmp_path / "a.ome.tif")
    for choice in (1, "stroma"):
        image = read_image(tmp_path / "a.ome.tif", series=choice)
        assert image.channels == ("stroma 0", "stroma 1", "stroma 2")
        assert image.pixel_size_um == pytest.approx((1.5, 1.5))
        assert_array_equal(image.data, CYX + 1)


def test_an_rgb_picture_opens_when_chosen(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    imwrite(tmp_path / "a.tif", picture, photometric="rgb")
    with pytest.raises(InputError, match="RGB"):
        read_image(tmp_path / "a.tif")
    image = read_image(tmp_path / "a.tif", series=0)
    assert image.channels == ("red", "green", "blue")
    assert_array_equal(image.data, picture.transpose(2, 0, 1))


def test_a_smaller_image_beside_the_large_one_is_told(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(CYX, photometric="minisblack")
        writer.write(CYX[0, :20, :45], photometric="minisblack")
    image = read_image(tmp_path / "a.tif")
    assert_array_equal(image.data, CYX)
    assert any("also holds one (20, 45)" in note for note in image.notes)
    assert not any("also holds" in n for n in read_image(tmp_path / "a.tif", series=0).notes)


@pytest.mark.parametrize("dtype", ["i1", "i2", "u4", "i4", "f2", "f4", "f8", ">u2", ">f4", "u8"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_any_type_of_number_comes_as_it_is(tmp_path: Path, dtype: str, bigtiff: bool) -> None:
    data = (CYX.astype(float) / 3 - 100).astype(dtype) if dtype[-2] in "if" else CYX.astype(dtype)
    imwrite(tmp_path / "a.tif", data, photometric="minisblack", bigtiff=bigtiff)
    image = read_image(tmp_path / "a.tif")
    assert image.data.dtype == np.dtype(dtype).newbyteorder("=")
    assert_array_equal(image.data, data)


def test_values_that_are_no_numbers_are_passed_through(tmp_path: Path) -> None:
    data = CYX.astype(np.float32)
    data[0, 0, :2] = np.nan, np.inf
    imwrite(tmp_path / "a.tif", data, photometric="minisblack")
    assert_array_equal(read_image(tmp_path / "a.tif").data, data)


def test_an_image_in_several_files_needs_all_of_them(tmp_path: Path) -> None:
    uuids = [f"urn:uuid:00000000-0000-0000-0000-00000000000{i}" for i in range(2)]
    planes = "".join(
        f'<TiffData FirstC="{i}" FirstT="0" FirstZ="0" IFD="0" PlaneCount="1">'
        f'<UUID FileName="part{i}.ome.tif">{uuid}</UUID></TiffData>'
        for i, uuid in enumerate(uuids)
    )
    for i, uuid in enumerate(uuids):
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{uuid}">'
            '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
            'SizeX="50" SizeY="40" SizeZ="1" SizeC="2" SizeT="1">'
            '<Channel ID="Channel:0:0" Name="DAPI"/><Channel ID="Channel:0:1" Name="CD3"/>'
            f"{planes}</Pixels></Image></OME>"
        )
        imwrite(tmp_path / f"part{i}.ome.tif", CYX[i], description=xml, metadata=None)
    for i in range(2):
        image = read_image(tmp_path / f"part{i}.ome.tif")
        assert image.channels == ("DAPI", "CD3")
        assert_array_equal(image.data, CYX[:2])
    (tmp_path / "part1.ome.tif").unlink()
    with pytest.raises(InputError, match=r"1 of 2 planes are missing.*part1\.ome\.tif"):
        read_image(tmp_path / "part0.ome.tif")


def test_a_part_that_names_its_main_file_says_which(tmp_path: Path) -> None:
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:2">'
        '<BinaryOnly MetadataFile="main.companion.ome" UUID="urn:uuid:1"/></OME>'
    )
    imwrite(tmp_path / "part.ome.tif", CYX[0], description=xml, metadata=None)
    with pytest.raises(InputError, match=r"description is in main\.companion\.ome"):
        read_image(tmp_path / "part.ome.tif")


def changed(path: Path, tag: int, value: int) -> None:
    """Give a tag of every page another value, in place."""
    with tifffile.TiffFile(path, mode="r+") as tif:
        places = [page.tags[tag].valueoffset for page in tif.pages if tag in page.tags]
        sizes = {page.tags[tag].dtype for page in tif.pages}
    data = bytearray(path.read_bytes())
    code = "<H" if sizes == {3} else "<I"
    for at in places:
        struct.pack_into(code, data, at, value)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd"])
@pytest.mark.parametrize("tag", [256, 257], ids=["width", "length"])
def test_a_header_that_claims_millions_of_pixels_a_side_is_refused_at_once(
    tmp_path: Path, compression: str | None, tag: int
) -> None:
    options = {"compression": compression, "rowsperstrip": 40, "photometric": "minisblack"}
    imwrite(tmp_path / "a.tif", CYX, metadata=None, **options)
    changed(tmp_path / "a.tif", tag, 60_000)
    start = time.perf_counter()
    with pytest.raises(InputError, match=r"damaged|cut short|cannot be read"):
        read_image(tmp_path / "a.tif").data[...]
    assert time.perf_counter() - start < 5


def test_pixels_that_do_not_decode_are_told_when_read(tmp_path: Path) -> None:
    imwrite(tmp_path / "a.tif", CYX, compression="zlib", photometric="minisblack", metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        at = tif.pages[1].dataoffsets[0]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[at : at + 20] = b"\xff" * 20
    (tmp_path / "a.tif").write_bytes(bytes(data))
    image = read_image(tmp_path / "a.tif")
    assert_array_equal(image.data[0], CYX[0])
    with pytest.raises(InputError, match=r"Pixels of a\.tif cannot be read"):
        image.data[1]


def test_pages_of_other_shapes_are_several_images(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for plane in (CYX[0], CYX[0, :, :30], CYX[0, :20]):
            writer.write(plane, photometric="minisblack", metadata=None)
    with pytest.raises(InputError, match=r"images: 0 .*\(40, 50\).*series=0"):
        read_image(tmp_path / "a.tif")
    assert_array_equal(read_image(tmp_path / "a.tif", series=1).data[0], CYX[0, :, :30])


def test_folders_and_files_in_each_others_place(tmp_path: Path) -> None:
    (tmp_path / "a.tif").mkdir()
    with pytest.raises(InputError, match="is empty"):
        read_image(tmp_path / "a.tif")
    (tmp_path / "a.tif" / "notes.txt").touch()
    with pytest.raises(InputError, match=r"has no TIFF \(it has: notes.txt\)"):
        read_image(tmp_path / "a.tif")
    with pytest.raises(InputError, match="is a folder, not a TIFF"):
        read_labels(tmp_path / "a.tif")
    with pytest.raises(InputError, match="no file"):
        read_image(tmp_path / "none")


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imwrite(tmp_path / "a.tif", CYX, photometric="minisblack")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may read anything
    with pytest.raises(InputError, match="permission denied"):
        read_image(tmp_path / "a.tif")


def test_labels_of_another_shape_or_negative_are_refused(tmp_path: Path) -> None:
    imwrite(tmp_path / "i.tif", CYX, photometric="minisblack")
    image = read_image(tmp_path / "i.tif")
    imwrite(tmp_path / "l.tif", CYX[0, :30])
    with pytest.raises(InputError, match=r"\(30, 50\) and the image \(40, 50\)"):
        read_labels(tmp_path / "l.tif", like=image)
    imwrite(tmp_path / "n.tif", -CYX[0].astype(np.int32))
    with pytest.raises(InputError, match=r"n\.tif: .*negative"):
        read_labels(tmp_path / "n.tif", like=image)
