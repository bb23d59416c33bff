"""Tables of cells as SeqFISH+ was published: counts and centroids, field by field."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.io.filling import CELL_ID
from napari_gluer.io.hashing import sha256
from napari_gluer.io.spot_columns import fold
from napari_gluer.markers import annotate
from napari_gluer.names import unique_names

PathLike = str | os.PathLike[str]

FOV = "fov"
_GAP = 0.1  # of a field's width, between fields of unknown places
_FIELD = ("fieldofview", "fov", "field", "position", "pos")
_ID = ("cellid", "cell", "id", "label", "cellnumber")
_X, _Y, _Z = ("x", "xcoord", "centroidx", "xcentroid"), ("y", "ycoord", "centroidy"), ("z",)
_INDEX = ("", "unnamed0", *_ID, "cellname", "barcode", "index")


def read_field_tables(
    counts: PathLike | Sequence[PathLike],
    centroids: PathLike | Sequence[PathLike],
    *,
    offsets: PathLike | None = None,
    pixel_size_um: float = 0.0,
) -> AnnData:
    """Read counts per cell and gene with the cells' centroids, as SeqFISH+ was published.

    Parameters
    ----------
    counts
        CSV with a column for every gene and a row for every cell, in the order of the centroids
        (``cortex_svz_counts.csv``); a first column with the cells' names is left out. Several
        files, one for every field of view, in the order of `centroids`.
    centroids
        CSV with columns ``Field of View``, ``Cell ID``, ``X``, ``Y`` (``cortex_svz_cellcentroids``
        ``.csv``); further columns, as ``Region``, are kept. Where there are several files and they
        name no field, the first is field 0.
    offsets
        CSV with columns ``field``, ``x_offset``, ``y_offset``: where every field starts, in the
        unit of the centroids.
    pixel_size_um
        Size of a pixel of the centroids in µm; 0: not known.

    Returns
    -------
    One row a cell, in the order of the files:

    - ``X`` float32 CSR ``(n_cells, n_genes)``, counts
    - ``obs``: ``label``, the cell's id where no two cells share one over all fields, else 1…n;
      ``fov``, ``cell_id`` (as in the file), ``x_in_field``, ``y_in_field``, and what else the
      centroids' table holds
    - ``obsm["spatial"]``: x, y[, z], in µm where the pixel size is known: with `offsets` on the
      tissue, else with the fields in a row, apart
    - ``var``: ``genes`` and ``role``
    - ``uns["gluer"]``: ``kind`` = counts, ``spatial_unit``, ``path``, ``sha256`` (of the counts;
      lists for several), ``numbered`` where ids are repeated, and ``fields``: ``fields``,
      ``stitched`` and ``outcome``, one line

    Raises
    ------
    InputError
        If a file is missing or damaged, a column is not found, the numbers of rows differ, counts
        are negative or fractions, an id is repeated in a field, or a field has no offset.
    """
    tables, cells = _paths(counts), _paths(centroids)
    if len(tables) != len(cells):
        raise InputError(
            f"{len(tables)} tables of counts and {len(cells)} of centroids; give one of each for "
            "every field of view."
        )
    parts = [_counts(table, len(_rows(place))) for table, place in zip(tables, cells, strict=True)]
    if any(list(part.columns) != list(parts[0].columns) for part in parts[1:]):
        raise InputError("The tables of counts differ in their genes. They must have the same.")
    placed = pd.concat([_centroids(path, i) for i, path in enumerate(cells)], ignore_index=True)
    _refuse_repeated(placed)
    places, stitched = _places(placed, offsets)
    table = _table(parts, placed)
    size = pixel_size_um or 1.0
    table.obsm[slots.SPATIAL] = places * size
    unit = "um" if pixel_size_um else "px"
    said = _said(placed, stitched=stitched)
    files = [str(path) for path in tables]
    prints = [sha256(path) for path in tables]
    single = len(files) == 1
    slots.note(
        table,
        **{slots.KIND: slots.COUNTS, slots.SPATIAL_UNIT: unit, slots.FIELDS: said},
        path=files[0] if single else files,
        sha256=prints[0] if single else prints,
    )
    return table


def _paths(given: PathLike | Sequence[PathLike]) -> list[Path]:
    several = [given] if isinstance(given, str | os.PathLike) else list(given)
    if not several:
        raise InputError("No table is given.")
    return [Path(path) for path in several]


def _rows(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, sep=None if path.suffix == ".txt" else _separator(path))
    except (ValueError, OSError, EOFError, pd.errors.ParserWarning) as error:
        raise InputError(f"{path.name} cannot be read as a table: {error}") from error
    if table.empty:
        raise InputError(f"{path.name} holds no cell.")
    return table


def _separator(path: Path) -> str:
    return "\t" if ".tsv" in path.suffixes else ","


def _counts(path: Path, n_cells: int) -> pd.DataFrame:
    """Counts of one file, cells × genes."""
    table = _rows(path)
    if fold(str(table.columns[0])) in _INDEX:
        table = table.iloc[:, 1:]
    if len(table) != n_cells:
        turned = " Its columns fit: it seems to be genes × cells, turn it." * (
            table.shape[1] == n_cells
        )
        raise InputError(
            f"{path.name} has {len(table)} rows, and {n_cells} cells have centroids.{turned}"
        )
    texts = [name for name in table if table[name].dtype.kind not in "iufb"]
    if texts:
        raise InputError(f"{path.name}: columns {listed(texts, 5)} hold text; counts are numbers.")
    values = table.to_numpy(np.float64)
    wrong = int((~np.isfinite(values) | (values < 0) | (values != np.floor(values))).sum())
    if wrong:
        raise InputError(
            f"{path.name}: {wrong} of {values.size} values are no counts (missing, negative or "
            "fractions)."
        )
    return table


def _centroids(path: Path, number: int) -> pd.DataFrame:
    """Fields, ids and positions of one file, and its further columns."""
    table = _rows(path)
    columns = {fold(str(name)): name for name in reversed(table.columns)}

    def find(names: Sequence[str]) -> Any:
        return next((columns[name] for name in names if name in columns), None)

    x, y, z, cell, field = (find(names) for names in (_X, _Y, _Z, _ID, _FIELD))
    missing = [text for text, name in (("x", x), ("y", y)) if name is None]
    if missing:
        raise InputError(
            f"{path.name} has no column for {' and '.join(missing)}; it has "
            f"{listed(table.columns)}."
        )
    known = {"x": x, "y": y} | ({"z": z} if z is not None else {})
    placed = pd.DataFrame({role: _numbers(table[name], path) for role, name in known.items()})
    placed[FOV] = table[field] if field is not None else number
    placed[CELL_ID] = table[cell] if cell is not None else np.arange(1, len(table) + 1)
    used = {x, y, z, cell, field}
    for name in table:
        if name not in used and fold(str(name)) not in _INDEX:
            placed[fold(str(name)) or str(name)] = table[name]
    return placed


def _numbers(column: pd.Series, path: Path) -> NDArray[np.float64]:
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        first = listed(f"row {row + 1}: {column.iloc[row]!r}" for row in wrong[:3])
        raise InputError(
            f"{path.name}: {wrong.size} of {len(values)} values in column {column.name!r} are no "
            f"finite numbers ({first})."
        )
    return values


def _refuse_repeated(placed: pd.DataFrame) -> None:
    repeats = placed[placed.duplicated([FOV, CELL_ID])]
    if len(repeats):
        first = repeats.iloc[0]
        raise InputError(
            f"{len(repeats)} cells share field and id with another (field {first[FOV]}, cell "
            f"{first[CELL_ID]}, for instance). Ids must be unique within a field of view."
        )


def _places(placed: pd.DataFrame, offsets: PathLike | None) -> tuple[NDArray[np.float64], bool]:
    """Positions of the cells, and whether they are those on the tissue."""
    axes = [axis for axis in ("x", "y", "z") if axis in placed]
    places = placed[axes].to_numpy(np.float64)
    fields = list(pd.unique(placed[FOV]))
    if offsets is None and len(fields) == 1:
        return places, True
    starts = _side_by_side(placed, fields) if offsets is None else _offsets(Path(offsets), fields)
    for field in fields:
        places[(placed[FOV] == field).to_numpy(), :2] += starts[field]
    return places, offsets is not None


def _side_by_side(placed: pd.DataFrame, fields: Sequence[Any]) -> dict[Any, NDArray[np.float64]]:
    widths = placed.groupby(FOV)["x"].agg(np.ptp)
    step = float(widths.max()) * (1 + _GAP) or 1.0
    lows = placed.groupby(FOV)[["x", "y"]].min()
    return {
        field: np.array([i * step, 0.0]) - lows.loc[field].to_numpy(np.float64)
        for i, field in enumerate(fields)
    }


def _offsets(path: Path, fields: Sequence[Any]) -> dict[Any, NDArray[np.float64]]:
    table = _rows(path)
    columns = {fold(str(name)): name for name in table}
    field = next((columns[name] for name in _FIELD if name in columns), None)
    pairs = (("xoffset", "yoffset"), ("xglobalpx", "yglobalpx"), ("x", "y"))
    pair = next(((columns[x], columns[y]) for x, y in pairs if {x, y} <= columns.keys()), None)
    if field is None or pair is None:
        raise InputError(
            f"{path.name} needs columns field, x_offset and y_offset; it has "
            f"{listed(table.columns)}."
        )
    known = table[field].tolist()
    if len(set(known)) < len(known):
        raise InputError(f"{path.name} gives a field more than one offset: {listed(known)}.")
    missing = [one for one in fields if one not in known]
    if missing:
        raise InputError(f"{path.name} has no offset for field {listed(missing)}.")
    starts = np.stack([_numbers(table[name], path) for name in pair], axis=1)
    return dict(zip(known, starts, strict=True))


def _table(parts: Sequence[pd.DataFrame], placed: pd.DataFrame) -> AnnData:
    counts = sparse.vstack(
        [sparse.csr_matrix(part.to_numpy(np.float32)) for part in parts], format="csr"
    )
    further = [name for name in placed if name not in ("x", "y", "z", FOV, CELL_ID)]
    labels, own = _labels(placed[CELL_ID])
    obs = pd.DataFrame(
        {
            slots.LABEL: labels,
            FOV: placed[FOV].to_numpy(),
            CELL_ID: placed[CELL_ID].to_numpy(),
            "x_in_field": placed["x"].to_numpy(),
            "y_in_field": placed["y"].to_numpy(),
            **{name: placed[name].to_numpy() for name in further},
        },
        index=labels.astype(str),
    )
    genes = unique_names(str(name) for name in parts[0].columns)
    table = AnnData(counts, obs=obs, var=annotate(genes, slots.COUNTS))
    if not own:
        slots.note(table, **{slots.NUMBERED: True})
    return table


def _labels(ids: pd.Series) -> tuple[NDArray[np.int64], bool]:
    """Labels unique over all fields, and whether they are the ids."""
    if ids.dtype.kind in "iu" and ids.is_unique and int(ids.min()) > 0:
        return ids.to_numpy(np.int64), True
    return np.arange(1, len(ids) + 1), False


def _said(placed: pd.DataFrame, *, stitched: bool) -> dict[str, Any]:
    fields = [str(field) for field in pd.unique(placed[FOV])]
    if len(fields) == 1:
        how = f"of field of view {fields[0]}"
    elif stitched:
        how = f"of {len(fields)} fields of view, at the offsets given"
    else:
        how = (
            f"of {len(fields)} fields of view; their offsets are not given, so they lie in a row, "
            "apart, and distances between fields mean nothing"
        )
    outcome = f"{len(placed):,} cells {how}."
    return {"fields": fields, "stitched": stitched, "outcome": outcome}
