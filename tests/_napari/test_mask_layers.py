"""Masks are known by their names and lie on the image they belong to; inForm's maps are parted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel

from napari_gluer._napari import mask_layers as module
from napari_gluer._napari.mask_layers import is_mask, mask_layers

_NOTE = "inForm's maps: cells are nucleus and cytoplasm together; membranes are left out."


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("CellLabels_F002.tif", True),
        ("NuclearMask2.tif", True),
        ("wholeCellSegmentation.tif", True),
        ("a_cp_masks.tif", True),
        ("CellComposite_F002.tif", False),
        ("Unmasked.tif", False),
        ("PanLabeling.tif", False),
    ],
)
def test_names_that_say_labels(tmp_path: Path, name: str, known: bool) -> None:
    tifffile.imwrite(tmp_path / name, np.eye(8, dtype=np.float32))
    assert is_mask(tmp_path / name) is known


@pytest.fixture
def opened(model: ViewerModel, monkeypatch: pytest.MonkeyPatch) -> ViewerModel:
    monkeypatch.setattr(module.napari, "current_viewer", lambda: model)
    place: dict[str, Any] = {"scale": (0.5, 0.5), "translate": (3, 4), "units": ("um", "um")}
    model.add_image(np.zeros((20, 30)), name="small", **place)
    model.layers[-1].visible = False
    model.add_image(np.zeros((40, 60)), name="DAPI", **{**place, "scale": (0.25, 0.25)})
    return model


def _mask(tmp_path: Path, shape: tuple[int, ...], **options: Any) -> str:
    path = tmp_path / "x_mask.tif"
    tifffile.imwrite(path, np.ones(shape, np.uint16), **options)
    return str(path)


def test_a_mask_lies_on_the_open_image_of_its_shape(opened: ViewerModel, tmp_path: Path) -> None:
    ((data, options, kind),), notes = mask_layers(_mask(tmp_path, (40, 60)))
    layer = opened.add_labels(data, **options)
    assert (kind, notes, layer.name) == ("labels", (), "x_mask")
    assert tuple(layer.scale) == (0.25, 0.25)
    assert tuple(layer.translate) == (3, 4)
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 2


def test_a_mask_of_another_shape_or_with_a_pixel_size_lies_where_it_says(
    opened: ViewerModel, tmp_path: Path
) -> None:
    ((_, options, _),), _ = mask_layers(_mask(tmp_path, (40, 61)))
    assert "scale" not in options
    size = {"PhysicalSizeX": 2.0, "PhysicalSizeY": 2.0, "axes": "YX"}
    path = _mask(tmp_path, (40, 60), ome=True, metadata=size)
    ((_, options, _),), _ = mask_layers(path)
    assert tuple(options["scale"]) == (2, 2)
    assert "translate" not in options


def test_maps_of_inform_become_nuclei_and_cells(opened: ViewerModel, tmp_path: Path) -> None:
    nuclei, cytoplasm = np.zeros((2, 40, 60), np.uint16)
    nuclei[5:9, 5:9], cytoplasm[3:11, 3:11] = 7, 7
    cytoplasm[5:9, 5:9] = 0
    path = tmp_path / "a_binary_seg_maps.tif"
    with tifffile.TiffWriter(path) as tif:
        for plane, kind in ((nuclei, "Nucleus"), (cytoplasm, "Cytoplasm"), (nuclei, "Membrane")):
            said = f"<SegmentationImage><CompartmentType>{kind}</CompartmentType>"
            tif.write(plane, description=said, metadata=None)
    assert is_mask(path)
    layers, notes = mask_layers(str(path))
    assert notes == (_NOTE,)
    assert [one[1]["name"] for one in layers] == [
        "nuclei (a_binary_seg_maps)",
        "cells (a_binary_seg_maps)",
    ]
    np.testing.assert_array_equal(layers[0][0], nuclei)
    whole = np.zeros((40, 60))
    whole[3:11, 3:11] = 7
    np.testing.assert_array_equal(layers[1][0], whole)
    for data, options, _ in layers:
        assert tuple(opened.add_labels(data, **options).scale) == (0.25, 0.25)


@pytest.mark.shared_data
def test_the_maps_of_the_real_field(shared_data: Path) -> None:
    file = "mif_fihc4_phenoptr/FIHC4__0929309_HP_IM3_2_binary_seg_maps.tif"
    layers, _ = mask_layers(str(shared_data / file))
    nuclei, cells = (layer[0] for layer in layers)
    assert nuclei.shape == cells.shape == (260, 348)
    assert nuclei.max() == cells.max() == 270
    assert ((nuclei == 0) | (nuclei == cells)).all()


@pytest.mark.shared_data
def test_the_masks_of_cosmx_open_as_labels(shared_data: Path) -> None:
    path = shared_data / "spots_cosmx_giottodata/CellLabels/CellLabels_F002.tif"
    assert is_mask(path)
    ((data, _, _),), _ = mask_layers(str(path))
    assert data.dtype.kind in "iu"
    assert len(np.unique(data)) == 68
