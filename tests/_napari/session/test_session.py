"""A session is saved and opened again: the same picture, tables, selections and history."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel

from napari_gluer._napari.attached import (
    attach,
    cells_of,
    measured_of,
    reference_of,
    stale_of,
)
from napari_gluer._napari.captions import title
from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.history import history_of, record
from napari_gluer._napari.layers import keep, show_categories, show_labels, show_values
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.paintables import Origin, Paintable, numbers
from napari_gluer._napari.painting.blending import channels_of, show_blend, with_channel
from napari_gluer._napari.painting.looks import styled, values_shown
from napari_gluer._napari.painting.style import PaintStyle
from napari_gluer._napari.session.reading import read_session
from napari_gluer._napari.session.restoring import show_session
from napari_gluer._napari.session.saving import gather, write_session
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.painting import LabelIndex
from napari_gluer.pipeline.recipes.steps import Cleaned, Data, Masked


def _fill(viewer: ViewerModel, image: MultiplexImage, labels: np.ndarray, cells: AnnData) -> Any:
    """Channels, cells, two paintings, a shape, chosen cells."""
    for data, options, _ in image_layers(image, "tissue"):
        viewer.add_image(data, **options)
    viewer.layers["CD3"].visible = False
    layer = show_labels(viewer, labels, name="cells", like=viewer.layers[0])
    attach(layer, cells=cells, measured=cells, reference=cells)
    show_values(viewer, layer, cells, cells.obs["label"] / 2.0, name="half")
    keep(viewer.layers["half"])
    viewer.layers["half"].opacity = 0.6
    show_categories(viewer, layer, cells, cells.obs["region"], name="regions")
    viewer.add_shapes(
        [np.array([[5, 5], [30, 5], [30, 40]])], shape_type="polygon", name="drawn",
        edge_color="#ffd54a", scale=layer.scale, units=layer.units,
    )  # fmt: skip
    view = linked_of(layer)
    view.selections.choose([3, 9, 12])
    view.selections.keep("three")
    view.colors["region"] = {"up": "#112233"}
    record(layer, Masked(labels=Data(path="/nowhere/masks.tif")), Cleaned())
    viewer.layers.selection.active = layer
    viewer.canvas.overlays["scale_bar"].visible = True
    viewer.scene.camera.center = (0, 20, 31)
    viewer.scene.camera.zoom = 7
    return layer


def _picture(viewer: Any) -> np.ndarray:
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)


def test_the_same_picture_comes_back(
    make_napari_viewer: Any,
    image: MultiplexImage,
    labels: np.ndarray,
    cells: AnnData,
    tmp_path: Path,
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1100, 700)
    layer = _fill(viewer, image, labels, cells)
    before, names = _picture(viewer), [one.name for one in viewer.layers]
    said = title(viewer)
    assert len(np.unique(before.reshape(-1, 3), axis=0)) > 20
    write_session(gather(viewer), tmp_path / "session")
    viewer.layers.clear()
    viewer.reset_view()
    viewer.canvas.overlays["scale_bar"].visible = False
    assert np.abs(_picture(viewer) - before).max() > 50
    assert show_session(viewer, read_session(tmp_path / "session")) == []
    assert [one.name for one in viewer.layers] == names
    difference = np.abs(_picture(viewer) - before)
    assert (difference > 8).mean() < 1e-3, difference.max()
    assert title(viewer) == said
    again = viewer.layers["cells"]
    assert again is not layer
    show_values(viewer, again, cells_of(again), cells.obs["label"] / 3.0, name="third")
    assert "regions" not in [one.name for one in viewer.layers if one.visible]
    assert "half" in viewer.layers  # it was kept


def test_tables_selections_and_history_come_back(
    model: ViewerModel,
    image: MultiplexImage,
    labels: np.ndarray,
    cells: AnnData,
    tmp_path: Path,
) -> None:
    _fill(model, image, labels, cells)
    write_session(gather(model), tmp_path / "session")
    other = ViewerModel()
    assert show_session(other, read_session(tmp_path / "session")) == []
    layer = other.layers["cells"]
    table = cells_of(layer)
    assert table is measured_of(layer)
    assert table.obs["label"].tolist() == cells.obs["label"].tolist()
    np.testing.assert_array_equal(table.X, cells.X)
    assert reference_of(layer).shape == cells.shape
    np.testing.assert_array_equal(layer.data, labels)
    assert layer.data.dtype.kind in "iu"
    view = linked_of(layer)
    assert view.selections.current.tolist() == [3, 9, 12]
    assert view.selections.named["three"].tolist() == [3, 9, 12]
    assert view.colors == {"region": {"up": "#112233"}}
    history = history_of(layer)
    assert [step.kind for step in history.steps] == ["masks", "clean"]
    assert history.unsaved == 0
    assert other.layers["drawn"].shape_type == ["polygon"]
    assert other.layers.selection.active is layer
    assert tuple(other.scene.camera.center) == (0, 20, 31)


def test_a_second_save_takes_the_place_of_the_first(
    model: ViewerModel, labels: np.ndarray, tmp_path: Path
) -> None:
    model.add_labels(labels, name="cells")
    folder = write_session(gather(model), tmp_path / "session")
    model.layers["cells"].data[:8] = 7
    write_session(gather(model), folder)
    other = ViewerModel()
    show_session(other, read_session(folder))
    assert (other.layers["cells"].data[:8] == 7).all()
    assert [one.name for one in tmp_path.iterdir()] == ["session"]


def test_a_folder_with_other_things_is_refused(
    model: ViewerModel, labels: np.ndarray, tmp_path: Path
) -> None:
    model.add_labels(labels)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other things"):
        write_session(gather(model), tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_full_disk_leaves_the_old_session(
    model: ViewerModel, labels: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_gluer._napari.session import saving  # noqa: PLC0415

    model.add_labels(labels, name="cells")
    folder = write_session(gather(model), tmp_path / "session")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving, "write_arrays", full)
    with pytest.raises(InputError, match=r"No space left on device. Nothing was changed there"):
        write_session(gather(model), folder)
    assert read_session(folder).record["version"] == 1
    assert [one.name for one in tmp_path.iterdir()] == ["session"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('{"format": "napari-gluer session", "version": 2, "written_by": "9.0"}', "newer .*9.0"),
        ('{"format": "x", "version": 1}', "not a session"),
        ("{", "cannot be read as a session"),
    ],
)
def test_what_is_no_session_of_ours_is_refused(text: str, match: str, tmp_path: Path) -> None:
    (tmp_path / "session.json").write_text(text)
    with pytest.raises(InputError, match=match):
        read_session(tmp_path)


def test_a_changed_reference_is_left_out_and_said(
    model: ViewerModel, labels: np.ndarray, typed: Any, cells: AnnData, tmp_path: Path
) -> None:
    import napari_gluer as ng  # noqa: PLC0415

    atlas = tmp_path / "atlas.h5ad"
    typed.reference.write_h5ad(atlas)
    layer = model.add_labels(labels, name="cells")
    attach(layer, cells=cells, reference=ng.read_reference(atlas))
    folder = write_session(gather(model), tmp_path / "sessions" / "one")
    assert not list(folder.glob("reference*"))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "sessions").rename(moved / "sessions")
    atlas.rename(moved / "atlas.h5ad")  # found beside, as before
    other = ViewerModel()
    assert show_session(other, read_session(moved / "sessions" / "one")) == []
    assert reference_of(other.layers["cells"]).n_obs == typed.reference.n_obs
    typed.reference[:100].copy().write_h5ad(moved / "atlas.h5ad")
    again = ViewerModel()
    told = show_session(again, read_session(moved / "sessions" / "one"))
    assert len(told) == 1
    assert "no longer the file of the session" in told[0]
    assert reference_of(again.layers["cells"]) is None
    assert cells_of(again.layers["cells"]).n_obs == cells.n_obs
    record = json.loads((moved / "sessions" / "one" / "session.json").read_text())
    assert record["layers"][0]["reference"]["path"] == str(atlas)


def test_cells_that_were_painted_on_are_still_stale(
    model: ViewerModel, labels: np.ndarray, cells: AnnData, tmp_path: Path
) -> None:
    layer = show_labels(model, labels.copy(), name="cells")
    attach(layer, cells=cells, measured=cells, index=LabelIndex(labels))
    show_values(model, layer, cells, cells.obs["label"] / 2.0, name="half")
    layer.paint((7, 7), 6)  # on the cell 3
    stale = stale_of(layer).tolist()
    assert stale == [3, 6]
    write_session(gather(model), tmp_path / "session")
    other = ViewerModel()
    show_session(other, read_session(tmp_path / "session"))
    again = other.layers["cells"]
    np.testing.assert_array_equal(again.data, layer.data)
    assert stale_of(again).tolist() == stale
    before, after = (np.asarray(one.layers["half"].data) for one in (model, other))
    np.testing.assert_array_equal(before, after)


def test_a_blend_of_genes_comes_back(
    model: ViewerModel, labels: np.ndarray, cells: AnnData, tmp_path: Path
) -> None:
    layer = show_labels(model, labels, name="cells")
    attach(layer, cells=cells, measured=cells)
    for name in ("CD3", "CD20"):
        what = Paintable(name, Origin.MARKER)
        shown = values_shown(what, cells, numbers(what, cells, None), title=name)
        with_channel(layer, styled(shown, PaintStyle()), name)
    show_blend(model, layer)
    write_session(gather(model), tmp_path / "session")
    other = ViewerModel()
    assert show_session(other, read_session(tmp_path / "session")) == []
    again = other.layers["cells"]
    for before, after in zip(channels_of(layer), channels_of(again), strict=True):
        assert (before.what, before.color) == (after.what, after.color)
        np.testing.assert_array_equal(before.shown.values, after.shown.values)
    assert [one.name for one in other.layers] == [one.name for one in model.layers]
    other.layers["CD3 · magenta"].contrast_limits = (3, 4)
    assert channels_of(again)[0].shown.limits == (3, 4)


def test_it_opens_by_drag_and_drop(
    make_napari_viewer: Any, labels: np.ndarray, tmp_path: Path
) -> None:
    saved = ViewerModel()
    saved.add_labels(labels, name="cells", scale=(0.5, 0.5))
    saved.scene.camera.zoom = 13
    write_session(gather(saved), tmp_path / "session")
    viewer = make_napari_viewer()
    viewer.open(str(tmp_path / "session"), plugin="napari-gluer")
    np.testing.assert_array_equal(viewer.layers["cells"].data, labels)
    assert tuple(viewer.layers["cells"].scale) == (0.5, 0.5)
    assert viewer.scene.camera.zoom == 13
