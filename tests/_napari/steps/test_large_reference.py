"""Of a large file a part is offered before anything is read, and what was read is said."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt

import napari_gluer as ng
from napari_gluer._napari.attached import attach, reference_metadata, reference_of
from napari_gluer._napari.references import large_file
from napari_gluer._napari.steps import reference as reference_step
from napari_gluer._napari.steps.reference import ReferenceStep

N_CELLS = 600


@pytest.fixture
def atlas(tmp_path: Path) -> Path:
    """600 cells, of which 12 are of a rare type."""
    rng = np.random.default_rng(0)
    kinds = np.repeat(["T", "B", "rare"], [400, 188, 12])
    obs = pd.DataFrame(
        {"donor": pd.Categorical(rng.choice(["a", "b"], N_CELLS)), "cell_type": kinds},
        index=[f"c{i}" for i in range(N_CELLS)],
    )
    obs["cell_type"] = pd.Categorical(obs["cell_type"])
    genes = pd.DataFrame(index=["CD3", "MS4A1", "CD20"])
    counts = rng.poisson(2, (N_CELLS, 3)).astype(np.float32)
    AnnData(counts, obs=obs, var=genes).write_h5ad(tmp_path / "atlas.h5ad")
    return tmp_path / "atlas.h5ad"


@pytest.fixture
def masks(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> Labels:
    layer = model.add_labels(labels, name="masks")
    attach(layer, cells=cells)
    return layer


@pytest.fixture
def step(
    qtbot: Any, masks: Labels, model: ViewerModel, monkeypatch: pytest.MonkeyPatch
) -> ReferenceStep:
    for module in (large_file, reference_step):
        monkeypatch.setattr(module, "LARGE", 500)
    opened = ReferenceStep(model)
    qtbot.addWidget(opened)
    opened.resize(320, 700)
    opened.show()
    return opened


def _open(qtbot: Any, step: ReferenceStep, finish: Any) -> str:
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)
    return str(finish(step))


def test_nothing_is_read_before_a_part_is_chosen(
    qtbot: Any, step: ReferenceStep, masks: Labels, atlas: Path, finish: Any, monkeypatch: Any
) -> None:
    read: list[Any] = []
    monkeypatch.setattr(ng, "read_reference", lambda *_, **__: read.append(1), raising=False)
    assert not step.large.isVisible()
    step.path.setText(str(atlas))
    said = _open(qtbot, step, finish)
    assert said == "A large file: choose how many cells to use, then open it."
    assert read == []
    assert reference_of(masks) is None
    assert step.large.isVisible()
    assert "atlas.h5ad holds <b>600</b> cells" in step.large.said.text()
    shown = [step.large.by.itemText(i) for i in range(step.large.by.count())]
    assert shown == ["none", "donor (2)", "cell_type (3)"]
    assert step.large.by.currentData() == "cell_type"


def test_a_part_is_read_in_proportion_to_the_types(
    qtbot: Any, step: ReferenceStep, masks: Labels, atlas: Path, finish: Any
) -> None:
    step.path.setText(str(atlas))
    _open(qtbot, step, finish)
    step.large.form.rows["n_cells"].widget.value = 120
    step.large.form.rows["least"].widget.value = 5
    assert "Reference with 120 cells attached" in _open(qtbot, step, finish)
    opened = reference_of(masks)
    # 5 of each, and 105 among the other 395, 183 and 7
    assert opened.obs["cell_type"].value_counts().to_dict() == {"T": 76, "B": 38, "rare": 6}
    assert "120 of 600 cells drawn" in step.facts.text()


def test_a_part_may_be_drawn_from_all_alike(
    qtbot: Any, step: ReferenceStep, masks: Labels, atlas: Path, finish: Any
) -> None:
    step.path.setText(str(atlas))
    _open(qtbot, step, finish)
    step.large.by.setCurrentIndex(0)
    step.large.form.rows["n_cells"].widget.value = 50
    assert "Reference with 50 cells attached" in _open(qtbot, step, finish)
    expected = ng.read_reference(atlas, ng.SubsampleParams(n_cells=50))
    assert reference_of(masks).obs_names.equals(expected.obs_names)


def test_the_question_belongs_to_its_file(
    qtbot: Any, step: ReferenceStep, model: ViewerModel, masks: Labels, atlas: Path, finish: Any
) -> None:
    step.path.setText(str(atlas))
    _open(qtbot, step, finish)
    reference = AnnData(np.ones((4, 2), np.float32))
    other = model.add_labels(masks.data, metadata=reference_metadata(reference))
    step.source.choose(other)
    assert not step.large.isVisible()
    step.source.choose(reference_step.Source.FILE)
    assert step.large.isVisible()
    step.path.setText("other.h5ad")
    assert not step.large.isVisible()


def test_a_small_file_is_opened_at_once(
    qtbot: Any, step: ReferenceStep, masks: Labels, atlas: Path, finish: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(reference_step, "LARGE", N_CELLS)
    step.path.setText(str(atlas))
    assert "Reference with 600 cells attached" in _open(qtbot, step, finish)
    assert reference_of(masks).n_obs == N_CELLS
    assert not step.large.isVisible()
