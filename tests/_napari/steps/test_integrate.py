"""The integration runs with the parameters shown, and stops when asked."""

import time
from threading import Event
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach, cells_of
from napari_gluer._napari.cells.editing import keep_links
from napari_gluer._napari.cells.edits import left_out
from napari_gluer._napari.forms import read
from napari_gluer._napari.steps.integrate import IntegrateStep
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.track import Track

_GIVEN = {"params": IntegrateParams().model_dump_json(), "seed": 0}

pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture
def masks(model: ViewerModel, labels: np.ndarray, cells: AnnData) -> Labels:
    layer = model.add_labels(labels, name="masks")
    attach(layer, cells=cells, reference=cells.copy())
    return layer


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """An integration that gives its cells back."""
    monkeypatch.setattr(ng, "integrate", lambda cells, *_, **__: cells.copy(), raising=False)
    monkeypatch.setattr(ng, "transfer_labels", lambda cells, *_: cells.obs[[]], raising=False)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Event:
    """An integration that gives its cells back once the event is set."""
    go_on = Event()

    def integrate(cells: AnnData, *_: Any, **__: Any) -> AnnData:
        assert go_on.wait(20)
        result = cells.copy()
        slots.note(result, outcome="integrated", links="{}", **_GIVEN)
        slots.note(result, **{slots.REFERENCE_NAMES: np.array(["a"])})
        result.obsm[slots.EMBEDDING] = np.random.default_rng(0).normal(size=(cells.n_obs, 3))
        return result

    monkeypatch.setattr(ng, "integrate", integrate, raising=False)
    monkeypatch.setattr(ng, "transfer_labels", lambda cells, *_: cells.obs[[]], raising=False)
    return go_on


@pytest.fixture
def step(qtbot: Any, masks: Labels, model: ViewerModel) -> IntegrateStep:
    made = IntegrateStep(model)
    qtbot.addWidget(made)
    made.show()
    return made


def _run(qtbot: Any, step: IntegrateStep) -> None:
    qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)


def test_presets_fill_the_form(step: IntegrateStep) -> None:
    assert read(IntegrateParams, step.form) == IntegrateParams()
    step.form.rows["preset"].widget.value = "paper"
    assert read(IntegrateParams, step.form) == IntegrateParams(preset="paper")
    assert step.form.rows["network"].widget.rows["learning_rate"].widget.value == "0.0001"


def test_it_runs_with_what_is_shown(
    qtbot: Any, step: IntegrateStep, masks: Labels, monkeypatch: pytest.MonkeyPatch, finish: Any
) -> None:
    seen: list[Any] = []

    def integrate(cells: AnnData, _reference: AnnData, params: Any, **kwargs: Any) -> AnnData:
        seen.extend([params, kwargs["seed"]])
        result = cells.copy()
        slots.note(result, outcome="integrated", links='{"CD3": "CD3"}', **_GIVEN)
        slots.note(result, **{slots.REFERENCE_NAMES: np.array(["a", "b"])})
        result.obs[slots.UNMATCHED] = np.arange(result.n_obs) < 2
        return result

    monkeypatch.setattr(ng, "integrate", integrate, raising=False)
    monkeypatch.setattr(
        ng,
        "transfer_labels",
        lambda cells, _, name: cells.obs[[name]].add_suffix("_transferred"),
        raising=False,
    )
    step.cluster.setChecked(False)
    step.seed.value = 7
    step.form.rows["anchors"].widget.rows["n_neighbors"].widget.value = 11
    _run(qtbot, step)
    assert finish(step) == (
        "64 cells integrated with 2 reference cells over 1 linked features. "
        "2 cells have no signal and stay unmatched. Next: Explore. (Point here for details.)"
    )
    assert step.outcome.toolTip() == "integrated."
    assert seen[0].anchors.n_neighbors == 11
    assert seen[1] == 7
    assert "cluster_transferred" in cells_of(masks).obs


