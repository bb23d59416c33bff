import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tifffile import imwrite

from napari_gluer.errors import InputError
from napari_gluer.io.images import ImageParams, read_image
from napari_gluer.io.labels_files import read_labels

CYX = np.random.default_rng(0).integers(0, 1000, (3, 40, 50)).astype(np.uint16)
CZYX = np.random.default_rng(1).integers(0, 1000, (3, 4, 40, 50)).astype(np.uint16)
OME = {"axes": "CYX", "Channel": {"Name": ["DAPI", "CD3", "CD8"]}, "PhysicalSizeX": 0.5}
IN_UM = {"PhysicalSizeXUnit": "µm", "PhysicalSizeY": 500, "PhysicalSizeYUnit": "nm"}


def qpi_page(name: str, biomarker: str = "") -> str:
    inside = f"<Name>{name}</Name>" + (f"<Biomarker>{biomarker}</Biomarker>" if biomarker else "")
    return (
        '<?xml version="1.0" encoding="utf-16"?>\r\n<PerkinElmer-QPI-ImageDescription>'
        "<ImageType>FullResolution</ImageType>"
        f"{inside}</PerkinElmer-QPI-ImageDescription>"
    )


def write_qptiff(path: Path, data: np.ndarray) -> None:
    plain = {"software": "PerkinElmer-QPI 1.0", "metadata": None}
    pages = {"photometric": "minisblack", "contiguous": False, "tile": (16, 16), **plain}
    size = {"resolution": (2e4, 2e4), "resolutionunit": "CENTIMETER"}
    with tifffile.TiffWriter(path) as writer:
        for channel, name in zip(data, ("DAPI", "CD3", "CD8"), strict=True):
            text = qpi_page("Opal", name) if name != "CD8" else qpi_page(name)
            writer.write(channel, description=text, **pages, **size)
        thumbnail = np.zeros((10, 10, 3), np.uint8)
        writer.write(thumbnail, description=qpi_page("x"), photometric="rgb", **plain)
        for channel in data:
            writer.write(
                channel[::2, ::2], description=qpi_page("x"), subfiletype=1, **pages, **size
            )


def test_ome_tiff_gives_names_size_and_the_same_pixels(tmp_path: Path) -> None:
    imwrite(tmp_path / "a.ome.tif", CYX, metadata={**OME, **IN_UM}, photometric="minisblack")
    image = read_image(tmp_path / "a.ome.tif")
    assert image.channels == ("DAPI", "CD3", "CD8")
    assert image.pixel_size_um == pytest.approx((0.5, 0.5))
    assert image.pyramid == ()
    assert image.data.dtype == np.uint16
    np.testing.assert_array_equal(image.data, CYX)
    np.testing.assert_array_equal(image.channel("CD3"), CYX[1])


def test_ome_tiff_without_unit_is_in_micrometres_and_without_y_size_unknown(tmp_path: Path) -> None:
    imwrite(tmp_path / "a.ome.tif", CYX, metadata={**OME, "PhysicalSizeY": 0.25})
    assert read_image(tmp_path / "a.ome.tif").pixel_size_um == pytest.approx((0.25, 0.5))
    imwrite(tmp_path / "b.ome.tif", CYX, metadata=OME)
    assert read_image(tmp_path / "b.ome.tif").pixel_size_um is None


@pytest.mark.parametrize(("axes", "order"), [("CZYX", (0, 1, 2, 3)), ("ZCYX", (1, 0, 2, 3))])
def test_ome_stack_is_channel_first_whatever_the_file_has(
    tmp_path: Path, axes: str, order: tuple[int, ...]
) -> None:
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    imwrite(tmp_path / "a.ome.tif", CZYX.transpose(order), metadata={"axes": axes, **sizes})
    image = read_image(tmp_path / "a.ome.tif")
    assert image.pixel_size_um == pytest.approx((2.0, 0.5, 0.5))
    np.testing.assert_array_equal(image.data, CZYX)
    np.testing.assert_array_equal(image.data[1, 2:4, :, 7], CZYX[1, 2:4, :, 7])


def test_ome_pyramid_has_every_level(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path) as writer:
        options = {"photometric": "minisblack", "tile": (16, 16)}
        writer.write(CYX, subifds=2, metadata=OME, **options)
        writer.write(CYX[:, ::2, ::2], subfiletype=1, **options)
        writer.write(CYX[:, ::4, ::4], subfiletype=1, **options)
    image = read_image(path)
    assert [level.shape for level in image.pyramid] == [(3, 40, 50), (3, 20, 25), (3, 10, 13)]
    np.testing.assert_array_equal(image.pyramid[2][1], CYX[1, ::4, ::4])
    np.testing.assert_array_equal(image.data[:, 3:9, 4:20], CYX[:, 3:9, 4:20])


