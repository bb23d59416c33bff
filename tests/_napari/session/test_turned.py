"""A session of a volume opened again turns between slices and 3-D as the one that was saved."""

from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_gluer._napari.attached import attach
from napari_gluer._napari.paintables import Origin, Paintable, numbers
from napari_gluer._napari.painting.looks import values_shown
from napari_gluer._napari.painting.painter import Canvas, paint
from napari_gluer._napari.session.reading import read_session
from napari_gluer._napari.session.restoring import show_session
from napari_gluer._napari.session.saving import gather, write_session


@pytest.mark.parametrize("saved", [2, 3])
def test_a_restored_volume_follows_the_view(
    model: ViewerModel, labels: np.ndarray, cells: AnnData, tmp_path: Path, saved: int
) -> None:
    stack = np.stack([labels, labels, np.zeros_like(labels)])
    layer = model.add_labels(stack, name="stack", scale=(2, 0.5, 0.5))
    attach(layer, cells=cells)
    what = Paintable("label", Origin.NUMBER)
    shown = values_shown(what, cells, numbers(what, cells, None), title="label")
    (painted,) = paint(model, [Canvas(layer, shown)], "label")
    flat = np.asarray(painted.data).copy()
    model.dims.ndisplay = saved
    write_session(gather(model), tmp_path / "session")

    other = ViewerModel()
    assert show_session(other, read_session(tmp_path / "session")) == []
    again = other.layers[painted.name]
    assert isinstance(again, Image)
    for ndisplay in (2, 3, 2):
        other.dims.ndisplay = ndisplay
        if ndisplay == 2:
            np.testing.assert_array_equal(np.asarray(again.data), flat)
        else:
            assert np.isnan(np.asarray(again.data)).all()
            bodies = other.layers["cells in 3-D"]
            assert isinstance(bodies, Labels)
            np.testing.assert_array_equal(np.asarray(bodies.data) > 0, stack > 0)
