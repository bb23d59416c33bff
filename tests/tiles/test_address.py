"""What stands at an address is told within seconds, whatever it is."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from distributed import LocalCluster

from napari_gluer.errors import InputError
from napari_gluer.tiles import Tile, TileParams, run_tiles, tiles_of
from napari_gluer.tiles.address import refuse_no_scheduler


@contextmanager
def server(says: bytes) -> Iterator[str]:
    """A program that says something to whoever calls, then waits."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        open_ends: list[socket.socket] = []

        def answer() -> None:
            try:
                while True:
                    end, _ = listening.accept()
                    open_ends.append(end)
                    end.sendall(says)
            except OSError:  # the test is over
                return

        threading.Thread(target=answer, daemon=True).start()
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        for end in open_ends:
            end.close()


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "another program"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "another program"),
        ((2000).to_bytes(8, "little") + b"x" * 3000, "another program"),
        (b"", "no answer in 1 s"),
    ],
)
def test_another_program_is_no_scheduler(says: bytes, why: str) -> None:
    start = time.perf_counter()
    with server(says) as address, pytest.raises(InputError, match=f"{address}.*{why}"):
        refuse_no_scheduler(address, 1)
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize("address", ["nonsense", "ftp://host:1", "tcp://127.0.0.1:1", " "])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="No dask scheduler answers") as refused:
        refuse_no_scheduler(address, 1)
    assert repr(address) in str(refused.value)


def test_tiles_are_not_sent_to_another_program() -> None:
    start = time.perf_counter()
    with (
        server(b"SSH-2.0-OpenSSH_9.6\r\n") as address,
        pytest.raises(InputError, match="scheduler"),
    ):
        list(run_tiles(_number, tiles_of((4, 4)), lambda _: (), TileParams(cluster=address)))
    assert time.perf_counter() - start < 5


def test_schedulers_are_told_from_workers() -> None:
    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
        refuse_no_scheduler(cluster.scheduler_address, 5)
        with pytest.raises(InputError, match="a dask worker does"):
            refuse_no_scheduler(cluster.workers[0].address, 5)


def test_a_running_loop_is_no_obstacle() -> None:
    """As in a notebook."""

    async def inside() -> None:
        refuse_no_scheduler("nonsense", 1)

    with pytest.raises(InputError, match="nonsense"):
        asyncio.run(inside())


def _number(tile: Tile) -> int:
    return tile.number
