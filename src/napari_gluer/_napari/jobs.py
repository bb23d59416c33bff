"""Run core functions off the window's thread, with progress and cancelling."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from napari.qt.threading import WorkerBase, WorkerBaseSignals, create_worker
from qtpy.QtCore import QEventLoop, Qt, QTimer, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QApplication, QProgressDialog

from napari_gluer._napari.failures import main_window, report
from napari_gluer.track import Cancelled, Track

T = TypeVar("T")

_UNSEEN = 0.15  # seconds of work before a window says what is waited for
_LOOKED_EVERY = 20  # ms between two looks whether a thread is done
_SHOWN_EVERY = 0.1  # seconds between two progress signals
_DOCK_EVERY = 0.5  # seconds: napari draws the whole window with each step of its own bars

log = logging.getLogger(__name__)


class JobSignals(WorkerBaseSignals):  # type: ignore[misc]
    """What a job tells the window."""

    progressed = Signal(str, int, int)
    """Description, items done, items in all (0: not known)."""

    aborted = Signal()


class Job(WorkerBase, Generic[T]):  # type: ignore[misc]
    """Runs ``work(track)`` in a thread; `cancel` stops it between two tracked items.

    Parameters
    ----------
    work
        Computes the result; it reports through the `Track` that it is given.
    """

    def __init__(self, work: Callable[[Track], T]) -> None:
        super().__init__(SignalsClass=JobSignals)
        self._work = work

    def work(self) -> T | None:
        """Called by Qt in the thread."""
        try:
            return self._work(_Reports(self))
        except Cancelled:
            self.aborted.emit()
            return None

    def cancel(self) -> None:
        """Discard the result now, and ask the work to stop."""
        self.quit()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return bool(self.abort_requested)


class _Reports:
    """The `Track` of a job."""

    def __init__(self, job: Job[Any]) -> None:
        self._job = job
        self._last = 0.0

    def __call__(self, items: Iterable[T], desc: str, /) -> Iterator[T]:
        total = len(items) if isinstance(items, Sized) else 0
        self._tell(desc, 0, total, now=True)
        for done, item in enumerate(items):
            self.stop_if_asked(desc)
            self._tell(desc, done, total, now=False)
            yield item
        self.stop_if_asked(desc)
        self._tell(desc, total, total, now=True)

    def stop_if_asked(self, desc: str = "") -> None:
        """Raise `Cancelled` where the job was cancelled; asked between two items too."""
        if self._job.cancelled:
            raise Cancelled(desc)

    def _tell(self, desc: str, done: int, total: int, *, now: bool) -> None:
        if now or time.monotonic() - self._last > _SHOWN_EVERY:
            self._last = time.monotonic()
            self._job.progressed.emit(desc, done, total)


class Running:
    """The job that a widget waits for; outlives the widget, to cancel it."""

    def __init__(self) -> None:
        self.job: Job[Any] | None = None

    def cancel(self) -> None:
        """Cancel the job, if there is one."""
        if self.job is not None:
            self.job.cancel()


class _Titled(Generic[T]):
    """Work under the name that napari shows for it, when the window closes for instance."""

    def __init__(self, title: str, work: Callable[[Track], T]) -> None:
        self._title = title
        self._works = [work]

    def __call__(self, track: Track) -> T:
        return self._works.pop()(track)  # napari keeps a job for good, and with it what it holds

    def __repr__(self) -> str:
        return self._title


def start(
    title: str,
    work: Callable[[Track], T],
    *,
    done: Callable[[T], None],
    failed: Callable[[Exception], None],
    progressed: Callable[[str, int, int], None],
) -> Job[T]:
    """Run `work` in a thread; the callbacks run in the window's thread.

    Parameters
    ----------
    title
        Name in napari's activity dock.
    work
        Called with a `Track`; reads no layer, which belong to the window's thread.
    done, failed, progressed
        Called with the result, the exception, or the progress (as `JobSignals.progressed`);
        none of them after `Job.cancel`.
    """
    job: Job[T] = create_worker(
        _Titled(title, work),
        _worker_class=Job,
        _start_thread=False,
        _ignore_errors=True,
        _progress={"desc": title, "total": 0},
    )

    callbacks: dict[str, Callable[..., None]] = {
        "returned": done,
        "errored": failed,
        "progressed": progressed,
    }

    def unless_cancelled(name: str) -> Callable[..., None]:
        def call(*args: Any) -> None:
            if name in callbacks and not job.cancelled:
                callbacks[name](*args)

        return call

    for name in callbacks:
        getattr(job, name).connect(unless_cancelled(name))
    job.finished.connect(callbacks.clear)  # they hold widgets and tables, and napari the job
    job.progressed.connect(_ActivityDock(job))
    job.warned.connect(lambda warning: log.warning("%s: %s", title, warning[0]))
    job.start()
    return job


def while_waiting(text: str, work: Callable[[], T]) -> T:
    """The value of `work`, done in a thread while a small window says `text` and the rest waits.

    For work whose result is wanted at once: the windows are still drawn and moved. What takes no
    time shows no window.
    """
    if QApplication.instance() is None:
        return work()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        if not wait([future], _UNSEEN).done:
            _show_until(text, future)
    return future.result()


def _show_until(text: str, future: Future[Any]) -> None:
    told = QProgressDialog(text, "", 0, 0, main_window())
    told.setCancelButton(None)
    told.setWindowTitle("GLUER")
    told.setWindowModality(Qt.WindowModality.ApplicationModal)
    told.setMinimumDuration(0)
    told.show()
    loop = QEventLoop()
    timer = QTimer()
    timer.timeout.connect(lambda: loop.quit() if future.done() else None)
    timer.start(_LOOKED_EVERY)
    loop.exec()
    timer.stop()
    told.close()
    told.deleteLater()


class _ActivityDock:
    """Shows in napari's activity dock how far a job is, seldom enough not to hold the window up."""

    def __init__(self, job: Job[Any]) -> None:
        self._job = job
        self._last = time.monotonic()

    def __call__(self, desc: str, done: int, total: int) -> None:
        if time.monotonic() - self._last < _DOCK_EVERY:
            return
        self._last = time.monotonic()
        bar = self._job.pbar
        if bar.desc.removesuffix(": ") != desc or bar.total != total:
            bar.reset(total=total)
            bar.total = total
            bar.set_description(desc)
        bar.update(done - bar.n)


__all__: Sequence[str] = ["Job", "Running", "report", "start", "while_waiting"]
