"""Some cells of a large atlas: chosen by type, and read without the rest."""

from pathlib import Path
from typing import Annotated, Any

import anndata
import h5py  # type: ignore[import-untyped]
import numpy as np
import pandas as pd
from anndata import AnnData
from anndata.utils import make_index_unique
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.params import Params

_BLOCK_VALUES = 8_000_000
_TOGETHER = "\x1f"


class SubsampleParams(Params):
    """Which cells of a large reference are used."""

    n_cells: Annotated[int, Ge(10), Le(100_000_000)] = 50_000
    """Use at most this many; a smaller reference is used whole."""

    by: tuple[str, ...] = ()
    """Columns of obs whose values (types, and perhaps batches) are to stay represented; empty draws
    from all alike."""

    least: Annotated[int, Ge(0), Le(1_000_000)] = 100
    """Take at least this many of each value, or all where there are fewer; the rest in
    proportion."""


def subsample(
    reference: AnnData,
    params: SubsampleParams = SubsampleParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
) -> AnnData:
    """Draw a stratified subsample of a reference.

    Parameters
    ----------
    reference
        Reads ``obs[column]`` for the columns in ``params.by``; cells without a value are a stratum
        of their own.
    params
        How many, and of what.
    seed
        Of the draw.

    Returns
    -------
    AnnData
        A copy of the drawn cells in their order, with ``uns["gluer"]["subsample"]``: ``n_before``,
        ``seed``, ``params`` and ``outcome``, one line. All cells where no more are asked for.

    Raises
    ------
    InputError
        If a column is not there.
    """
    rows = drawn_rows(reference.obs, params, seed)
    result = reference[rows].copy()
    note_subsample(result, reference.n_obs, params, seed)
    return result


def note_subsample(table: AnnData, n_before: int, params: SubsampleParams, seed: int) -> None:
    """Say in the table which part of the reference it is."""
    by = f", represented by {' and '.join(params.by)}" if params.by else ""
    outcome = f"{table.n_obs:,} of {n_before:,} cells drawn{by}"
    told = {"n_before": n_before, "seed": seed, "params": params.model_dump_json()}
    if table.n_obs == n_before:
        outcome = f"all {n_before:,} cells used"
    slots.note(table, subsample=told | {"outcome": outcome})


def drawn_rows(obs: pd.DataFrame, params: SubsampleParams, seed: int) -> NDArray[np.intp]:
    """Rows to use, ascending."""
    missing = [column for column in params.by if column not in obs]
    if missing:
        shown = ", ".join(map(str, obs.columns)) or "none"
        raise InputError(f"The reference has no column {missing[0]!r} (it has: {shown}).")
    if len(obs) <= params.n_cells:
        return np.arange(len(obs))
    codes = _strata(obs, params.by)
    sizes = np.bincount(codes)
    wanted = allotted(sizes, params.n_cells, params.least)
    order = np.random.default_rng(seed).permutation(len(obs))
    order = order[np.argsort(codes[order], kind="stable")]
    place = np.arange(len(obs)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[place < wanted[codes[order]]])


def _strata(obs: pd.DataFrame, columns: tuple[str, ...]) -> NDArray[np.intp]:
    """Number of each cell's stratum; missing values are a value."""
    if not columns:
        return np.zeros(len(obs), np.intp)
    texts = [obs[column].astype("string").fillna(_TOGETHER).to_numpy(str) for column in columns]
    joined = pd.Series([_TOGETHER.join(values) for values in zip(*texts, strict=True)])
    return np.asarray(pd.factorize(joined, sort=True)[0], np.intp)


