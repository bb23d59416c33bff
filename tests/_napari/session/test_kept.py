"""What a history starts from, and no file holds, is in the session and comes back."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.components import ViewerModel

import napari_gluer as ng
from napari_gluer._napari.attached import attach
from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.history import History, history_of
from napari_gluer._napari.layers import show_labels
from napari_gluer._napari.recording import with_path
from napari_gluer._napari.session.reading import read_session
from napari_gluer._napari.session.restoring import show_session
from napari_gluer._napari.session.saving import gather, write_session
from napari_gluer.image import MultiplexImage
from napari_gluer.io.hashing import sha256
from napari_gluer.pipeline.recipes.keeping import Fingerprint, Snapshot
from napari_gluer.pipeline.recipes.steps import Data, Masked
from napari_gluer.polygons import Polygon, Regions

BOX = np.array([[2.0, 3], [2, 30], [40, 30], [40, 3]])


def _reopened(model: ViewerModel, folder: Path) -> History:
    write_session(gather(model), folder)
    other = ViewerModel()
    assert show_session(other, read_session(folder)) == []
    return history_of(other.layers["cells"])


def test_every_kind_comes_back(
    model: ViewerModel, labels: np.ndarray, cells: AnnData, image: MultiplexImage, tmp_path: Path
) -> None:
    file = tmp_path / "masks.tif"
    file.write_bytes(b"as it was")
    spots = pd.DataFrame({"y": [1.0, 5], "x": [2.0, 7], "gene": ["Cd3e", "Ms4a1"]})
    regions = Regions((Polygon((BOX,)),), (Polygon((BOX / 2,)),))
    layer = show_labels(model, labels, name="cells")
    attach(layer, cells=cells, measured=cells)
    history = history_of(layer)
    for value, name in (
        (image, "image"),
        (Snapshot(labels), "masks"),
        (spots, "spots"),
        (regions, "regions"),
        (cells[:20].copy(), "reference"),
        (Fingerprint(file), str(file)),
    ):
        history.keep(value, name)
    history.add(Masked(labels=Data(kept="masks", by_hand=True)))
    before = dict(history.kept)

    after = _reopened(model, tmp_path / "session")
    assert list(after.kept) == list(before)
    kept = after.kept
    assert kept["image"].channels == image.channels
    assert kept["image"].spacing_um == image.spacing_um
    np.testing.assert_array_equal(np.asarray(kept["image"].data), image.data)
    np.testing.assert_array_equal(kept["masks"].labels, labels)
    pd.testing.assert_frame_equal(kept["spots"], spots)
    assert kept["reference"].obs["label"].tolist() == cells.obs["label"].tolist()[:20]
    for one, other in (
        (regions.include, kept["regions"].include),
        (regions.exclude, kept["regions"].exclude),
    ):
        (expected,), (found,) = one, other
        ring = found.rings[0][: len(expected.rings[0])]
        np.testing.assert_allclose(ring, expected.rings[0])
    assert kept[str(file)].value == sha256(file)
    assert after.steps == history.steps


def test_what_is_kept_twice_has_one_file(
    model: ViewerModel, labels: np.ndarray, cells: AnnData, tmp_path: Path
) -> None:
    layer = show_labels(model, labels, name="cells")
    attach(layer, cells=cells, measured=cells)
    assert history_of(layer).keep(cells, "cells_kept") == history_of(layer).keep(cells, "again")
    kept = _reopened(model, tmp_path / "session").kept
    assert list(kept) == ["cells_kept"]
    assert len(list((tmp_path / "session").glob("*.h5ad"))) == 1


def test_images_inside_a_session_stay_when_it_is_saved_again(
    model: ViewerModel, labels: np.ndarray, image: MultiplexImage, tmp_path: Path
) -> None:
    show_labels(model, labels, name="cells")
    folder = write_session(gather(model), tmp_path / "session")
    inside = folder / "slides" / "tissue.ome.tif"
    inside.parent.mkdir()
    ng.write_image(image, inside)
    for data, options, _ in with_path(image_layers(ng.read_image(inside), "tissue"), str(inside)):
        model.add_image(data, **options)
    _reopened(model, folder)
    assert inside.is_file()
    other = ViewerModel()
    told: Any = show_session(other, read_session(folder))
    assert told == []
    assert "DAPI" in other.layers
