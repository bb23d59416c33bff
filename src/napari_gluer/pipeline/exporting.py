"""The imputed matrix as a file, made and written block by block."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import h5py  # type: ignore[import-untyped]
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import Expression, expression
from napari_gluer.integration.imputation import checked_weights
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.h5ad import write_h5ad
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

_BLOCK_VALUES = 16_000_000  # 64 MB of float32
_FIRST: Final = "w"
_NEXT: Final = "a"
_DESC = "Writing imputed genes"

_Blocks = Iterator[tuple[slice, NDArray[np.float32]]]


class ExportParams(Params):
    """How imputed genes are written."""

    show_unmatched: bool = False
    """Write values for unmatched cells too; they are made up from cells that are not like them."""


def export_imputed(
    cells: AnnData,
    reference: AnnData,
    path: str | os.PathLike[str],
    genes: Sequence[str] | None = None,
    *,
    params: ExportParams = ExportParams(),  # noqa: B008 - frozen
    track: Track = silently,
) -> Path:
    """Impute genes for every cell and write them, whole or not at all.

    The matrix is never in memory: blocks of cells are imputed and written one after the other.

    Parameters
    ----------
    cells
        Integrated cells; reads ``obsm["gluer_weights"]``, ``obs["label"]``,
        ``obs["gluer_unmatched"]`` and ``uns["gluer"]``.
    reference
        The very reference of the integration.
    path
        ``.h5ad`` (``X`` float32 cells × genes; ``obs``, ``obsm`` without the weights), ``.csv``,
        ``.csv.gz`` or ``.parquet`` (``label``, ``unmatched``, one column per gene). Values are
        log1p of counts per 10,000; those of unmatched cells are NaN, or empty in a CSV.
    genes
        Genes of the reference; None writes all.
    params
        What becomes of unmatched cells.
    track
        Wraps the loop over blocks.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        If the cells are not integrated, the reference is another one, it lacks a gene, or the
        name's ending is another.
    """
    target = Path(path)
    write = _writer(target)
    expressed = expression(reference)
    weights = checked_weights(cells, reference, expressed)
    asked = [genes] if isinstance(genes, str) else genes
    wanted = [str(gene) for gene in (expressed.genes if asked is None else asked)]
    _require(expressed, wanted, target)
    columns = expressed.matrix[:, expressed.genes.get_indexer(pd.Index(wanted))].tocsr()
    hidden = slots.unmatched(cells) & (not params.show_unmatched)

    def blocks() -> _Blocks:
        height = max(1, _BLOCK_VALUES // len(wanted))
        for start in track(range(0, cells.n_obs, height), _DESC):
            rows = slice(start, start + height)
            values = np.asarray((weights[rows] @ columns).toarray(), np.float32)
            values[hidden[rows]] = np.nan
            yield rows, values

    with atomic_path(target) as partial:
        write(partial, cells, wanted, blocks())
    return target


def _require(expressed: Expression, genes: list[str], path: Path) -> None:
    if not genes:
        raise InputError("There is no gene to write.")
    repeated = pd.Index(genes)[pd.Index(genes).duplicated()].unique()
    if len(repeated):
        raise InputError(f"Genes are named twice: {listed(repeated)}.")
    expressed.require(genes)
    keys = sorted({"label", "unmatched"} & set(genes))
    if keys and path.suffix.casefold() != ".h5ad":
        raise InputError(
            f"Genes called {listed(keys)} have the name of a key column; write an .h5ad, or leave "
            "them out."
        )


def _writer(path: Path) -> Callable[[Path, AnnData, list[str], _Blocks], None]:
    """How a file of that name is written."""
    ways = {".h5ad": _write_h5ad, ".csv": _write_csv, ".csv.gz": _write_csv, ".parquet": _parquet}
    for ending, way in ways.items():
        if path.name.casefold().endswith(ending):
            return way
    raise InputError(f"{path.name} must end in one of {', '.join(ways)}.")


def _write_h5ad(path: Path, cells: AnnData, genes: list[str], blocks: _Blocks) -> None:
    """Everything but X as AnnData writes it, then X in AnnData's encoding of dense arrays."""
    shell = AnnData(obs=cells.obs.copy(), var=pd.DataFrame(index=pd.Index(genes)))
    for key, value in cells.obsm.items():
        if key != slots.WEIGHTS:
            shell.obsm[key] = value
    slots.note(shell, **{slots.KIND: slots.LOG1P}, imputed=True)
    write_h5ad(shell, path)
    with h5py.File(path, "r+") as file:
        if "X" in file:
            del file["X"]
        height = max(1, min(cells.n_obs, _BLOCK_VALUES // len(genes) // 16))
        data = file.create_dataset(
            "X",
            (cells.n_obs, len(genes)),
            np.float32,
            chunks=(height, len(genes)),
            compression="gzip",
            compression_opts=1,
        )
        data.attrs["encoding-type"], data.attrs["encoding-version"] = "array", "0.2.0"
        for rows, values in blocks:
            data[rows] = values


def _write_csv(path: Path, cells: AnnData, genes: list[str], blocks: _Blocks) -> None:
    keys = _keys(cells)
    packed: Literal["gzip"] | None = "gzip" if path.name.casefold().endswith(".gz") else None
    for rows, values in blocks:
        table = pd.concat(
            [keys[rows], pd.DataFrame(values, columns=genes, index=keys.index[rows])], axis=1
        )
        first = rows.start == 0
        table.to_csv(
            path,
            mode=_FIRST if first else _NEXT,
            header=first,
            index=False,
            float_format="%.5g",
            compression=packed,
        )


def _parquet(path: Path, cells: AnnData, genes: list[str], blocks: _Blocks) -> None:
    keys = _keys(cells)
    schema = pa.schema(
        [
            ("label", pa.int64()),
            ("unmatched", pa.bool_()),
            *((gene, pa.float32()) for gene in genes),
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for rows, values in blocks:
            part = keys[rows]
            arrays: list[Any] = [pa.array(part["label"]), pa.array(part["unmatched"])]
            arrays += [pa.array(np.ascontiguousarray(column)) for column in values.T]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _keys(cells: AnnData) -> pd.DataFrame:
    """What joins the rows to the masks."""
    labels = slots.cell_labels(cells)
    return pd.DataFrame({"label": labels, "unmatched": slots.unmatched(cells)})
