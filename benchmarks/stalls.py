"""The window's longest stall, and how soon cancelled work ends.

``tools/with_display python benchmarks/stalls.py``

Every step is run by a click in a window of 1,280 × 800, on the simulated tissue and on a real MIBI
field (read from ``../shared/data`` beside the checkout, or from the folder that
``NAPARI_GLUER_SHARED_DATA`` names; left out with a message where it is absent). A timer of the
window asks to be called every 10 ms; the longest gap between two calls is the stall that a person
feels. Before that the step is begun once and cancelled after a few seconds.
"""

import argparse
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Any

import napari
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

import napari_gluer as ng
from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.processes import warm

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data"))
MIBI = DATA / "mibi_dcis_simpleseg/Point2203_pt1072_31606.ome.tif"
RNA = DATA / "citeseq_pbmc_bremsc/rna.h5ad"
EVERY = 10  # ms
PAUSE = 8000  # ms: a person reads for that long, and a new process gets ready
NOTICED, DEPTH = 0.11, 12
PLUGIN = "napari-gluer"


class Stalls:
    """Keeps the longest time for which the window did nothing else.

    Parameters
    ----------
    explain
        Print what the window did in every stall above 100 ms, as seen from another thread.
    """

    def __init__(self, *, explain: bool = False) -> None:
        self.longest = 0.0
        if explain:
            threading.Thread(target=self._watch, args=(get_ident(),), daemon=True).start()
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(EVERY)

    def begin(self) -> None:
        """Forget what was."""
        QApplication.processEvents()
        self._last, self.longest = time.perf_counter(), 0.0

    def _watch(self, window: int) -> None:
        told = 0.0
        while True:
            time.sleep(0.02)
            last = self._last
            if time.perf_counter() - last > NOTICED and told != last:
                told = last
                stack = traceback.format_stack(sys._current_frames().get(window))  # noqa: SLF001
                own = [one for one in stack if "benchmarks" not in one][-DEPTH:]
                print("".join(["--- stall\n", *own]), flush=True)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last - EVERY / 1000)
        self._last = now


@dataclass(frozen=True)
class Row:
    """What was measured of one step."""

    case: str
    step: str
    seconds: float
    stall: float
    answered: float
    ended: float

    def __str__(self) -> str:
        cancelled = ["–", "–"]
        if self.ended >= 0:
            cancelled = [f"{1000 * self.answered:.0f} ms", f"{self.ended:.1f} s"]
        stall = f"{1000 * self.stall:.0f} ms"
        return " | ".join(
            ["", self.case, self.step, f"{self.seconds:.1f} s", stall, *cancelled, ""]
        )


HEAD = (
    "| image | step | takes | longest stall | cancel answered | work ended |\n"
    "|---|---|---|---|---|---|"
)


def until(done: Callable[[], bool], seconds: float = 600) -> None:
    """Let the window work until something is so."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError
        QTest.qWait(EVERY)


class Bench:
    """A window with an image, and what was measured in it."""

    def __init__(self, case: str, viewer: Any, *, explain: bool) -> None:
        self.case, self.viewer = case, viewer
        self.stalls = Stalls(explain=explain)
        self.rows: list[Row] = []

    def dock(self, name: str) -> Any:
        """A step of the plugin, shown."""
        _, step = self.viewer.window.add_plugin_dock_widget(PLUGIN, name)
        QTest.qWait(300)
        return step

    def run(self, name: str, step: Any, *, cancel_after: float = 0) -> None:
        """Cancel a step a few seconds after its start; then run it whole, and measure."""
        answered, ended = self._cancel(step, cancel_after) if cancel_after else (-1.0, -1.0)
        if cancel_after:
            warm()
            QTest.qWait(PAUSE)
        self.stalls.begin()
        begun = time.monotonic()
        self._click(step.run)
        until(lambda: not step.busy)
        took = time.monotonic() - begun
        QTest.qWait(200)  # what is drawn of the result counts, too
        stall, said = self.stalls.longest, step.outcome.text()
        self.rows.append(Row(self.case, name, took, stall, answered, ended))
        print(f"  {name}: {took:.1f} s, stall {1000 * stall:.0f} ms. {said}", flush=True)

    def _cancel(self, step: Any, after: float) -> tuple[float, float]:
        self._click(step.run)
        job, ended = step._running.job, []  # noqa: SLF001 - when the work ends is seen nowhere else
        if job is None:
            return -1.0, -1.0
        job.finished.connect(lambda: ended.append(time.monotonic()))
        QTest.qWait(int(1000 * after))
        if not step.busy:
            return -1.0, -1.0
        asked = time.monotonic()
        self._click(step.cancel)
        answered = time.monotonic() - asked
        until(lambda: bool(ended))
        return answered, ended[0] - asked

    @staticmethod
    def _click(button: Any) -> None:
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@contextmanager
def window(case: str, image: Any, *, explain: bool) -> Iterator[Bench]:
    """A window that shows an image."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1280, 800)
    for data, options, _ in image_layers(image, case):
        viewer.add_image(data, **options)
    QTest.qWait(1000)
    yield Bench(case, viewer, explain=explain)
    viewer.close()


def measured(
    case: str, image: Any, reference: Path, *, gene: str, explain: bool = False
) -> list[Row]:
    """All steps from an image to a layout."""
    print(f"{case}:", flush=True)
    with window(case, image, explain=explain) as bench:
        cells = bench.dock("Cells")
        bench.run("find, measure and clean cells", cells, cancel_after=1.5)
        opening = bench.dock("Reference")
        opening.path.setText(str(reference))
        bench.run("open the reference", opening, cancel_after=0.5)
        QTest.qWait(PAUSE)
        integrate = bench.dock("Integrate")
        bench.run("integrate and cluster", integrate, cancel_after=2)
        embedding = bench.dock("Embedding")
        for kind in ("UMAP", "t-SNE"):
            _choose(embedding, kind)
            bench.run(kind, embedding, cancel_after=3)
        explore = bench.dock("Explore")
        for name in (gene, "cluster"):
            bench.stalls.begin()
            explore.search_box.setText(name)
            QTest.keyClick(explore.search_box, Qt.Key.Key_Return)
            until(lambda: not explore.busy)
            QTest.qWait(300)
            bench.rows.append(Row(case, f"paint {name}", 0, bench.stalls.longest, -1, -1))
        return bench.rows


def _choose(embedding: Any, kind: str) -> None:
    """Choose a kind of layout by its name."""
    box = embedding.controls.kind
    texts = [box.itemText(i) for i in range(box.count())]
    box.setCurrentIndex(next(i for i, text in enumerate(texts) if kind.lower() in text.lower()))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("/tmp"), help="folder for files")  # noqa: S108
    parser.add_argument("--explain", action="store_true", help="say what stalled the window")
    given = parser.parse_args()
    out, explain = given.out, given.explain
    tissue = ng.sample_tissue(0)
    atlas = out / "stalls_atlas.h5ad"
    tissue.reference.write_h5ad(atlas)
    rows = measured("simulated tissue", tissue.image, atlas, gene="NKG7", explain=explain)
    if MIBI.exists() and RNA.exists():
        rows += measured("MIBI field", ng.read_image(MIBI), RNA, gene="CD3E", explain=explain)
    else:
        print(f"Left out: {MIBI} is not there.")
    print(HEAD)
    for row in rows:
        print(str(row).strip())


if __name__ == "__main__":
    main()
