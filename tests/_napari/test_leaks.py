"""Opening, using and closing every widget twenty times leaves nothing behind."""

import gc
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from npe2 import PluginManifest
from qtpy.QtWidgets import QApplication

import napari_gluer as ng
from napari_gluer._napari.attached import attach
from napari_gluer._napari.guide.dock import Guide
from napari_gluer._napari.guide.states import TITLES
from napari_gluer._napari.jobs import start
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.plots.step import PlotsStep
from napari_gluer._napari.steps.explore import ExploreStep
from napari_gluer.errors import InputError
from napari_gluer.track import Track

ROOT = Path(__file__).resolve().parents[2]
ROUNDS, WARM = 20, 3
MOST_GROWTH = 0.05


def names() -> list[str]:
    manifest = PluginManifest.from_file(ROOT / "napari.yaml")
    return [one.display_name for one in manifest.contributions.widgets or []]


@pytest.fixture(scope="module")
def integrated(typed: Any) -> AnnData:
    return ng.cluster(ng.integrate(typed.cells, typed.reference, seed=0), seed=0)


def resident() -> float:
    """Memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def ours() -> int:
    """Living objects of our own classes."""
    gc.collect()
    return sum(str(type(one).__module__).startswith("napari_gluer") for one in gc.get_objects())


def settled() -> None:
    for _ in range(3):
        QApplication.sendPostedEvents(None, 52)  # DeferredDelete
        QApplication.processEvents()


def use(widget: Any) -> None:
    """A click or two of what each is for."""
    if isinstance(widget, ExploreStep):
        widget.pick(Paintable("Protein0", Origin.MARKER))
        widget.pick(Paintable("cluster", Origin.CLUSTER))
    if isinstance(widget, PlotsStep):
        widget.genes.add(Paintable("Protein0", Origin.MARKER))
        widget.run.click()
        while widget.busy:
            QApplication.processEvents()
        assert widget.plot is not None
    if isinstance(widget, Guide):
        for title in TITLES:
            widget.open_step(title)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_every_widget_opened_used_and_closed(
    make_napari_viewer: Any, integrated: AnnData, typed: Any
) -> None:
    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((20, 20)), name="DAPI")
    drawn = np.zeros((20, 20), np.int32)
    drawn.ravel()[: integrated.n_obs] = integrated.obs["label"]
    layer = viewer.add_labels(drawn, name="masks")
    attach(layer, cells=integrated, measured=typed.cells, reference=typed.reference)

    def once() -> None:
        for name in names():
            dock, widget = viewer.window.add_plugin_dock_widget("napari-gluer", name)
            settled()
            use(widget)
            settled()
            viewer.window.remove_dock_widget(dock)
            del dock, widget
            settled()
        # dead callbacks are dropped when their event comes next
        viewer.layers.remove(viewer.add_points())
        layer.metadata = dict(layer.metadata)
        settled()
        gc.collect()

    before: dict[str, float] = {}
    for number in range(WARM + ROUNDS):
        if number == WARM:
            before = counted(viewer, layer)
        once()
    after = counted(viewer, layer)
    grown = {
        what: (before[what], after[what])
        for what in before
        if after[what] > before[what] * (1 + MOST_GROWTH)
    }
    assert not grown


class Held:
    """Stands for the tables that a job works on, and the widget that waits for it."""

    def take(self, *_: Any) -> None:
        """Called with what a job tells."""


@pytest.mark.parametrize("end", ["returns", "fails", "is cancelled"])
def test_what_a_job_held_goes_when_it_ends(make_napari_viewer: Any, qtbot: Any, end: str) -> None:
    make_napari_viewer()  # which lists the jobs that ended, and keeps them
    worked_on, waiting, closed, may_end = Held(), Held(), [], Event()

    def work(track: Track, worked_on: Held = worked_on) -> Held:
        may_end.wait(5)
        if end == "fails":
            raise InputError("no")
        list(track(range(50), "working") if end == "returns" else slowly(track))
        return worked_on

    def slowly(track: Track) -> Iterator[int]:
        for number in track(range(500), "working"):
            time.sleep(0.01)
            yield number

    job = start("held", work, done=waiting.take, failed=waiting.take, progressed=waiting.take)
    job.finished.connect(lambda: closed.append(end))
    held = [weakref.ref(worked_on), weakref.ref(waiting)]
    may_end.set()
    if end == "is cancelled":
        qtbot.wait(50)
        job.cancel()
    qtbot.waitUntil(lambda: bool(closed))
    del work, worked_on, waiting, job
    settled()
    gc.collect()
    assert [one() for one in held] == [None, None]


def counted(viewer: Any, layer: Any) -> dict[str, float]:
    """What would grow if closed widgets stayed."""
    events = (viewer.layers.events.inserted, viewer.layers.events.removed, layer.events.metadata)
    return {
        "our objects": ours(),
        "Qt's widgets": len(QApplication.allWidgets()),
        "callbacks": sum(len(event.callbacks) for event in events),
        "MB": resident(),
    }
