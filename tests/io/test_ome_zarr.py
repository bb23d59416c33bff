import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

from napari_gluer.errors import InputError
from napari_gluer.io.images import read_image

from .zarrs import CYX, CZYX, axes_of, image_facts, new_group, put, set_facts, write_image

VERSIONS = ("0.4", "0.5")


@pytest.mark.parametrize("version", VERSIONS)
def test_names_size_levels_and_pixels(tmp_path: Path, version: str) -> None:
    write_image(tmp_path / "a.ome.zarr", version=version)
    image = read_image(tmp_path / "a.ome.zarr")
    assert image.channels == ("DAPI", "CD3", "CD8")
    assert image.pixel_size_um == pytest.approx((0.5, 0.5))
    assert [level.shape for level in image.pyramid] == [(3, 24, 40), (3, 12, 20)]
    assert image.notes == ()
    assert image.data.dtype == np.uint16
    assert_array_equal(image.data, CYX)
    assert_array_equal(image.data[1, 3:9, 4:33], CYX[1, 3:9, 4:33])
    assert_array_equal(image.pyramid[1][2], CYX[2, ::2, ::2])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("names", "data", "shown"),
    [
        ("yx", CYX[0], CYX[:1]),
        ("zyx", CZYX[0], CZYX[:1]),
        ("czyx", CZYX, CZYX),
        ("tcyx", CYX[np.newaxis], CYX),
        ("tczyx", CZYX[np.newaxis], CZYX),
        ("tczyx", CYX[np.newaxis, :, np.newaxis], CYX),
        ("zcyx", CZYX.transpose(1, 0, 2, 3), CZYX),
    ],
)
def test_any_order_of_axes_comes_channel_first(
    tmp_path: Path, version: str, names: str, data: np.ndarray, shown: np.ndarray
) -> None:
    scale = [{"z": 2.0, "y": 0.5, "x": 0.25}.get(name, 1.0) for name in names]
    write_image(tmp_path / "a.zarr", data, version, names, scale=scale, labels=None)
    image = read_image(tmp_path / "a.zarr")
    assert image.data.shape == shown.shape
    assert_array_equal(image.data, shown)
    assert image.pixel_size_um == pytest.approx((2.0, 0.5, 0.25)[-(shown.ndim - 1) :])


@pytest.mark.parametrize(
    ("unit", "size"),
    [("micrometer", 0.5), ("nanometer", 0.0005), ("millimeter", 500.0), ("angstrom", 5e-5)],
)
def test_units_become_micrometres(tmp_path: Path, unit: str, size: float) -> None:
    write_image(tmp_path / "a.zarr", unit=unit)
    assert read_image(tmp_path / "a.zarr").pixel_size_um == pytest.approx((size, size))


def test_a_size_without_unit_is_assumed_and_told_and_one_pixel_is_no_size(tmp_path: Path) -> None:
    write_image(tmp_path / "a.zarr", unit=None)
    image = read_image(tmp_path / "a.zarr")
    assert image.pixel_size_um == pytest.approx((0.5, 0.5))
    assert "without a unit" in image.notes[0]
    write_image(tmp_path / "b.zarr", unit=None, scale=[1.0, 1.0, 1.0])
    assert read_image(tmp_path / "b.zarr").pixel_size_um is None
    write_image(tmp_path / "c.zarr", unit="furlong")
    image = read_image(tmp_path / "c.zarr")
    assert image.pixel_size_um is None
    assert "furlong" in image.notes[0]
    write_image(tmp_path / "d.zarr", scale=[1.0, 0.0, -2.0])
    assert "left out" in read_image(tmp_path / "d.zarr").notes[0]


def test_the_scale_of_the_whole_multiplies_that_of_a_level(tmp_path: Path) -> None:
    group = write_image(tmp_path / "a.zarr", scale=[1.0, 2.0, 3.0])
    facts = dict(group.attrs["ome"])
    facts["multiscales"][0]["coordinateTransformations"] = [
        {"type": "scale", "scale": [1.0, 0.1, 0.2]}
    ]
    group.attrs["ome"] = facts
    assert read_image(tmp_path / "a.zarr").pixel_size_um == pytest.approx((0.2, 0.6))


