"""Tables as zarr: a folder, or the same folder in one zip."""

import os
import shutil
import uuid
import warnings
import zipfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import zarr
from anndata import AnnData

from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path, restore
from napari_gluer.io.damage import refusing
from napari_gluer.io.h5ad import checked_table, packed

ZIPPED = ".zarr.zip"
_METADATA = ("zarr.json", ".zgroup")


def is_zarr_name(path: str | os.PathLike[str]) -> bool:
    """Whether a name ends in ``.zarr`` or ``.zarr.zip``."""
    return Path(path).name.casefold().endswith((".zarr", ZIPPED))


def is_zarr_table(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a zarr folder or zip that holds an AnnData, and no image."""
    source = Path(path)
    if not (is_zarr_name(source) and source.exists()):
        return False
    try:
        with opened_group(source) as group:
            return {"obs", "var"} <= set(group)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return False


def read_zarr_table(path: str | os.PathLike[str], *, joint: bool = False) -> AnnData:
    """Read an AnnData from ``.zarr`` or ``.zarr.zip``, as `io.h5ad.read_h5ad` does from HDF5.

    Raises
    ------
    InputError
        If there is nothing of that name, it is no AnnData, damaged or empty.
    """
    source = Path(path)
    restore(source)
    if not source.exists():
        raise InputError(f"There is no folder {source}.")
    with refusing(source.name, "Write the table again with AnnData.write_zarr."):
        with opened_group(source) as group:
            found = sorted(group)
            if not {"obs", "var"} <= set(found):
                raise InputError(
                    f"{source.name} is zarr but no table of cells: it holds "
                    f"{', '.join(found) or 'nothing'} in place of obs and var. Is it an image?"
                )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about old formats and repeated names
                table = anndata.read_zarr(group)
        _of_objects(table.uns)
        return checked_table(table, source.name, joint=joint)


def _of_objects(entries: MutableMapping[str, Any]) -> None:
    """Make text what it is from HDF5; before NumPy 2.2.6 to copy arrays of its own text crashes."""
    for name, value in entries.items():
        if isinstance(value, MutableMapping):
            _of_objects(value)
        elif isinstance(value, np.ndarray) and value.dtype.kind == "T":
            entries[name] = value.astype(object)


def write_zarr_table(table: AnnData, path: str | os.PathLike[str]) -> None:
    """Write `table` as ``.zarr`` or ``.zarr.zip``, whole or not at all; it is left as it is.

    Raises
    ------
    InputError
        If `path` is a folder with other things in it.
    """
    target = Path(path)
    refuse_other_folder(target)
    with atomic_path(target) as partial:
        if not target.name.casefold().endswith(ZIPPED):
            _write_folder(table, partial)
            return
        folder = partial.with_name(f".{uuid.uuid4().hex[:12]}-{target.name}")
        try:
            _write_folder(table, folder)
            _zip(folder, partial)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def refuse_other_folder(target: Path) -> None:
    """Refuse to replace a folder that is no zarr."""
    if not target.is_dir():
        return
    inside = {one.name for one in target.iterdir()}
    zipped = target.name.casefold().endswith(ZIPPED)
    if zipped or (inside and not inside & set(_METADATA)):
        raise InputError(f"{target} is a folder with other things in it; choose another name.")


def _write_folder(table: AnnData, folder: Path) -> None:
    with warnings.catch_warnings():
        # anndata's own choice of zarr version, and names it warns of
        warnings.simplefilter("ignore")
        packed(table).write_zarr(folder)


def _zip(folder: Path, archive: Path) -> None:
    """All files of a folder, stored as they are: zarr has compressed them."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED, allowZip64=True) as packing:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            # one date for all, so that the same table makes the same file
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            packing.writestr(entry, file.read_bytes())


class opened_group:  # noqa: N801 - used as a function is
    """The group at a path; a zip is closed again."""

    def __init__(self, source: Path) -> None:
        zipped = source.is_file()
        self.store = (
            zarr.storage.ZipStore(source, mode="r")
            if zipped
            else zarr.storage.LocalStore(source, read_only=True)
        )

    def __enter__(self) -> zarr.Group:
        return zarr.open_group(self.store, mode="r")

    def __exit__(self, *_: object) -> None:
        self.store.close()
