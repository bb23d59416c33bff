"""Several tissue sections are integrated together, each with a result of its own."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach, cells_of, reference_of
from napari_gluer._napari.cells.edits import with_links
from napari_gluer._napari.steps.integrate import IntegrateStep

GENES = ["CD3E", "CD8A", "MS4A1", "CD19", "CD68", "CD163", "NKG7", "GNLY"]
TYPES = np.array(["T", "B", "macrophage", "NK"])


def _profiles(rng: np.random.Generator, kinds: np.ndarray) -> np.ndarray:
    """Log values in which each type has two genes of its own."""
    means = np.full((len(kinds), len(GENES)), 0.3)
    for i, kind in enumerate(kinds):
        means[i, 2 * kind : 2 * kind + 2] = 3
    return (means * rng.lognormal(0, 0.3, means.shape)).astype(np.float32)


@pytest.fixture
def reference() -> AnnData:
    rng = np.random.default_rng(5)
    kinds = rng.integers(0, 4, 240)
    names = pd.Index([f"r{i}" for i in range(240)])
    obs = pd.DataFrame({"cell_type": TYPES[kinds]}, index=names)
    table = AnnData(_profiles(rng, kinds), obs=obs, var=pd.DataFrame(index=GENES))
    slots.note(table, kind=slots.LOG1P)
    return table


def _section(cells: AnnData, seed: int) -> AnnData:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 4, cells.n_obs)
    obs = cells.obs[["label"]].assign(truth=TYPES[kinds])
    table = AnnData(_profiles(rng, kinds), obs=obs, var=pd.DataFrame(index=GENES))
    slots.note(table, kind=slots.LOG1P)
    return table


@pytest.fixture
def sections(
    model: ViewerModel, labels: np.ndarray, cells: AnnData, reference: AnnData
) -> list[Labels]:
    """Two layers, the second listed first and so chosen."""
    made = [model.add_labels(labels, name=name) for name in ("right", "left")]
    for seed, layer in enumerate(made):
        attach(layer, cells=_section(cells, seed), reference=reference)
    return made[::-1]


@pytest.fixture
def step(qtbot: Any, sections: list[Labels], model: ViewerModel) -> IntegrateStep:
    made = IntegrateStep(model)
    qtbot.addWidget(made)
    made.resize(320, 700)
    made.show()
    assert made.labels.value is sections[0]
    return made


def _tick(qtbot: Any, step: IntegrateStep, name: str) -> None:
    step.sections.fold(folded=False)
    items = step.others.findItems(name, Qt.MatchFlag.MatchStartsWith)
    place = step.others.visualItemRect(items[0])
    qtbot.mouseClick(
        step.others.viewport(),
        Qt.MouseButton.LeftButton,
        pos=place.topLeft() + QPoint(10, place.height() // 2),
    )


def test_two_sections_are_integrated_as_the_library_does(
    qtbot: Any, step: IntegrateStep, sections: list[Labels], reference: AnnData, run: Any
) -> None:
    before = [cells_of(layer) for layer in sections]
    _tick(qtbot, step, "right")
    assert step.sections._header.text.endswith("More tissue sections (1)")
    said = run(step)
    assert said.startswith(
        "64 cells of “left” and 64 of “right” integrated with 240 reference cells over 8 linked"
    )
    assert step.outcome.toolTip().splitlines()[1].startswith("right: 64 cells integrated")
    expected = ng.integrate(before, reference, seed=0)
    for layer, table in zip(sections, expected, strict=True):
        found = cells_of(layer)
        assert found.obs_names.equals(table.obs_names)
        np.testing.assert_array_equal(found.obsm[slots.EMBEDDING], table.obsm[slots.EMBEDDING])
        share = (found.obs["cell_type_transferred"] == found.obs["truth"]).mean()
        assert share > 0.9
    alone = ng.integrate(before[0], reference, seed=0)
    assert not np.allclose(expected[0].obsm[slots.EMBEDDING], alone.obsm[slots.EMBEDDING])


def test_a_cluster_is_the_same_in_every_section(
    qtbot: Any, step: IntegrateStep, sections: list[Labels], run: Any
) -> None:
    _tick(qtbot, step, "right")
    run(step)
    tables = [cells_of(layer).obs[["cluster", "truth"]] for layer in sections]
    every = pd.concat(tables, ignore_index=True).astype(str)
    together = pd.crosstab(every["cluster"], every["truth"])
    assert (together.max(axis=1) / together.sum(axis=1)).min() > 0.9
    for table in tables:  # and no cluster lies in one section alone
        assert set(table["cluster"].astype(str)) == set(together.index)
    assert every["cluster"].value_counts().index[0] == "1"


def test_one_section_stays_alone_unless_another_is_ticked(
    step: IntegrateStep, sections: list[Labels], run: Any
) -> None:
    other = cells_of(sections[1])
    assert step.sections.folded
    assert run(step).startswith("64 cells integrated with 240 reference cells over 8 linked")
    assert cells_of(sections[1]) is other
    assert slots.EMBEDDING in cells_of(sections[0]).obsm


def test_markers_left_out_of_any_section_do_not_link(
    qtbot: Any, step: IntegrateStep, sections: list[Labels], run: Any
) -> None:
    attach(sections[0], cells=with_links(cells_of(sections[0]), {"GNLY": False}))
    attach(sections[1], cells=with_links(cells_of(sections[1]), {"CD19": False}))
    _tick(qtbot, step, "right")
    assert "over 6 linked features" in run(step)
    for layer in sections:
        known = slots.info(cells_of(layer))
        assert json.loads(known["params"])["features"]["without"] == ["CD19", "GNLY"]
        assert set(json.loads(known["links"])) == set(GENES) - {"CD19", "GNLY"}
    assert "Not linked, left out by you: CD19, GNLY." in step.outcome.toolTip()


def test_a_marker_left_out_that_links_nothing_is_no_error(
    step: IntegrateStep, sections: list[Labels], run: Any
) -> None:
    table = cells_of(sections[0])
    extra = AnnData(
        np.c_[table.X, table.X[:, :1]], obs=table.obs, var=pd.DataFrame(index=[*GENES, "mystery"])
    )
    slots.note(extra, kind=slots.LOG1P)
    attach(sections[0], cells=with_links(extra, {"mystery": False, "CD19": False}))
    assert "over 7 linked features" in run(step)


@pytest.mark.parametrize(
    ("lacks", "says"),
    [
        ("cells", "“right” is not measured yet. Do Plugins ▸ GLUER ▸ Cells first."),
        ("reference", "“right” has no reference yet. Open one in Plugins ▸ GLUER ▸ Reference"),
    ],
)
@pytest.mark.usefixtures("notified")
def test_sections_that_lack_something_are_named(
    qtbot: Any, step: IntegrateStep, sections: list[Labels], run: Any, lacks: str, says: str
) -> None:
    _tick(qtbot, step, "right")
    held = sections[1].metadata["gluer"]
    sections[1].metadata = {"gluer": {key: one for key, one in held.items() if key != lacks}}
    before = cells_of(sections[0])
    assert says in run(step)
    assert cells_of(sections[0]) is before


def test_sections_with_different_references_are_refused(
    qtbot: Any, step: IntegrateStep, sections: list[Labels], reference: AnnData, run: Any
) -> None:
    _tick(qtbot, step, "right")
    attach(sections[1], reference=reference[:200].copy())
    assert "“right” has another reference than “left”" in run(step)


def test_a_file_opened_twice_is_one_reference(
    qtbot: Any, step: IntegrateStep, sections: list[Labels], reference: AnnData, run: Any
) -> None:
    _tick(qtbot, step, "right")
    for layer in sections:
        opened = reference.copy()
        slots.note(opened, sha256="ab12")
        attach(layer, reference=opened)
    assert "64 cells of “left” and 64 of “right”" in run(step)
    for layer in sections:  # each can be painted with its own
        assert ng.impute(cells_of(layer), reference_of(layer), "GNLY").shape == (64,)


def test_the_others_keep_their_result_where_one_layer_is_removed(
    qtbot: Any, step: IntegrateStep, sections: list[Labels], model: ViewerModel, finish: Any
) -> None:
    _tick(qtbot, step, "right")
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)
    model.layers.remove(sections[1])
    said = finish(step)
    assert said.startswith("The layer “right” is gone; the result was discarded. 64 cells")
    assert slots.EMBEDDING in cells_of(sections[0]).obsm


def test_without_other_layers_no_sections_are_offered(
    step: IntegrateStep, sections: list[Labels], model: ViewerModel
) -> None:
    assert step.sections.visible
    model.layers.remove(sections[1])
    assert not step.sections.visible
