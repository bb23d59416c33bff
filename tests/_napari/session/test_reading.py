"""Sessions whose files are moved, gone or damaged: what is left opens, and what is lost is said."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Image

import napari_gluer as ng
from napari_gluer._napari.attached import KEY, attach, cells_of, held
from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.layers import show_labels
from napari_gluer._napari.recording import with_path
from napari_gluer._napari.session.reading import is_session, read_session
from napari_gluer._napari.session.restoring import show_session
from napari_gluer._napari.session.saving import gather, write_session
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage


@pytest.fixture
def stored(image: MultiplexImage, tmp_path: Path) -> Path:
    """The small image as a file of its own."""
    path = tmp_path / "slides" / "tissue.ome.tif"
    path.parent.mkdir()
    ng.write_image(image, path)
    return path


@pytest.fixture
def session(
    model: ViewerModel, stored: Path, labels: np.ndarray, cells: AnnData, tmp_path: Path
) -> Path:
    """A session of channels read from a file, cells and a table."""
    opened = image_layers(ng.read_image(stored), "tissue")
    for data, options, _ in with_path(opened, str(stored)):
        model.add_image(data, **options)
    layer = show_labels(model, labels, name="cells", like=model.layers[0])
    attach(layer, cells=cells, measured=cells)
    return write_session(gather(model), tmp_path / "sessions" / "one")


def _reopened(folder: Path) -> tuple[ViewerModel, list[str]]:
    viewer = ViewerModel()
    told = show_session(viewer, read_session(folder))
    return viewer, told


def test_an_image_with_a_file_is_not_copied(session: Path, image: MultiplexImage) -> None:
    assert is_session(session)
    assert not list(session.glob("image*"))
    viewer, told = _reopened(session)
    assert told == []
    first = viewer.layers[0]
    assert isinstance(first, Image)
    np.testing.assert_array_equal(
        np.asarray(first.data[0] if first.multiscale else first.data),
        np.asarray(image.data[0]),
    )
    assert tuple(first.scale) == (0.5, 0.5)


def test_folder_and_images_move_together(session: Path, stored: Path, tmp_path: Path) -> None:
    new = tmp_path / "disk"
    new.mkdir()
    for part in ("slides", "sessions"):
        shutil.move(tmp_path / part, new / part)
    viewer, told = _reopened(new / "sessions" / "one")
    assert told == []
    assert [one.name for one in viewer.layers] == ["DAPI", "CD3", "CD20", "cells"]
    assert held(viewer.layers["DAPI"])["image"].channels == ("DAPI", "CD3", "CD20")


def test_the_session_alone_moves(session: Path, tmp_path: Path) -> None:
    moved = tmp_path / "far" / "off" / "one"
    moved.parent.mkdir(parents=True)
    shutil.move(session, moved)
    viewer, told = _reopened(moved)
    assert told == []
    assert "DAPI" in viewer.layers


def test_a_lost_image_costs_its_channels_and_nothing_else(session: Path, stored: Path) -> None:
    stored.unlink()
    viewer, told = _reopened(session)
    assert len(told) == 1
    assert str(stored) in told[0]
    assert "Put it back" in told[0]
    assert [one.name for one in viewer.layers] == ["cells"]
    table = cells_of(viewer.layers["cells"])
    assert table is not None
    assert table.n_obs == 64


def test_the_pixel_size_that_was_set_is_set_again(
    model: ViewerModel, stored: Path, tmp_path: Path
) -> None:
    opened = image_layers(ng.read_image(stored, pixel_size_um=0.25), "tissue")
    for data, options, _ in with_path(opened, str(stored)):
        model.add_image(data, **options)
    folder = write_session(gather(model), tmp_path / "other")
    viewer, told = _reopened(folder)
    assert told == []
    assert tuple(viewer.layers["DAPI"].scale) == (0.25, 0.25)
    assert held(viewer.layers["DAPI"])["image"].spacing_um == (0.25, 0.25)


def test_spots_keep_their_columns_and_facts(model: ViewerModel, tmp_path: Path) -> None:
    spots = pd.DataFrame({"y": [1.0, 5], "x": [2.0, 7], "gene": ["Cd3e", "Ms4a1"]})
    spots.attrs["unit"] = "um"
    layer = model.add_points(spots[["y", "x"]].to_numpy(), name="spots")
    layer.metadata = {KEY: {"spots": spots}}
    folder = write_session(gather(model), tmp_path / "session")
    restored = read_session(folder)
    name = restored.record["layers"][0]["data"]["spots"]
    pd.testing.assert_frame_equal(restored.files[name], spots)
    assert restored.files[name].attrs == {"unit": "um"}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _without(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "session.json"
        record = json.loads(path.read_text())
        del record[name]
        path.write_text(json.dumps(record))

    return change


@pytest.mark.parametrize(
    ("harm", "names"),
    [
        (lambda folder: _cut(folder / "session.json"), "session.json"),
        (lambda folder: (folder / "arrays.npz").unlink(), "arrays.npz"),
        (lambda folder: _cut(folder / "arrays.npz"), "arrays.npz"),
        (lambda folder: (folder / "cells_1.h5ad").unlink(), "cells_1"),
        (lambda folder: _cut(folder / "cells_1.h5ad"), "cells_1"),
        (lambda folder: (folder / "labels_1.ome.tif").unlink(), "labels_1"),
        (lambda folder: _cut(folder / "labels_1.ome.tif"), "labels_1"),
        (_without("layers"), "layers"),
        (_without("view"), "view"),
    ],
)
def test_a_damaged_session_says_what_is_damaged(
    session: Path, harm: Callable[[Path], Any], names: str
) -> None:
    harm(session)
    with pytest.raises(InputError, match=names):
        _reopened(session)


def test_a_folder_without_a_record_is_no_session(tmp_path: Path) -> None:
    assert not is_session(tmp_path)
    with pytest.raises(InputError, match=r"no session: it has no session.json"):
        read_session(tmp_path)
