"""Reading tables of cells, and writing them."""

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import detect_kind, stored_values
from napari_gluer.io.atomic import refuse_unwritable
from napari_gluer.io.cells_zarr import (
    is_zarr_name,
    is_zarr_table,
    read_zarr_table,
    refuse_other_folder,
    write_zarr_table,
)
from napari_gluer.io.filling import fill_markers, fill_positions, number_cells
from napari_gluer.io.h5ad import read_h5ad, write_h5ad
from napari_gluer.io.hashing import sha256
from napari_gluer.markers import nuclear_family
from napari_gluer.nomenclature.genes import genes_named

Kind = Literal["detect", "intensity", "counts", "log1p", "activity"]


def read_cells(path: str | os.PathLike[str], kind: Kind = "detect") -> AnnData:
    """Read a table of cells: measured elsewhere, or written by `write_cells`.

    Parameters
    ----------
    path
        An h5ad, or AnnData as ``.zarr`` or ``.zarr.zip``.
    kind
        What ``X`` holds. ``detect``: as stored in the file; else, where a column is a nuclear
        stain, intensities; else whole numbers are counts, fractions too large for a logarithm and
        negative values are intensities, others log1p. Intensities may be NaN, where a channel
        shows nothing of a cell; `clean` drops such cells.

    Returns
    -------
    The table as in the file, and

    - ``X`` float32, dense for intensities
    - ``obs["label"]``, unique and positive: the file's, else 1…n; then the index is
      ``str(label)`` and ``obs["cell_id"]`` keeps the old one
    - ``obs["volume_px"]`` from a column ``area``, ``size`` or ``volume``, and ``obsm["spatial"]``
      from columns ``x``, ``y``, where they are missing
    - ``var["genes"]``, ``var["role"]`` by name, where they are missing
    - ``uns["gluer"]``: ``kind``, ``spatial_unit`` (``px`` where not stored), ``path``, ``sha256``

    Raises
    ------
    InputError
        If the file holds no AnnData, or its values or labels cannot be used.
    """
    source = Path(path)
    cells = read_table(source)
    values = _values(cells, source)
    found = _kind(cells, kind)
    _refuse_gaps(values, found, source)
    cells.X = _single(cells.X, dense=found == slots.INTENSITY)
    number_cells(cells, source)
    fill_positions(cells)
    fill_markers(cells, found)
    unit = slots.info(cells).get(slots.SPATIAL_UNIT, "px")
    slots.note(cells, **{slots.KIND: found, slots.SPATIAL_UNIT: unit})
    slots.note(cells, path=str(source), sha256=sha256(source))
    return cells


def read_table(path: str | os.PathLike[str], *, joint: bool = False) -> AnnData:
    """Read an AnnData by the ending of its name: ``.zarr``, ``.zarr.zip``, else as an h5ad."""
    reading = read_zarr_table if is_zarr_name(path) else read_h5ad
    return reading(path, joint=joint)


def write_cells(cells: AnnData, path: str | os.PathLike[str]) -> None:
    """Write a table of cells, whole or not at all; `read_cells` gives it back.

    Parameters
    ----------
    cells
        Left as it is.
    path
        ``.h5ad``; ``.zarr``, a folder; or ``.zarr.zip``, the same in one file. An older one of that
        name is replaced, at the end.

    Raises
    ------
    InputError
        If the name has another ending, is a folder with other things in it or an image, or lies
        where nothing can be written.
    """
    refuse_other_table(path)
    writing = write_zarr_table if is_zarr_name(path) else write_h5ad
    writing(cells, path)


def refuse_other_table(path: str | os.PathLike[str]) -> None:
    """Refuse a name that no table of cells can be written to; before long work, too."""
    target = Path(path)
    if is_zarr_name(target):
        refuse_other_folder(target)
        if target.is_dir() and any(target.iterdir()) and not is_zarr_table(target):
            raise InputError(f"{target} is zarr, but no table of cells; choose another name.")
    elif target.suffix.casefold() != ".h5ad" or target.is_dir():
        raise InputError(
            f"{target}: a table of cells is a file whose name ends in .h5ad, or .zarr or .zarr.zip."
        )
    refuse_unwritable(target)


def _single(matrix: Any, *, dense: bool) -> Any:
    if not sparse.issparse(matrix):
        return np.asarray(matrix, np.float32)
    return matrix.toarray().astype(np.float32) if dense else sparse.csr_matrix(matrix, dtype="f4")


def _values(cells: AnnData, source: Path) -> NDArray[Any]:
    """Those of ``X``, stored ones of a sparse matrix; refuses what are no finite numbers or NaN."""
    if cells.X is None:
        layers = listed(cells.layers)
        raise InputError(f"{source.name} has no X (layers: {layers}). Put the values there.")
    values = stored_values(cells.X)
    if values.dtype.kind not in "buif":
        raise InputError(f"{source.name}: X holds {values.dtype}; numbers are needed.")
    if lost := int(np.isinf(values).sum()):
        raise InputError(
            f"{source.name}: {lost} of {values.size} values in X are infinite. Drop those cells or "
            "columns, or fill them."
        )
    return values


def _refuse_gaps(values: NDArray[Any], kind: str, source: Path) -> None:
    lost = int(np.isnan(values).sum())
    if lost and (kind != slots.INTENSITY or lost == values.size):
        raise InputError(
            f"{source.name}: {lost} of {values.size} values in X are NaN (it holds {kind}). Drop "
            "those cells or columns, or fill them; only intensities may have gaps."
        )


def _kind(cells: AnnData, kind: Kind) -> str:
    if kind != "detect":
        return kind
    stored = slots.info(cells).get(slots.KIND)
    if stored is not None:
        return str(stored)
    values = stored_values(cells.X)
    values = np.nan_to_num(values) if np.isnan(values).any() else values
    found = detect_kind(values)
    if any(_is_nuclear_stain(str(name)) for name in cells.var_names):
        return slots.INTENSITY  # of a camera, whole numbers and small ones too
    if found == slots.COUNTS:
        return slots.COUNTS if (values == np.floor(values)).all() else slots.INTENSITY
    return found or slots.INTENSITY


def _is_nuclear_stain(name: str) -> bool:
    """Whether a column is a stain of nuclei, and not a gene that is called alike (DNA2)."""
    return nuclear_family(name) is not None and not genes_named(name)
