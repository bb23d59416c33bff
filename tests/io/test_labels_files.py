import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal
from tifffile import imwrite

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.images import read_image
from napari_gluer.io.labels_files import open_labels, open_nuclei, read_labels

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


def outlines_of(path: Path, *, nuclei: bool) -> Path:
    """Two square cells, with a smaller nucleus in each where asked for."""

    def square(low: int, high: int, x: int) -> dict[str, Any]:
        ring = [[low + x, low], [high + x, low], [high + x, high], [low + x, high], [low + x, low]]
        return {"type": "Polygon", "coordinates": [ring]}

    features = []
    for x in (0, 20):
        feature = {"type": "Feature", "geometry": square(2, 12, x), "properties": {}}
        feature["properties"] = {"objectType": "cell"}
        if nuclei:
            feature["nucleusGeometry"] = square(5, 8, x)
        features.append(feature)
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_of_outlines_with_nuclei_the_nuclei_are_opened(tmp_path: Path) -> None:
    image = MultiplexImage(np.zeros((1, 20, 40)), ["DAPI"])
    both = outlines_of(tmp_path / "both.geojson", nuclei=True)
    sizes = np.bincount(np.asarray(open_nuclei(both, like=image).data).ravel())
    assert sizes.tolist() == [20 * 40 - 18, 9, 9]
    assert np.bincount(read_labels(both, like=image).ravel())[1:].tolist() == [100, 100]


def test_outlines_without_nuclei_and_labels_are_taken_as_they_are(tmp_path: Path) -> None:
    image = MultiplexImage(np.zeros((1, 20, 40)), ["DAPI"])
    plain = outlines_of(tmp_path / "plain.geojson", nuclei=False)
    drawn = open_nuclei(plain, like=image).data
    assert_array_equal(drawn, read_labels(plain, like=image))
    imwrite(tmp_path / "nuclei.tif", drawn.astype("u2"))
    assert_array_equal(open_nuclei(tmp_path / "nuclei.tif", like=image).data[...], drawn)


def test_a_damaged_plain_array_is_refused(tmp_path: Path) -> None:
    made = zarr.create_array(tmp_path / "a.zarr", shape=(20, 30), dtype="u2", chunks=(20, 30))
    made[:] = 7
    assert (read_labels(tmp_path / "a.zarr") == 7).all()
    block = next(path for path in (tmp_path / "a.zarr" / "c").rglob("*") if path.is_file())
    block.write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"a\.zarr.*cannot be read"):
        read_labels(tmp_path / "a.zarr")
