"""Cells as a plain table: one row a cell, keyed by its label, for R, spreadsheets and databases."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.io.atomic import atomic_path

Values = Mapping[str, NDArray[np.floating]]

_DIGITS = "%.6g"
TABLES = (".csv", ".csv.gz", ".parquet")


def cell_table(cells: AnnData, genes: Values | None = None) -> pd.DataFrame:
    """Everything that is known of each cell by one number or word.

    Parameters
    ----------
    cells
        Reads ``obs``, ``X`` and ``obsm["spatial"]``.
    genes
        Imputed genes, each ``(n_cells,)`` in the order of `cells`; of unmatched cells left empty.

    Returns
    -------
    pandas.DataFrame
        ``label`` first, then ``x``, ``y``[, ``z``], the other columns of ``obs``, the columns of
        ``X`` and the genes, as ``NAME (imputed)``.

    Raises
    ------
    InputError
        If labels are missing or no key, or two columns come to have one name.
    """
    parts = [
        pd.DataFrame({slots.LABEL: slots.cell_labels(cells)}, index=cells.obs_names),
        _places(cells),
        cells.obs.drop(columns=[slots.LABEL]),
        pd.DataFrame(_dense(cells.X), cells.obs_names, cells.var_names.astype(str)),
        imputed_columns(cells, genes or {}),
    ]
    table: pd.DataFrame = pd.concat(parts, axis=1)
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputError(
            f"Columns of the table would have the same name: {listed(twice)} (in obs and among the "
            "markers). Rename the column in obs."
        )
    return table


def imputed_columns(cells: AnnData, genes: Values) -> pd.DataFrame:
    """Imputed genes as ``NAME (imputed)``, NaN for unmatched cells."""
    hidden = slots.unmatched(cells)
    columns: dict[str, Any] = {}
    for gene, values in genes.items():
        if np.shape(values) != (cells.n_obs,):
            raise InputError(
                f"{gene} has values of shape {np.shape(values)}; one for each of the "
                f"{cells.n_obs:,} cells is needed."
            )
        columns[f"{gene} (imputed)"] = np.where(hidden, np.nan, np.asarray(values, np.float32))
    return pd.DataFrame(columns, index=cells.obs_names)


def write_table(cells: AnnData, path: Path, genes: Values | None = None) -> None:
    """Write `cell_table` as ``.csv``, ``.csv.gz`` or ``.parquet``, whole or not at all."""
    table = cell_table(cells, genes)
    name = path.name.casefold()
    if not name.endswith(TABLES):
        raise InputError(f"{path.name} must end in one of {', '.join(TABLES)}.")
    with atomic_path(path) as partial:
        if name.endswith(".parquet"):
            table.to_parquet(partial, index=False)
        elif name.endswith(".gz"):
            # neither date nor name in the header: the same table makes the same file
            with partial.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
                table.to_csv(packed, index=False, float_format=_DIGITS)
        else:
            table.to_csv(partial, index=False, float_format=_DIGITS)


def _places(cells: AnnData) -> pd.DataFrame:
    """Centroids, in the unit that ``uns["gluer"]["spatial_unit"]`` names."""
    if slots.SPATIAL not in cells.obsm:
        return pd.DataFrame(index=cells.obs_names)
    places = np.asarray(cells.obsm[slots.SPATIAL], np.float64)
    names = [name for name in "xyz"[: places.shape[1]] if name not in cells.obs]
    columns = {name: places[:, "xyz".index(name)] for name in names}
    return pd.DataFrame(columns, index=cells.obs_names)


def _dense(matrix: Any) -> NDArray[Any]:
    if matrix is None:
        raise InputError("The table of cells has no X; put the values there.")
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix)