@pytest.mark.parametrize(
    ("labels", "names", "said"),
    [
        (None, ("Channel 0", "Channel 1", "Channel 2"), "names no channels"),
        (["CD3", "CD3", "CD3"], ("CD3", "CD3-1", "CD3-2"), ""),
        (["DAPI", "", "CD8"], ("DAPI", "Channel 1", "CD8"), "does not name all"),
        (["DAPI"], ("DAPI", "Channel 1", "Channel 2"), "from 0: 1, 2"),
        (["a", "b", "c", "d"], ("a", "b", "c"), ""),
    ],
)
def test_names_that_are_missing_are_numbered_and_told(
    tmp_path: Path, labels: list[str] | None, names: tuple[str, ...], said: str
) -> None:
    write_image(tmp_path / "a.zarr", labels=labels)
    image = read_image(tmp_path / "a.zarr")
    assert image.channels == names
    assert said in "".join(image.notes)
    assert bool(said) == bool(image.notes)


def test_a_time_point_is_chosen_or_asked_for(tmp_path: Path) -> None:
    movie = np.stack([CYX, CYX + 1, CYX + 2])
    write_image(tmp_path / "a.zarr", movie, names="tcyx")
    assert_array_equal(read_image(tmp_path / "a.zarr", time=2).data, CYX + 2)
    assert_array_equal(read_image(tmp_path / "a.zarr", time=0).pyramid[1], CYX[:, ::2, ::2])
    with pytest.raises(InputError, match=r"3 time points.*time=0 to time=2"):
        read_image(tmp_path / "a.zarr")
    with pytest.raises(InputError, match="no time point 3"):
        read_image(tmp_path / "a.zarr", time=3)


def test_old_axes_as_letters_or_not_at_all(tmp_path: Path) -> None:
    for name, axes in (("v3", list("tczyx")), ("v1", None)):
        group = new_group(tmp_path / f"{name}.zarr", "0.4")
        put(group, "0", CZYX[np.newaxis])
        facts = image_facts(axes, [[1.0] * 5])
        if axes is None:
            del facts["multiscales"][0]["axes"]
        set_facts(group, "0.1", facts)
        image = read_image(tmp_path / f"{name}.zarr")
        assert image.pixel_size_um is None
        assert_array_equal(image.data, CZYX)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_container_of_one_image_opens_and_of_several_asks(tmp_path: Path, version: str) -> None:
    root = new_group(tmp_path / "a.zarr", version)
    set_facts(root, version, {"bioformats2raw.layout": 3})
    write_image(tmp_path / "a.zarr/0", version=version)
    assert_array_equal(read_image(tmp_path / "a.zarr").data, CYX)
    write_image(tmp_path / "a.zarr/1", CYX + 1, version)
    with pytest.raises(InputError, match=r"2 images: 0, 1\. Choose one.*series='0'"):
        read_image(tmp_path / "a.zarr")
    for choice in (1, "1"):
        assert_array_equal(read_image(tmp_path / "a.zarr", series=choice).data, CYX + 1)
    assert_array_equal(read_image(tmp_path / "a.zarr/1").data, CYX + 1)
    with pytest.raises(InputError, match="no series '7'; it has 0, 1"):
        read_image(tmp_path / "a.zarr", series=7)


def test_series_named_by_the_ome_group(tmp_path: Path) -> None:
    root = new_group(tmp_path / "a.zarr", "0.5")
    set_facts(root, "0.5", {"bioformats2raw.layout": 3})
    set_facts(new_group(tmp_path / "a.zarr/OME", "0.5"), "0.5", {"series": ["tumour", "stroma"]})
    for number, name in enumerate(("tumour", "stroma")):
        write_image(tmp_path / "a.zarr" / name, CYX + number)
    assert_array_equal(read_image(tmp_path / "a.zarr", series="stroma").data, CYX + 1)
    assert_array_equal(read_image(tmp_path / "a.zarr", series=0).data, CYX)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_plate_asks_for_the_well(tmp_path: Path, version: str) -> None:
    root = new_group(tmp_path / "p.zarr", version)
    set_facts(root, version, {"plate": {"wells": [{"path": "A/1"}, {"path": "B/2"}]}})
    for number, well in enumerate(("A/1", "B/2")):
        group = new_group(tmp_path / "p.zarr" / well, version)
        set_facts(group, version, {"well": {"images": [{"path": "0"}]}})
        write_image(tmp_path / "p.zarr" / well / "0", CYX + number, version)
    with pytest.raises(InputError, match="2 images: A/1/0, B/2/0"):
        read_image(tmp_path / "p.zarr")
    assert_array_equal(read_image(tmp_path / "p.zarr", series="B/2/0").data, CYX + 1)
    assert_array_equal(read_image(tmp_path / "p.zarr/B/2").data, CYX + 1)


