"""OME-Zarr at an address, served from this computer."""

import builtins
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from napari_gluer.errors import InputError
from napari_gluer.io.images import read_image
from napari_gluer.io.labels_files import read_labels
from napari_gluer.io.labels_writing import write_labels
from napari_gluer.io.zarr_stores import is_address

from .zarrs import CYX, write_image

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without telling."""

    def log_message(self, *args: Any) -> None:
        """Nothing."""


class Failing(Quiet):
    """A server that refuses everything."""

    def do_GET(self) -> None:
        self.send_error(500)

    do_HEAD = do_GET  # noqa: N815 - the name is the server's


def serving(folder: Path, handler: type[SimpleHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    yield from serving(tmp_path, Quiet)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[str]:
    yield from serving(tmp_path, Failing)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_image_is_read_from_its_address(tmp_path: Path, address: str, version: str) -> None:
    write_image(tmp_path / "a.zarr", version=version)
    image = read_image(f"{address}/a.zarr")
    assert image.channels == ("DAPI", "CD3", "CD8")
    assert image.pixel_size_um == pytest.approx((0.5, 0.5))
    assert_array_equal(image.data[1, 3:9], CYX[1, 3:9])
    assert_array_equal(image.pyramid[1], CYX[:, ::2, ::2])
    again = ForkingPickler.loads(bytes(ForkingPickler.dumps(image.data)))
    assert_array_equal(again[2], CYX[2])


def test_labels_are_read_from_their_address(tmp_path: Path, address: str) -> None:
    labels = np.arange(600).reshape(20, 30)
    write_labels(labels, tmp_path / "l.zarr")
    assert_array_equal(read_labels(f"{address}/l.zarr/"), labels)


def test_an_address_without_a_zarr_or_an_answer_is_one_clear_error(
    tmp_path: Path, address: str, failing: str
) -> None:
    with pytest.raises(InputError, match=r"no zarr at http.*nothing\.zarr"):
        read_image(f"{address}/nothing.zarr")
    with pytest.raises(InputError, match=r"http.*a\.zarr cannot be read.*500"):
        read_image(f"{failing}/a.zarr")
    with pytest.raises(InputError, match="cannot be read"):
        read_image("http://127.0.0.1:9/a.zarr")


def test_pixels_that_do_not_come_are_told(tmp_path: Path, address: str) -> None:
    write_image(tmp_path / "a.zarr")
    image = read_image(f"{address}/a.zarr")
    for chunk in (tmp_path / "a.zarr/0/c/1").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"nonsense" * 4)
    with pytest.raises(InputError, match=r"Pixels of a\.zarr"):
        image.data[1]


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for driver, place in (("s3fs", "s3://bucket/a.zarr"), ("gcsfs", "gs://bucket/a.zarr")):
        monkeypatch.setitem(sys.modules, driver, None)
        with pytest.raises(InputError, match=rf'pip install "napari-gluer\[remote\]" and {driver}'):
            read_image(place)
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] in ("fsspec", "aiohttp"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.partition(".")[0] in ("fsspec", "aiohttp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r'pip install "napari-gluer\[remote\]"\.'):
        read_image("https://example.org/a.zarr")


@pytest.mark.parametrize("place", ["https://a.b/c.zarr", "s3://b/c.zarr", "gs://b/c"])
def test_addresses_are_told_from_paths(place: str) -> None:
    assert is_address(place)


@pytest.mark.parametrize("place", ["C:\\data\\a.zarr", "/data/a.zarr", "a.zarr", Path("s3://b")])
def test_paths_are_no_addresses(place: Any) -> None:
    assert not is_address(place)
