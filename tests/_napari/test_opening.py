"""Files open as by drag and drop; what cannot be opened is one error that names it."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel

from napari_gluer._napari.opening import open_path, open_sample
from napari_gluer.errors import InputError

pytestmark = pytest.mark.usefixtures("plugins")


def test_an_image_opens_as_its_channels(model: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "tissue.ome.tif"
    planes = np.arange(3 * 8 * 8, dtype=np.uint16).reshape(3, 8, 8)
    names = {"Channel": {"Name": ["DAPI", "CD3", "CD20"]}, "axes": "CYX"}
    tifffile.imwrite(path, planes, ome=True, metadata=names)
    added = open_path(model, str(path))
    assert [layer.name for layer in added] == ["DAPI", "CD3", "CD20"]
    np.testing.assert_array_equal(np.asarray(model.layers["CD3"].data), planes[1])


def test_what_others_read_is_left_to_them(model: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "plain.npy"
    np.save(path, np.eye(5))
    assert len(open_path(model, str(path))) == 1


def test_a_missing_file_is_named(model: ViewerModel) -> None:
    with pytest.raises(InputError, match=r"nowhere\.tif is not there"):
        open_path(model, "/nowhere.tif")


def test_what_nobody_reads_is_refused(model: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "notes.docx"
    path.write_text("hello")
    with pytest.raises(InputError, match=r"notes\.docx could not be opened"):
        open_path(model, str(path))
    assert not model.layers


def test_the_sample_opens_once(model: ViewerModel) -> None:
    added = open_sample(model)
    assert any("simulated" in layer.name for layer in added)
    with pytest.raises(InputError, match="open already"):
        open_sample(model)