def test_cancel_keeps_the_last_result(
    qtbot: Any, step: IntegrateStep, masks: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[float] = []

    def integrate(_cells: AnnData, *_: Any, track: Track, **__: Any) -> None:
        try:
            for _ in track(range(1000), "Joint factorisation"):
                time.sleep(0.02)
        finally:
            ended.append(time.monotonic())

    monkeypatch.setattr(ng, "integrate", integrate, raising=False)
    before = cells_of(masks)
    _run(qtbot, step)
    qtbot.waitUntil(lambda: step.progress.value() > 1)
    asked = time.monotonic()
    qtbot.mouseClick(step.cancel, Qt.MouseButton.LeftButton)
    assert time.monotonic() - asked < 0.2
    qtbot.waitUntil(lambda: bool(ended), timeout=2000)
    assert ended[0] - asked < 2
    assert cells_of(masks) is before


@pytest.mark.parametrize(
    "case",
    [
        ([], "not measured yet. Do Plugins ▸ GLUER ▸ Cells first"),
        (["cells"], "no reference yet. Open one in Plugins ▸ GLUER ▸ Reference first"),
    ],
)
def test_steps_out_of_order_are_told(
    step: IntegrateStep, cells: AnnData, notified: list[Any], run: Any, case: tuple[list[str], str]
) -> None:
    entries, says = case
    step.labels.value.metadata = {"gluer": dict.fromkeys(entries, cells)}
    assert says in run(step)
    assert [one.severity.value for one in notified] == ["warning"]


@pytest.mark.usefixtures("quick")
def test_labels_removed_meanwhile_discard_the_result(
    qtbot: Any, step: IntegrateStep, model: ViewerModel, finish: Any
) -> None:
    step.cluster.setChecked(False)
    _run(qtbot, step)
    model.layers.clear()
    assert finish(step) == "The layer “masks” is gone; the result was discarded."


def test_the_batches_are_offered_above_where_their_name_says_so(
    step: IntegrateStep, masks: Labels, cells: AnnData
) -> None:
    assert step.batches.visible  # "region" may be one
    assert step.batch.itemText(1) == "region (2)"
    assert not step.batch.isVisible()  # folded
    other = cells.copy()
    other.obs["donor"] = np.tile(["a", "b"], cells.n_obs // 2)
    attach(masks, reference=other)
    assert step.batch.isVisible()
    assert not step.batches.visible
    step.batch.setCurrentIndex(1)
    assert read(IntegrateParams, step.form).reference_batch == "donor"
    step.form.rows["preset"].widget.value = "paper"
    assert read(IntegrateParams, step.form) == IntegrateParams(preset="paper")
    step.form.rows["preset"].widget.value = "default"
    assert read(IntegrateParams, step.form).reference_batch == "donor"
    plain = cells.copy()
    plain.obs = plain.obs[["label"]]
    attach(masks, reference=plain)
    assert not step.batch.isVisible()
    assert not step.batches.visible
    assert read(IntegrateParams, step.form).reference_batch == ""


def test_a_preset_keeps_the_device(step: IntegrateStep) -> None:
    step.form.rows["device"].widget.value = "cpu"
    step.form.rows["preset"].widget.value = "paper"
    assert read(IntegrateParams, step.form) == IntegrateParams(preset="paper", device="cpu")


def test_what_is_chosen_elsewhere_has_no_row(step: IntegrateStep) -> None:
    features = step.form.rows["features"].widget.rows
    assert step.form.rows["reference_batch"].widget is None
    assert features["only"].widget is None
    assert features["without"].widget is None
    assert "GPU" in step.form.rows["device"].widget.tooltip


def test_markers_edited_meanwhile_stay_edited(
    qtbot: Any, step: IntegrateStep, masks: Labels, finish: Any, slow: Event
) -> None:
    _run(qtbot, step)
    keep_links(masks, {"CD20": False})
    slow.set()
    assert "integrated" in finish(step)
    assert left_out(cells_of(masks)) == ["CD20"]


def test_cells_measured_again_meanwhile_are_not_overwritten(
    qtbot: Any, step: IntegrateStep, masks: Labels, cells: AnnData, finish: Any, slow: Event
) -> None:
    _run(qtbot, step)
    again = cells.copy()
    again.X = again.X + 1
    attach(masks, cells=again)
    slow.set()
    assert finish(step) == (
        "The cells of “masks” changed meanwhile; the result was discarded. Integrate again."
    )
    assert cells_of(masks) is again
