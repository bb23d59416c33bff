"""The demo's window: a result shown with its channels, cells, types and an imputed gene."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

import napari_gluer as ng
from napari_gluer._napari import showing
from napari_gluer._napari.attached import cells_of, reference_of
from napari_gluer.pipeline import Result

QUICK = ng.PipelineParams(genes=("NKG7",), integrate={"network": {"max_epochs": 2}})


@pytest.fixture(scope="module")
def result(tissue: Any, tmp_path_factory: pytest.TempPathFactory) -> Result:
    out = tmp_path_factory.mktemp("shown")
    return ng.run(ng.Inputs(tissue.image, tissue.reference, tissue.labels), out, QUICK)


def test_both_pictures_are_saved_and_differ(
    result: Result, tissue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: Any
) -> None:
    monkeypatch.setenv("NAPARI_GLUER_VIRTUAL_DISPLAY", "1")
    files = showing.show_demo(result, tissue, "How right it is", tmp_path)
    assert [path.name for path in files] == ["napari_types.png", "napari_gene.png"]
    types, gene = (imread(path)[..., :3] for path in files)
    assert types.shape == gene.shape
    assert np.abs(types - gene).mean() > 0.01


def test_the_result_is_on_the_layers(result: Result, tissue: Any, make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    labels = showing.add_result(viewer, result, tissue)
    assert cells_of(labels).n_obs == result.cells.n_obs
    assert reference_of(labels) is tissue.reference
    assert len(viewer.layers) == len(tissue.image.channels) + 1
    np.testing.assert_allclose(labels.scale, viewer.layers[0].scale)


def test_a_screen_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", ":5")
    assert showing.can_show()
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not showing.can_show()
    monkeypatch.setattr("sys.platform", "darwin")
    assert showing.can_show()