def allotted(sizes: NDArray[np.integer], n_cells: int, least: int) -> NDArray[np.int64]:
    """How many of each stratum: `least` where there are so many, the rest in proportion.

    Where even `least` of each are too many, as many of each as fit.
    """
    floor = np.minimum(sizes, least)
    while floor.sum() > n_cells:
        floor = np.minimum(floor, max(0, int(floor.max()) - max(1, int(floor.max()) // 20)))
    left = sizes - floor
    share = (n_cells - floor.sum()) * left / max(1, left.sum())
    taken = floor + np.floor(share).astype(np.int64)
    rest = int(n_cells - taken.sum())
    for i in np.argsort(-(share - np.floor(share)), kind="stable"):
        if rest and taken[i] < sizes[i]:
            taken[i] += 1
            rest -= 1
    return np.asarray(taken, np.int64)


def read_some(path: Path, params: SubsampleParams, seed: int) -> tuple[AnnData, int]:
    """Read only drawn cells of an h5ad, and say how many it holds.

    ``layers["counts"]``, ``raw`` and ``X`` are read in blocks of cells, of which the drawn ones are
    kept: memory is that of a block and of what is drawn.
    """
    with h5py.File(path) as file:
        obs = anndata.io.read_elem(file["obs"])
        if not len(obs):
            raise InputError("it holds no cells.")
        obs.index = make_index_unique(obs.index.astype(str))  # as in the whole file
        rows = drawn_rows(obs, params, seed)
        table = AnnData(
            _rows_of(file["X"], rows) if "X" in file else None,
            obs=obs.iloc[rows].copy(),
            var=anndata.io.read_elem(file["var"]),
            uns=_known(file),
        )
        for key in file.get("obsm", ()):
            stored = file["obsm"][key]
            if isinstance(stored, h5py.Dataset) and stored.ndim == 2:
                table.obsm[key] = _rows_of(stored, rows)
        if slots.COUNTS in file.get("layers", ()):
            table.layers[slots.COUNTS] = _rows_of(file["layers"][slots.COUNTS], rows)
        if "raw" in file and "X" in file["raw"]:
            var = anndata.io.read_elem(file["raw"]["var"])
            table.raw = AnnData(_rows_of(file["raw"]["X"], rows), obs=table.obs, var=var)
    return table, len(obs)


def _known(file: h5py.File) -> dict[str, Any]:
    """What the file says of itself: intensities must not pass for expression."""
    path = f"uns/{slots.INFO}"
    return {slots.INFO: anndata.io.read_elem(file[path])} if path in file else {}


def _rows_of(stored: Any, rows: NDArray[np.intp]) -> Any:
    """Some rows of a matrix in the file: dense, CSR or CSC."""
    if isinstance(stored, h5py.Dataset):
        height = max(1, _BLOCK_VALUES // max(1, stored.shape[1]))
        parts = [
            stored[start : start + height][_within(rows, start, height)]
            for start in range(0, stored.shape[0], height)
        ]
        return np.concatenate(parts)
    shape = tuple(int(n) for n in stored.attrs["shape"])
    if stored.attrs["encoding-type"] == "csc_matrix":
        blocks = _blocks(stored, shape[0], sparse.csc_matrix)
        return sparse.hstack([block[rows] for _, block in blocks]).tocsr()
    blocks = _blocks(stored, shape[1], sparse.csr_matrix)
    return sparse.vstack(
        [block[_within(rows, start, block.shape[0])] for start, block in blocks], format="csr"
    )


def _within(rows: NDArray[np.intp], start: int, height: int) -> NDArray[np.intp]:
    """Those of the rows that lie in a block, counted from its start."""
    first, last = np.searchsorted(rows, [start, start + height])
    return rows[first:last] - start


def _blocks(stored: Any, width: int, form: type) -> Any:
    """Blocks of a compressed matrix along its long axis, each with its start."""
    pointers = stored["indptr"][:].astype(np.int64)
    start = 0
    while start < len(pointers) - 1:
        end = int(np.searchsorted(pointers, pointers[start] + _BLOCK_VALUES, side="right")) - 1
        end = max(end, start + 1)
        part = slice(pointers[start], pointers[end])
        height = end - start
        shape = (height, width) if form is sparse.csr_matrix else (width, height)
        block = form(
            (stored["data"][part], stored["indices"][part], pointers[start : end + 1] - part.start),
            shape,
        )
        block.check_format(full_check=True)  # compiled code trusts the indices
        yield start, block
        start = end
