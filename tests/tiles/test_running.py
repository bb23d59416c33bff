"""Tiles run in threads and on a cluster by the same call; they are cancelled and fail cleanly."""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from distributed import LocalCluster

from napari_gluer.errors import InputError
from napari_gluer.tiles import Cut, Tile, TileParams, checkpoint, run_tiles, tiles_of
from napari_gluer.track import Cancelled

IMAGE = np.random.default_rng(0).integers(0, 255, (50, 70)).astype(np.uint8)
TILES = tiles_of(IMAGE.shape, TileParams(side=16))


def _sum(tile: Tile, pixels: Cut, factor: int) -> int:
    return factor * int(pixels.read().sum()) + tile.number


def _feed(tile: Tile) -> tuple[Cut, int]:
    return Cut(IMAGE, tile.core), 3


def _nothing_fed(_tile: Tile) -> tuple[()]:
    return ()


def _expected() -> list[int]:
    return [3 * int(IMAGE[tile.core].sum()) + tile.number for tile in TILES]


class Asked:
    """A track that is cancelled when `after` tiles were given."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.given = 0

    def __call__(self, items: Iterable[Any], _desc: str, /) -> Iterator[Any]:
        for item in items:
            self.given += 1
            yield item

    def stop_if_asked(self) -> None:
        if self.given > self.after:
            raise Cancelled


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_the_order_of_the_tiles(workers: int) -> None:
    found = list(run_tiles(_sum, TILES, _feed, TileParams(workers=workers)))
    assert [tile for tile, _ in found] == TILES
    assert [result for _, result in found] == _expected()


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as running:
        yield running.scheduler_address


def test_the_same_call_runs_on_a_cluster(cluster: str) -> None:
    found = [result for _, result in run_tiles(_sum, TILES, _feed, TileParams(cluster=cluster))]
    assert found == _expected()


def test_an_error_on_a_cluster_arrives(cluster: str) -> None:
    with pytest.raises(InputError, match="tile 1 is bad"):
        list(run_tiles(_refuse, TILES, _nothing_fed, TileParams(cluster=cluster)))


def test_a_cluster_is_cancelled_at_once(cluster: str) -> None:
    start = time.perf_counter()
    with pytest.raises(Cancelled):
        list(run_tiles(_sleep, TILES, _nothing_fed, TileParams(cluster=cluster), Asked(0)))
    assert time.perf_counter() - start < 5


def _refuse(tile: Tile) -> None:
    if tile.number == 1:
        raise InputError("tile 1 is bad")


def _sleep(tile: Tile) -> None:
    time.sleep(20)


def test_an_error_in_a_thread_arrives() -> None:
    with pytest.raises(InputError, match="tile 1 is bad"):
        list(run_tiles(_refuse, TILES, _nothing_fed))


def test_threads_stop_at_their_next_checkpoint() -> None:
    reached: list[int] = []

    def stages(tile: Tile) -> None:
        for _ in range(1_000):
            checkpoint()
            time.sleep(0.02)
        reached.append(tile.number)

    start = time.perf_counter()
    with pytest.raises(Cancelled):
        list(run_tiles(stages, TILES, _nothing_fed, TileParams(), Asked(0)))
    assert time.perf_counter() - start < 5
    assert not reached


def test_nothing_is_begun_after_cancelling_between_tiles() -> None:
    begun: list[int] = []

    def work(tile: Tile) -> None:
        begun.append(tile.number)

    def cancelling(items: Iterable[Any], _desc: str, /) -> Iterator[Any]:
        for number, item in enumerate(items):
            if number == 3:
                raise Cancelled
            yield item

    with pytest.raises(Cancelled):
        list(run_tiles(work, TILES, _nothing_fed, TileParams(workers=1), cancelling))
    assert len(begun) < len(TILES)


def test_only_a_few_tiles_are_in_flight() -> None:
    """However many tiles there are, their inputs and results are not all in memory."""
    fed: list[int] = []
    ahead = []
    outcomes = run_tiles(
        _nothing, TILES, lambda tile: fed.append(tile.number) or (), TileParams(workers=2)
    )
    for done, _ in enumerate(outcomes, start=1):
        ahead.append(len(fed) - done)
    assert len(TILES) == 20
    assert max(ahead) <= 4


def _nothing(tile: Tile) -> None:
    return None


def test_checkpoint_does_nothing_outside_a_run() -> None:
    checkpoint()


def test_workers_run_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(tile: Tile) -> int:
        return both.wait()

    found = run_tiles(meet, TILES[:2], _nothing_fed, TileParams(workers=2))
    assert sorted(result for _, result in found) == [0, 1]


def test_a_cluster_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_gluer.tiles.running._ANSWERS_IN", 0.5)
    with pytest.raises(InputError, match=r"No dask scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        list(run_tiles(_sum, TILES, _feed, TileParams(cluster="tcp://127.0.0.1:9")))