def test_qptiff_gives_biomarkers_size_and_pyramid_without_the_thumbnail(tmp_path: Path) -> None:
    data = np.tile(CYX, (1, 8, 8))
    write_qptiff(tmp_path / "a.qptiff", data)
    image = read_image(tmp_path / "a.qptiff")
    assert image.channels == ("DAPI", "CD3", "CD8")
    assert image.pixel_size_um == pytest.approx((0.5, 0.5))
    assert [level.shape for level in image.pyramid] == [(3, 320, 400), (3, 160, 200)]
    np.testing.assert_array_equal(image.data, data)


def test_imagej_labels_and_calibration(tmp_path: Path) -> None:
    about = {"axes": "ZCYX", "unit": "um", "spacing": 3.0, "Labels": ["DAPI", "CD3", "CD8"] * 4}
    resolution = {"resolution": (2.0, 2.0)}
    data = CZYX.transpose(1, 0, 2, 3)
    imwrite(tmp_path / "a.tif", data, imagej=True, metadata=about, **resolution)
    image = read_image(tmp_path / "a.tif")
    assert image.channels == ("DAPI", "CD3", "CD8")
    assert image.pixel_size_um == pytest.approx((3.0, 0.5, 0.5))
    np.testing.assert_array_equal(image.data, CZYX)


@pytest.mark.parametrize("data", [CYX, CZYX, CYX[0]], ids=["cyx", "czyx", "yx"])
def test_plain_tiff_is_numbered(tmp_path: Path, data: np.ndarray) -> None:
    imwrite(tmp_path / "a.tif", data, photometric="minisblack")
    image = read_image(tmp_path / "a.tif")
    shown = data if data.ndim > 2 else data[np.newaxis]
    assert image.channels == tuple(f"Channel {i}" for i in range(len(shown)))
    assert image.pixel_size_um is None
    np.testing.assert_array_equal(image.data, shown)


def test_pages_with_names_are_channels(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for name, page in zip(("CD3", "CD3", ""), CYX, strict=True):
            tags = [(285, "s", 0, name, True)] if name else []
            writer.write(page, extratags=tags, metadata=None, contiguous=False)
    image = read_image(tmp_path / "a.tif")
    assert image.channels == ("CD3", "CD3-1", "Channel 2")
    np.testing.assert_array_equal(image.data, CYX)


def test_printing_resolution_is_no_pixel_size(tmp_path: Path) -> None:
    options = {"photometric": "minisblack", "resolutionunit": "CENTIMETER"}
    imwrite(tmp_path / "print.tif", CYX, resolution=(28.3, 28.3), **options)
    imwrite(tmp_path / "scan.tif", CYX, resolution=(40_000, 40_000), **options)
    assert read_image(tmp_path / "print.tif").pixel_size_um is None
    assert read_image(tmp_path / "scan.tif").pixel_size_um == pytest.approx((0.25, 0.25))


def test_folder_of_tiffs_is_named_by_marker(tmp_path: Path) -> None:
    for name, page in zip(("cd8.ome.tif", "CD3.tif", "dapi.TIFF"), CYX, strict=True):
        imwrite(tmp_path / name, page)
    (tmp_path / "notes.txt").write_text("not an image")
    image = read_image(tmp_path)
    assert image.channels == ("CD3", "cd8", "dapi")
    np.testing.assert_array_equal(image.data, CYX[[1, 0, 2]])
    np.testing.assert_array_equal(image.data[1:, 5], CYX[[0, 2], 5])
    np.testing.assert_array_equal(image.data[-1], CYX[2])
    assert image.data[3:].shape == (0, 40, 50)


def test_big_endian_pixels_come_in_native_order(tmp_path: Path) -> None:
    imwrite(tmp_path / "a.tif", CYX, byteorder=">", photometric="minisblack")
    pixels = read_image(tmp_path / "a.tif").data[1]
    assert pixels.dtype.isnative
    np.testing.assert_array_equal(pixels, CYX[1])


def bad_files(folder: Path) -> dict[str, Path]:
    made = {
        name: folder / f"{name}.tif"
        for name in ("missing", "text", "empty", "cut", "rgb", "time", "several", "hdf5")
    }
    made["text"].write_text("cell,x,y\n1,2,3\n")
    made["empty"].touch()
    made["hdf5"].write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    imwrite(made["cut"], CYX, photometric="minisblack")
    whole = made["cut"].read_bytes()
    made["cut"].write_bytes(whole[: len(whole) // 2])
    imwrite(made["rgb"], np.zeros((40, 50, 3), np.uint8), photometric="rgb")
    imwrite(made["time"], CYX, imagej=True, metadata={"axes": "TYX"})
    with tifffile.TiffWriter(made["several"]) as writer:
        for _ in range(2):
            writer.write(CYX, photometric="minisblack")
    made["folder"] = folder / "none"
    made["folder"].mkdir()
    made["mixed"] = folder / "mixed"
    made["mixed"].mkdir()
    imwrite(made["mixed"] / "a.tif", CYX[0])
    imwrite(made["mixed"] / "b.tif", CYX[0, :20])
    return made


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing", "no file"),
        ("text", "not an image that can be read.*b'cell,x,y'.*OME-TIFF"),
        ("empty", "not an image.*empty"),
        ("hdf5", "not an image.*HDF5"),
        ("cut", "cut short"),
        ("rgb", "RGB.*not\\s+measured"),
        ("time", "time series of 3"),
        ("several", r"2 images: 0 QYX \(3, 40, 50\)"),
        ("folder", r"folder .* is empty"),
        ("mixed", "b.tif has shape"),
    ],
)
def test_bad_input_is_one_clear_error(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_image(bad_files(tmp_path)[name])


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("ome", [True, False])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, share: float, ome: bool) -> None:
    path = tmp_path / ("a.ome.tif" if ome else "a.tif")
    imwrite(path, CYX, photometric="minisblack", compression="zlib", tile=(16, 16))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError):
        read_image(path)


