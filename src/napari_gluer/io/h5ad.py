"""Reading and writing h5ad files."""

import json
import os
import warnings
from pathlib import Path
from typing import Any

import anndata
import h5py  # type: ignore[import-untyped]
import numpy as np
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.vetting import damage

_AS_JSON = "stored_as_json"


def read_h5ad(path: str | os.PathLike[str], *, joint: bool = False) -> AnnData:
    """Read an AnnData with at least one row and one column; a joint table may have no column.

    Raises
    ------
    InputError
        If the file is missing, not an h5ad, damaged or empty.
    """
    source = Path(path)
    require_h5ad(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old formats and repeated names
            table = anndata.read_h5ad(source)
        _refuse_torn(table)
    except Exception as error:  # damage comes up as an error of any kind
        raise InputError(f"{source.name} cannot be read as an h5ad: {error}") from error
    return _usable(table, source.name, joint=joint)


def checked_table(table: AnnData, name: str, *, joint: bool = False) -> AnnData:
    """A table just read, refused where compiled code would crash on it or it is empty."""
    _refuse_torn(table)
    return _usable(table, name, joint=joint)


def _usable(table: AnnData, name: str, *, joint: bool) -> AnnData:
    if not (table.n_obs and (table.n_vars or joint)):
        raise InputError(
            f"{name} holds {table.n_obs} cells × {table.n_vars} columns; at least one of "
            "each is needed."
        )
    table.obs_names_make_unique()
    _unpack(table)
    return table


def write_h5ad(table: AnnData, path: str | os.PathLike[str]) -> None:
    """Write `table`, whole or not at all; it is left as it is."""
    own = packed(table)
    with atomic_path(path) as partial:
        own.write_h5ad(partial, compression="gzip")


def packed(table: AnnData) -> AnnData:
    """`table` as files hold it: what they would not keep as it is becomes JSON.

    The values are shared with `table`, which is left as it is; `read_h5ad` unpacks them.
    """
    info = slots.info(table)
    packed = {key: json.dumps(value) for key, value in info.items() if _is_json(value)}
    return AnnData(
        X=table.X,
        obs=table.obs.copy(),
        var=table.var.copy(),
        uns={**table.uns, slots.INFO: {**info, **packed, _AS_JSON: np.array(sorted(packed), "O")}},
        obsm=dict(table.obsm),
        varm=dict(table.varm),
        layers=dict(table.layers),
        obsp=dict(table.obsp),
        varp=dict(table.varp),
    )


def _refuse_torn(table: AnnData) -> None:
    """Refuse sparse matrices whose parts do not fit: compiled code trusts them, and would crash."""
    raw = [] if table.raw is None else [table.raw.X]
    parts = [table.X, *raw, *table.layers.values(), *table.obsm.values(), *table.obsp.values()]
    for part in parts:
        if isinstance(part, sparse.csr_matrix | sparse.csc_matrix | sparse.sparray):
            part.check_format(full_check=True)


def _is_json(value: Any) -> bool:
    """Whether HDF5 would not keep `value` as it is, and JSON does."""
    if not isinstance(value, dict | list | tuple | None):
        return False
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _unpack(table: AnnData) -> None:
    info = slots.info(table)
    for key in info.pop(_AS_JSON, ()):
        info[key] = json.loads(info[key])
    if info:
        table.uns[slots.INFO] = info


def require_h5ad(source: Path) -> None:
    """Refuse what is missing, damaged or no h5ad, before it is opened."""
    if not source.is_file():
        raise InputError(f"There is no file {source}.")
    found_wrong = damage(source)
    if found_wrong:
        raise InputError(f"{source.name} is damaged: {found_wrong}. Copy or download it again.")
    try:
        with h5py.File(source) as file:
            found = list(file)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{source.name} is not an h5ad: {error}. Save the table with AnnData.write_h5ad."
        ) from error
    if not {"obs", "var"} <= set(found):
        raise InputError(
            f"{source.name} is HDF5 but not an h5ad: it holds {listed(found)} in place of obs and "
            "var. Open it with scanpy (sc.read_10x_h5, sc.read_loom) and save it with write_h5ad."
        )
