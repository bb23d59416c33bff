"""A reference is opened, described and attached, or refused in words."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QDialogButtonBox

from napari_gluer._napari.attached import (
    attach,
    cells_of,
    measured_of,
    reference_metadata,
    reference_of,
)
from napari_gluer._napari.cells.edits import left_out
from napari_gluer._napari.steps.reference import ReferenceStep, Source


@pytest.fixture
def masks(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> Labels:
    layer = model.add_labels(labels, name="masks")
    attach(layer, cells=cells)
    return layer


@pytest.fixture
def step(qtbot: Any, masks: Labels, model: ViewerModel) -> ReferenceStep:
    opened = ReferenceStep(model)
    qtbot.addWidget(opened)
    opened.show()
    return opened


def _atlas(path: Path, genes: list[str], values: np.ndarray | None = None) -> Path:
    counts = np.random.default_rng(0).poisson(2, (40, len(genes))).astype(np.float32)
    names = [f"cell{i}" for i in range(40)]
    obs = pd.DataFrame({"type": ["T", "B"] * 20, "name": names, "n": 1.0}, index=names)
    table = AnnData(counts if values is None else values, obs=obs, var=pd.DataFrame(index=genes))
    table.write_h5ad(path)
    return path


def _open(qtbot: Any, step: ReferenceStep, path: object) -> None:
    step.path.setText(str(path))
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)


def test_a_reference_is_described_and_attached(
    qtbot: Any, step: ReferenceStep, masks: Labels, tmp_path: Path, finish: Any
) -> None:
    _open(qtbot, step, _atlas(tmp_path / "atlas.h5ad", ["CD3", "MS4A1", "CD20"]))
    assert finish(step) == ("Reference with 40 cells attached; 2 linked features. Next: Integrate.")
    assert reference_of(masks).n_obs == 40
    text = step.facts.text()
    for part in ("<b>40</b> cells", "<b>3</b> genes", "counts in X", "type (2)"):
        assert part in text
    rows = [step.links.topLevelItem(i) for i in range(step.links.topLevelItemCount())]
    assert [(row.text(0), row.text(1)) for row in rows] == [("CD3", "CD3"), ("CD20", "CD20")]


def _rows(step: ReferenceStep) -> dict[str, tuple[str, str]]:
    items = [step.links.topLevelItem(i) for i in range(step.links.topLevelItemCount())]
    return {item.text(0): (item.text(1), item.text(2)) for item in items}


def test_what_links_and_what_does_not_is_shown_with_the_reason(
    qtbot: Any, step: ReferenceStep, tmp_path: Path, finish: Any
) -> None:
    counts = np.random.default_rng(0).poisson(5, (40, 2)).astype(np.float32)
    counts[:30, 1] = 0
    counts[30:, 1] = 1
    atlas = _atlas(tmp_path / "atlas.h5ad", ["CD8A", "MS4A1"], counts)
    _open(qtbot, step, atlas)
    assert "1 linked features" in finish(step)
    assert _rows(step)["CD20"] == ("MS4A1", "25.0%")
    item = step.links.findItems("CD20", Qt.MatchFlag.MatchExactly, 0)[0]
    assert item.toolTip(2) == "CD20\nMS4A1\nin 25.0% of cells (alias)"
    assert _rows(step)["CD3"] == ("", "no gene known")
    assert list(_rows(step)) == ["CD20", "CD3"]


def test_genes_are_edited_where_the_links_are_seen(
    qtbot: Any, step: ReferenceStep, masks: Labels, tmp_path: Path, finish: Any
) -> None:
    assert step.edit.isEnabled()
    _open(qtbot, step, _atlas(tmp_path / "atlas.h5ad", ["LCK", "MS4A1"]))
    finish(step)
    assert _rows(step)["CD3"][1] == "no gene known"
    qtbot.mouseClick(step.edit, Qt.MouseButton.LeftButton)
    model = step.markers.model
    row = [one.channel for one in model.rows].index("CD3")
    model.setData(model.index(row, 2), "LCK")
    save = step.markers.buttons.button(QDialogButtonBox.StandardButton.Save)
    qtbot.mouseClick(save, Qt.MouseButton.LeftButton)
    assert _rows(step)["CD3"][0] == "LCK"
    item = step.links.findItems("CD3", Qt.MatchFlag.MatchExactly, 0)[0]
    assert item.toolTip(2).endswith("of cells (edited)")
    assert cells_of(masks).var.loc["CD3", "genes"] == "LCK"
    assert step.outcome.text().startswith("1 channel changed")


def test_it_is_shown_again_when_its_labels_are_chosen(
    qtbot: Any, step: ReferenceStep, model: ViewerModel, masks: Labels, tmp_path: Path, finish: Any
) -> None:
    _open(qtbot, step, _atlas(tmp_path / "atlas.h5ad", ["CD3", "CD20"]))
    finish(step)
    other = model.add_labels(masks.data, name="other")
    step.labels.choose(other)
    assert not step.facts.isVisible()
    assert step.links.topLevelItemCount() == 0
    step.labels.choose(masks)
    assert "<b>40</b>" in step.facts.text()


def test_the_reference_of_another_layer_is_used_without_a_file(
    qtbot: Any, step: ReferenceStep, model: ViewerModel, masks: Labels, cells: AnnData, run: Any
) -> None:
    assert step.source.value is Source.FILE
    cells.X[:] = np.abs(cells.X)
    other = model.add_labels(masks.data, metadata=reference_metadata(cells))
    step.source.choose(other)
    assert not step.path.isVisible()
    assert step.run.text() == "Use this reference"
    assert "64 cells attached" in run(step)
    assert reference_of(masks) is cells
    step.path.setText("atlas.h5ad")
    assert step.source.value is Source.FILE


def test_a_reference_that_is_there_is_offered_first(
    qtbot: Any, model: ViewerModel, masks: Labels, cells: AnnData
) -> None:
    other = model.add_labels(masks.data, metadata=reference_metadata(cells))
    step = ReferenceStep(model)
    qtbot.addWidget(step)
    step.labels.choose(masks)
    assert step.source.itemData(0) is other
    assert step.source.itemText(1) == "an .h5ad file"


def _scaled(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    return _atlas(tmp_path / "scaled.h5ad", ["CD3", "CD20"], values)


def _text(tmp_path: Path) -> Path:
    (tmp_path / "text.h5ad").write_text("no table")
    return tmp_path / "text.h5ad"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_scaled, "no usable expression"),
        (_text, "text.h5ad"),
        (lambda folder: folder / "missing.h5ad", "missing.h5ad"),
        (lambda folder: _atlas(folder / "other.h5ad", ["Gad1", "Sst"]), "No feature of the cells"),
        (lambda _: "", "Choose an .h5ad file first."),
    ],
)
def test_what_cannot_serve_is_refused_in_words(
    step: ReferenceStep, tmp_path: Path, notified: list[Any], run: Any, make: Any, says: str
) -> None:
    step.path.setText(str(make(tmp_path)))
    assert says in run(step)
    assert [one.severity.value for one in notified] == ["warning"]
    assert reference_of(step.labels.value) is None


def test_without_labels_the_way_on_is_told(qtbot: Any, notified: list[Any], qapp: object) -> None:
    step = ReferenceStep(ViewerModel())
    qtbot.addWidget(step)
    _open(qtbot, step, "atlas.h5ad")
    assert "Start with Plugins ▸ GLUER ▸ Cells" in notified[0].message


def _click_tick(qtbot: Any, step: ReferenceStep, marker: str) -> None:
    items = step.links.findItems(marker, Qt.MatchFlag.MatchExactly, 0)
    place = step.links.visualItemRect(items[0])
    qtbot.mouseClick(
        step.links.viewport(),
        Qt.MouseButton.LeftButton,
        pos=place.topLeft() + QPoint(10, place.height() // 2),
    )


def test_a_marker_is_left_out_by_a_click_and_taken_back(
    qtbot: Any, step: ReferenceStep, masks: Labels, tmp_path: Path, finish: Any
) -> None:
    _open(qtbot, step, _atlas(tmp_path / "atlas.h5ad", ["CD3", "MS4A1", "CD20"]))
    finish(step)
    _click_tick(qtbot, step, "CD20")
    assert step.outcome.text() == "CD20 is left out: 1 linked features. Now Integrate."
    assert left_out(cells_of(masks)) == ["CD20"]
    assert _rows(step)["CD20"][1] == "left out by you"
    step._show_attached()
    assert _rows(step)["CD20"][1] == "left out by you"
    _click_tick(qtbot, step, "CD20")
    assert step.outcome.text() == "CD20 links again: 2 linked features. Now Integrate."
    assert left_out(cells_of(masks)) == []
    assert _rows(step)["CD20"][1].endswith("%")


def test_what_is_left_out_stays_so_with_another_reference(
    qtbot: Any, step: ReferenceStep, masks: Labels, tmp_path: Path, finish: Any
) -> None:
    measured = cells_of(masks).copy()
    attach(masks, measured=measured)
    _open(qtbot, step, _atlas(tmp_path / "atlas.h5ad", ["CD3", "MS4A1", "CD20"]))
    finish(step)
    _click_tick(qtbot, step, "CD3")
    assert left_out(measured_of(masks)) == ["CD3"]
    assert left_out(measured) == []
    _open(qtbot, step, _atlas(tmp_path / "other.h5ad", ["CD3", "MS4A1"]))
    assert "1 linked features" in finish(step)
