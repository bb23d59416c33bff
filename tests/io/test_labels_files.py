from pathlib import Path

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal
from tifffile import imwrite

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.images import read_image
from napari_gluer.io.labels_files import open_labels, read_labels

from .zarrs import CYX, axes_of, image_facts, new_group, put, set_facts, write_image

CELLS = (np.arange(24 * 40) % 90).reshape(24, 40)
VERSIONS = ("0.4", "0.5")


def add_labels(image: Path, version: str, **labels: np.ndarray) -> None:
    group = new_group(image / "labels", version)
    set_facts(group, version, {"labels": list(labels)})
    for name, data in labels.items():
        inside = new_group(image / "labels" / name, version)
        put(inside, "0", data)
        scale = [1.0] * (data.ndim - 2) + [0.5, 0.5]
        facts = image_facts(axes_of("czyx"[-data.ndim :]), [scale])
        set_facts(inside, version, {**facts, "image-label": {}})


@pytest.mark.parametrize("version", VERSIONS)
def test_labels_inside_an_image_are_found_by_name(tmp_path: Path, version: str) -> None:
    path = tmp_path / "a.zarr"
    write_image(path, version=version)
    add_labels(path, version, cells=CELLS.astype("u2"), nuclei=CELLS.astype("i4") // 2)
    assert_array_equal(read_labels(path, name="nuclei"), CELLS // 2)
    assert_array_equal(read_labels(path / "labels", name="cells"), CELLS)
    assert_array_equal(read_labels(path / "labels/cells"), CELLS)
    found = open_labels(path / "labels/cells", like=read_image(path))
    assert found.pixel_size_um == pytest.approx((0.5, 0.5))
    assert_array_equal(found.data[3:5, 7], CELLS[3:5, 7])
    for place in (path, path / "labels"):
        with pytest.raises(InputError, match=r"2 labels: cells, nuclei\..*labels/cells for"):
            read_labels(place)
        with pytest.raises(InputError, match="no labels 'blobs'; it has cells, nuclei"):
            read_labels(place, name="blobs")


def test_a_single_labels_group_needs_no_name(tmp_path: Path) -> None:
    write_image(tmp_path / "a.zarr")
    add_labels(tmp_path / "a.zarr", "0.5", cells=CELLS[np.newaxis].astype("u4"))
    assert_array_equal(read_labels(tmp_path / "a.zarr").squeeze(), CELLS)


def test_an_image_of_whole_numbers_or_a_plain_array_may_be_labels(tmp_path: Path) -> None:
    write_image(tmp_path / "a.zarr", CELLS.astype("u2"), names="yx", labels=None)
    assert_array_equal(read_labels(tmp_path / "a.zarr"), CELLS)
    zarr.create_array(tmp_path / "b.zarr", data=CELLS.astype("u2"))
    assert_array_equal(read_labels(tmp_path / "b.zarr"), CELLS)
    write_image(tmp_path / "c.zarr", CYX)
    with pytest.raises(InputError, match="3 channels of uint16"):
        read_labels(tmp_path / "c.zarr")
    zarr.create_array(tmp_path / "d.zarr", data=np.zeros((2, 2, 2, 2)))
    with pytest.raises(InputError, match="Labels must be"):
        read_labels(tmp_path / "d.zarr")


def test_zarrs_without_labels_say_what_they_have(tmp_path: Path) -> None:
    new_group(tmp_path / "a.zarr", "0.5").attrs["kind"] = "tables"
    with pytest.raises(InputError, match=r"holds no labels.*kind"):
        read_labels(tmp_path / "a.zarr")
    write_image(tmp_path / "b.zarr")
    set_facts(new_group(tmp_path / "b.zarr/labels", "0.5"), "0.5", {"labels": ["gone"]})
    with pytest.raises(InputError, match="labels gone are not there"):
        read_labels(tmp_path / "b.zarr")


def test_what_a_file_holds_is_read_only_when_sliced(tmp_path: Path) -> None:
    imwrite(tmp_path / "l.ome.tif", CELLS.astype("u2"), metadata={"axes": "YX"})
    found = open_labels(tmp_path / "l.ome.tif")
    assert not isinstance(found.data, np.ndarray)
    assert found.data.reopens
    assert_array_equal(found.data[2:7, ::3], CELLS[2:7, ::3])
    assert found.ids is None


def test_a_pyramid_of_labels_keeps_its_levels(tmp_path: Path) -> None:
    group = new_group(tmp_path / "l.zarr", "0.5")
    put(group, "0", CELLS)
    put(group, "1", CELLS[::2, ::2])
    set_facts(group, "0.5", image_facts(axes_of("yx"), [[0.5, 0.5], [1.0, 1.0]]))
    levels = open_labels(tmp_path / "l.zarr").pyramid
    assert [level.shape for level in levels] == [(24, 40), (12, 20)]
    assert_array_equal(levels[1], CELLS[::2, ::2])


def test_labels_must_fit_the_image(tmp_path: Path) -> None:
    image = MultiplexImage(np.zeros((1, 5, 6)), ["DAPI"])
    zarr.create_array(tmp_path / "a.zarr", data=CELLS)
    with pytest.raises(InputError, match=r"a\.zarr has shape \(24, 40\) and the image \(5, 6\)"):
        read_labels(tmp_path / "a.zarr", like=image)


@pytest.mark.parametrize(("value", "says"), [(-3, "negative"), (0.5, "fractions"), (np.inf, "inf")])
def test_values_that_are_no_labels_are_refused_by_name(
    tmp_path: Path, value: float, says: str
) -> None:
    wrong = CELLS.astype(np.float32)
    wrong[4, 4] = value
    zarr.create_array(tmp_path / "a.zarr", data=wrong)
    with pytest.raises(InputError, match=rf"a\.zarr: .*{says}"):
        read_labels(tmp_path / "a.zarr")


@pytest.mark.shared_data
def test_real_masks_of_float_numbers(shared_data: Path) -> None:
    labels = read_labels(shared_data / "spots_cosmx_giottodata/CellLabels/CellLabels_F002.tif")
    assert labels.dtype.kind == "i"
    assert len(np.unique(labels)) - 1 == 67


def test_labels_over_time_are_refused_with_what_would_do(tmp_path: Path) -> None:
    imwrite(tmp_path / "t.ome.tif", np.stack([CELLS] * 5).astype("u2"), metadata={"axes": "TYX"})
    with pytest.raises(InputError, match="has 5 time points; labels have none"):
        read_labels(tmp_path / "t.ome.tif")
