"""Reading single-cell references."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.io.cells import read_table
from napari_gluer.io.cells_zarr import is_zarr_name
from napari_gluer.io.h5ad import require_h5ad
from napari_gluer.io.hashing import sha256
from napari_gluer.io.subsampling import SubsampleParams, note_subsample, read_some
from napari_gluer.io.subsampling import subsample as draw


def read_reference(
    path: str | os.PathLike[str], subsample: SubsampleParams | None = None, *, seed: int = 0
) -> AnnData:
    """Read a single-cell RNA reference; counts and log1p values are both accepted.

    Parameters
    ----------
    path
        An h5ad, or AnnData as ``.zarr`` or ``.zarr.zip``; read in this order: ``layers["counts"]``,
        ``.raw``, ``X``.
    subsample
        Read only so many cells of a large atlas, its types represented; the others are never in
        memory. None reads all.
    seed
        Of the draw.

    Returns
    -------
    - ``X``: CSR float32 ``(n_cells, n_genes)``, log1p of counts per 10,000
    - ``var_names``: unique gene symbols; ``obs`` and ``obsm`` as in the file
    - ``uns["gluer"]``: ``kind`` = log1p, ``found`` (counts or log1p), ``source`` (the slot),
      ``path``, ``sha256``; ``subsample``, where cells were drawn

    Raises
    ------
    InputError
        If the file holds no AnnData, no cells, or only scaled, negative or NaN values.
    """
    source = Path(path)
    table, n_before = (
        (read_table(source), 0) if subsample is None else _some(source, subsample, seed)
    )
    found_before = slots.info(table).get("found")
    try:
        expressed = expression(table)
    except InputError as error:
        raise InputError(f"{source.name}: {error}") from error
    reference = AnnData(
        expressed.matrix,
        obs=table.obs,
        var=pd.DataFrame(index=expressed.genes),
        obsm={key: value for key, value in table.obsm.items() if isinstance(value, np.ndarray)},
    )
    slots.note(
        reference,
        **{slots.KIND: slots.LOG1P},
        found=found_before or expressed.kind,
        source=expressed.source,
        path=str(source),
        sha256=sha256(source),
    )
    if subsample is not None:
        note_subsample(reference, n_before, subsample, seed)
    return reference


def _some(source: Path, params: SubsampleParams, seed: int) -> tuple[AnnData, int]:
    """Drawn cells of a file, which is vetted like any."""
    if is_zarr_name(source):
        whole = read_table(source)
        return draw(whole, params, seed=seed), whole.n_obs
    require_h5ad(source)
    try:
        return read_some(source, params, seed)
    except InputError as error:
        raise InputError(f"{source.name}: {error}") from error
    except Exception as error:  # damage comes up as an error of any kind
        raise InputError(f"{source.name} cannot be read as an h5ad: {error}") from error