def test_labels_come_back_from_integers_and_whole_floats(tmp_path: Path) -> None:
    labels = np.arange(12).reshape(3, 4)
    imwrite(tmp_path / "int.tif", labels.astype(np.uint16))
    imwrite(tmp_path / "float.tif", labels.astype(np.float32))
    for name in ("int", "float"):
        read = read_labels(tmp_path / f"{name}.tif")
        assert read.dtype.kind in "iu"
        np.testing.assert_array_equal(read, labels)


def test_stack_of_labels_is_z_not_channels(tmp_path: Path) -> None:
    labels = np.arange(2 * 20 * 30, dtype=np.uint16).reshape(2, 20, 30)
    imwrite(tmp_path / "a.tif", labels, photometric="minisblack")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif"), labels)


def test_what_is_no_labels_image_is_refused_by_name(tmp_path: Path) -> None:
    imwrite(tmp_path / "frac.tif", np.full((4, 5), 0.5, np.float32))
    imwrite(tmp_path / "c.ome.tif", CYX, metadata=OME, photometric="minisblack")
    with pytest.raises(InputError, match=r"frac\.tif: .*fractions"):
        read_labels(tmp_path / "frac.tif")
    with pytest.raises(InputError, match="3 channels"):
        read_labels(tmp_path / "c.ome.tif")


@pytest.mark.shared_data
def test_real_component_tiff(shared_data: Path) -> None:
    path = shared_data / "mif_fihc4_phenoptr/FIHC4__0929309_HP_IM3_2_component_data.tif"
    image = read_image(path)
    assert image.channels == ("Alexa 594", "Cy3", "Cy5", "DAPI", "FITC")
    assert image.spatial_shape == (260, 348)
    assert image.pixel_size_um == pytest.approx((0.4971, 0.4971), abs=1e-4)
    np.testing.assert_array_equal(image.channel("DAPI"), tifffile.imread(path, key=3))


@pytest.mark.shared_data
def test_real_stack_folder_and_ome_agree(shared_data: Path) -> None:
    odd = read_image(shared_data / "odd_readers/multi-channel-z-series.ome.tif")
    assert (odd.data.shape, odd.data.dtype) == ((3, 5, 167, 439), np.int8)
    mibi = shared_data / "mibi_dcis_simpleseg"
    whole = read_image(mibi / "Point2203_pt1072_31606.ome.tif")
    folder = read_image(mibi / "Point2203_pt1072_31606")
    assert len(folder.channels) == 41
    assert set(folder.channels) == set(whole.channels)
    for channel in ("HH3", "pS6", "CD45"):
        np.testing.assert_array_equal(whole.channel(channel), folder.channel(channel))


