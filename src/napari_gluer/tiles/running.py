"""Where tiles are worked: threads here, or a dask.distributed cluster, by the same call."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any, TypeVar

import dask

from napari_gluer.errors import InputError
from napari_gluer.tiles.address import no_scheduler, refuse_no_scheduler
from napari_gluer.tiles.grid import Tile, TileParams
from napari_gluer.tiles.pixels import Cut
from napari_gluer.track import Cancelled, Track, silently, stopper

R = TypeVar("R")

_LOOKED_EVERY = 0.05  # seconds between two looks whether tiles are done or the person cancelled
_ANSWERS_IN = 5  # seconds a scheduler has
_Calls = list[tuple[Any, ...]]
_here = threading.local()


def run_tiles(
    work: Callable[..., R],
    tiles: Sequence[Tile],
    feed: Callable[[Tile], tuple[Any, ...]],
    params: TileParams | None = None,
    track: Track = silently,
    desc: str = "Tiles",
) -> Iterator[tuple[Tile, R]]:
    """Work on every tile; yield tiles and results in the order of `tiles`.

    Parameters
    ----------
    work
        Called as ``work(tile, *inputs)``, in other threads or processes: a function at the top of
        a module (or a `functools.partial` of one) that changes nothing but what it returns.
    tiles
        What to work on.
    feed
        Gives a tile's inputs: `Cut` for pixels, and whatever else is small. Called here, shortly
        before the tile is worked.
    params
        How many threads, or which cluster.
    track
        Reports tiles; cancels between tiles and, in threads, at every `checkpoint`.
    desc
        What is done, for `track`.

    Raises
    ------
    InputError
        If the cluster does not answer.
    """
    params = params or TileParams()
    place = _Cluster(params.cluster) if params.cluster else _Threads(params.workers)
    outcomes = _outcomes(place, work, tiles, feed, stopper(track))
    try:
        yield from zip(track(tiles, desc), outcomes, strict=True)
    finally:
        place.close()


def checkpoint() -> None:
    """Stop here if the run was cancelled; for use inside `work`, between its stages.

    Raises
    ------
    Cancelled
        In a thread of a run that was cancelled.
    """
    stop = getattr(_here, "stop", None)
    if stop is not None and stop.is_set():
        raise Cancelled


def _outcomes(
    place: "_Threads | _Cluster",
    work: Callable[..., R],
    tiles: Sequence[Tile],
    feed: Callable[[Tile], tuple[Any, ...]],
    stop_if_asked: Callable[[], None],
) -> Iterator[Any]:
    waiting = iter(tiles)
    while batch := list(itertools.islice(waiting, place.width)):
        yield from place.compute(work, [(tile, *feed(tile)) for tile in batch], stop_if_asked)


def _watched(
    is_done: Callable[[float], bool], cancel: Callable[[], None], stop_if_asked: Callable[[], None]
) -> None:
    """Wait until work is done, which `is_done` says after some seconds; cancel it if asked."""
    try:
        while not is_done(_LOOKED_EVERY):
            stop_if_asked()
    except BaseException:
        cancel()
        raise


class _Threads:
    """Dask's threads on this computer."""

    def __init__(self, workers: int) -> None:
        self._workers = workers or os.cpu_count() or 1
        # a few more than workers, so that none idles long at the end of a batch; results of a
        # batch are in memory together
        self.width = 2 * self._workers

    def compute(
        self, work: Callable[..., R], calls: _Calls, stop_if_asked: Callable[[], None]
    ) -> list[R]:
        stop = threading.Event()
        tasks = [dask.delayed(partial(_stoppable, stop, work, call))() for call in calls]
        with ThreadPoolExecutor(1) as waiter:
            computed = waiter.submit(
                dask.compute, *tasks, scheduler="threads", num_workers=self._workers
            )
            _watched(lambda seconds: bool(wait([computed], seconds).done), stop.set, stop_if_asked)
        return list(computed.result())

    def close(self) -> None:
        """Nothing stays open."""


def _stoppable(stop: threading.Event, work: Callable[..., R], call: tuple[Any, ...]) -> R:
    _here.stop = stop
    try:
        checkpoint()
        return work(*call)
    finally:
        _here.stop = None


class _Cluster:
    """A dask.distributed scheduler and its workers."""

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise InputError(
                "Working on a cluster needs dask.distributed: pip install "
                "'napari-gluer[distributed]'."
            ) from error
        refuse_no_scheduler(address, _ANSWERS_IN)
        try:
            self._client = Client(address, timeout=_ANSWERS_IN, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(no_scheduler(address, str(error))) from error
        threads = sum(self._client.nthreads().values())
        if not threads:
            self._client.close()
            raise InputError(f"The dask scheduler at {address} has no workers. Start some.")
        self.width = 2 * threads

    def compute(
        self, work: Callable[..., R], calls: _Calls, stop_if_asked: Callable[[], None]
    ) -> list[R]:
        futures = [
            self._client.submit(work, *map(self._sent, call), pure=False, retries=1)
            for call in calls
        ]

        def are_done(seconds: float) -> bool:
            time.sleep(seconds)
            return all(future.done() for future in futures)

        def cancel() -> None:
            self._client.cancel(futures)

        _watched(are_done, cancel, stop_if_asked)
        return list(self._client.gather(futures))

    def close(self) -> None:
        """Let go of the cluster, which lives on."""
        self._client.close()

    def _sent(self, given: Any) -> Any:
        """Pixels travel apart from the task graph, which is to stay small."""
        return self._client.scatter(given, hash=False) if isinstance(given, Cut) else given
