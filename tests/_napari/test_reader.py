"""Files become layers, or one clear message."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels

import napari_gluer as ng
from napari_gluer._napari.attached import cells_of, measured_of, reference_of
from napari_gluer._napari.reader import (
    ChannelView,
    get_reader,
    image_layers,
    read_mask,
    read_table,
    read_tissue,
)
from napari_gluer._napari.sample_data import simulated_tissue
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage


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
    monkeypatch.setattr(ng, "sample_tissue", lambda _seed: tissue, raising=False)
    *channels, (labels, kwargs, kind) = simulated_tissue()
    assert len(channels) == len(tissue.image.channels)
    assert sum(one["visible"] for _, one, _ in channels) == 4
    assert (kind, labels is tissue.labels) == ("labels", True)
    assert "simulated" in kwargs["name"]
    assert reference_of(Labels(labels, **kwargs)) is tissue.reference
