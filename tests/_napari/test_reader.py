"""Files become layers, or one clear message."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication, QProgressDialog

import napari_gluer as ng
from napari_gluer._napari import arriving, sample_data
from napari_gluer._napari.attached import cells_of, measured_of, reference_of
from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.outline_layers import outline_layers
from napari_gluer._napari.reader import get_reader, read_mask, read_table, read_tissue
from napari_gluer._napari.sample_data import simulated_tissue
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.lazy import ChannelView


def _read(path: Path) -> list[Any]:
    reader = get_reader(str(path))
    assert reader is not None
    return reader(str(path))


@pytest.fixture
def ome(tmp_path: Path, image: MultiplexImage) -> Path:
    file = tmp_path / "tissue.ome.tif"
    channels = {"Name": list(image.channels)}
    size = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(file, image.data, metadata={"axes": "CYX", "Channel": channels, **size})
    return file


def test_every_channel_is_a_layer_with_its_place_and_color(
    ome: Path, image: MultiplexImage, model: ViewerModel
) -> None:
    layers = _read(ome)
    names = [kwargs["name"] for _, kwargs, _ in layers]
    assert names == ["DAPI", "CD3", "CD20"]
    assert len({kwargs["colormap"] for _, kwargs, _ in layers}) == 3
    for i, (data, kwargs, kind) in enumerate(layers):
        assert (kind, kwargs["blending"], kwargs["visible"]) == ("image", "additive", True)
        layer = model.add_image(data, **kwargs)
        assert tuple(layer.scale) == (0.5, 0.5)
        assert [str(unit) for unit in layer.units] == ["micrometer"] * 2
        np.testing.assert_array_equal(np.asarray(data), image.data[i])


def test_of_many_channels_nuclei_and_three_more_are_shown() -> None:
    names = [*"abcdef", "DAPI"]
    many = MultiplexImage(np.ones((7, 8, 8), np.uint8), names)
    shown = [one["name"] for _, one, _ in image_layers(many, "many") if one["visible"]]
    assert shown == ["a", "b", "c", "DAPI"]


def test_pyramids_stay_pyramids(model: ViewerModel) -> None:
    pixels = np.arange(2 * 64 * 64).reshape(2, 64, 64)
    image = MultiplexImage(pixels, ["a", "b"], None, [pixels, pixels[:, ::2, ::2]])
    data, kwargs, _ = image_layers(image, "pyramid")[1]
    layer = model.add_image(data, **kwargs)
    assert layer.multiscale
    np.testing.assert_array_equal(np.asarray(layer.data[1]), pixels[1, ::2, ::2])
    view = ChannelView(pixels, 1)
    assert (view.size, len(view)) == (64 * 64, 64)


@pytest.mark.parametrize("name", ["x_mask.tif", "Labels.ome.tif", "a_seg.tiff", "mask2d.tif"])
def test_masks_are_known_by_their_names(tmp_path: Path, labels: np.ndarray, name: str) -> None:
    tifffile.imwrite(tmp_path / name, labels.astype(np.uint16))
    ((data, _, kind),) = _read(tmp_path / name)
    assert kind == "labels"
    np.testing.assert_array_equal(data, labels)


def test_an_image_called_segment_of_tissue_is_an_image(tmp_path: Path) -> None:
    planes = np.zeros((3, 16, 16), np.uint16)
    tifffile.imwrite(tmp_path / "seg.ome.tif", planes, metadata={"axes": "CYX"})
    assert [kind for _, _, kind in _read(tmp_path / "seg.ome.tif")] == ["image"] * 3


def test_a_table_with_positions_is_drawn_and_attached(tmp_path: Path, cells: AnnData) -> None:
    cells.write_h5ad(tmp_path / "cells.h5ad")
    ((data, kwargs, kind),) = _read(tmp_path / "cells.h5ad")
    assert kind == "labels"
    layer = Labels(data, **kwargs)
    table = cells_of(layer)
    assert table is not None
    assert measured_of(layer) is table
    assert set(np.unique(data)) == {0, *table.obs["label"]}
    assert list(layer.features["index"][1:]) == list(table.obs["label"])


def test_a_table_without_positions_says_where_references_go(tmp_path: Path, cells: AnnData) -> None:
    del cells.obsm["spatial"]
    cells.write_h5ad(tmp_path / "atlas.h5ad")
    with pytest.raises(InputError, match="Plugins ▸ GLUER ▸ Reference"):
        read_table(tmp_path / "atlas.h5ad")


def test_what_is_not_an_image_is_refused_in_words(tmp_path: Path) -> None:
    broken = tmp_path / "photo.tif"
    broken.write_text("no image")
    with pytest.raises(InputError, match=r"photo\.tif"):
        read_tissue(broken)
    empty_mask = tmp_path / "mask.tif"
    empty_mask.write_text("no image")
    with pytest.raises(InputError, match=r"mask\.tif"):
        read_mask(empty_mask)


@pytest.mark.parametrize("name", ["photo.tif", "mask.tif", "atlas.h5ad"])
def test_a_file_that_cannot_be_opened_is_told_once_and_opens_nothing(
    tmp_path: Path, make_napari_viewer: Any, notified: list[Any], name: str
) -> None:
    (tmp_path / name).write_text("no data")
    viewer = make_napari_viewer()
    assert not viewer.open(str(tmp_path / name), plugin="napari-gluer")
    assert [one.severity.value for one in notified] == ["warning"]
    assert name in str(notified[0].message)
    assert not viewer.layers


@pytest.mark.parametrize("path", ["notes.txt", "missing.tif", ["a.tif", "b.tif"]])
def test_other_files_are_left_to_others(path: Any) -> None:
    assert get_reader(path) is None


def test_the_sample_shows_a_few_channels_and_keeps_its_reference(
    monkeypatch: pytest.MonkeyPatch, tissue: Any
) -> None:
    monkeypatch.setattr(sample_data, "_tissue", lambda: tissue)
    *channels, (labels, kwargs, kind) = simulated_tissue()
    assert len(channels) == len(tissue.image.channels)
    assert sum(one["visible"] for _, one, _ in channels) == 4
    assert (kind, labels is tissue.labels) == ("labels", True)
    assert "simulated" in kwargs["name"]
    assert reference_of(Labels(labels, **kwargs)) is tissue.reference


def many_channels(folder: Path) -> Path:
    names = [f"M{i}" for i in range(14)] + ["DAPI"]
    planes = np.random.default_rng(0).integers(0, 500, (15, 32, 40)).astype(np.uint16)
    metadata = {"axes": "CYX", "Channel": {"Name": names}}
    tifffile.imwrite(folder / "many.ome.tif", planes, metadata=metadata, photometric="minisblack")
    return folder / "many.ome.tif"


def wait_for(qapp: Any, done: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        qapp.processEvents()
    assert done()


def in_use(work: Any) -> None:
    """Do `work` as a click does: inside the event loop."""
    loop = QEventLoop()
    QTimer.singleShot(0, lambda: (work(), loop.quit()))
    loop.exec()


def test_a_script_gets_all_channels_at_once(tmp_path: Path, make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    added = viewer.open(str(many_channels(tmp_path)), plugin="napari-gluer")
    assert len(added) == len(viewer.layers) == 15
    assert [one.name for one in viewer.layers if one.visible] == ["M0", "M1", "M2", "DAPI"]


def test_hidden_channels_arrive_one_by_one_in_their_places(
    tmp_path: Path, make_napari_viewer: Any, qapp: Any
) -> None:
    viewer = make_napari_viewer()
    path = str(many_channels(tmp_path))
    in_use(lambda: viewer.open(path, plugin="napari-gluer"))
    assert [one.name for one in viewer.layers if one.visible] == ["M0", "M1", "M2", "DAPI"]
    assert len(viewer.layers) < 15
    viewer.layers.selection = {viewer.layers["M1"]}
    wait_for(qapp, lambda: len(viewer.layers) == 15)
    assert [one.name for one in viewer.layers] == [*(f"M{i}" for i in range(14)), "DAPI"]
    assert sum(one.visible for one in viewer.layers) == 4
    assert viewer.layers.selection == {viewer.layers["M1"]}
    image = ng.read_image(path)
    for name in ("M0", "M7", "DAPI"):
        np.testing.assert_array_equal(np.asarray(viewer.layers[name].data), image.channel(name))


@pytest.mark.parametrize("window", [False, True])
def test_hidden_channels_stay_away_when_the_image_or_the_window_is_closed(
    tmp_path: Path, make_napari_viewer: Any, qapp: Any, window: bool
) -> None:
    viewer = make_napari_viewer(show=window)
    in_use(lambda: viewer.open(str(many_channels(tmp_path)), plugin="napari-gluer"))
    there = len(viewer.layers)
    if window:
        viewer.window.close()
    else:
        viewer.layers.clear()
        there = 0
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        qapp.processEvents()
    assert len(viewer.layers) <= there
    assert not arriving._running


def test_folders_of_markers_and_codex_are_images(tmp_path: Path) -> None:
    markers, photos, codex = (tmp_path / name for name in ("markers", "photos", "reg001_X01_Y01"))
    planes = np.random.default_rng(0).integers(0, 500, (4, 32, 40)).astype(np.uint16)
    for folder in (markers, photos, codex):
        folder.mkdir()
    for name, plane in zip(("CD3", "DAPI"), planes, strict=False):
        tifffile.imwrite(markers / f"{name}.tif", plane)
    assert [one["name"] for _, one, _ in _read(markers)] == ["CD3", "DAPI"]
    tifffile.imwrite(codex / "reg001_X01_Y01.tif", planes, photometric="minisblack")
    (tmp_path / "channelNames.txt").write_text("DAPI\nCD3\nblank\nblank\n")
    assert [one["name"] for _, one, _ in _read(codex)] == ["DAPI", "CD3", "blank", "blank-1"]
    (photos / "a.jpg").touch()
    assert get_reader(str(photos)) is None


def test_ome_zarr_opens_with_its_labels(
    tmp_path: Path, image: MultiplexImage, labels: np.ndarray, model: ViewerModel
) -> None:
    path = tmp_path / "a.ome.zarr"
    group = zarr.create_group(path, zarr_format=3)
    group.create_array("0", data=image.data)
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": one, "type": "space", "unit": "micrometer"} for one in "yx"]
    scale = [{"type": "scale", "scale": [1.0, 0.5, 0.5]}]
    scales = [{"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}]
    names = {"channels": [{"label": one} for one in image.channels]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": scales, "omero": names}
    group.create_group("labels").attrs["ome"] = {"version": "0.5", "labels": ["cells"]}
    ng.write_labels(labels, path / "labels" / "cells.zarr", 0.5)
    (path / "labels" / "cells.zarr").rename(path / "labels" / "cells")
    *channels, (data, options, kind) = _read(path)
    assert [one["name"] for _, one, _ in channels] == list(image.channels)
    assert (kind, options["name"]) == ("labels", "cells")
    np.testing.assert_array_equal(data, labels)
    layer = model.add_labels(data, **options)
    assert tuple(layer.scale) == (0.5, 0.5)
    ((alone, _, kind),) = _read(path / "labels" / "cells")
    assert kind == "labels"
    np.testing.assert_array_equal(alone, labels)


def test_addresses_of_zarrs_are_ours_and_others_are_not() -> None:
    assert get_reader("https://example.org/a.ome.zarr") is not None
    assert get_reader("https://example.org/a.png") is None


def test_what_had_to_be_assumed_is_told(tmp_path: Path, notified: list[Any]) -> None:
    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((2, 16, 16), np.uint16))
    _read(tmp_path / "plain.tif")
    assert [one.severity.value for one in notified] == ["info"]
    assert "names no channels" in str(notified[0].message)


def geojson(folder: Path, kind: str) -> Path:
    ring = [[2, 3], [12, 3], [12, 9], [2, 9], [2, 3]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    facts = {"objectType": kind, "name": "fold"}
    item = {"type": "Feature", "id": "a-1", "geometry": geometry, "properties": facts}
    (folder / "q.geojson").write_text(json.dumps([item]))
    return folder / "q.geojson"


def test_outlines_of_cells_become_labels_on_the_open_image(
    tmp_path: Path, image: MultiplexImage, make_napari_viewer: Any
) -> None:
    viewer = make_napari_viewer()
    for data, options, _ in image_layers(image, "tissue"):
        viewer.add_image(data, **options)
    ((data, options, kind),) = _read(geojson(tmp_path, "cell"))
    assert kind == "labels"
    expected = np.zeros(image.spatial_shape, int)
    expected[3:9, 2:12] = 1
    np.testing.assert_array_equal(data, expected)
    layer = viewer.add_labels(data, **options)
    assert tuple(layer.scale) == (0.5, 0.5)
    assert layer.features["id"].tolist() == ["", "a-1"]


def test_annotations_become_shapes(tmp_path: Path, make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    for kind in ("annotation", "cell"):  # and cells, while no image is open
        (layer,) = viewer.open(str(geojson(tmp_path, kind)), plugin="napari-gluer")
        assert layer.features["name"].tolist() == ["fold"]
        np.testing.assert_allclose(layer.data[0][:2], [[2.5, 1.5], [2.5, 11.5]])


def test_limits_of_a_large_plane_come_from_windows() -> None:
    class Counted:
        shape, dtype = (1, 20_000, 20_000), np.dtype("u2")
        read = 0

        def __getitem__(self, key: Any) -> np.ndarray:
            rows, columns = (range(20_000)[part] for part in key[1:])
            Counted.read += len(rows) * len(columns)
            return np.add.outer(np.array(rows), np.array(columns)).astype(np.uint16)

    ((_, options, _),) = image_layers(MultiplexImage(Counted(), ["DAPI"]), "large")
    low, high = options["contrast_limits"]
    assert Counted.read <= 500_000
    assert low == 0
    assert 35_000 < high <= 39_998


def test_tables_of_spots_and_of_outlines_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "spots.csv").write_text("gene,x,y\nActb,3,4\nGapdh,5,6\n")
    ((data, _, kind),) = _read(tmp_path / "spots.csv")
    assert kind == "points"
    np.testing.assert_allclose(np.asarray(data)[0], [4, 3])
    (tmp_path / "notes.csv").write_text("date,weight\n1,2\n")
    assert get_reader(str(tmp_path / "notes.csv")) is None


def test_planes_without_names_may_be_a_stack(
    tmp_path: Path, notified: list[Any], image: MultiplexImage
) -> None:
    hint = "If these 6 are planes of a stack, open the file with napari's own reader."
    tifffile.imwrite(
        tmp_path / "six.tif", np.zeros((6, 20, 20), np.uint8), photometric="minisblack"
    )
    _read(tmp_path / "six.tif")
    assert notified[-1].message.endswith(hint)
    tifffile.imwrite(tmp_path / "three.tif", image.data, photometric="minisblack")
    _read(tmp_path / "three.tif")
    assert "planes of a stack" not in notified[-1].message


def test_the_window_waits_for_a_table_with_a_word(
    qtbot: Any, tmp_path: Path, cells: AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells.write_h5ad(tmp_path / "table.h5ad")
    shown: list[str] = []

    def look() -> None:
        window = QApplication.activeModalWidget()
        shown.append(window.labelText() if isinstance(window, QProgressDialog) else "none")

    monkeypatch.setattr(ng, "read_cells", lambda _: time.sleep(0.8) or cells)
    QTimer.singleShot(100, look)  # once the window answers again
    ((_, _, kind),) = read_table(tmp_path / "table.h5ad")
    assert (kind, shown) == ("labels", ["Opening table.h5ad …"])


def test_more_outlines_than_napari_draws_are_refused(tmp_path: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 101)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1).round(3).tolist()
    many = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {"objectType": "cell"},
            }
        ]
        * 250,
    }
    file = tmp_path / "cells.geojson"
    file.write_text(json.dumps(many))
    with pytest.raises(InputError, match=r"250 outlines with 25,\d+ corners.*Open the image first"):
        outline_layers(file, None)
