"""The view at print size: its scale is right, and it says what it shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.colormaps import ensure_colormap
from PIL import Image as Picture
from qtpy.QtWidgets import QFileDialog

from napari_gluer import slots
from napari_gluer._napari.attached import attach
from napari_gluer._napari.linked import Shown, linked_of
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.plots.save_view import save_view, shown_labels, write_view
from napari_gluer._napari.plots.view import caption_of, keys_of, take_picture
from napari_gluer.errors import InputError
from napari_gluer.figures.params import SINGLE_COLUMN, FigureParams

GENE = Paintable("CD8A", Origin.GENE)


def gene_shown(**more: Any) -> Shown:
    return Shown(
        what=GENE,
        title="CD8A: imputed, log1p of counts per 10,000",
        labels=np.array([3, 6, 9, 12]),
        values=np.array([0.5, 2.0, np.nan, np.nan], np.float32),
        unmatched=np.array([False, False, True, False]),
        limits=(0.0, 4.0),
        unit="log1p",
        **more,
    )


def test_values_become_a_colour_bar_and_unmatched_a_legend() -> None:
    key, groups = keys_of(gene_shown(colormap="magma", gamma=0.5))
    assert key is not None
    assert (key.limits, key.gamma, key.label) == ((0, 4), 0.5, "CD8A (log1p)")
    colors = np.asarray(ensure_colormap("magma").map([0.0, 1.0]))
    np.testing.assert_allclose(key.colors[[0, -1]], colors)
    assert [(one.name, one.count) for one in groups] == [("unmatched", 1)]


def test_categories_become_a_legend_of_those_that_have_cells() -> None:
    shown = Shown(
        what=Paintable("cluster", Origin.CLUSTER),
        title="clusters",
        labels=np.arange(1, 6),
        codes=np.array([0, 0, 2, 3, -1]),
        names=("1", "2", "3", "unmatched"),
        colors=("#111111", "#222222", "#333333", "#8A8A8A"),
        unmatched=np.array([False, False, False, True, False]),
    )
    key, groups = keys_of(shown)
    assert key is None
    assert [(one.name, one.count) for one in groups] == [("1", 2), ("3", 1), ("unmatched", 1)]
    assert keys_of(None) == (None, [])


def test_the_caption_says_what_is_shown_and_how_it_came_about(
    model: ViewerModel, labels: np.ndarray, cells: Any
) -> None:
    slots.note(
        cells, seed=7, params='{"preset":"paper"}', outcome="joined", reference_path="a.h5ad"
    )
    layer = model.add_labels(labels, name="masks")
    model.add_image(labels, name="DAPI", contrast_limits=(5, 90), colormap="gray")
    attach(layer, cells=cells)
    opacity = np.array([1, 0.2, 0, 1], np.float32)
    linked_of(layer).show(gene_shown(opacity=opacity))
    text = caption_of(model, layer)
    for line in (
        "# CD8A: imputed, log1p of counts per 10,000",
        "- colours: viridis from 0 to 4; unit: log1p",
        "- cells with a value: 2 of 4",
        "- unmatched cells, in grey: 1",
        "- faded: 1 cells; hidden: 1 cells",
        "- cells in the table: 64",
        "- seed: 7",
        '- parameters: {"preset":"paper"}',
        "- reference: a.h5ad",
        "- image “DAPI”: gray, 5 to 90",
    ):
        assert line in text.splitlines()
    assert "napari-gluer 0.1.0" in text


def test_a_viewer_without_a_window_has_no_view(model: ViewerModel, labels: np.ndarray) -> None:
    layer = model.add_labels(labels)
    with pytest.raises(InputError, match="no window"):
        take_picture(model, layer, SINGLE_COLUMN)
    with pytest.raises(InputError, match="no labels layer"):
        shown_labels(ViewerModel())


def test_the_layer_that_is_painted_is_meant(model: ViewerModel, labels: np.ndarray) -> None:
    first, _ = model.add_labels(labels), model.add_labels(labels)
    linked_of(first).show(gene_shown())
    assert shown_labels(model) is first


@pytest.fixture
def window(make_napari_viewer: Callable[..., Any]) -> Any:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(900, 700)
    return viewer


def _square(viewer: Any) -> Any:
    """A white square of 100 × 100 pixels of half a µm, in a dark field of 300 × 400."""
    field = np.zeros((300, 400), np.uint8)
    field[100:200, 150:250] = 255
    viewer.add_image(field, scale=(0.5, 0.5), units=("um", "um"), contrast_limits=(0, 255))
    labels = np.zeros((300, 400), int)
    labels[100:200, 150:250] = 3
    layer = viewer.add_labels(labels, scale=(0.5, 0.5), units=("um", "um"), opacity=0)
    viewer.reset_view()
    return layer


@pytest.mark.parametrize("dpi", [100, 500])
@pytest.mark.parametrize("zoom", [1.0, 2.3])
def test_lengths_in_the_picture_are_right(window: Any, dpi: int, zoom: float) -> None:
    layer = _square(window)
    camera = window.scene.camera
    camera.zoom *= zoom
    before = (camera.zoom, camera.center)
    found = take_picture(window, layer, FigureParams(width_mm=100, dpi=dpi))
    assert found.unit == "µm"
    assert found.pixel is not None
    white = found.pixels[:, :, 0] > 128
    across = white.any(axis=0).sum() * found.pixel
    down = white.any(axis=1).sum() * found.pixel
    assert across == pytest.approx(50, abs=2.5 * found.pixel)
    assert down == pytest.approx(50, abs=2.5 * found.pixel)
    assert (camera.zoom, camera.center) == before
    if dpi == 500:
        assert found.pixels.shape[1] > 1000
    if zoom == 1:  # the dark field around the image is left out
        rows, columns = found.pixels.shape[:2]
        assert columns / rows == pytest.approx(4 / 3, rel=0.02)


def test_the_view_is_written_with_its_caption(window: Any, tmp_path: Path) -> None:
    layer = _square(window)
    linked_of(layer).show(gene_shown())
    overlay = window.canvas.overlays["text"]
    overlay.text, overlay.visible = "a title", True
    for ending in ("png", "svg", "pdf"):
        files = write_view(window, layer, tmp_path / f"view.{ending}", SINGLE_COLUMN)
        assert [one.name for one in files] == [f"view.{ending}", "view.md"]
    assert overlay.visible
    with Picture.open(tmp_path / "view.png") as picture:
        assert picture.width == pytest.approx(85 / 25.4 * 300, abs=1)
    svg = (tmp_path / "view.svg").read_text()
    assert "µm" in svg
    assert "CD8A (log1p)" in svg
    assert "data:image/png" in svg
    assert "CD8A" in (tmp_path / "view.md").read_text()


def test_the_menus_command_asks_for_a_name(
    window: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notified: list[Any]
) -> None:
    save_view(window)
    assert "no labels layer" in notified[-1].message
    _square(window)
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "v"), "PNG (*.png)")
    )
    save_view(window)
    assert {one.name for one in tmp_path.iterdir()} == {"v.png", "v.md"}
    assert "Saved v.png and v.md." in notified[-1].message