def test_description_that_is_no_xml_does_no_harm(tmp_path: Path) -> None:
    text = json.dumps({"channel.target": "CD3"})
    imwrite(tmp_path / "a.tif", CYX[0], description=text, metadata=None)
    imwrite(tmp_path / "b.tif", CYX[0], description="<?xml broken", metadata=None)
    for name in "ab":
        assert read_image(tmp_path / f"{name}.tif").channels == ("Channel 0",)


def test_labels_of_slices_as_fiji_writes_them(tmp_path: Path) -> None:
    def names(*ends: str) -> tuple[str, ...]:
        slices = [f"c:{c + 1}/2 z:{z + 1}/4{ends[c]}" for z in range(4) for c in range(2)]
        about = {"axes": "ZCYX", "Labels": slices}
        imwrite(tmp_path / "a.tif", CZYX[:2].swapaxes(0, 1), imagej=True, metadata=about)
        return tuple(read_image(tmp_path / "a.tif").channels)

    assert names(" - DAPI", " - CD3") == ("DAPI", "CD3")
    assert names(" - a.tif", " - a.tif") == names("", "") == ("Channel 0", "Channel 1")


def test_a_chain_of_pages_that_runs_in_a_circle_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "circle.tif"
    tifffile.imwrite(path, np.zeros((2, 32, 32), np.uint8), photometric="minisblack")
    with tifffile.TiffFile(path) as tif:
        first, second = (page.offset for page in tif.pages)
    data = bytearray(path.read_bytes())
    entries = int.from_bytes(data[second : second + 2], "little")
    follows = second + 2 + 12 * entries
    data[follows : follows + 4] = first.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"circle\.tif is cut short or damaged"):
        read_image(path)


@pytest.mark.parametrize(
    ("given", "size"), [(0.5, (0.5, 0.5)), ((0.5,), (0.5, 0.5)), ([0.5, 0.25], (0.5, 0.25))]
)
def test_a_pixel_size_is_given_where_the_file_has_none(
    given: object, size: tuple[float, ...], tmp_path: Path
) -> None:
    imwrite(tmp_path / "b.ome.tif", CYX, metadata=OME)
    plain = read_image(tmp_path / "b.ome.tif")
    image = read_image(tmp_path / "b.ome.tif", pixel_size_um=given)
    assert (plain.spacing_um, image.spacing_um) == (None, size)
    assert image.notes[:-1] == plain.notes
    assert image.notes[-1].endswith("as given; b.ome.tif gives none.")
    np.testing.assert_array_equal(image.data[:], CYX)


def test_a_given_pixel_size_wins_over_the_file_and_says_so(tmp_path: Path) -> None:
    imwrite(tmp_path / "a.ome.tif", CYX, metadata={**OME, **IN_UM})
    image = read_image(tmp_path / "a.ome.tif", pixel_size_um=(0.5, 0.25))
    assert image.spacing_um == (0.5, 0.25)
    assert "taken to be 0.5 × 0.25 µm, as given; a.ome.tif says 0.5 µm." in image.notes[-1]
    for same in ((), None, 0.5, (0.5, 0.5)):
        assert read_image(tmp_path / "a.ome.tif", pixel_size_um=same).notes == ()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (0.5, "0.5 µm, has 1 numbers and a.ome.tif 3 axes. Give three numbers, z first"),
        ((1, 2), "1 × 2 µm, has 2 numbers"),
        ((2, 0.5, np.inf), "A pixel size is one positive number"),
    ],
)
def test_a_stack_needs_three_sizes(given: object, says: str, tmp_path: Path) -> None:
    imwrite(tmp_path / "a.ome.tif", CZYX, metadata={"axes": "CZYX"}, ome=True)
    with pytest.raises(InputError, match=says):
        read_image(tmp_path / "a.ome.tif", pixel_size_um=given)
    given_all = read_image(tmp_path / "a.ome.tif", pixel_size_um=(2, 0.5, 0.5))
    assert given_all.spacing_um == (2.0, 0.5, 0.5)


def test_params_of_images_are_checked() -> None:
    assert ImageParams(series="b", time=3, pixel_size_um=(0.5,)).model_dump() == {
        "series": "b",
        "time": 3,
        "pixel_size_um": (0.5,),
    }
    for wrong in ({"pixel_size_um": (0,)}, {"pixel_size_um": (-1, 2)}, {"serie": 1}):
        with pytest.raises(ValueError, match="ImageParams"):
            ImageParams(**wrong)
