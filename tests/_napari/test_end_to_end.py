"""The four steps on the sample, by clicks, to a pixel that has the colour of an imputed value."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.utils.notifications import Notification
from qtpy.QtCore import Qt

import napari_gluer as ng
from napari_gluer._napari import sample_data
from napari_gluer._napari.attached import cells_of, reference_of
from napari_gluer._napari.captions import title
from napari_gluer._napari.steps.reference import Source

PLUGIN = "napari-gluer"
GENE = "NKG7"


@pytest.fixture
def viewer(make_napari_viewer: Any, monkeypatch: pytest.MonkeyPatch, tissue: Any) -> Any:
    monkeypatch.setattr(sample_data, "_tissue", lambda: tissue)
    opened = make_napari_viewer(show=True)
    opened.window.resize(1280, 800)
    opened.open_sample(PLUGIN, "tissue")
    return opened


def _step(viewer: Any, name: str) -> Any:
    _, step = viewer.window.add_plugin_dock_widget(PLUGIN, name)
    return step


def _run(qtbot: Any, step: Any, finish: Any) -> str:
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)
    return str(finish(step))


def _pick(qtbot: Any, step: Any, text: str, finish: Any) -> str:
    step.search_box.clear()
    qtbot.keyClicks(step.search_box, text)
    qtbot.keyClick(step.search_box, Qt.Key.Key_Return)
    return str(finish(step))


def _centre(viewer: Any, place: np.ndarray, zoom: float) -> np.ndarray:
    """The colour in the middle of the canvas when it looks at a place, 0 to 255."""
    viewer.scene.camera.center = (0, *place)
    viewer.scene.camera.zoom = zoom
    picture = viewer.screenshot(canvas_only=True, flash=False)
    return picture[picture.shape[0] // 2, picture.shape[1] // 2, :3].astype(int)


def _inner_pixel(labels: np.ndarray, label: int) -> np.ndarray:
    """A pixel of the cell that is far from its rim."""
    places = np.argwhere(labels == label)
    return places[np.argmin(np.abs(places - places.mean(axis=0)).sum(axis=1))]


def test_from_image_to_a_gene_painted_on_it(
    qtbot: Any, viewer: Any, tissue: Any, finish: Any, tmp_path: Path, notified: list[Notification]
) -> None:
    tissue.reference.write_h5ad(tmp_path / "atlas.h5ad")
    cells_step = _step(viewer, "Cells")
    assert "cells" in _run(qtbot, cells_step, finish)
    masks = viewer.layers["cells"]
    assert cells_of(masks).n_obs > 2000

    reference_step = _step(viewer, "Reference")
    reference_step.path.setText(str(tmp_path / "atlas.h5ad"))
    assert reference_step.source.value is Source.FILE
    assert "linked features" in _run(qtbot, reference_step, finish)
    assert reference_of(masks).n_obs == tissue.reference.n_obs

    integrate_step = _step(viewer, "Integrate")
    assert "cells integrated" in _run(qtbot, integrate_step, finish)

    explore_step = _step(viewer, "Explore")
    assert f"{GENE}: imputed" in _pick(qtbot, explore_step, GENE, finish)
    assert title(viewer) == f"{GENE}: imputed, log1p of counts per 10,000"
    _check_pixels(viewer, masks, GENE)

    assert "cell_type" in _pick(qtbot, explore_step, "cell_type", finish)
    assert explore_step.legend.topLevelItemCount() >= 5
    qtbot.waitUntil(lambda: explore_step.parentWidget().windowTitle() == "Explore")

    _check_cancel(qtbot, integrate_step, masks)
    assert not [one for one in notified if one.severity.value in ("warning", "error")]


def _check_pixels(viewer: Any, masks: Any, gene: str) -> None:
    cells = cells_of(masks)
    values = ng.impute(cells, reference_of(masks), gene)
    layer = viewer.layers[f"{gene} (imputed)"]
    for other in viewer.layers:
        other.visible = other is layer
    layer.colorbar.visible = False
    low, high = layer.contrast_limits
    for row in (int(np.argmax(values)), int(np.argsort(values)[len(values) // 2])):
        pixel = _inner_pixel(masks.data, cells.obs["label"].iloc[row])
        shown = _centre(viewer, masks.data_to_world(pixel), 40)
        share = np.clip((values[row] - low) / (high - low), 0, 1)
        expected = layer.colormap.map(np.array([share]))[0, :3] * 255
        np.testing.assert_allclose(shown, expected, atol=4)
    ground = _centre(viewer, masks.data_to_world((2, 2)), 40)
    layer.visible = False
    np.testing.assert_array_equal(ground, _centre(viewer, masks.data_to_world((2, 2)), 40))


def _check_cancel(qtbot: Any, step: Any, masks: Any) -> None:
    """The window answers at once, the work ends soon, and the last result stays."""
    before: AnnData = cells_of(masks)
    step.parentWidget().raise_()
    step.form.rows["preset"].widget.value = "paper"
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)
    job = step._running.job
    ended: list[float] = []
    job.finished.connect(lambda: ended.append(time.monotonic()))
    qtbot.waitUntil(lambda: step.progress.value() > 0, timeout=20_000)
    asked = time.monotonic()
    qtbot.mouseClick(step.cancel, Qt.MouseButton.LeftButton)
    assert time.monotonic() - asked < 0.2
    assert not step.busy
    qtbot.waitUntil(lambda: bool(ended), timeout=5000)
    assert ended[0] - asked < 2
    assert cells_of(masks) is before