def test_images_inside_spatialdata_are_found(tmp_path: Path) -> None:
    root = new_group(tmp_path / "s.zarr", "0.5")
    root.create_group("images")
    root.create_group("tables")
    write_image(tmp_path / "s.zarr/images/he")
    assert_array_equal(read_image(tmp_path / "s.zarr").data, CYX)
    write_image(tmp_path / "s.zarr/images/codex", CYX + 1)
    assert_array_equal(read_image(tmp_path / "s.zarr", series="images/codex").data, CYX + 1)


def test_a_zip_file_opens_too(tmp_path: Path) -> None:
    write_image(tmp_path / "a.zarr")
    shutil.make_archive(str(tmp_path / "b.zarr"), "zip", tmp_path / "a.zarr")
    assert_array_equal(read_image(tmp_path / "b.zarr.zip").data[1], CYX[1])


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_zip_file_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    write_image(tmp_path / "a.zarr")
    shutil.make_archive(str(tmp_path / "b.zarr"), "zip", tmp_path / "a.zarr")
    whole = (tmp_path / "b.zarr.zip").read_bytes()
    (tmp_path / "b.zarr.zip").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"b\.zarr\.zip"):
        read_image(tmp_path / "b.zarr.zip")


def bad_zarrs(folder: Path) -> dict[str, Path]:
    made = {name: folder / f"{name}.zarr" for name in ("array", "empty", "bare", "lost", "text")}
    zarr.create_array(made["array"], shape=(3, 4), dtype="u1")
    made["empty"].mkdir()
    new_group(made["bare"], "0.5").create_group("tables")
    shutil.rmtree(made["lost"], ignore_errors=True)
    write_image(made["lost"])
    shutil.rmtree(made["lost"] / "0")
    write_image(made["text"])
    (made["text"] / "zarr.json").write_text("{ broken")
    for name, axes in (("axes", axes_of("yx")), ("letters", axes_of("cqx"))):
        made[name] = folder / f"{name}.zarr"
        group = new_group(made[name], "0.5")
        put(group, "0", CYX)
        set_facts(group, "0.5", image_facts(axes, [[1.0] * 3]))
    made["odd"] = folder / "odd.zarr"
    group = new_group(made["odd"], "0.5")
    set_facts(group, "0.5", {"multiscales": "yes", "omero": 3})
    made["complex"] = folder / "complex.zarr"
    group = new_group(made["complex"], "0.5")
    put(group, "0", CYX.astype(np.complex64))
    set_facts(group, "0.5", image_facts(axes_of("cyx"), [[1.0] * 3]))
    made["labels"] = folder / "labels.zarr"
    group = write_image(made["labels"], CYX[0], names="yx", labels=None)
    group.attrs["ome"] = {**group.attrs["ome"], "image-label": {}}
    return made


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("array", r"plain zarr array, shape \(3, 4\)"),
        ("empty", "no zarr at"),
        ("bare", "no OME-Zarr image.*tables"),
        ("lost", "array 0 that is not there"),
        ("text", r"text\.zarr.*cannot be read"),
        ("axes", "names 2 axes and its array has 3"),
        ("letters", "axes CQX"),
        ("odd", "cannot be read"),
        ("complex", "complex64"),
        ("labels", "holds labels"),
    ],
)
def test_bad_input_is_one_clear_error(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_image(bad_zarrs(tmp_path)[name])


def test_a_damaged_chunk_is_told_when_it_is_read(tmp_path: Path) -> None:
    write_image(tmp_path / "a.zarr")
    for chunk in (tmp_path / "a.zarr/0/c/1").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"nonsense" * 4)
    image = read_image(tmp_path / "a.zarr")
    assert_array_equal(image.data[0], CYX[0])
    with pytest.raises(InputError, match=r"Pixels of a\.zarr cannot be read"):
        image.data[1]


def test_a_claim_beyond_memory_is_refused_without_allocating(tmp_path: Path) -> None:
    write_image(tmp_path / "a.zarr")
    about = tmp_path / "a.zarr/0/zarr.json"
    facts = json.loads(about.read_text())
    facts["shape"] = [3, 10**6, 10**6]
    about.write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"claims 5587\.9 GB of pixels, shape \(3, 1000000"):
        read_image(tmp_path / "a.zarr")
    facts["chunk_grid"]["configuration"]["chunk_shape"] = [1, 10**5, 10**5]
    about.write_text(json.dumps(facts))
    with pytest.raises(InputError, match="blocks of 19 GB"):
        read_image(tmp_path / "a.zarr")
