"""Where a zarr lies: a folder, a zip file, or an address; opened for reading."""

import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import zarr
from zarr.storage import FsspecStore, LocalStore, ZipStore

from napari_gluer.errors import InputError
from napari_gluer.io.damage import refusing

_ADDRESS = re.compile(r"^(https?|s3|gs|gcs|az|abfs|file|memory)://", re.IGNORECASE)
_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")
_ANSWERS_IN = 20  # seconds that a server has
_DRIVERS = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
_WOULD_DO = "The folder, zip file or address of an OME-Zarr image would do."


def is_address(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is the address of something elsewhere: ``https://…``, ``s3://…``."""
    return isinstance(path, str) and bool(_ADDRESS.match(path))


def is_zarr(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a zarr on this computer: a folder, or a zip file of one, by its name."""
    local = Path(path)
    name = local.name.casefold()
    if local.is_dir():
        return name.endswith(".zarr") or any((local / mark).is_file() for mark in _MARKS)
    return name.endswith((".zarr.zip", ".ozx", ".zarr")) and local.is_file()


def short_name(path: str | os.PathLike[str]) -> str:
    """The last part of a path or address, for messages and names of layers."""
    return str(path).rstrip("/").replace("\\", "/").rpartition("/")[2] or str(path)


def open_node(path: str | os.PathLike[str]) -> Any:
    """The zarr group or array at `path`, opened for reading.

    Raises
    ------
    InputError
        If there is none, it does not answer, or a package is missing that would reach it.
    """
    with refusing(str(path), _WOULD_DO):
        store = _remote(str(path)) if is_address(path) else _local(Path(path))
        for version in (3, 2):
            node = _opened(store, version)
            if node is not None:
                return node
    raise InputError(f"There is no zarr at {path}. {_WOULD_DO}")


def holds_labels(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is that of labels, or of a group of labels, rather than of an image."""
    node = open_node(path)
    if not isinstance(node, zarr.Group):
        return False
    attributes = dict(node.attrs)
    facts = attributes.get("ome", attributes)
    return isinstance(facts, dict) and ("image-label" in facts or "labels" in facts)


def _opened(store: Any, version: int) -> Any:
    """The group or array of a store in one version of the format, None where there is none."""
    for how in (zarr.open_group, zarr.open_array):
        try:
            return how(store, mode="r", zarr_format=version)
        except FileNotFoundError:
            continue
        except zarr.errors.ContainsArrayError:
            continue
    return None


def _local(path: Path) -> Any:
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    if path.is_dir():
        return LocalStore(path, read_only=True)
    return ZipStore(path, mode="r", read_only=True)


def _remote(address: str) -> Any:
    scheme = address.partition("://")[0].lower()
    try:
        return FsspecStore.from_url(address, _options(scheme), read_only=True)
    except ImportError as error:
        needed = _DRIVERS.get(scheme)
        extra = f" and {needed}" if needed else ""
        raise InputError(
            f"{address} is elsewhere; reading it needs packages that are not installed: "
            f'pip install "napari-gluer[remote]"{extra}.'
        ) from error


def _options(scheme: str) -> dict[str, Any]:
    if scheme not in ("http", "https"):
        return {}
    timeout = import_module("aiohttp").ClientTimeout(
        total=None, sock_connect=_ANSWERS_IN, sock_read=_ANSWERS_IN
    )
    return {"client_kwargs": {"timeout": timeout}}
